"""When copies go from the archive: by both clocks, held by nobody, and all of them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.objects import MARK, ArchivePlace, Objects
from orchestrator.archiveexpiry import ArchiveExpiry
from orchestrator.covers import is_over
from orchestrator.store import Store
from orchestrator.store.tables import (
    archive_copies,
    cameras,
    edge_states,
    edges,
    hold_cameras,
    holds,
    rooms,
    segments,
)
from tests.fakes.clock import ManualClock

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@dataclass
class Site:
    """A camera at a box, and an archive; the clock is the centre's."""

    store: Store
    objects: Objects
    clock: ManualClock

    @property
    def expiry(self) -> ArchiveExpiry:
        return ArchiveExpiry(self.store, self.objects, self.clock, is_over)

    async def copy(self, terms: Sequence[datetime]) -> None:
        """Copies of segments with these terms, the first of them first."""
        rows, copies = [], []
        for number, until in enumerate(terms):
            name = f"cam1.main.{number:04}"
            start = until - 30 * DAY - MINUTE
            rows.append(
                {
                    "id": name,
                    "edge": "b1",
                    "camera": "cam1",
                    "stream": "main",
                    "starts_at": start,
                    "ends_at": start + MINUTE,
                    "bytes": 1000,
                    "path": f"shelf/{number}",
                    "root": "",
                    "previous": "",
                    "fragments": 1,
                    "clock": "trusted",
                    "volume": "",
                    "adopted": False,
                    "retain_until": until,
                }
            )
            copy = {"segment": name, "copy": "archive", "edge": "b1", "place": f"b1/{name}.xka"}
            stands = {"bytes": 3, "sha256": "0" * 64, "verified_at": start + MINUTE}
            copies.append({**copy, **stands})
            await self.objects.put(f"b1/{name}.xka", b"xyz")
        async with self.store.write() as connection:
            await connection.execute(insert(segments), rows)
            await connection.execute(insert(archive_copies), copies)

    async def beat(self, edge: str, off: timedelta = timedelta(), *, trusted: bool = True) -> None:
        """A box is heard whose clock differs from ours by so much."""
        now = self.clock.now()
        async with self.store.write() as connection:
            await connection.execute(delete(edge_states).where(edge_states.c.edge == edge))
            await connection.execute(
                insert(edge_states).values(
                    edge=edge,
                    at=now + off,
                    heard_at=now,
                    state="online",
                    boot="b",
                    epoch=1,
                    revision=1,
                    clock_trusted=trusted,
                )
            )

    async def hold(self, start: datetime, end: datetime) -> None:
        now = self.clock.now()
        async with self.store.write() as connection:
            await connection.execute(
                insert(holds).values(
                    id="h1",
                    kind="incident",
                    state="ACTIVE",
                    starts_at=start,
                    ends_at=end,
                    owner="li",
                    reason="停电",
                    review_at=now + DAY,
                    placed_by="li",
                    placed_at=now,
                )
            )
            await connection.execute(insert(hold_cameras).values(hold="h1", camera="cam1"))

    async def standing(self) -> list[str]:
        c = archive_copies.c
        query = select(c.segment).where(c.deleted_at.is_(None)).order_by(c.segment)
        async with self.store.read() as connection:
            return list(await connection.scalars(query))


@pytest.fixture
async def site(store: Store, tmp_path: Path) -> Site:
    clock = ManualClock()
    place = tmp_path / "archive"
    place.mkdir()
    (place / MARK).touch()
    now = clock.now()
    async with store.write() as connection:
        await connection.execute(insert(rooms).values(id="r1", name="教一 101", aliases=[]))
        for edge in ("b1", "b2"):
            keys = {"sign_public": b"s" * 32, "seal_public": b"x" * 32, "certificate": "c"}
            enrolled = {"id": edge, "url": "https://b", "enrolled_at": now, **keys}
            await connection.execute(insert(edges).values(**enrolled))
        camera = {"id": "cam1", "room": "r1", "edge": "b1", "sealed": "", "added_at": now}
        await connection.execute(insert(cameras).values(**camera))
    return Site(store, Objects.of(ArchivePlace(url=f"file://{place}")), clock)


async def test_a_clock_a_month_ahead_deletes_nothing_and_says_so_once(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    ahead = 31 * DAY
    await site.copy([site.clock.now() + 30 * DAY])
    expiry = site.expiry
    await site.beat("b1")
    site.clock.step(ahead)  # between the heartbeat and the sweep
    caplog.set_level(logging.WARNING)
    assert await expiry.sweep() == 0
    await site.beat("b1", -ahead)
    await site.beat("b2", -ahead)
    assert await expiry.sweep() == 0
    assert len([one for one in caplog.records if "no copies go" in one.message]) == 1
    await site.beat("b1")  # a box that follows the same wrong clock is one against another
    assert await expiry.sweep() == 0
    async with site.store.read() as connection:
        assert not await is_over(connection, "cam1.main.0000", site.clock.now())
    assert await site.standing() == ["cam1.main.0000"]


async def test_a_clock_that_is_behind_deletes_late(site: Site) -> None:
    await site.copy([site.clock.now() - DAY])
    site.clock.step(-3 * DAY)
    await site.beat("b1", 3 * DAY)
    assert await site.expiry.sweep() == 0
    site.clock.step(3 * DAY)
    await site.beat("b1")
    assert await site.expiry.sweep() == 1


async def test_without_a_box_that_believes_its_clock_nothing_goes(site: Site) -> None:
    await site.copy([site.clock.now() - DAY])
    assert await site.expiry.sweep() == 0
    await site.beat("b1", trusted=False)
    assert await site.expiry.sweep() == 0
    await site.beat("b1")
    site.clock.step(5 * MINUTE)  # nothing was heard since
    assert await site.expiry.sweep() == 0
    await site.beat("b2")  # a box whose clock nobody contradicts; the other may be lost
    assert await site.expiry.sweep() == 1
    assert await site.standing() == []


async def test_any_number_of_held_copies_keeps_no_other_from_going(site: Site) -> None:
    now = site.clock.now()
    held = [now - 9 * DAY] * 520
    await site.copy([*held, now - DAY])
    await site.hold(now - 60 * DAY, now - 35 * DAY)
    await site.beat("b1")
    assert await site.expiry.sweep() == 1
    assert len(await site.standing()) == 520


async def test_a_sweep_looks_at_all_that_is_past_its_term(site: Site) -> None:
    now = site.clock.now()
    await site.copy([now - 9 * DAY] * 520 + [now - DAY])
    await site.beat("b1")
    looked: list[str] = []

    async def last_alone(connection: AsyncConnection, segment: str, now: datetime) -> bool:
        looked.append(segment)
        return segment == "cam1.main.0520"

    expiry = ArchiveExpiry(site.store, site.objects, site.clock, last_alone)
    assert await expiry.sweep() == 1
    assert len(looked) == len(set(looked)) == 521


async def test_objects_that_no_box_told_of_go_with_their_term(site: Site) -> None:
    now = site.clock.now()
    await site.copy([now - 9 * DAY, now - 8 * DAY, now - 7 * DAY, now + DAY])
    await site.hold(now - 38 * DAY - 2 * MINUTE, now - 38 * DAY)
    c = archive_copies.c
    async with site.store.write() as connection:  # 0 was sent and never read back, like 1 and 3
        await connection.execute(delete(archive_copies).where(c.segment != "cam1.main.0002"))
    for stranger in ("b2/cam1.main.0000.xka", "b1/unknown.xka", "b1/cam1.main.0000"):
        await site.objects.put(stranger, b"xyz")
    assert await site.expiry.sweep_untold() == 0  # nobody confirms the clock
    await site.beat("b1")
    assert await site.expiry.sweep_untold() == 1
    left = sorted([name async for some in site.objects.names() for name in some])
    assert left == [
        "b1/cam1.main.0000",
        "b1/cam1.main.0001.xka",  # held
        "b1/cam1.main.0002.xka",  # told: it goes by its record
        "b1/cam1.main.0003.xka",  # not over
        "b1/unknown.xka",
        "b2/cam1.main.0000.xka",
        MARK,
    ]
    assert await site.expiry.sweep() == 1
    await site.objects.put("b1/cam1.main.0002.xka", b"xyz")  # sent again: its journal was lost
    assert await site.expiry.sweep_untold() == 1
    assert await site.objects.size("b1/cam1.main.0002.xka") is None
