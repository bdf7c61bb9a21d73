"""The recorder against simulated cameras, from orders to sealed files."""

import signal
import sqlite3
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import aiohttp
import msgspec
import pytest

from contract.messages import CameraChanged, GapCause, GapFound, Message, SegmentClosed
from contract.spans import Span, subtract
from edge.journal import Journal
from edge.recording.adoption import examine
from tests.fakes.cameras import Farm, running_cameras
from tests.fakes.oracle import decode
from tests.fakes.recorder import Box, running_recorder
from tests.fakes.waiting import until, until_async


@pytest.fixture
async def farm() -> AsyncIterator[Farm]:
    async with running_cameras(2) as cameras:
        yield cameras


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box.make(tmp_path, segment_seconds=4)


async def facts(box: Box, kind: type[Message]) -> list[Message]:
    """Give the facts of one kind so far."""
    names = {SegmentClosed: "segment", GapFound: "gap", CameraChanged: "camera"}
    async with Journal.open(box.config.journal) as journal:
        rows = await journal.facts_after(0, 10_000)
    return [msgspec.json.decode(row[4], type=kind) for row in rows if row[2] == names[kind]]


async def segments(box: Box, camera: str) -> list[SegmentClosed]:
    found = [fact for fact in await facts(box, SegmentClosed) if isinstance(fact, SegmentClosed)]
    return [segment for segment in found if segment.camera == camera]


async def gaps(box: Box, camera: str) -> list[GapFound]:
    found = [fact for fact in await facts(box, GapFound) if isinstance(fact, GapFound)]
    return [gap for gap in found if gap.camera == camera]


async def _gaps_of(box: Box, camera: str, cause: GapCause) -> list[GapFound]:
    return [gap for gap in await gaps(box, camera) if gap.cause == cause]


def is_recording(box: Box, camera: str) -> bool:
    status = box.statuses().get((camera, "main"))
    return status is not None and status.state == "streaming" and status.recording


def sizes(box: Box) -> list[int]:
    """Give how large the growing files are."""
    return [path.stat().st_size for path in box.files("*.part")]


def uncovered(segments: list[SegmentClosed], window: Span) -> list[Span]:
    """Give what of the window is on no file, joints of files apart."""
    covered = [Span(segment.start, segment.end) for segment in segments]
    missing = subtract(window, covered)
    return [span for span in missing if span.seconds > 1.0]


@asynccontextmanager
async def fault(farm: Farm, camera: str, kind: str) -> AsyncIterator[None]:
    """Have one camera fail meanwhile."""
    async with aiohttp.ClientSession() as http:
        async with http.post(farm.faults(camera), json={"kind": kind}) as answer:
            assert answer.status < 300, await answer.text()
        try:
            yield
        finally:
            async with http.delete(farm.faults(camera)) as answer:
                assert answer.status < 300


async def test_a_window_is_recorded_from_its_first_second_to_its_last(box: Box, farm: Farm) -> None:
    box.has_farm(farm)
    now = datetime.now(UTC)
    window = Span(now + timedelta(seconds=6), now + timedelta(seconds=18))
    box.order(window.start, window.end)
    async with running_recorder(box):
        await until(lambda: len(box.statuses()) == 4)
        await until(lambda: datetime.now(UTC) > window.end + timedelta(seconds=6), 40)
        for camera in farm.cameras:
            found = await segments(box, camera)
            assert uncovered(found, window) == []
            assert found[0].start > window.start - timedelta(seconds=1.2)
            assert found[-1].end < window.end + timedelta(seconds=1)
            assert await gaps(box, camera) == []
        assert box.statuses()["cam-01", "main"].state == "off"


async def test_segments_are_cut_at_key_pictures_sealed_chained_and_clean(
    box: Box, farm: Farm
) -> None:
    box.has_farm(farm)
    now = datetime.now(UTC)
    box.order(now, now + timedelta(hours=1))
    async with running_recorder(box) as recorder:
        await until(lambda: len(box.files()) >= 5, 40)
    assert recorder.returncode == 0
    found = await segments(box, "cam-01")
    assert len(found) >= 3
    for segment in found:
        path = box.config.data / segment.path
        assert stat.S_IMODE(path.stat().st_mode) == 0o440
        with path.open("rb") as file:
            seen = examine(file)
        assert (seen.root, seen.size, seen.fragments) == (
            segment.root,
            segment.bytes,
            segment.fragments,
        )
        pictures = decode(path)
        assert (pictures.width, pictures.height, pictures.corrupt) == (1280, 720, 0)
        assert pictures.longest_pause < 0.1
        assert len(pictures.times) / 25 == pytest.approx(
            (segment.end - segment.start).total_seconds(), abs=0.05
        )
    for earlier, later in pairwise(found):
        assert later.previous == earlier.root
        assert abs((later.start - earlier.end).total_seconds()) < 0.1
    assert not box.files("*.part")


async def test_a_recorder_killed_with_9_loses_little_and_says_what(box: Box, farm: Farm) -> None:
    box.has_farm(farm)
    soon = datetime.now(UTC) + timedelta(seconds=3)
    box.order(soon, soon + timedelta(hours=1))
    async with running_recorder(box) as recorder:
        await until(lambda: all(is_recording(box, camera) for camera in farm.cameras), 30)
        await until(lambda: min(sizes(box), default=0) > 200_000 and len(sizes(box)) == 2, 30)
        recorder.send_signal(signal.SIGKILL)
        killed = datetime.now(UTC)
        await recorder.wait()
    await until(lambda: datetime.now(UTC) - killed > timedelta(seconds=2))
    left = {path.with_suffix(".mp4") for path in box.files("*.part")}
    async with running_recorder(box):
        await until(lambda: all(is_recording(box, camera) for camera in farm.cameras), 30)

        async def told() -> bool:
            return all([await _gaps_of(box, camera, "box_down") for camera in farm.cameras])

        await until_async(told, 20, "the gap is told")
    for camera in farm.cameras:
        found = await segments(box, camera)
        adopted = [segment for segment in found if segment.adopted]
        assert len(adopted) == 1
        path = box.config.data / adopted[0].path
        assert path in left
        assert decode(path).corrupt == 0
        # A picture lasts until the next one is due, so the end may lie a little ahead.
        assert -timedelta(seconds=0.1) < killed - adopted[0].end < timedelta(seconds=1)
        (gap,) = await _gaps_of(box, camera, "box_down")
        assert gap.start == adopted[0].end
        assert timedelta(seconds=2) < gap.end - killed < timedelta(seconds=6)


async def test_a_gap_is_told_once_however_often_the_recorder_starts(box: Box, farm: Farm) -> None:
    box.has_farm(farm)
    now = datetime.now(UTC)
    box.order(now - timedelta(seconds=30), now + timedelta(hours=1))
    for _ in range(2):
        async with running_recorder(box):

            async def told() -> bool:
                return all([await gaps(box, camera) for camera in farm.cameras])

            await until(lambda: is_recording(box, "cam-01"), 30)
            await until_async(told, 20, "the gap is told")
    starts = [gap.start for gap in await gaps(box, "cam-01")]
    assert len(set(starts)) == len(starts)
    assert (await gaps(box, "cam-01"))[0].cause == "started_late"


async def test_a_stalled_camera_is_noticed_in_5_s_and_its_gap_told_when_it_comes_back(
    box: Box, farm: Farm
) -> None:
    box.has_farm(farm)
    soon = datetime.now(UTC) + timedelta(seconds=3)
    box.order(soon, soon + timedelta(hours=1))
    async with running_recorder(box):
        await until(lambda: is_recording(box, "cam-01") and is_recording(box, "cam-02"), 30)
        began = datetime.now(UTC)
        async with fault(farm, "cam-01", "stall"):

            async def noticed() -> bool:
                changes = await facts(box, CameraChanged)
                return any(isinstance(c, CameraChanged) and c.state == "stalled" for c in changes)

            await until_async(noticed, 5.5, "the stall is noticed")
            assert datetime.now(UTC) - began < timedelta(seconds=5.5)

        async def told() -> bool:
            return bool(await _gaps_of(box, "cam-01", "stalled"))

        await until_async(told, 30, "the gap is told")
        (gap,) = await _gaps_of(box, "cam-01", "stalled")
        assert abs(gap.start - began) < timedelta(seconds=1.5)
        assert await _gaps_of(box, "cam-02", "stalled") == []


async def test_a_cut_cable_at_a_windows_end_is_a_gap_up_to_the_end(box: Box, farm: Farm) -> None:
    box.has_farm(farm)
    soon = datetime.now(UTC) + timedelta(seconds=3)
    end = soon + timedelta(seconds=12)
    box.order(soon, end)
    async with running_recorder(box):
        await until(lambda: is_recording(box, "cam-01"), 12)
        async with fault(farm, "cam-01", "cut"):

            async def told() -> bool:
                return end in {gap.end for gap in await gaps(box, "cam-01")}

            await until_async(told, 30, "the gap is told")
        (gap,) = [gap for gap in await gaps(box, "cam-01") if gap.end == end]
        assert gap.cause in {"lost", "refused", "stalled"}


async def test_its_status_lives_by_its_age_and_is_written_anew_when_something_changes(
    box: Box, farm: Farm
) -> None:
    status = box.config.run / "recorder.json"
    async with running_recorder(box):
        await until(lambda: status.exists() and box.statuses() == {})
        first = status.stat()
        await until(lambda: status.stat().st_mtime > first.st_mtime + 1.5)
        assert status.stat().st_ino == first.st_ino, "nothing changed, nothing was renamed"
        box.has_farm(farm)
        box.save()
        await until(lambda: len(box.statuses()) == 2 * len(farm.cameras))
        status.unlink()
        await until(status.exists)


async def test_an_order_that_comes_late_begins_at_once_and_the_rest_is_a_gap(
    box: Box, farm: Farm
) -> None:
    async with running_recorder(box):
        await until((box.config.run / "recorder.json").exists)
        up = datetime.now(UTC)
        await until(lambda: datetime.now(UTC) - up > timedelta(seconds=2.5))
        box.has_farm(farm)
        now = datetime.now(UTC)
        box.order(now - timedelta(seconds=20), now + timedelta(hours=1))
        await until(lambda: is_recording(box, "cam-01"), 10)

        async def told() -> bool:
            return bool(await gaps(box, "cam-01"))

        await until_async(told, 20, "the gap is told")
        (gap,) = await gaps(box, "cam-01")
        assert gap.cause == "started_late"
        assert abs(gap.start - (now - timedelta(seconds=20))) < timedelta(milliseconds=1)


async def test_an_order_taken_back_ends_its_recording(box: Box, farm: Farm) -> None:
    box.has_farm(farm)
    now = datetime.now(UTC)
    box.order(now, now + timedelta(hours=1))
    async with running_recorder(box):
        await until(lambda: is_recording(box, "cam-01"), 30)
        del box.orders["o-cam-01"]
        box.save()
        await until(lambda: box.statuses()["cam-01", "main"].state == "off", 10)
        assert is_recording(box, "cam-02")
        await until(lambda: not list((box.config.shelf / "cam-01").rglob("*.part")), 10)


async def test_a_locked_journal_costs_no_second_and_all_is_told_afterwards(
    box: Box, farm: Farm
) -> None:
    box.has_farm(farm)
    now = datetime.now(UTC)
    box.order(now, now + timedelta(hours=1))
    async with running_recorder(box):
        await until(lambda: is_recording(box, "cam-01"), 30)
        with closing(sqlite3.connect(box.config.journal, isolation_level=None)) as other:
            other.execute("begin immediate")
            before = begun(box, "cam-01")
            await until(lambda: len(begun(box, "cam-01") - before) >= 2, 60)
            other.execute("rollback")

        async def told() -> bool:
            return len(await segments(box, "cam-01")) >= 3

        await until_async(told, 30, "the segments are told")
    found = await segments(box, "cam-01")
    for earlier, later in pairwise(found):
        assert abs((later.start - earlier.end).total_seconds()) < 0.1


def begun(box: Box, camera: str) -> set[str]:
    """Name a camera's files so far, sealed or growing: each is sealed as soon as it is whole."""
    files = [*box.files("*.part"), *box.files("*.mp4")]
    return {path.stem for path in files if path.parts[-3] == camera}


async def test_both_streams_are_kept_when_both_are_ordered(box: Box, farm: Farm) -> None:
    box.has_farm(farm)
    now = datetime.now(UTC)
    box.order(now, now + timedelta(hours=1), record=("main", "sub"))
    async with running_recorder(box):
        await until(lambda: len(box.files("*.sub.mp4")) >= 2, 40)
    sub = decode(box.files("*.sub.mp4")[0])
    assert (sub.width, sub.height, sub.corrupt) == (640, 360, 0)
