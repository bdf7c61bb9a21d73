"""The ledger in the store, on both databases."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from orchestrator.commands.ledger import app
from orchestrator.ledger import FIRST, Act, BrokenLink, Ledger, append, verify
from orchestrator.store import Store
from orchestrator.store.tables import ledger
from tests.fakes.clock import ManualClock
from tests.fakes.database import Cluster

LOOK = Act("chen", "see_live", "A101", "巡考", "ok", "10.0.0.9")
UNLOCK = {
    "sqlite": ("DROP TRIGGER ledger_no_update", "DROP TRIGGER ledger_no_delete"),
    "postgresql": ("DROP TRIGGER ledger_no_change ON ledger",),
}


@pytest.fixture
def book(store: Store) -> Ledger:
    return Ledger(store, ManualClock())


@pytest.fixture
async def cluster_store(cluster: Cluster) -> AsyncGenerator[Store]:
    async with Store.open(cluster.new_database()) as opened:
        yield opened


async def _tamper(store: Store, statement: str) -> None:
    """Do what somebody with the database's password can."""
    async with store.write() as connection:
        for unlock in UNLOCK[connection.dialect.name]:
            await connection.execute(text(unlock))
        await connection.execute(text(statement))


async def test_an_act_is_read_as_it_was_recorded(book: Ledger) -> None:
    assert await book.record(LOOK) == 1
    (entry,) = await book.entries()
    assert (entry.id, entry.act, entry.at) == (1, LOOK, ManualClock().now())
    assert entry.previous == FIRST


async def test_rows_are_listed_after_one_and_up_to_a_limit(book: Ledger) -> None:
    for number in range(5):
        await book.record(Act("a", "b", str(number)))
    assert [entry.id for entry in await book.entries(after=1, limit=3)] == [2, 3, 4]
    assert await book.length() == 5


async def test_an_act_inside_a_transaction_that_fails_was_never_done(
    store: Store, book: Ledger
) -> None:
    async def fail() -> None:
        async with store.write() as connection:
            await append(connection, LOOK, ManualClock().now())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await book.record(LOOK) == 1


async def test_writers_at_once_make_one_chain(database: str) -> None:
    async with Store.open(database) as one, Store.open(database) as other:
        books = (Ledger(one, ManualClock()), Ledger(other, ManualClock()))
        acts = [book.record(Act("a", "b", str(n))) for n in range(10) for book in books]
        assert sorted(await asyncio.gather(*acts)) == list(range(1, 21))
        assert await books[0].verify() is None


async def test_the_database_refuses_to_change_or_remove_a_row(store: Store, book: Ledger) -> None:
    await book.record(LOOK)
    for statement in (update(ledger).values(actor="nobody"), delete(ledger)):
        with pytest.raises(DBAPIError, match="append-only"):
            async with store.write() as connection:
                await connection.execute(statement)
    assert await book.verify() is None


async def test_the_database_refuses_a_row_in_the_place_of_another(
    store: Store, book: Ledger
) -> None:
    for _ in range(2):
        await book.record(LOOK)
    async with store.read() as connection:
        first = dict((await connection.execute(select(ledger))).mappings().first() or {})
    for changes in ({"actor": "nobody", "hash": "e" * 64}, {"id": 0}, {"id": 1}):
        with pytest.raises(DBAPIError):
            async with store.write() as connection:
                await connection.execute(insert(ledger).values(**{**first, **changes}))
    assert await book.verify() is None


@pytest.mark.parametrize("changes", [{"actor": "nobody", "hash": "e" * 64}, {"id": 3}])
async def test_sqlite_replaces_no_row(tmp_path: Path, changes: dict[str, object]) -> None:
    async with Store.open(f"sqlite:///{tmp_path}/xunkao.sqlite") as store:
        book = Ledger(store, ManualClock())
        for _ in range(2):
            await book.record(LOOK)
        async with store.read() as connection:
            first = dict((await connection.execute(select(ledger))).mappings().first() or {})
        other = insert(ledger).prefix_with("OR REPLACE").values(**{**first, **changes})
        with pytest.raises(DBAPIError, match="append-only"):
            async with store.write() as connection:
                await connection.execute(other)
        assert await book.verify() is None
        assert await book.length() == 2


async def test_postgresql_refuses_to_truncate(cluster_store: Store) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        async with cluster_store.write() as connection:
            await connection.execute(text("TRUNCATE ledger CASCADE"))


@pytest.mark.parametrize(
    ("tampering", "broken"),
    [
        ("UPDATE ledger SET actor = 'nobody' WHERE id = 2", BrokenLink(2, "it was changed")),
        ("UPDATE ledger SET at = at + 1 WHERE id = 3", BrokenLink(3, "it was changed")),
        ("DELETE FROM ledger WHERE id = 2", BrokenLink(2, "the row is missing")),
        ("DELETE FROM ledger WHERE id = 1", BrokenLink(1, "the row is missing")),
        (
            f"UPDATE ledger SET previous = '{FIRST}' WHERE id = 3",
            BrokenLink(3, "it does not follow the row before"),
        ),
    ],
)
async def test_the_first_broken_link_is_named(
    store: Store, book: Ledger, tampering: str, broken: BrokenLink
) -> None:
    for number in range(4):
        await book.record(Act("a", "b", str(number)))
    await _tamper(store, tampering)
    assert await book.verify() == broken


async def test_a_rewritten_row_breaks_the_next(store: Store, book: Ledger) -> None:
    for number in range(3):
        await book.record(Act("a", "b", str(number)))
    await _tamper(store, "DELETE FROM ledger WHERE id >= 2")
    async with store.write() as connection:
        await append(connection, Act("a", "b", "another"), ManualClock().now())
        await connection.execute(
            insert(ledger).values(
                id=3,
                at=ManualClock().now(),
                actor="a",
                action="b",
                object="2",
                reason="",
                result="ok",
                source="",
                previous="1" * 64,
                hash="2" * 64,
            )
        )
        assert await verify(connection) == BrokenLink(3, "it does not follow the row before")


async def test_a_chain_longer_than_a_batch_is_walked_to_its_end(store: Store, book: Ledger) -> None:
    async with store.write() as connection:
        for number in range(1003):
            await append(connection, Act("a", "b", str(number)), ManualClock().now())
    assert await book.verify() is None
    await _tamper(store, "UPDATE ledger SET result = 'ok ' WHERE id = 1002")
    assert await book.verify() == BrokenLink(1002, "it was changed")


async def test_a_nul_from_outside_is_written_down_too(book: Ledger) -> None:
    await book.record(Act("a\0b", "log_in", ""))
    assert [entry.act.actor for entry in await book.entries()] == ["a\N{REPLACEMENT CHARACTER}b"]
    assert await book.verify() is None


def test_the_command_counts_the_rows_or_names_the_first_broken_one(tmp_path: Path) -> None:
    config = tmp_path / "xunkao.toml"
    config.write_text('data = "data"')

    async def prepare(statement: str | None) -> None:
        async with Store.open(f"sqlite:///{tmp_path}/data/centre.sqlite") as store:
            await Ledger(store, ManualClock()).record(LOOK)
            if statement:
                await _tamper(store, statement)

    asyncio.run(prepare(None))
    whole = CliRunner().invoke(app, ["verify", "--config", str(config)])
    assert whole.exit_code == 0
    assert "共 1 行，完整 / 1 rows, whole\n" in whole.stdout
    assert "no anchors were compared: rows cut off at the end" in whole.stdout
    asyncio.run(prepare("UPDATE ledger SET actor = 'nobody' WHERE id = 1"))
    broken = CliRunner().invoke(app, ["verify", "--config", str(config)])
    assert (broken.exit_code, broken.stderr) == (1, "第 1 行：被改动 / row 1: it was changed\n")
    missing = CliRunner().invoke(app, ["verify", "--config", str(tmp_path / "none.toml")])
    assert missing.exit_code == 2
    assert "none.toml" in missing.stderr
