"""The recorder on a volume that is full, or not the right one."""

import asyncio
import errno
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from contract.clock import SystemClock
from contract.messages import GapFound, Order, ShelfTrouble, Stream
from contract.spans import Span
from edge.diskwatch import DiskWatch
from edge.journal import Journal, JournalDamaged, from_us, to_us
from edge.recording.coverage import Coverage
from edge.recording.ordersfile import OrdersFile
from edge.recording.process import _again, _identified, _sync
from edge.recording.recorder import Cuts, Recorder
from edge.recording.rows import Rows
from edge.recording.segment import Finished, GrowingSegment, ShelfBroken
from edge.recording.statements import Statements
from edge.recording.volume import WrongVolume, confirm, identify
from tests.fakes.broker import background
from tests.fakes.cameras import running_cameras
from tests.fakes.clock import ManualClock
from tests.fakes.encoder import pictures
from tests.fakes.oracle import decode
from tests.fakes.recorder import Box, running_recorder
from tests.fakes.waiting import until, until_async


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real filesystem of 12 MB."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    place = tmp_path / "disk"
    place.mkdir()
    os.spawnlp(os.P_WAIT, "mount", "mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(place))
    assert os.path.ismount(place)
    yield place
    os.spawnlp(os.P_WAIT, "umount", "umount", str(place))


@dataclass
class FailingDisk:
    """A real filesystem whose device takes no more once it is told to."""

    place: Path
    backing: Path

    def fail(self) -> None:
        """Leave the device no room: what is written from now on is lost on its way there."""
        with (self.backing / "filler").open("wb", buffering=0) as filler, suppress(OSError):
            while True:
                filler.write(bytes(4096))

    def recover(self) -> None:
        """Give the device its room back; what was lost meanwhile stays lost."""
        (self.backing / "filler").unlink()


@pytest.fixture
def failing_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[FailingDisk]:
    """ext4 on a loop device on a sparse file on a tmpfs that is smaller than the file.

    Parametrised with `^has_journal` nothing but the data itself can fail.
    """
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    backing, place = tmp_path / "backing", tmp_path / "disk"
    backing.mkdir()
    place.mkdir()
    image = str(backing / "image")
    whole = "lazy_itable_init=0,lazy_journal_init=0"
    feature = getattr(request, "param", "")
    journal = ("-O", feature) if feature else ("-J", "size=4")
    for command in (
        ("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(backing)),
        ("truncate", "-s", "64m", image),
        ("mkfs.ext4", "-q", "-F", "-E", whole, *journal, image),
        ("mount", "-o", "loop", image, str(place)),
    ):
        subprocess.run(command, check=True)
    yield FailingDisk(place, backing)
    for mounted in (place, backing):
        subprocess.run(("umount", "--lazy", str(mounted)), check=True)


@dataclass
class OneStream:
    """A fleet of one recorder, as the sync sees it."""

    recorder: Recorder
    errors: list[OSError] = field(default_factory=list)

    def growing(self) -> list[GrowingSegment]:
        segment = self.recorder.growing
        return [segment] if segment is not None and segment.path else []

    def not_synced(self, segment: GrowingSegment, error: OSError) -> None:
        self.errors.append(error)
        self.recorder.doubt(segment, ShelfBroken(error))


async def test_what_a_failing_disk_did_not_take_is_not_on_record_and_what_it_took_is(
    failing_disk: FailingDisk,
) -> None:
    start = datetime.now(UTC).replace(microsecond=0)
    finished: list[Finished] = []
    troubles: list[ShelfBroken] = []
    coverage, clock = Coverage(), ManualClock(start)
    key: tuple[str, Stream] = ("c1", "main")
    shelf, cuts = failing_disk.place / "shelf", Cuts(60, 0)
    recorder = Recorder(key, shelf, cuts, coverage, clock, finished.append, troubles.append)
    recorder.keep([Span(start, start + timedelta(hours=1))])
    taken = pictures("h264", 100, start_us=to_us(start))
    recorder.take(taken[:50])
    fleet = OneStream(recorder)
    syncing = asyncio.create_task(_sync(fleet, clock))  # type: ignore[arg-type]  # all it uses
    await asyncio.sleep(0)
    await clock.advance(2.1)
    (segment,) = fleet.growing()
    await until(lambda: segment._synced == segment.written)
    safe = from_us(segment.span_us[1])
    failing_disk.fail()
    recorder.take(taken[50:])
    await clock.advance(2.1)
    await until(lambda: fleet.errors)
    syncing.cancel()
    assert fleet.errors[0].errno in {errno.EIO, errno.ENOSPC}
    assert len(troubles) == 1
    assert coverage.spans() == [Span(start, safe)]
    assert not recorder.is_recording
    os.close(finished[0].fd)
    (part,) = shelf.rglob("*.part")
    with part.open("rb") as file:
        whole = file.read(finished[0].cut_to or 0)
    kept = failing_disk.backing.parent / "kept.mp4"
    kept.write_bytes(whole)
    assert len(decode(kept).times) == round((safe - start).total_seconds() * 25)


@pytest.mark.parametrize("failing_disk", ["^has_journal"], indirect=True)
def test_what_the_disk_did_not_take_is_told_to_sync_and_seal_alike(
    failing_disk: FailingDisk,
) -> None:
    fd = os.open(failing_disk.place / "one.part", os.O_WRONLY | os.O_CREAT, 0o640)
    again = _again(fd)
    failing_disk.fail()
    os.write(fd, bytes(1 << 20))
    for opened in (again, fd):
        with pytest.raises(OSError, match=r"error|space"):
            os.fdatasync(opened)
        os.close(opened)
        if opened == again:
            failing_disk.recover()


async def test_a_recorder_that_starts_on_a_locked_journal_records_and_tells_afterwards(
    tmp_path: Path,
) -> None:
    box = Box.make(tmp_path, segment_seconds=4)
    await identified(box)
    async with running_cameras(1) as farm:
        box.has_farm(farm)
        now = datetime.now(UTC)
        box.order(now, now + timedelta(hours=1))
        with closing(sqlite3.connect(box.config.journal, isolation_level=None)) as other:
            other.execute("begin exclusive")
            async with running_recorder(box):
                await until(box.files, 40, "a segment is sealed")
                other.execute("rollback")

                async def on_record() -> bool:
                    return bool(await told(box, "segment"))

                await until_async(on_record, 30, "it is on record")


async def told(box: Box, kind: str) -> list[bytes]:
    async with Journal.open(box.config.journal) as journal:
        rows = await journal.facts_after(0, 10_000)
    return [data for _, _, name, _, data in rows if name == kind]


async def test_a_full_disk_ends_the_file_whole_is_told_and_recording_resumes(
    small_disk: Path,
) -> None:
    box = Box.make(small_disk)
    filler = small_disk / "filler"
    filler.write_bytes(bytes(9_500_000))
    async with running_cameras(1) as farm:
        box.has_farm(farm)
        soon = datetime.now(UTC) + timedelta(seconds=3)
        box.order(soon, soon + timedelta(hours=1))
        async with running_recorder(box):
            await until(
                lambda: shutil.disk_usage(small_disk).free < 240_000, 60, "the disk is full"
            )
            await until(lambda: not box.statuses()["cam-01", "main"].recording, 20)
            full_at = datetime.now(UTC)
            await until(lambda: datetime.now(UTC) - full_at > timedelta(seconds=4))
            before = len(box.files("*.*"))
            assert before >= 1
            filler.unlink()
            await until(lambda: box.statuses()["cam-01", "main"].recording, 20)

            async def explained() -> bool:
                return bool(await told(box, "gap"))

            await until_async(explained, 30, "the gap is told")
    troubles = [msgspec.json.decode(raw, type=ShelfTrouble) for raw in await told(box, "shelf")]
    assert [trouble.kind for trouble in troubles] == ["disk_full", "recovered"]
    gaps = [msgspec.json.decode(raw, type=GapFound) for raw in await told(box, "gap")]
    assert [gap.cause for gap in gaps] == ["disk"]
    assert len(box.files()) >= 2
    assert not box.files("*.part")
    assert [decode(path).corrupt for path in box.files()] == [0] * len(box.files())


async def test_a_filling_disk_gives_up_sub_streams_first_and_keeps_what_it_has(
    small_disk: Path,
) -> None:
    box = Box.make(small_disk, segment_seconds=4)
    box.path.write_text(box.path.read_text() + "minimum_free_bytes = 4000000\n")
    said: list[ShelfTrouble] = []
    watch = DiskWatch(small_disk, 4_000_000, said.append)
    assert watch.look().pressure == "none"
    async with running_cameras(1) as farm:
        box.has_farm(farm)
        soon = datetime.now(UTC) + timedelta(seconds=2)
        box.order(soon, soon + timedelta(hours=1), ("main", "sub"))

        def recorded(stream: str) -> bool:
            status = box.statuses().get(("cam-01", stream))
            return status is not None and status.recording

        async with running_recorder(box):
            await until(lambda: recorded("main") and recorded("sub"), 30, "both are recorded")
            filler = small_disk / "filler"
            filler.write_bytes(bytes(shutil.disk_usage(small_disk).free - 1_900_000))
            assert watch.look().pressure == "optional"
            await until(lambda: not recorded("sub"), 10, "no more of the sub-stream")
            stopped = datetime.now(UTC)
            sealed = box.files()
            # a hole of less than a second is no gap
            await until(lambda: datetime.now(UTC) - stopped > timedelta(seconds=2))
            assert recorded("main")
            filler.unlink()
            assert watch.look().pressure == "none"
            await until(lambda: recorded("sub"), 20, "the sub-stream again")

            async def explained() -> bool:
                return bool(await told(box, "gap"))

            await until_async(explained, 30, "the gap is told")
    (gap,) = [msgspec.json.decode(raw, type=GapFound) for raw in await told(box, "gap")]
    assert (gap.stream, gap.cause) == ("sub", "disk")
    assert sealed
    assert set(sealed) <= set(box.files())
    assert [(one.kind, one.detail.split(",")[0]) for one in said] == [
        ("pressure", "optional"),
        ("pressure", "none"),
    ]


async def identified(box: Box) -> str:
    async with Rows.open(box.config.journal, SystemClock()) as rows:
        volume = await identify(box.config.data, box.config.shelf, rows, SystemClock())
        await rows.read(lambda journal: confirm(box.config.data, volume, journal))
    return volume


async def test_a_volume_gets_an_identity_once(tmp_path: Path) -> None:
    box = Box.make(tmp_path)
    assert await identified(box) == await identified(box)


async def test_a_shelf_is_there_before_its_volume_has_an_identity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, seen = Box.make(tmp_path), list[bool]()
    monkeypatch.setattr(
        "edge.recording.volume.write_private",
        lambda place, data: seen.append(box.config.shelf.is_dir()),
    )
    await identified(box)
    assert seen == [True], "a kill in between leaves nothing that is taken for whole"


async def test_a_journal_begun_anew_in_mid_run_knows_volume_and_promises(tmp_path: Path) -> None:
    box, clock, damages = Box.make(tmp_path), SystemClock(), ["a page is torn"]
    now = datetime.now(UTC)
    box.orders["o-1"] = Order(
        id="o-1", camera="cam-01", session="s", start=now, end=now + timedelta(hours=1)
    )
    box.save()
    file = OrdersFile(box.config.orders)
    file.refresh()

    async def known(journal: Journal) -> bool:
        return bool(await journal.meta("volume") and await journal.promised())

    async def damaged(_: Journal) -> None:
        if damages:
            raise JournalDamaged(damages.pop())

    async with Rows.open(box.config.journal, clock) as rows:
        await _identified(box.config, rows, clock)
        async with background(Statements(file, rows, clock).run()):
            await until_async(lambda: rows.read(known), 20, "volume and promise")
            rows.put(damaged)
            await until(lambda: list(box.config.data.glob("*.damaged-*")), what="it is set aside")
            await until_async(lambda: rows.read(known), 20, "volume and promise again")


async def test_footage_without_an_identity_is_not_written_to(tmp_path: Path) -> None:
    box = Box.make(tmp_path)
    (box.config.shelf / "cam-01").mkdir(parents=True)
    with pytest.raises(WrongVolume, match="whose disk is this"):
        await identified(box)


async def test_another_volume_than_the_journals_is_refused(tmp_path: Path) -> None:
    box = Box.make(tmp_path)
    async with Journal.open(box.config.journal) as journal:
        await journal.set_meta("volume", "another")
        with pytest.raises(WrongVolume, match="is the disk mounted"):
            await identified(box)
        with pytest.raises(WrongVolume, match="is the right disk mounted"):
            await confirm(box.config.data, "this", journal)


async def test_a_recorder_on_the_wrong_volume_ends_and_says_so(tmp_path: Path) -> None:
    box = Box.make(tmp_path)
    (box.config.shelf / "cam-01").mkdir(parents=True)
    async with running_recorder(box) as recorder, asyncio.timeout(20):
        assert await recorder.wait() != 0
    assert await troubles(box) == ["wrong_volume"]
    (box.config.shelf / "cam-01").rmdir()
    async with running_recorder(box):

        async def is_told() -> bool:
            return await troubles(box) == ["wrong_volume", "recovered"]

        await until_async(is_told, 20, "that it is the right one again")


async def troubles(box: Box) -> list[str]:
    """Give what the box told of its shelf."""
    facts = await told(box, "shelf")
    return [msgspec.json.decode(raw, type=ShelfTrouble).kind for raw in facts]


async def test_strangers_on_the_shelf_are_set_aside_and_told(tmp_path: Path) -> None:
    box = Box.make(tmp_path)
    await identified(box)
    day = box.config.shelf / "cam-01" / "2026-11-22"
    day.mkdir(parents=True)
    (day / "holiday.mp4").write_bytes(b"not ours")
    (day / "20261122T080000000.part").write_bytes(b"torn in its first bytes")
    async with running_recorder(box):

        async def both() -> bool:
            return len(await told(box, "shelf")) == 2

        await until_async(both, 20, "both are told")
    assert sorted(await troubles(box)) == ["quarantined", "remnant"]
    quarantine = box.config.data / "quarantine" / "shelf" / "cam-01" / "2026-11-22"
    assert sorted(path.name for path in quarantine.iterdir()) == [
        "20261122T080000000.part",
        "holiday.mp4",
    ]
    assert list(day.iterdir()) == []
