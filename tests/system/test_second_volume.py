"""A second volume: new files go there before the first is full, and live there to their term."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from contract.clock import SystemClock
from contract.messages import GapFound, SegmentClosed, ShelfTrouble
from edge.diskwatch import DiskWatch
from edge.journal import Journal
from edge.live.playback import _growing, readable
from edge.patrol import Patrol
from edge.recording.names import SECOND
from edge.recording.rows import Rows
from edge.recording.second import KNOWN_AS, Second
from edge.recording.volume import read_identity
from tests.fakes.cameras import running_cameras
from tests.fakes.clock import ManualClock
from tests.fakes.oracle import decode
from tests.fakes.recorder import Box, running_recorder
from tests.fakes.shelf import Shelf, TurnedClock, mount, take_away
from tests.fakes.waiting import until

DAYS_30, HOUR = timedelta(days=30), timedelta(hours=1)


@pytest.fixture
def disks(tmp_path: Path) -> Iterator[Path]:
    """A real filesystem of 24 MB, and below the box's shelf on it one of 32 MB."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    first = tmp_path / "disk"
    second = first / "data" / "shelf" / SECOND
    first.mkdir()
    mount_tmpfs(first, 24)
    second.mkdir(parents=True)
    mount_tmpfs(second, 32)
    yield first
    for place in (second, first):
        if os.path.ismount(place):
            subprocess.run(("umount", "--lazy", str(place)), check=True)


def mount_tmpfs(place: Path, megabytes: int) -> None:
    size = f"size={megabytes}m"
    subprocess.run(("mount", "-t", "tmpfs", "-o", size, "tmpfs", str(place)), check=True)


async def told(box: Box, kind: str) -> list[bytes]:
    async with Journal.open(box.config.journal) as journal:
        rows = await journal.facts_after(0, 10_000)
    return [data for _, _, name, _, data in rows if name == kind]


async def on_record(box: Box) -> list[SegmentClosed]:
    async with Journal.open(box.config.journal) as journal:
        return [row for _, row in await journal.segments_recorded(0, 1000)]


async def test_before_the_first_is_full_new_files_go_to_the_second_and_back_after(
    disks: Path,
) -> None:
    box = Box.make(disks, segment_seconds=4)
    box.path.write_text(box.path.read_text() + "minimum_free_bytes = 12000000\n")
    shelf, filler = box.config.shelf, disks / "filler"
    second = shelf / SECOND

    def sealed(place: Path) -> list[Path]:
        return sorted(place.glob("cam-01/*/*.mp4"))

    async with running_cameras(1) as farm:
        box.has_farm(farm)
        soon = datetime.now(UTC) + timedelta(seconds=2)
        box.order(soon, soon + HOUR)
        async with running_recorder(box) as process:
            await until(lambda: sealed(shelf), 30, "the first volume is recorded to")
            filler.write_bytes(bytes(shutil.disk_usage(disks).free - 2_500_000))
            await until(lambda: sealed(second), 30, "the second volume is recorded to")
            await until(lambda: [*second.glob("cam-01/*/*.part")], 10, "a file grows there")
            growing = _growing(shelf, "cam-01")
            assert growing.path.startswith(f"{SECOND}/cam-01/")
            assert readable(shelf, growing.path).file.parent.parent.parent == second.resolve()
            process.kill()
            await process.wait()
        killed = datetime.now(UTC)
        (part,) = second.glob("cam-01/*/*.part")
        async with running_recorder(box):
            await until(part.with_suffix(".mp4").exists, 30, "what was left is adopted")
            count = len(sealed(second))
            await until(lambda: len(sealed(second)) > count, 30, "the second is recorded to again")
            before = sealed(shelf)
            filler.unlink()
            await until(lambda: len(sealed(shelf)) > len(before), 30, "the first has room again")
    rows = await on_record(box)
    assert {row.path for row in rows} == {
        path.relative_to(box.config.data).as_posix() for path in (*sealed(shelf), *sealed(second))
    }
    ids = {SECOND in row.path: row.volume for row in rows}
    assert ids == {False: read_identity(box.config.data), True: read_identity(second)}
    assert ids[False] != ids[True]
    assert [decode(path).corrupt for path in sealed(second)] == [0] * len(sealed(second))
    gaps = [msgspec.json.decode(raw, type=GapFound) for raw in await told(box, "gap")]
    assert all(gap.start <= killed <= gap.end for gap in gaps), "nothing else is missing"
    assert [msgspec.json.decode(raw, type=ShelfTrouble) for raw in await told(box, "shelf")] == []


async def test_the_newest_is_said_to_be_lost_only_when_neither_has_room(disks: Path) -> None:
    box, said = Box.make(disks), list[ShelfTrouble]()
    watch = DiskWatch(box.config.data, 4_000_000, said.append)
    (disks / "filler").write_bytes(bytes(shutil.disk_usage(disks).free - 100_000))
    assert watch.look().pressure == "newest", "the second is nobody's yet"
    second = box.config.shelf / SECOND
    mount(second, "v2", datetime.now(UTC))
    assert watch.look().pressure == "spill"
    (second / "filler").write_bytes(bytes(shutil.disk_usage(second).free - 100_000))
    assert watch.look().pressure == "newest"
    assert [one.detail.split(",")[0] for one in said] == ["newest", "spill", "newest"]


async def test_a_folder_on_the_first_volume_is_no_second(tmp_path: Path) -> None:
    box = Box.make(tmp_path)
    (box.config.shelf / SECOND).mkdir(parents=True)
    async with Rows.open(box.config.journal, SystemClock()) as rows:
        second = Second(box.config, rows, SystemClock())
        await second.look()
        assert (second.volume, second.room()) == (None, None)
    assert not await told(box, "shelf")


async def test_a_second_volume_of_another_box_is_not_touched_and_told_once(disks: Path) -> None:
    box, clock = Box.make(disks), SystemClock()
    place = box.config.shelf / SECOND
    mount(place, "theirs", datetime.now(UTC))
    left = place / "cam-01" / "2026-11-22" / "20261122T080000000.part"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"theirs")
    async with Rows.open(box.config.journal, clock) as rows:
        rows.put(lambda journal: journal.set_meta(KNOWN_AS, "ours"))
        found: list[list[Path]] = []
        second = Second(box.config, rows, clock)

        async def hear(parts: list[Path]) -> None:
            found.append(parts)

        second.on_found = hear
        for _ in range(2):
            await second.look()
        assert (second.volume, second.room(), found) == (None, None, [])
        mount(place, "ours", datetime.now(UTC))
        await second.look()
        assert (second.volume, second.room(), found) == ("ours", place, [[left]])
        subprocess.run(("umount", str(place)), check=True)
        for _ in range(2):
            assert second.room() is None
            await second.look()
        assert second.volume is None
    troubles = [msgspec.json.decode(raw, type=ShelfTrouble) for raw in await told(box, "shelf")]
    assert [one.kind for one in troubles] == ["wrong_volume", "recovered", "wrong_volume"]
    assert "theirs" in troubles[0].detail
    assert "not mounted" in troubles[2].detail


# ------------------------------------------------------------ to its term


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    async with Shelf.open(tmp_path / "box", TurnedClock()) as opened:
        await opened.journal.set_meta(KNOWN_AS, "v2")
        (opened.data / "shelf" / SECOND).mkdir()
        mount(opened.data / "shelf" / SECOND, "v2", opened.clock.now())
        yield opened


async def sealed_on_second(shelf: Shelf) -> Path:
    """A segment on the second volume whose term is set."""
    end = shelf.clock.now()
    start = end - timedelta(minutes=1)
    file = await shelf.seal("c1", start, end, place=f"shelf/{SECOND}", volume="v2")
    shelf.hear(end)
    await shelf.remover.look()
    return file


async def test_what_is_on_the_second_goes_at_its_term_and_its_identity_stays(shelf: Shelf) -> None:
    file = await sealed_on_second(shelf)
    for days in (29, 2, 40):
        shelf.clock.turn(timedelta(days=days))
        shelf.hear(shelf.clock.now())
        await shelf.remover.look()
        assert file.exists() == (days == 29)
    assert [term.path for term in await shelf.terms.all()] == []
    assert (shelf.data / "shelf" / SECOND / "volume.json").exists(), "it is no stray"


@pytest.mark.parametrize("volume", [None, "v1"])
async def test_on_a_wrong_second_nothing_is_deleted_and_on_the_first_it_is(
    shelf: Shelf, volume: str | None
) -> None:
    on_first, on_second = await shelf.record("c2"), await sealed_on_second(shelf)
    shelf.clock.turn(DAYS_30 + HOUR)
    mount(shelf.data / "shelf" / SECOND, volume, shelf.clock.now())
    shelf.hear(shelf.clock.now())
    await shelf.remover.look()
    assert (on_first.exists(), on_second.exists()) == (False, True)
    assert (await shelf.facts("deferred"))[0]["why"] == "wrong_volume"
    mount(shelf.data / "shelf" / SECOND, "v2", shelf.clock.now())
    await shelf.remover.look()
    assert not on_second.exists()


async def test_a_stray_on_the_second_gets_a_term_of_that_volume(shelf: Shelf) -> None:
    stray = shelf.data / "shelf" / SECOND / "c1" / "2026-11-22" / "note.txt"
    stray.parent.mkdir(parents=True)
    await asyncio.to_thread(stray.write_text, "?")
    shelf.clock._now = datetime.now(UTC) + timedelta(days=2)  # its age is of the real clock
    shelf.hear(shelf.clock.now())
    await shelf.remover.look()
    (term,) = await shelf.terms.all()
    assert (term.camera, term.volume) == ("c1", "v2")


async def test_a_second_volume_that_is_away_is_not_told_of_file_by_file(tmp_path: Path) -> None:
    box = Box.make(tmp_path)
    async with Shelf.open(box.config.data, TurnedClock()) as shelf:
        for place, volume in (("shelf", "v1"), (f"shelf/{SECOND}", "v2")):
            end = shelf.clock.now()
            start = end - timedelta(minutes=1)
            file = await shelf.seal("c1", start, end, place=place, volume=volume)
            shelf.clock.turn(timedelta(minutes=1))
            take_away(file)
        patrol = Patrol(box.config, shelf.journal, ManualClock())
        for _ in range(3):
            await patrol._look()
        (missing,) = await shelf.facts("shelf")
    assert missing["kind"] == "missing"
    assert SECOND not in str(missing["detail"])
