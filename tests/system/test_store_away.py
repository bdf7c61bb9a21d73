"""A database that goes away ends nothing."""

import sqlite3
from collections.abc import Generator
from pathlib import Path

import pytest
from sqlalchemy import select, text

from orchestrator.centre import Centre
from orchestrator.config import DatabaseConfig
from orchestrator.overview import Overview
from orchestrator.store import Store, StoreAway, StoreTooNew, StoreUnavailable
from orchestrator.store.tables import rooms
from tests.fakes.centre import add_site, join, running_centre
from tests.fakes.database import Cluster, postgresql
from tests.fakes.waiting import until_async
from web.readiness import checks


@pytest.fixture
def own_cluster() -> Generator[Cluster]:
    """A server that the test may stop."""
    with postgresql() as running:
        yield running


async def test_a_stopped_server_is_said_in_our_words(own_cluster: Cluster) -> None:
    async with Store.open(own_cluster.new_database()) as store:
        with pytest.raises(StoreAway):  # noqa: PT012  # cut in the middle
            async with store.read() as connection:
                own_cluster.stop()
                await connection.execute(select(rooms))
        for again in (store.read, store.write):
            with pytest.raises(StoreAway):
                async with again() as connection:
                    await connection.execute(select(rooms))


async def test_a_centre_outlives_its_database(own_cluster: Cluster, tmp_path: Path) -> None:
    database = DatabaseConfig(url=own_cluster.new_database())
    async with running_centre(tmp_path, database=database) as centre:
        await add_site(centre, ("cam1", "r1", "b1"))
        async with (await join(centre, tmp_path, "b1")).online() as box:
            own_cluster.stop()
            await box.beat()
            await until_async(lambda: _is_away(centre))
            for work in (centre.looks.review, centre.doors.look, centre.catalogue.notice_silence):
                with pytest.raises(StoreAway):
                    await work()
    # what ran in the background would have said here that it ended


async def _is_away(centre: Centre) -> bool:
    overview = Overview(centre.store)
    return next(check.says for check in await checks(centre, overview)) == "away"


async def test_a_statement_that_is_wrong_is_no_absence(store: Store) -> None:
    with pytest.raises(Exception, match="nowhere") as raised:
        async with store.read() as connection:
            await connection.execute(text("SELECT 1 FROM nowhere"))
    assert not isinstance(raised.value, StoreAway)


async def test_a_busy_file_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.store.engine._BUSY_MS", 1)
    async with Store.open(f"sqlite:///{tmp_path}/x.sqlite") as store:
        other = sqlite3.connect(tmp_path / "x.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreAway):
            async with store.write():
                pass
        other.close()


def test_all_failures_of_the_store_are_one_family() -> None:
    assert issubclass(StoreTooNew, StoreUnavailable)
    assert issubclass(StoreAway, StoreUnavailable)
