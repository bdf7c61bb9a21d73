"""A hand in the shelf is found: by the command that reads it through, and by the box itself."""

import asyncio
import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from contract.clock import SystemClock
from contract.messages import SegmentClosed, ShelfTrouble
from edge.clockrun import ClockRun
from edge.journal import Journal
from edge.patrol import Patrol
from edge.recording.shelfcheck import verify
from edge.terms import Terms
from tests.fakes.recorder import Box
from tests.fakes.sealed import opened, record
from tests.fakes.waiting import until_async
from tests.guard.sealed_guard import by_hand


@pytest.fixture
async def box(tmp_path: Path) -> Box:
    """Six sealed segments, on record."""
    made = Box.make(tmp_path)
    async with opened(made) as books:
        record(made, 6, books)
    assert len(await rows_of(made)) == 6
    return made


async def rows_of(box: Box) -> list[SegmentClosed]:
    async with Journal.open(box.config.journal) as journal:
        return [row for _, row in await journal.segments_recorded(0, 100)]


def change_a_byte(path: Path, at: int) -> None:
    with by_hand(), path.open("r+b") as file:
        file.seek(at)
        old = file.read(1)
        file.seek(at)
        file.write(bytes((old[0] ^ 1,)))


def run_verify(box: Box, *more: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "edge", "shelf", "verify", "--config", str(box.path), *more)
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


async def faults_of(box: Box) -> list[tuple[str, str]]:
    found = await verify(box.config, lambda _: None)
    return [(fault.kind, Path(fault.path).name) for fault in found.faults]


async def test_an_intact_shelf_is_said_to_be_and_how_fast_it_was_read(box: Box) -> None:
    told = run_verify(box)
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("6 segments, ")
    assert " MB/s\nintact: " in told.stdout
    line = json.loads(run_verify(box, "--json").stdout)
    assert line["intact"] is True
    assert line["bytes"] == sum(path.stat().st_size for path in box.files())
    assert line["megabytes_per_second"] > 0


async def test_a_removed_file_and_a_changed_byte_are_found_and_the_first_is_named(
    box: Box,
) -> None:
    changed, removed = box.files()[1], box.files()[4]
    change_a_byte(changed, changed.stat().st_size // 2)
    with by_hand():
        removed.unlink()
    told = run_verify(box)
    assert told.returncode == 1
    assert f"BROKEN first at {changed.relative_to(box.config.data)}" in told.stdout
    faults = json.loads(run_verify(box, "--json").stdout)["faults"]
    assert [(fault["kind"], Path(fault["path"])) for fault in faults] == [
        ("changed", changed.relative_to(box.config.data)),
        ("missing", removed.relative_to(box.config.data)),
    ]
    assert faults[0]["camera"] == "c1"


@pytest.mark.parametrize("at", [0, 20, 700, -1])
async def test_any_changed_byte_is_found(box: Box, at: int) -> None:
    path = box.files()[0]
    change_a_byte(path, at % path.stat().st_size)
    assert await faults_of(box) == [("changed", path.name)]


async def test_a_longer_or_shorter_file_and_a_loosened_mode_are_changes(box: Box) -> None:
    longer, shorter, loose = box.files()[:3]
    with by_hand():
        with longer.open("ab") as file:
            file.write(b"\0")
        os.truncate(shorter, shorter.stat().st_size - 1)
        loose.chmod(0o660)
    names = [longer.name, shorter.name, loose.name]
    assert await faults_of(box) == [("changed", name) for name in names]


async def test_a_sealed_file_without_a_row_is_found(box: Box) -> None:
    stranger = box.files()[0].with_name("20200101T000000000.mp4")
    stranger.write_bytes(box.files()[0].read_bytes())
    assert await faults_of(box) == [("unrecorded", stranger.name)]


async def test_a_row_taken_out_of_the_chain_is_found_unless_its_term_ended(box: Box) -> None:
    gone = (await rows_of(box))[2]
    after = (await rows_of(box))[3]
    with by_hand():
        (box.config.data / gone.path).unlink()
    async with Journal.open(box.config.journal) as journal, journal._transaction() as db:
        await db.execute("delete from segments where id = ?", (gone.segment,))
    assert await faults_of(box) == [("unchained", Path(after.path).name)]
    async with Journal.open(box.config.journal) as journal, journal._transaction() as db:
        await db.execute("create table deletions (id text, segment blob)")
        values = gone.segment, msgspec.json.encode(gone)
        await db.execute("insert into deletions values (?, ?)", values)
    assert await faults_of(box) == []


async def test_what_is_in_quarantine_is_listed_and_no_fault(box: Box) -> None:
    place = box.config.data / "quarantine" / "shelf" / "holiday.mp4"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"not ours")
    line = json.loads(run_verify(box, "--json").stdout)
    assert (line["intact"], line["quarantined"]) == (True, ["quarantine/shelf/holiday.mp4"])


def test_where_nothing_can_be_read_the_exit_is_2(tmp_path: Path) -> None:
    empty = Box.make(tmp_path)
    told = run_verify(empty)
    assert (told.returncode, "is not there" in told.stderr) == (2, True)
    assert not empty.config.journal.exists()
    empty.config.journal.write_bytes(b"this is no database" * 500)
    empty.config.shelf.mkdir()
    assert run_verify(empty).returncode == 2


async def test_the_box_itself_notices_and_tells_each_once(box: Box) -> None:
    changed, removed = box.files()[0], box.files()[3]
    change_a_byte(changed, -1 % changed.stat().st_size)
    with by_hand():
        removed.unlink()
    async with Journal.open(box.config.journal) as journal:

        async def troubles() -> list[ShelfTrouble]:
            facts = await journal.facts_after(0, 100)
            return [
                msgspec.json.decode(d, type=ShelfTrouble) for *_, t, _, d in facts if t == "shelf"
            ]

        patrol = Patrol(box.config, journal, SystemClock(), pause_s=0.01)
        walking = asyncio.create_task(patrol.run())
        await until_async(lambda: _are(troubles, 2))
        rounds = patrol._read
        await until_async(lambda: _are_past(patrol, rounds))
        walking.cancel()
        found = await troubles()
    assert {(one.kind, one.camera) for one in found} == {("changed", "c1"), ("missing", "c1")}
    assert removed.name in next(one.detail for one in found if one.kind == "missing")
    assert len(found) == 2


async def test_what_the_box_deleted_itself_is_not_told(box: Box) -> None:
    gone = (await rows_of(box))[0]
    async with Journal.open(box.config.journal) as journal:
        patrol = Patrol(box.config, journal, SystemClock())
        with by_hand():
            (box.config.data / gone.path).unlink()
        await patrol._look()
        async with journal._transaction() as db:
            await db.execute("delete from segments where id = ?", (gone.segment,))
        await patrol._look()
        facts = await journal.facts_after(0, 100)
    assert [fact for fact in facts if fact[2] == "shelf"] == []


async def test_after_a_pause_of_a_month_nothing_is_missing(box: Box) -> None:
    """The newest row of a stream outlives its file, for the chain; nobody is alarmed by it."""
    rows = await rows_of(box)
    now = rows[-1].end + timedelta(days=31)
    async with Journal.open(box.config.journal) as journal:
        terms = await Terms.open(journal)
        await terms.register()
        await terms.settle(ClockRun("b0", 0), rows[-1].end, now)
        for term in await terms.all():
            with by_hand():
                (box.config.data / term.path).unlink()
            await terms.record(term, now, missing=False)
        kept = await journal.rows("select root from segments")
        assert [row[0] for row in kept] == [rows[-1].root]
        patrol = Patrol(box.config, journal, SystemClock())
        await patrol._look()
        await patrol._look()
        facts = await journal.facts_after(0, 100)
    assert [fact for fact in facts if fact[2] == "shelf"] == []
    told = run_verify(box)
    assert told.returncode == 0, told.stdout
    assert told.stdout.startswith("0 segments, ")
    async with opened(box) as books:
        record(box, 1, books)
    (again,) = await rows_of(box)
    assert again.previous == rows[-1].root
    assert await faults_of(box) == []


async def _are(troubles: object, count: int) -> bool:
    return len(await troubles()) >= count  # type: ignore[operator]


async def _are_past(patrol: Patrol, row: int) -> bool:
    await asyncio.sleep(0.03)
    return patrol._read < row
