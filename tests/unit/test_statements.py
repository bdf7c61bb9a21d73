"""The box's own word on a window, and when it is told."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import msgspec
import pytest

from contract.messages import CoverageStated, GapFound, Order, SegmentClosed
from edge import orders as in_force
from edge.journal import Journal
from edge.orders import OrdersInForce
from edge.recording.ordersfile import OrdersFile
from edge.recording.rows import Rows
from edge.recording.statements import SETTLED, Statements, id_of, state
from tests.fakes.clock import ManualClock

START = datetime(2026, 11, 22, 8, tzinfo=UTC)
ORDER = Order(id="s1.c1", camera="c1", session="s1", start=START, end=START + timedelta(minutes=10))


def segment(start_s: float, end_s: float, root: str = "aa") -> SegmentClosed:
    start = START + timedelta(seconds=start_s)
    return SegmentClosed(
        segment=f"c1.main.{start:%Y%m%dT%H%M%S}000",
        camera="c1",
        stream="main",
        start=start,
        end=START + timedelta(seconds=end_s),
        bytes=1000,
        path=f"shelf/{start:%H%M%S}.mp4",
        root=root,
        previous="",
        fragments=120,
        clock="trusted",
    )


def gap(start_s: float, end_s: float) -> GapFound:
    return GapFound(
        gap=f"c1.main.{start_s}",
        camera="c1",
        stream="main",
        start=START + timedelta(seconds=start_s),
        end=START + timedelta(seconds=end_s),
        cause="refused",
    )


def test_a_statement_adds_up_and_names_its_segments() -> None:
    told = [segment(-0.4, 300, "aa"), segment(360, 599.5, "bb"), segment(700, 760, "cc")]
    said = state(ORDER, "main", told, [gap(300, 360)])
    assert (said.segments, said.chain_head) == (2, "bb")
    assert (said.recorded_us, said.seams_us) == (539_500_000, 500_000)
    assert [(one.cause, one.end - one.start) for one in said.gaps] == [
        ("refused", timedelta(seconds=60))
    ]


def test_another_streams_files_are_not_counted() -> None:
    other = msgspec.structs.replace(segment(0, 600), stream="sub")
    assert state(ORDER, "main", [other], []).recorded_us == 0


def test_the_same_words_have_the_same_id() -> None:
    one, two = segment(0, 300, "aa"), segment(300, 600, "bb")
    assert id_of(state(ORDER, "main", [one, two], [])) == id_of(
        state(ORDER, "main", [two, one], [])
    )
    assert id_of(state(ORDER, "main", [one], [])) != id_of(state(ORDER, "main", [one, two], []))


class Box:
    """Orders in a file, a journal, and what was stated."""

    def __init__(self, folder: Path, rows: Rows, clock: ManualClock) -> None:
        self.path = folder / "orders.json"
        self.rows = rows
        self.clock = clock
        self.file = OrdersFile(self.path)
        self.statements = self.again()

    def again(self) -> Statements:
        return Statements(self.file, self.rows, self.clock)

    async def look(self) -> list[CoverageStated]:
        await self.statements.look()
        return await self.said()

    async def said(self) -> list[CoverageStated]:
        facts = await self.rows.read(lambda journal: journal.facts_after(0, 100))
        return [
            msgspec.json.decode(data, type=CoverageStated)
            for _, _, kind, _, data in facts
            if kind == "coverage"
        ]

    async def record(self, *told: SegmentClosed) -> None:
        for one in told:
            await self.rows.read(partial(Journal.add_segment, segment=one, at=START))

    def order(self, *orders: Order) -> None:
        in_force.save(self.path, OrdersInForce(epoch=1, revision=1, orders=orders))
        self.file.refresh()


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Box]:
    clock = ManualClock(START)
    async with Rows.open(tmp_path / "journal.sqlite", clock) as rows:
        found = Box(tmp_path, rows, clock)
        found.order(ORDER)
        yield found


def after_the_window(box: Box) -> None:
    box.clock.step(ORDER.end + SETTLED + timedelta(seconds=1) - box.clock.now())


async def test_nothing_is_stated_before_a_window_has_settled(box: Box) -> None:
    box.clock.step(ORDER.end + SETTLED - box.clock.now())
    assert await box.look() == []


async def test_a_window_that_is_over_is_stated_once(box: Box) -> None:
    await box.record(segment(0, 600))
    after_the_window(box)
    (said,) = await box.look()
    assert said.recorded_us == 600_000_000
    assert len(await box.look()) == 1


async def test_an_order_that_left_the_plan_with_its_window_is_stated_all_the_same(
    box: Box,
) -> None:
    await box.look()
    after_the_window(box)
    box.order()
    box.statements = box.again()  # the recorder was started anew besides
    assert len(await box.look()) == 1


async def test_a_file_that_is_found_later_is_stated_anew(box: Box) -> None:
    await box.record(segment(0, 300))
    after_the_window(box)
    await box.look()
    await box.record(segment(300, 600, "bb"))
    first, second = await box.look()
    assert (first.recorded_us, second.recorded_us) == (300_000_000, 600_000_000)


async def test_what_is_recorded_for_another_window_changes_no_word(box: Box) -> None:
    await box.record(segment(0, 600))
    after_the_window(box)
    await box.look()
    await box.record(segment(700, 760, "cc"))
    assert len(await box.look()) == 1


async def test_a_restart_tells_nothing_twice(box: Box) -> None:
    await box.record(segment(0, 600))
    after_the_window(box)
    await box.look()
    box.statements = box.again()
    assert len(await box.look()) == 1
