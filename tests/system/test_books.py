"""Sealing and telling while the journal is out of reach, damaged or forgetful."""

import asyncio
import errno
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from contract.clock import SystemClock
from contract.spans import Span
from edge.journal import Journal, JournalBusy
from edge.recording import adoption
from edge.recording.coverage import Coverage
from edge.recording.names import MOUNT, SECOND, Name
from edge.recording.recorder import Cuts, Recorder
from edge.recording.sealing import seal
from edge.recording.segment import Finished, ShelfBroken
from tests.fakes.recorder import Box
from tests.fakes.sealed import START, opened, record, shots
from tests.fakes.waiting import until, until_async
from tests.guard.sealed_guard import by_hand


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box.make(tmp_path)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def outbox(box: Box) -> list[tuple[str, str, bytes]]:
    """Give id, type and data of every fact, once the box lets us at its journal."""
    while True:
        with suppress(JournalBusy):
            async with Journal.open(box.config.journal) as journal:
                rows = await journal.facts_after(0, 9999)
            return [(name, kind, data) for _, name, kind, _, data in rows]


async def recorded(box: Box) -> list[str]:
    return [name for name, kind, _ in await outbox(box) if "seg" in kind]


async def told(box: Box) -> str:
    return " ".join(data.decode() for _, kind, data in await outbox(box) if kind == "shelf")


async def test_a_locked_journal_keeps_no_segment_from_being_sealed(box: Box) -> None:
    async with opened(box) as books:
        await until(box.config.journal.exists)
        await until_async(lambda: asyncio.sleep(0, box.config.journal.stat().st_size > 0))
        before = open_files()
        with closing(sqlite3.connect(box.config.journal, isolation_level=None)) as other:
            other.execute("begin immediate")
            record(box, 60, books)
            await until(lambda: len(box.files()) == 60)
            assert open_files() < before + 8
            assert not box.files("*.part")
            other.execute("rollback")

        async def all_there() -> bool:
            return len(await recorded(box)) == 60

        await until_async(all_there)


async def test_what_the_queue_cannot_hold_is_closed_and_left_to_the_next_start(box: Box) -> None:
    lost: list[Finished] = []
    async with opened(box) as books:
        before = open_files()
        books.on_unsealed = lost.append
        record(box, 300, books)  # nothing is sealed meanwhile: the loop is not let go
        assert len(lost) >= 40
        assert open_files() <= before + 262
    assert len(box.files("*.part")) == len(lost)
    async with opened(box):

        async def all_there() -> bool:
            return len(await recorded(box)) == 300

        await until_async(all_there)


async def test_a_damaged_journal_is_set_aside_and_the_shelf_recorded_anew(box: Box) -> None:
    async with opened(box) as books:
        record(box, 3, books)
    kept = box.config.journal
    assert len(await recorded(box)) == 3
    kept.write_bytes(b"this is no database" * 500)
    async with opened(box):

        async def again() -> bool:
            return len(await recorded(box)) == 3

        await until(lambda: list(kept.parent.glob("journal.sqlite.damaged-*")))
        await until_async(again)
    assert "the journal is damaged" in await told(box)


async def test_an_open_journal_notices_that_another_took_its_place(box: Box) -> None:
    async with Journal.open(box.config.journal) as journal:
        for path in list(box.config.journal.parent.glob("journal.sqlite*")):
            path.rename(path.with_name("old-" + path.name))
        box.config.journal.touch()
        with pytest.raises(JournalBusy, match="begun anew"):
            await journal.facts_after(0, 1)
        with pytest.raises(JournalBusy, match="begun anew"):
            await journal.mark_heard(7)


async def test_a_sealed_file_that_changed_stays_on_the_shelf_and_is_told(box: Box) -> None:
    async with opened(box) as books:
        record(box, 1, books)
    (path,) = box.files()
    with by_hand():
        path.chmod(0o640)
        path.write_bytes(b"overwritten")
    for name in box.config.journal.parent.glob("journal.sqlite*"):
        name.unlink()
    async with opened(box):
        await until_async(lambda: told(box))
    assert path.exists()
    assert "stays on the shelf" in await told(box)


async def test_a_segment_that_could_not_be_sealed_is_sealed_later(box: Box) -> None:
    async with opened(box) as books:
        record(box, 1, books)
        (part,) = box.files("*.part")
        in_the_way = part.with_suffix(".mp4")
        in_the_way.mkdir()
        await until_async(lambda: told(box), 30, "that it was told")
        in_the_way.rmdir()
        await until(in_the_way.is_file, 30, "that it was sealed")

        async def there() -> bool:
            return len(await recorded(box)) == 1

        await until_async(there, 30, "that it is on record")
    assert "could not be sealed" in await told(box)
    assert not part.exists()


def half_synced(box: Box, finished: Callable[[Finished], None]) -> None:
    """Write one segment of four seconds of which the disk has the first two for certain."""
    recorder = Recorder(
        ("c1", "main"), box.config.shelf, Cuts(60, 0), Coverage(), SystemClock(), finished, print
    )
    recorder.keep([Span(START, START + timedelta(hours=1))])
    recorder.take(shots(0, 10))
    segment = recorder.growing
    assert segment is not None
    segment.synced(segment.written)
    recorder.take(shots(10, 20))
    recorder.end()


async def test_what_a_failed_fsync_did_not_write_is_never_sealed(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [errno.EIO]

    def fails_once(fd: int) -> None:
        if failures:
            raise OSError(failures.pop(), "the disk did not take it")
        fsync(fd)

    fsync = os.fsync
    monkeypatch.setattr("edge.recording.sealing.os.fsync", fails_once)
    async with opened(box) as books:
        half_synced(box, books.seal)
        (part,) = box.files("*.part")
        whole = part.stat().st_size
        await until(box.files, 30, "that it was sealed")

        async def there() -> bool:
            return len(await recorded(box)) == 1

        await until_async(there, 30, "that it is on record")
    (sealed,) = box.files()
    assert sealed.stat().st_size < whole
    with sealed.open("rb") as file:
        assert adoption.examine(file).end_90k < 2 * 90_000 + 1
    assert not part.exists()


async def test_a_file_of_which_the_disk_has_nothing_is_not_taken_for_whole_by_the_next_start(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures, fsync = [errno.EIO], os.fsync

    def fails_once(fd: int) -> None:
        if failures:
            raise OSError(failures.pop(), "the disk did not take it")
        fsync(fd)

    monkeypatch.setattr("edge.recording.sealing.os.fsync", fails_once)
    async with opened(box) as books:
        record(box, 1, books)
        await until(lambda: not box.files("*.part"), 30, "that it was set aside")
    assert adoption.unfinished(box.config.shelf) == [], "what the next start would take"
    assert (box.files(), await recorded(box)) == ([], [])
    assert "nothing of it is on the disk for certain" in await told(box)
    assert [path.suffix for path in (box.config.data / "quarantine").rglob("*.part")] == [".part"]


async def test_a_file_that_is_gone_before_its_turn_is_nobodys_alert(box: Box) -> None:
    box.config.shelf.mkdir(parents=True, exist_ok=True)
    async with opened(box) as books:
        await books.take_over([Name("c1", "main", 0).file(box.config.shelf / SECOND, "part")])
    assert await told(box) == ""


def test_what_is_set_aside_stays_on_its_volume(box: Box) -> None:
    second = box.config.shelf / MOUNT
    stray = second / "footage" / "c1" / "2026-11-22" / "note.txt"
    stray.parent.mkdir(parents=True)
    stray.write_text("?")
    place = adoption.set_aside(stray, box.config.data)
    assert place == second / "quarantine" / stray.relative_to(second)


def test_a_start_that_was_corrected_over_midnight_has_a_folder(box: Box) -> None:
    found: list[Finished] = []
    half_synced(box, found.append)
    (one,) = found
    day = 24 * 3600 * 1_000_000
    moved = replace(one, name=one.name._replace(start_us=one.name.start_us + day))
    place = seal(moved, box.config.shelf)
    assert place == moved.name.file(box.config.shelf, "mp4")
    assert place.is_file()


def test_a_disk_that_cannot_even_cut_ends_the_file_and_nothing_else(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, troubles = list[Finished](), list[ShelfBroken]()
    recorder = Recorder(
        ("c1", "main"),
        box.config.shelf,
        Cuts(60, 0),
        Coverage(),
        SystemClock(),
        found.append,
        troubles.append,
    )
    recorder.keep([Span(START, START + timedelta(hours=1))])
    recorder.take(shots(0, 10))

    def fails(*_: object) -> int:
        raise OSError(errno.EROFS, "read-only")

    def tears(fd: int, pieces: list[bytes]) -> int:
        os.write(fd, pieces[0][:9])
        return fails()

    with monkeypatch.context() as failing:
        failing.setattr("os.writev", tears)
        failing.setattr("os.ftruncate", fails)
        recorder.take(shots(10, 20))
    assert [one.is_full for one in troubles] == [False]
    assert not recorder.is_recording
    (one,) = found
    assert one.part.stat().st_size == one.size + 9
    assert one.cut_to == one.size
    place = seal(adoption.cut(one), box.config.shelf)
    assert place.stat().st_size == one.size, "no half fragment is sealed"
    with place.open("rb") as file:
        assert adoption.examine(file).root == one.root


async def test_a_stranger_that_cannot_be_set_aside_stays_and_ends_nothing(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = box.config.shelf / "c1" / "2026-11-22"
    day.mkdir(parents=True)
    stranger = day / "holiday.mp4"
    stranger.write_bytes(b"not ours")

    def fails(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(adoption, "set_aside", fails)
    async with opened(box) as books:
        await until_async(lambda: told(box), 20, "that it was told")
        record(box, 1, books)
        await until(lambda: len(box.files()) == 2, what="another segment sealed")
    assert "cannot be set aside" in await told(box)
    assert stranger.exists()


def test_unfinished_files_are_found_in_any_day(tmp_path: Path) -> None:
    for day in ("2000-01-01", "2026-11-20", "2026-11-21", "2026-11-22"):
        place = tmp_path / "c1" / day
        place.mkdir(parents=True)
        (place / f"{day.replace('-', '')}T080000000.part").touch()
    assert len(adoption.unfinished(tmp_path)) == 4
