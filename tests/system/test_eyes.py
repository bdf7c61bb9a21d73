"""The eyes against simulated cameras and a real recorder: from a cover to the fact."""

import asyncio
import signal
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract.messages import TamperChanged
from edge.references import References
from tests.e2e import shelf
from tests.fakes.cameras import Farm, running_cameras
from tests.fakes.recorder import Box, running_recorder
from tests.fakes.waiting import until, until_async
from tests.system.eyes import (
    approve_first_views,
    fault,
    order_hour,
    running_eyes,
    tampers,
    until_calibrated,
    views_taken,
)

WITHIN = timedelta(seconds=5)


@pytest.fixture
async def farm() -> AsyncIterator[Farm]:
    async with running_cameras(2) as cameras:
        yield cameras


@pytest.fixture
def box(tmp_path: Path, farm: Farm) -> Box:
    made = Box.make(tmp_path, segment_seconds=4)
    made.has_farm(farm)
    order_hour(made)
    return made


@asynccontextmanager
async def watching(box: Box) -> AsyncIterator[asyncio.subprocess.Process]:
    """Have recorder and eyes run, with every camera's view approved."""
    async with running_recorder(box), running_eyes(box) as eyes:
        await approve_first_views(box)
        yield eyes


def told(box: Box, count: int) -> Callable[[], Awaitable[bool]]:
    async def is_told() -> bool:
        return len(await tampers(box)) >= count

    return is_told


async def last(box: Box, camera: str) -> TamperChanged:
    return (await tampers(box, camera))[-1]


async def test_a_cover_is_told_within_seconds_and_its_end_too(box: Box, farm: Farm) -> None:
    async with watching(box):
        async with fault(farm, "cam-01", "cover") as covered_at:
            await until_async(told(box, 1), what="a covered camera")
            began = await last(box, "cam-01")
            assert (began.kind, began.state) == ("covered", "began")
            assert began.voted_at - covered_at < WITHIN
            assert abs(began.first_at - covered_at) < timedelta(seconds=0.7)
            assert began.score > 0.5
            assert began.extent > 0.5
        uncovered_at = datetime.now(UTC)
        await until_async(told(box, 2), what="the end of the cover")
        ended = await last(box, "cam-01")
        assert (ended.kind, ended.state) == ("covered", "ended")
        assert ended.first_at == began.first_at
        assert ended.voted_at - uncovered_at < WITHIN
        assert await tampers(box, "cam-02") == []
        print(f"cover → fact {began.voted_at - covered_at}")


async def test_black_and_frozen_pictures_are_told_without_any_approved_view(
    box: Box, farm: Farm
) -> None:
    async with running_recorder(box), running_eyes(box):
        await until_async(lambda: _views(box, 2), 40, "reference views")
        async with fault(farm, "cam-01", "black"), fault(farm, "cam-02", "freeze") as frozen_at:
            await until_async(told(box, 2), what="a black and a frozen camera")
        black, frozen = await last(box, "cam-01"), await last(box, "cam-02")
        assert (black.kind, black.model, black.score) == ("black", "exact", 1.0)
        assert (frozen.kind, frozen.model) == ("frozen", "exact")
        assert frozen.voted_at - frozen_at < timedelta(seconds=10)
        await until_async(told(box, 4), what="their ends")
        assert {fact.state for fact in (await tampers(box))[2:]} == {"ended"}


async def _views(box: Box, count: int) -> bool:
    return len(await views_taken(box)) >= count


async def test_an_ordinary_exam_is_nothing_to_tell(box: Box) -> None:
    async with watching(box) as eyes:
        await until_calibrated(box)
        await asyncio.sleep(20)
        assert eyes.returncode is None
        assert await tampers(box) == []


async def test_a_view_is_taken_once_and_again_on_request(box: Box) -> None:
    references = References.below(box.config.data)
    async with running_recorder(box):
        async with running_eyes(box):
            await until_async(lambda: _views(box, 2), 40, "a view of each camera")
        first = (await views_taken(box))[0]
        file = references.find(first.camera, first.sha256)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        references.ask(first.camera)
        async with running_eyes(box):
            await until_async(lambda: _views(box, 3), 40, "another view")
        assert (await views_taken(box))[2].camera == first.camera
        assert references.asked() == frozenset()


async def test_a_cover_outlives_the_eyes_and_is_told_once(box: Box, farm: Farm) -> None:
    async with running_recorder(box):
        async with fault(farm, "cam-01", "black"):
            async with running_eyes(box) as eyes:
                await until_async(told(box, 1), 40, "a black camera")
                eyes.kill()
                await eyes.wait()
            async with running_eyes(box):
                await until_async(lambda: _views(box, 1), 40, "a view of the other camera")
                assert len(await tampers(box)) == 1
        async with running_eyes(box):
            await until_async(told(box, 2), 40, "the end")
        assert [fact.state for fact in await tampers(box)] == ["began", "ended"]


@pytest.mark.parametrize("blow", [signal.SIGSTOP, signal.SIGKILL])
async def test_recording_does_not_notice_what_becomes_of_the_eyes(box: Box, blow: int) -> None:
    async with running_recorder(box), running_eyes(box) as eyes:
        await until_async(lambda: _views(box, 1), 40, "the eyes look")
        since = datetime.now(UTC)
        eyes.send_signal(blow)
        end = since + timedelta(seconds=10)
        await until(lambda: datetime.now(UTC) > end + timedelta(seconds=2.5), 20)
    for camera in box.cameras:
        taken = await asyncio.to_thread(shelf.instants, box.config.data, camera, since)
        assert shelf.holes(taken, since, end) == []
