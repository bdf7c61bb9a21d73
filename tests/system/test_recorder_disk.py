"""The recorder on a volume that is full, or not the right one."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from contract.clock import SystemClock
from contract.messages import GapFound, ShelfTrouble
from edge.diskwatch import DiskWatch
from edge.journal import Journal
from edge.recording.rows import Rows
from edge.recording.volume import WrongVolume, confirm, identify
from tests.fakes.cameras import running_cameras
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
    box.path.write_text(box.path.read_text() + "minimum_free_bytes = 7000000\n")
    said: list[ShelfTrouble] = []
    watch = DiskWatch(small_disk, 7_000_000, said.append)
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
            filler.write_bytes(bytes(shutil.disk_usage(small_disk).free - 3_000_000))
            assert watch.look().pressure == "optional"
            await until(lambda: not recorded("sub"), 10, "no more of the sub-stream")
            sealed = box.files()
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
    (trouble,) = [msgspec.json.decode(raw, type=ShelfTrouble) for raw in await told(box, "shelf")]
    assert trouble.kind == "wrong_volume"


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
    quarantine = box.config.data / "quarantine" / "shelf" / "cam-01" / "2026-11-22"
    assert sorted(path.name for path in quarantine.iterdir()) == [
        "20261122T080000000.part",
        "holiday.mp4",
    ]
    assert list(day.iterdir()) == []
