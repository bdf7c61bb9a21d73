"""Simulated cameras, looked at from outside with another RTSP client."""

import asyncio
import socket
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import av
import numpy as np
import pytest
import pytest_asyncio
from aiohttp import ClientSession
from av.video.frame import PictureType
from numpy.typing import NDArray

from edge.simulator.stamp import Stamp, read_second, read_stamp
from tests.fakes.cameras import Farm, running_cameras

pytestmark = pytest.mark.asyncio(loop_scope="module")

LATE_S = 0.3


@dataclass(frozen=True, slots=True)
class Seen:
    """One decoded picture, and when it came out of the decoder."""

    luma: NDArray[np.uint8]
    is_key: bool
    is_bidirectional: bool
    at: float

    @property
    def stamp(self) -> Stamp | None:
        """What it says about itself."""
        return read_stamp(self.luma)

    @property
    def late(self) -> float:
        """Seconds from the instant in the picture to its arrival."""
        stamp = self.stamp
        assert stamp
        return self.at - stamp.captured_at.timestamp()

    @property
    def scene(self) -> NDArray[np.float64]:
        """The picture without strip, label and stamp."""
        rows = len(self.luma)
        return self.luma[rows // 8 : rows * 7 // 8].astype(np.float64)


def _look(url: str, enough: Callable[[list[Seen]], bool], options: dict[str, str]) -> list[Seen]:
    seen: list[Seen] = []
    options = {"rtsp_transport": "tcp", "analyzeduration": "200000", **options}
    with av.open(url, options=options, timeout=8) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        for frame in container.decode(stream):
            luma = frame.to_ndarray()[: frame.height].astype(np.uint8)
            is_b = frame.pict_type == PictureType.B
            seen.append(Seen(luma, frame.key_frame, is_b, time.time()))
            if enough(seen):
                break
    return seen


async def look(
    url: str, enough: Callable[[list[Seen]], bool] | int = 30, **options: str
) -> list[Seen]:
    """Watch a stream until the pictures are enough; raises av.error.FFmpegError."""
    until = (lambda seen: len(seen) >= enough) if isinstance(enough, int) else enough
    async with asyncio.timeout(30):
        return await asyncio.to_thread(_look, url, until, options)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def farm() -> AsyncGenerator[Farm]:
    async with running_cameras(3) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http() -> AsyncGenerator[ClientSession]:
    async with ClientSession() as session:
        yield session


@asynccontextmanager
async def fault(
    farm: Farm, http: ClientSession, camera: str, kind: str, **more: Any
) -> AsyncGenerator[datetime]:
    """Let a camera have a fault while the block runs; gives when it begins."""
    async with http.post(farm.faults(camera), json={"kind": kind, **more}) as answer:
        assert answer.status == 201, await answer.text()
        begins = datetime.fromisoformat((await answer.json())["begins"])
    try:
        yield begins
    finally:
        async with http.delete(farm.faults(camera)) as answer:
            assert answer.status == 200


def after(begins: datetime, count: int = 1) -> Callable[[list[Seen]], bool]:
    """Enough once so many pictures came after a fault began."""
    return lambda seen: sum(one.at > begins.timestamp() + 0.4 for one in seen) >= count


def is_settled(seen: list[Seen]) -> bool:
    """Enough once the player has caught up with the camera."""
    return len(seen) > 20 and seen[-1].late < LATE_S


@pytest.mark.parametrize(
    ("stream", "size"), [("main", (720, 1280)), ("sub", (360, 640))], ids=["main", "sub"]
)
async def test_a_stream_decodes_clean_and_tells_the_time(
    farm: Farm, stream: str, size: tuple[int, int]
) -> None:
    av.logging.set_level(av.logging.WARNING)
    try:
        with av.logging.Capture(local=False) as said:
            seen = await look(farm.url("cam-01", stream), is_settled)
    finally:
        av.logging.set_level(None)
    assert said == []
    assert seen[0].is_key
    assert seen[0].luma.shape == size
    assert {one.stamp.camera if one.stamp else None for one in seen} == {1}


async def test_time_in_the_picture_runs_on_from_frame_to_frame(farm: Farm) -> None:
    seen = await look(farm.url("cam-02"), 60)
    times = [one.stamp.captured_at.timestamp() for one in seen if one.stamp]
    assert len(times) == 60
    assert np.allclose(np.diff(times), 0.04, atol=0.002)
    keys = [index for index, one in enumerate(seen) if one.is_key]
    assert set(np.diff(keys)) == {25}


async def test_cameras_show_different_rooms(farm: Farm) -> None:
    looks = await asyncio.gather(*(look(farm.url(camera), 5) for camera in farm.cameras))
    scenes = [seen[-1].scene for seen in looks]
    assert [seen[-1].stamp.camera for seen in looks if seen[-1].stamp] == [1, 2, 3]
    for one, other in ((0, 1), (1, 2), (0, 2)):
        assert np.abs(scenes[one] - scenes[other]).mean() > 15


async def test_two_clients_see_the_same_camera(farm: Farm) -> None:
    both = await asyncio.gather(*(look(farm.url("cam-03", "sub"), 20) for _ in range(2)))
    stamps = [{one.stamp for one in seen} for seen in both]
    assert len(stamps[0] & stamps[1]) >= 5


async def test_an_unknown_camera_or_stream_is_not_found(farm: Farm) -> None:
    for url in (farm.url("cam-77"), farm.url("cam-01", "third")):
        with pytest.raises(av.error.HTTPNotFoundError):
            await look(url)


def edges(scene: NDArray[np.float64]) -> float:
    """How sharp a picture is."""
    return float(np.abs(np.diff(scene, axis=1)).mean())


CHANGES: dict[str, Callable[[NDArray[np.float64], NDArray[np.float64]], bool]] = {
    "cover": lambda _, now: bool((now < 100).mean() > 0.5),
    "defocus": lambda before, now: edges(now) < 0.6 * edges(before),
    "move": lambda before, now: float(np.abs(now - before).mean()) > 15,
    "dark": lambda before, now: float(now.mean()) < 0.6 * float(before.mean()),
    "glare": lambda before, now: float(now.mean()) > 1.1 * float(before.mean()),
}


@pytest.mark.parametrize("kind", CHANGES)
async def test_a_fault_of_the_scene_is_seen_on_both_streams_and_the_stamp_stays(
    farm: Farm, http: ClientSession, kind: str
) -> None:
    urls = [farm.url("cam-02", stream) for stream in ("main", "sub")]
    before = await asyncio.gather(*(look(url, 3) for url in urls))
    async with fault(farm, http, "cam-02", kind, extent=0.6) as begins:
        now = await asyncio.gather(*(look(url, after(begins)) for url in urls))
        for then, since in zip(before, now, strict=True):
            assert CHANGES[kind](then[-1].scene, since[-1].scene)
            assert since[-1].stamp
            assert since[-1].stamp.camera == 2


async def test_black_is_black_below_the_strip(farm: Farm, http: ClientSession) -> None:
    async with fault(farm, http, "cam-02", "black") as begins:
        seen = (await look(farm.url("cam-02"), after(begins)))[-1]
        assert seen.luma[40:].max() < 30
        assert abs((read_second(seen.luma) or 0) - time.time()) < 3


async def test_a_fault_ends_by_itself(farm: Farm, http: ClientSession) -> None:
    async with fault(farm, http, "cam-02", "black", seconds=1.0) as begins:
        seen = await look(farm.url("cam-02"), lambda seen: seen[-1].stamp is not None)
        assert seen[-1].at > begins.timestamp() + 1


async def test_a_frozen_picture_stands_still_with_its_time(farm: Farm, http: ClientSession) -> None:
    async with fault(farm, http, "cam-02", "freeze") as begins:
        seen = await look(farm.url("cam-02"), after(begins, 40))
        frozen = [one for one in seen if one.at > begins.timestamp() + 0.8]
        assert {one.stamp for one in frozen} == {Stamp(2, frozen[0].stamp.captured_at)}  # type: ignore[union-attr]
        assert all(np.array_equal(one.luma, frozen[0].luma) for one in frozen)
        assert frozen[-1].late > 1


async def test_a_stalled_camera_keeps_the_connection_and_sends_nothing(
    farm: Farm, http: ClientSession
) -> None:
    def has_paused(seen: list[Seen]) -> bool:  # the player gives each picture one late
        return len(seen) > 3 and seen[-2].at - seen[-3].at > 1.5

    watching = asyncio.create_task(look(farm.url("cam-02"), has_paused))
    await look(farm.url("cam-02"), 3)
    async with fault(farm, http, "cam-02", "stall", seconds=2.0):
        seen = await watching
        assert seen[-1].is_key


async def test_a_cut_camera_is_gone_until_it_is_mended(farm: Farm, http: ClientSession) -> None:
    watching = asyncio.create_task(look(farm.url("cam-02"), 100_000))
    await look(farm.url("cam-02"), 3)
    async with fault(farm, http, "cam-02", "cut"):
        async with asyncio.timeout(5):
            await asyncio.gather(watching, return_exceptions=True)
        with pytest.raises((av.error.FFmpegError, OSError)):
            await look(farm.url("cam-02"))
        assert await look(farm.url("cam-01"), 3)
    assert await look(farm.url("cam-02"), 3)


async def test_a_rebooting_camera_comes_back_by_itself(farm: Farm, http: ClientSession) -> None:
    async with fault(farm, http, "cam-02", "reboot", seconds=1.5) as begins:
        with pytest.raises((av.error.FFmpegError, OSError)):
            await look(farm.url("cam-02"))
        async with asyncio.timeout(10):
            while not await answers(farm.url("cam-02")):
                await asyncio.sleep(0.1)
        assert datetime.now(UTC).timestamp() >= begins.timestamp() + 1.5
        assert await look(farm.url("cam-02"), 3)


async def answers(url: str) -> bool:
    """True where a stream can be opened."""
    try:
        await look(url, 1)
    except (av.error.FFmpegError, OSError):
        return False
    return True


async def test_b_frames_are_sent_and_shown_in_order(farm: Farm, http: ClientSession) -> None:
    async with fault(farm, http, "cam-02", "bframes") as begins:
        await look(farm.url("cam-02"), after(begins))
        seen = await look(farm.url("cam-02"), 40)
        assert sum(one.is_bidirectional for one in seen) >= 20


async def test_a_long_gop_has_few_key_frames_and_still_tells_the_time(
    farm: Farm, http: ClientSession
) -> None:
    begun: list[datetime] = []

    def long_enough(seen: list[Seen]) -> bool:
        return bool(begun) and seen[-1].at > begun[0].timestamp() + 3.5

    watching = asyncio.create_task(look(farm.url("cam-02"), long_enough))
    async with fault(farm, http, "cam-02", "long_gop") as begins:
        begun.append(begins)
        seen = [one for one in await watching if one.at > begins.timestamp() + 0.7]
        assert len(seen) > 40
        assert not any(one.is_key for one in seen)
        assert all(one.late < 1 for one in seen)


async def test_a_clock_that_jumped_shows_its_own_time(farm: Farm, http: ClientSession) -> None:
    async with fault(farm, http, "cam-02", "clock_jump", extent=-3600) as begins:
        seen = await look(farm.url("cam-02"), after(begins, 10))
        assert 3590 < seen[-1].late < 3602


async def test_the_cameras_and_their_faults_are_listed(farm: Farm, http: ClientSession) -> None:
    async with fault(farm, http, "cam-02", "clock_jump", extent=5, seconds=60):
        await look(farm.url("cam-02"), 30)
        async with http.get(f"{farm.control_url}/cameras") as answer:
            items = (await answer.json())["items"]
    assert [item["id"] for item in items] == list(farm.cameras)
    assert [item["main"] for item in items] == [farm.url(camera) for camera in farm.cameras]
    assert [[one["kind"] for one in item["faults"]] for item in items] == [[], ["clock_jump"], []]


def light(seen: Seen) -> float:
    """How bright the scene is."""
    return float(seen.scene.mean())


async def test_a_disturbance_is_no_fault_and_ends_apart(farm: Farm, http: ClientSession) -> None:
    url = f"{farm.control_url}/cameras/cam-02/disturbances"
    async with http.post(url, json={"kind": "lights", "seconds": 600}) as answer:
        assert answer.status == 201
        begins = datetime.fromisoformat((await answer.json())["begins"])
    off = begins.timestamp() + 2.5
    seen = await look(farm.url("cam-02"), lambda seen: seen[-1].at > off)
    assert light(seen[-1]) < light(seen[0]) / 2
    await http.delete(farm.faults("cam-02"))
    async with http.get(f"{farm.control_url}/cameras") as answer:
        item = (await answer.json())["items"][1]
    assert (item["faults"], [one["kind"] for one in item["disturbances"]]) == ([], ["lights"])
    async with http.delete(url) as answer:
        assert [one["kind"] for one in (await answer.json())["ended"]] == ["lights"]


@pytest.mark.parametrize(
    ("camera", "body", "status"),
    [
        ("cam-77", {"kind": "cover"}, 404),
        ("cam-01", {"kind": "sneeze"}, 422),
        ("cam-01", {"kind": "cover", "extent": 1.5}, 422),
        ("cam-01", {"kind": "cover", "seconds": -1}, 422),
        ("cam-01", {"kind": "cover", "colour": "red"}, 422),
        ("cam-01", ["cover"], 422),
    ],
)
async def test_a_wrong_order_is_refused_with_a_reason(
    farm: Farm, http: ClientSession, camera: str, body: object, status: int
) -> None:
    async with http.post(farm.faults(camera), json=body) as answer:
        assert answer.status == status
        assert (await answer.json())["detail"]


async def test_a_wrong_disturbance_is_refused(farm: Farm, http: ClientSession) -> None:
    url = f"{farm.control_url}/cameras/cam-01/disturbances"
    async with http.post(url, json={"kind": "cover"}) as answer:
        assert answer.status == 422
    async with http.post(url.replace("cam-01", "cam-77"), json={"kind": "lights"}) as answer:
        assert answer.status == 404


async def test_only_who_knows_the_password_may_look() -> None:
    async with running_cameras(1, user="viewer", password="right one") as farm:
        host = f"127.0.0.1:{farm.rtsp_port}/cam-01/sub"
        assert await look(f"rtsp://viewer:right%20one@{host}", 3)
        for url in (f"rtsp://viewer:wrong@{host}", f"rtsp://{host}"):
            with pytest.raises(av.error.HTTPUnauthorizedError):
                await look(url)


async def test_a_port_in_use_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(RuntimeError, match="simulator"):
            async with running_cameras(1, port=port):
                pass
