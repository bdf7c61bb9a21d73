"""What may happen to a running recorder: its clock is set, a file vanishes, orders are garbled."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from contract.clock import SystemClock
from contract.messages import GapFound, SegmentClosed
from edge.journal import Journal
from edge.recording.ordersfile import OrdersFile
from edge.recording.process import run
from tests.fakes.cameras import Farm, running_cameras
from tests.fakes.recorder import Box
from tests.fakes.waiting import until, until_async


class SetClock(SystemClock):
    """This machine's clock, set wrong by so much."""

    def __init__(self) -> None:
        self.wrong_by = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.wrong_by


@pytest.fixture
async def farm() -> AsyncIterator[Farm]:
    async with running_cameras(1) as cameras:
        yield cameras


@asynccontextmanager
async def recording(folder: Path, farm: Farm, clock: SetClock) -> AsyncIterator[Box]:
    """Record in this process, so that a test holds the clock."""
    box = Box.make(folder)
    box.has_farm(farm)
    soon = datetime.now(UTC) + timedelta(seconds=1)
    box.order(soon, soon + timedelta(hours=1))
    task = asyncio.create_task(run(box.config, clock))
    try:
        await until(lambda: len(box.statuses()) == 2)
        await until(lambda: is_growing(box), 30)
        yield box
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def is_growing(box: Box) -> bool:
    return any(part.stat().st_size > 100_000 for part in box.files("*.part"))


async def gaps(box: Box) -> list[GapFound]:
    async with Journal.open(box.config.journal) as journal:
        rows = await journal.facts_after(0, 1000)
    return [
        msgspec.json.decode(data, type=GapFound) for _, _, kind, _, data in rows if kind == "gap"
    ]


async def test_a_clock_that_is_set_forward_leaves_a_gap_with_that_cause(
    tmp_path: Path, farm: Farm
) -> None:
    clock = SetClock()
    async with recording(tmp_path, farm, clock) as box:
        clock.wrong_by = timedelta(seconds=20)

        async def told() -> bool:
            return any(gap.cause == "clock_step" for gap in await gaps(box))

        await until_async(told, 20, "the gap is told")
    (gap,) = [gap for gap in await gaps(box) if gap.cause == "clock_step"]
    assert abs((gap.end - gap.start).total_seconds() - 20) < 3
    async with Journal.open(box.config.journal) as journal:
        far = datetime.now(UTC) + timedelta(days=1)
        kept = await journal.segments_between("cam-01", far - timedelta(days=2), far)
    assert len(kept) == 2
    assert all(type(one) is SegmentClosed and one.start < one.end for one in kept)


async def test_a_file_taken_away_by_hand_is_noticed_and_its_seconds_are_a_gap(
    tmp_path: Path, farm: Farm
) -> None:
    async with recording(tmp_path, farm, SetClock()) as box:
        (part,) = box.files("*.part")
        await until(lambda: part.stat().st_size > 1_000_000)
        part.unlink()
        await until(lambda: is_growing(box), 20, "another file grows")

        async def told() -> bool:
            print(await gaps(box))
            return any(gap.cause == "disk" for gap in await gaps(box))

        await until_async(told, 20, "the gap is told")


async def test_orders_that_cannot_be_read_leave_the_old_ones_in_force(
    tmp_path: Path, farm: Farm
) -> None:
    async with recording(tmp_path, farm, SetClock()) as box:
        box.config.orders.write_text("{")
        grown = box.files("*.part")[0].stat().st_size
        await until(lambda: box.files("*.part")[0].stat().st_size > grown + 700_000, 20)


def test_an_orders_file_is_read_once_until_it_changes(tmp_path: Path) -> None:
    box = Box.make(tmp_path)
    file = OrdersFile(box.config.orders)
    assert not file.refresh()
    box.save()
    assert file.refresh()
    assert not file.refresh()
    box.config.orders.write_text("{")
    assert not file.refresh()
    box.save()
    assert file.refresh()
    assert file.orders.epoch == 1
