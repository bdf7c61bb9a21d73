"""The box's journal."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiosqlite
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.clock import SystemClock
from contract.messages import Booted, CameraChanged, GapFound, SegmentClosed
from contract.spans import Span
from edge.journal import Journal, JournalBusy, JournalReplaced, fact_id, from_us, set_aside, to_us

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    async with Journal.open(tmp_path / "journal.sqlite") as opened:
        yield opened


def segment(minute: int, root: str, camera: str = "c1") -> SegmentClosed:
    start = AT + timedelta(minutes=minute)
    name = f"{camera}.main.{start:%Y%m%dT%H%M%S}000"
    return SegmentClosed(
        segment=name,
        camera=camera,
        stream="main",
        start=start,
        end=start + timedelta(minutes=1),
        bytes=1000,
        path=f"shelf/{name}.mp4",
        root=root,
        previous="",
        fragments=120,
        clock="trusted",
    )


def gap(minute: int) -> GapFound:
    start = AT + timedelta(minutes=minute)
    return GapFound(
        gap=f"c1.main.{minute}",
        camera="c1",
        stream="main",
        start=start,
        end=start + timedelta(seconds=30),
        cause="stalled",
    )


async def test_a_segment_and_its_fact_are_recorded_together(journal: Journal) -> None:
    await journal.add_segment(segment(0, "aa"), AT)
    facts = await journal.facts_after(0, 10)
    assert [fact[:4] for fact in facts] == [
        (1, "segment.c1.main.20261122T080000000", "segment", AT)
    ]
    assert msgspec.json.decode(facts[0][4], type=SegmentClosed) == segment(0, "aa")


async def test_roots_are_chained_per_camera(journal: Journal) -> None:
    await journal.add_segment(segment(0, "aa"), AT)
    await journal.add_segment(segment(0, "bb", "c2"), AT)
    second = await journal.add_segment(segment(1, "cc"), AT)
    assert second.previous == "aa"


async def test_a_segment_told_twice_stands_once(journal: Journal) -> None:
    await journal.add_segment(segment(0, "aa"), AT)
    await journal.add_segment(segment(1, "bb"), AT)
    again = await journal.add_segment(segment(0, "aa"), AT)
    assert again.previous == ""
    assert len(await journal.facts_after(0, 10)) == 2


async def test_a_gap_told_twice_stands_once(journal: Journal) -> None:
    await journal.add_gap(gap(0), AT)
    await journal.add_gap(gap(0), AT)
    assert len(await journal.facts_after(0, 10)) == 1
    assert await journal.gaps_between("c1", AT, AT + timedelta(hours=1)) == [gap(0)]


async def test_a_fact_with_a_known_id_changes_nothing(journal: Journal) -> None:
    booted = Booted(boot="b", version="1", clock_trusted=True)
    await journal.add_fact(booted, AT, id="once")
    await journal.add_fact(booted, AT, id="once")
    await journal.add_fact(booted, AT)
    assert [fact[0] for fact in await journal.facts_after(0, 10)] == [1, 2]


async def test_facts_come_in_order_from_where_one_asks(journal: Journal) -> None:
    for number in range(5):
        await journal.add_fact(Booted(boot=str(number), version="1", clock_trusted=True), AT)
    assert [fact[0] for fact in await journal.facts_after(2, 2)] == [3, 4]


async def test_the_heard_mark_never_falls(journal: Journal) -> None:
    await journal.mark_heard(9)
    await journal.mark_heard(10)
    await journal.mark_heard(3)
    assert await journal.heard() == 10


async def test_facts_that_were_heard_are_dropped_after_a_week(journal: Journal) -> None:
    for days in (0, 1, 8, 9):
        booted = Booted(boot=str(days), version="1", clock_trusted=True)
        await journal.add_fact(booted, AT + timedelta(days=days), id=f"day-{days}")
    await journal.mark_heard(2)
    assert len(await journal.facts_after(0, 10)) == 4
    await journal.mark_heard(3)
    assert [fact[1] for fact in await journal.facts_after(0, 10)] == ["day-1", "day-8", "day-9"]
    await journal.add_fact(Booted(boot="n", version="1", clock_trusted=True), AT)
    assert (await journal.facts_after(4, 10))[0][0] == 5


async def test_two_processes_share_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    async with Journal.open(path) as one, Journal.open(path) as other:
        booted = Booted(boot="b", version="1", clock_trusted=True)
        await asyncio.gather(*(side.add_fact(booted, AT) for side in (one, other) * 20))
        assert len(await one.facts_after(0, 100)) == 40


async def test_a_cancelled_transaction_leaves_nothing_and_locks_nobody(journal: Journal) -> None:
    booted = Booted(boot="b", version="1", clock_trusted=True)
    task = asyncio.create_task(journal.add_fact(booted, AT, id="cancelled"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await journal.add_fact(booted, AT, id="next")
    assert [fact[1] for fact in await journal.facts_after(0, 10)] == ["next"]


async def test_a_journal_locked_by_another_is_busy_and_free_again_afterwards(
    tmp_path: Path,
) -> None:
    path = tmp_path / "journal.sqlite"
    async with Journal.open(path) as journal:
        await journal._connection.execute("pragma busy_timeout = 10")
        with sqlite3.connect(path, isolation_level=None) as other:
            other.execute("begin immediate")
            with pytest.raises(JournalBusy):
                await journal.set_meta("a", "b")
            other.execute("rollback")
        other.close()
        await journal.set_meta("a", "b")
        assert await journal.meta("a") == "b"


async def test_segments_and_gaps_account_for_time(journal: Journal) -> None:
    await journal.add_segment(segment(0, "aa"), AT)
    await journal.add_gap(gap(1), AT)
    spans = await journal.accounted("c1", "main", AT + timedelta(seconds=30))
    assert spans == [
        Span(AT, AT + timedelta(minutes=1)),
        Span(AT + timedelta(seconds=60), AT + timedelta(seconds=90)),
    ]


async def test_changes_of_cameras_can_be_read_back(journal: Journal) -> None:
    change = CameraChanged(camera="c1", stream="main", state="lost", cause="lost")
    await journal.add_fact(change, AT)
    assert await journal.camera_changes(AT) == [(AT, change)]
    assert await journal.camera_changes(AT + timedelta(seconds=1)) == []


@given(st.datetimes(min_value=datetime(1980, 1, 1), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001
def test_an_instant_survives_the_journal_exactly(naive: datetime) -> None:
    instant = naive.replace(tzinfo=UTC)
    assert from_us(to_us(instant)) == instant


def test_a_long_name_becomes_an_id_of_allowed_length() -> None:
    assert fact_id("short") == "short"
    assert len(fact_id("c" * 100)) == 64


async def test_a_fact_and_the_word_beside_it_are_kept_together(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    booted = Booted(boot="b", version="1", clock_trusted=True)
    async with Journal.open(path) as journal:
        refusing = (
            "create trigger refusing before insert on meta begin select raise(abort, ''); end"
        )
        with closing(sqlite3.connect(path)) as other:
            other.execute(refusing)
        with pytest.raises(sqlite3.IntegrityError):
            await journal.add_fact(booted, AT, id="torn", note=("place", "there"))
        with closing(sqlite3.connect(path)) as other:
            other.execute("drop trigger refusing")
        await journal.add_fact(booted, AT, id="whole", note=("place", "there"))
        assert [row[1] for row in await journal.facts_after(0, 10)] == ["whole"]
        assert await journal.meta("place") == "there"


async def test_a_journal_that_is_set_aside_while_it_is_opened_is_not_taken_for_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.sqlite"
    connect = aiosqlite.connect

    async def late(*args: object, **more: object) -> aiosqlite.Connection:
        connection = await connect(*args, **more)  # type: ignore[arg-type]
        await connection.execute("pragma journal_mode = wal")
        set_aside(path, AT)
        path.touch()
        return connection

    monkeypatch.setattr(aiosqlite, "connect", late)
    async with Journal.open(path) as journal:
        with pytest.raises(JournalReplaced):
            await journal.until_replaced(SystemClock())
