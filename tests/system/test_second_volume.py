"""A second volume: new files go there before the first is full, and live there to their term."""

import asyncio
import os
import shutil
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from contract.clock import SystemClock
from contract.messages import GapFound, SegmentClosed, ShelfTrouble
from contract.spans import Span
from edge.archive.outgoing import keep_only
from edge.config import EdgeConfig
from edge.diskwatch import DiskWatch
from edge.journal import Journal
from edge.live.playback import _growing, readable
from edge.patrol import Patrol
from edge.recording.coverage import Coverage
from edge.recording.names import MOUNT, SECOND
from edge.recording.recorder import Cuts, Recorder
from edge.recording.second import Second, Seen, is_reachable, last_seen
from edge.recording.segment import ShelfBroken
from edge.recording.volume import read_identity
from tests.fakes.cameras import running_cameras
from tests.fakes.clock import ManualClock
from tests.fakes.oracle import decode
from tests.fakes.recorder import Box, running_recorder
from tests.fakes.sealed import START, shots
from tests.fakes.shelf import Shelf, TurnedClock, take_away
from tests.fakes.waiting import until

DAYS_30, HOUR = timedelta(days=30), timedelta(hours=1)


def see(
    data: Path, volume: str | None, *, free_bytes: int = 10**9, is_writable: bool = True
) -> None:
    """Have the recorder have said this of a second volume; None: that there is none."""
    place = data / "run" / "second.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    if volume is None:
        place.unlink(missing_ok=True)
        return
    seen = Seen(volume, free_bytes, 2 * 10**9, is_writable)
    place.write_bytes(msgspec.json.encode(seen))


@pytest.fixture
def disks(tmp_path: Path) -> Iterator[Path]:
    """A real filesystem of 24 MB, and below the box's shelf on it one of 32 MB."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    first = tmp_path / "disk"
    second = first / "data" / "shelf" / MOUNT
    first.mkdir()
    (tmp_path / "away").mkdir()
    mount_tmpfs(first, 24)
    second.mkdir(parents=True)
    mount_tmpfs(second, 32)
    yield first
    for place in (second, tmp_path / "away", first):
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
    assert ids[False] == read_identity(box.config.data)
    assert ids[True] == msgspec.json.decode((second.parent / "volume.json").read_bytes())["volume"]
    assert ids[False] != ids[True]
    assert [decode(path).corrupt for path in sealed(second)] == [0] * len(sealed(second))
    gaps = [msgspec.json.decode(raw, type=GapFound) for raw in await told(box, "gap")]
    assert all(gap.start <= killed <= gap.end for gap in gaps), "nothing else is missing"
    assert [msgspec.json.decode(raw, type=ShelfTrouble) for raw in await told(box, "shelf")] == []


@pytest.mark.parametrize("how", ["no more files", "unmounted"])
async def test_a_second_that_takes_no_more_costs_the_box_no_recording(
    disks: Path, how: str
) -> None:
    box = Box.make(disks, segment_seconds=4)
    box.path.write_text(box.path.read_text() + "minimum_free_bytes = 12000000\n")
    shelf = box.config.shelf
    second = shelf / SECOND
    (disks / "filler").write_bytes(bytes(shutil.disk_usage(disks).free - 2_900_000))
    async with running_cameras(1) as farm:
        box.has_farm(farm)
        box.order(datetime.now(UTC), datetime.now(UTC) + HOUR)
        async with running_recorder(box) as process:
            await until(lambda: [*second.glob("cam-01/*/*.mp4")], 40, "the second is recorded to")
            took = [*shelf.glob("cam-01/*/*.mp4")]
            if how == "unmounted":
                subprocess.run(("umount", "--lazy", str(second.parent)), check=True)
            else:
                about = os.statvfs(second)
                limit = f"remount,nr_inodes={about.f_files - about.f_ffree}"
                subprocess.run(("mount", "-o", limit, str(second.parent)), check=True)
            await until(
                lambda: len([*shelf.glob("cam-01/*/*.mp4")]) > len(took), 40, "the first is"
            )
            assert process.returncode is None
    if how == "unmounted":
        assert not [*second.parent.iterdir()], "nothing is written below an empty mount point"


async def test_the_newest_is_said_to_be_lost_only_when_neither_has_room(disks: Path) -> None:
    box, said = Box.make(disks), list[ShelfTrouble]()
    watch = DiskWatch(box.config.data, 4_000_000, said.append)
    (disks / "filler").write_bytes(bytes(shutil.disk_usage(disks).free - 100_000))
    assert watch.look().pressure == "newest", "nobody saw a second"
    see(box.config.data, "v2")
    assert watch.look().pressure == "spill"
    see(box.config.data, "v2", free_bytes=100_000)
    assert watch.look().pressure == "newest"
    see(box.config.data, "v2", is_writable=False)
    assert watch.look().pressure == "newest"
    see(box.config.data, "v2")
    os.utime(box.config.run / "second.json", (0, 0))
    assert watch.look().pressure == "newest", "what was seen long ago says nothing"
    assert [one.detail.split(",")[0] for one in said] == ["newest", "spill", "newest"]


# ------------------------------------------------------------ whose it is


@dataclass
class Looking:
    """A `Second` that a test has look, with what it told."""

    box: Box
    first: str = "v1"
    told: list[ShelfTrouble] = field(default_factory=list)
    left: list[list[Path]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.box.config.run.mkdir(parents=True, exist_ok=True)
        self.restart()

    def restart(self) -> None:
        self.clock = ManualClock()
        self.second = Second(self.box.config, self.first, self.told.append, self.clock)
        self.second.on_found = self._hear

    async def _hear(self, parts: list[Path]) -> None:
        self.left.append(parts)

    async def look(self) -> tuple[str, Path | None]:
        """Give the id and where new files go."""
        await self.second.look()
        seen = last_seen(self.box.config.data)
        assert (seen is not None) == self.second.is_there
        return self.second.volume, self.second.room()

    @property
    def kinds(self) -> list[str]:
        return [one.kind for one in self.told]

    @property
    def mount(self) -> Path:
        return self.box.config.shelf / MOUNT


async def test_a_folder_on_the_first_volume_is_no_second(tmp_path: Path) -> None:
    looking = Looking(Box.make(tmp_path))
    looking.mount.mkdir(parents=True)
    assert await looking.look() == ("", None)
    assert not looking.told


async def test_an_empty_disk_becomes_ours_once_and_for_this_first_volume_alone(disks: Path) -> None:
    looking = Looking(Box.make(disks))
    (looking.mount / "lost+found").mkdir()
    volume, place = await looking.look()
    assert volume
    assert place == looking.mount / "footage"
    looking.restart()
    assert await looking.look() == (volume, place)
    looking.first = "another box's"
    looking.restart()
    assert await looking.look() == ("", None)
    assert looking.kinds == ["second_away"]


async def test_a_disk_with_something_on_it_is_not_ours_and_is_not_touched(disks: Path) -> None:
    looking = Looking(Box.make(disks))
    theirs = looking.mount / "footage" / "cam-01" / "2026-11-22" / "20261122T080000000.part"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"theirs")
    for _ in range(2):
        assert await looking.look() == ("", None)
        looking.restart()
    assert (looking.kinds, looking.left) == (["second_away"], [])
    assert [path.name for path in looking.mount.iterdir()] == ["footage"]
    subprocess.run(("umount", str(looking.mount)), check=True)
    assert await looking.look() == ("", None)
    assert looking.kinds == ["second_away", "second_back"], "there never was one"


async def test_one_that_is_away_is_told_once_and_so_is_that_it_is_back(disks: Path) -> None:
    looking = Looking(Box.make(disks))
    volume, place = await looking.look()
    subprocess.run(("mount", "--move", str(looking.mount), str(disks.parent / "away")), check=True)
    for _ in range(3):
        assert await looking.look() == (looking.second.volume, None)
        looking.restart()
    away, back = str(disks.parent / "away"), str(looking.mount)
    subprocess.run(("mount", "--move", away, back), check=True)
    for _ in range(2):
        assert await looking.look() == (volume, place)
        looking.restart()
    assert looking.kinds == ["second_away", "second_back"]
    assert "not mounted" in looking.told[0].detail


async def test_what_was_left_on_it_is_told_of_once_in_a_run(disks: Path) -> None:
    looking = Looking(Box.make(disks))
    await looking.look()
    part = looking.mount / "footage" / "cam-01" / "2026-11-22" / "20261122T080000000.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"this run's own")
    await looking.look()
    assert looking.left == [[]]
    looking.restart()
    await looking.look()
    await looking.look()
    assert looking.left == [[], [part]]


async def test_of_two_disks_of_ours_the_one_that_is_there_is_named(disks: Path) -> None:
    looking = Looking(Box.make(disks))
    one, _ = await looking.look()
    identity = looking.mount / "volume.json"
    first = identity.read_bytes()
    identity.write_bytes(first.replace(one.encode(), b"another"))
    assert (await looking.look())[0] == "another"
    identity.write_bytes(first)
    assert (await looking.look())[0] == one
    assert len(looking.left) == 2, "each is taken over once"


async def test_one_that_is_only_read_or_took_no_bytes_gets_no_new_files(disks: Path) -> None:
    looking = Looking(Box.make(disks))
    volume, place = await looking.look()
    looking.second.avoid()
    assert looking.second.room() is None
    await looking.clock.advance(61)
    assert looking.second.room() == place
    subprocess.run(("mount", "-o", "remount,ro", str(looking.mount)), check=True)
    assert await looking.look() == (volume, None)
    assert looking.second.is_there, "what is on it can be seen"


async def test_one_that_hangs_is_asked_once_and_holds_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking = Looking(Box.make(tmp_path))
    goes_on, asked = threading.Event(), list[Path]()

    def hangs(place: Path) -> bool:
        asked.append(place)
        goes_on.wait(20)
        return False

    monkeypatch.setattr("edge.recording.second._ANSWERS_WITHIN_S", 0.05)
    monkeypatch.setattr("edge.recording.second.os.path.ismount", hangs)
    for _ in range(3):
        assert await looking.look() == ("", None)
    goes_on.set()
    await until(lambda: looking.second._looking is None or looking.second._looking.done())
    await looking.look()
    assert (len(asked), looking.kinds) == (1, ["second_away", "second_back"])


async def test_a_look_that_fails_is_told_and_ends_nothing(disks: Path) -> None:
    looking = Looking(Box.make(disks))
    (looking.mount / "volume.json").mkdir()
    assert await looking.look() == ("", None)
    assert looking.kinds == ["second_away"]


def test_no_folder_is_made_where_its_shelf_is_not(tmp_path: Path) -> None:
    shelf = tmp_path / MOUNT / "footage"
    shelf.parent.mkdir()
    troubles: list[ShelfBroken] = []
    cuts, clock = Cuts(60, 0), SystemClock()
    recorder = Recorder(("c1", "main"), shelf, cuts, Coverage(), clock, print, troubles.append)
    recorder.keep([Span(START, START + HOUR)])
    recorder.take(shots(0, 10))
    assert [error.shelf for error in troubles] == [shelf]
    assert not [*shelf.parent.iterdir()]


# ------------------------------------------------------------ to its term


@pytest.fixture
async def shelf(disks: Path) -> AsyncIterator[Shelf]:
    async with Shelf.open(disks / "data", TurnedClock()) as opened:
        (opened.data / "shelf" / SECOND).mkdir(parents=True)
        (opened.data / "shelf" / MOUNT / "volume.json").write_text("{}")
        see(opened.data, "v2")
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
    assert (shelf.data / "shelf" / MOUNT / "volume.json").exists(), "it is no stray"


@pytest.mark.parametrize("volume", [None, "v1"])
async def test_on_a_wrong_second_nothing_is_deleted_and_on_the_first_it_is(
    shelf: Shelf, volume: str | None
) -> None:
    on_first, on_second = await shelf.record("c2"), await sealed_on_second(shelf)
    shelf.clock.turn(DAYS_30 + HOUR)
    see(shelf.data, volume)
    shelf.hear(shelf.clock.now())
    await shelf.remover.look()
    assert (on_first.exists(), on_second.exists()) == (False, True)
    assert (await shelf.facts("deferred"))[0]["why"] == "wrong_volume"
    see(shelf.data, "v2")
    await shelf.remover.look()
    assert not on_second.exists()


async def test_what_went_with_its_volume_is_neither_missing_nor_deleted(shelf: Shelf) -> None:
    file = await sealed_on_second(shelf)
    shelf.clock.turn(DAYS_30 + HOUR)
    shelf.hear(shelf.clock.now())
    second, away = shelf.data / "shelf" / MOUNT, shelf.data.parent.parent / "away"
    subprocess.run(("mount", "--move", str(second), str(away)), check=True)
    see(shelf.data, "v2")  # the recorder did not look again yet
    await shelf.remover.look()
    assert await shelf.facts("deleted") == []
    assert (await shelf.facts("deferred"))[0]["why"] == "failed"
    subprocess.run(("mount", "--move", str(away), str(second)), check=True)
    await shelf.remover.look()
    assert not file.exists()


async def test_what_waits_for_its_copy_waits_on_while_its_volume_is_away(shelf: Shelf) -> None:
    await sealed_on_second(shelf)
    config = EdgeConfig(edge="box", data=shelf.data, url="https://127.0.0.1:1")
    waiting = [row for _, row in await shelf.journal.segments_recorded(0, 9)]
    made = config.outgoing / f"{waiting[0].segment}.xka"
    made.parent.mkdir()
    made.touch()
    subprocess.run(("umount", str(shelf.data / "shelf" / MOUNT)), check=True)
    assert not is_reachable(shelf.data, waiting[0].path, "v2")
    keep_only(config, waiting)
    assert made.exists()
    keep_only(config, [])
    assert not made.exists()


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
