"""Cameras that do not give what they should, and what the recorder says of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from contract.clock import SystemClock
from edge.rtsp.intake import Picture
from edge.rtsp.login import Login
from edge.rtsp.player import Player
from edge.rtsp.session import Address, CameraLost, Target, pull
from edge.rtsp.sweep import Sweep
from tests.fakes.cameras import running_cameras
from tests.fakes.rtsp import OddCamera, interleaved, odd_camera, sdp
from tests.fakes.waiting import until

IDR = b"\x65" + bytes(range(200))


@dataclass
class Kept:
    """Keeps what comes."""

    pictures: list[Picture] = field(default_factory=list)
    player: Player | None = None

    def playing(self, player: Player) -> None:
        self.player = player

    def receive(self, pictures: list[Picture]) -> None:
        self.pictures += pictures


@asynccontextmanager
async def sweeping() -> AsyncIterator[Sweep]:
    sweep = Sweep(SystemClock())
    task = asyncio.create_task(sweep.run())
    try:
        yield sweep
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def pulled(
    url: str, kept: Kept | None = None, login: Login | None = None, allowed: str = "127.0.0.1"
) -> None:
    """Pull until the stream is lost."""
    async with sweeping() as sweep:
        await pull(
            Target(Address.parse(url), login),
            kept or Kept(),
            sweep,
            SystemClock(),
            run=1,
            may_contact=lambda host: host == allowed,
        )


async def lost(url: str, login: Login | None = None) -> CameraLost:
    with pytest.raises(CameraLost) as info:
        await pulled(url, login=login)
    return info.value


async def test_a_wrong_password_is_an_auth_failure_and_never_shown() -> None:
    async with running_cameras(1, user="viewer", password="right") as farm:
        loss = await lost(farm.url("cam-01"), Login("viewer", "wrong-secret"))
    assert loss.cause == "auth"
    assert "wrong-secret" not in str(loss)


async def test_the_right_password_plays_by_digest() -> None:
    kept = Kept()
    async with running_cameras(1, user="viewer", password="right") as farm:
        task = asyncio.create_task(pulled(farm.url("cam-01"), kept, Login("viewer", "right")))
        try:
            await until(lambda: len(kept.pictures) > 30)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    assert kept.pictures[0].key
    assert kept.pictures[0].parameters.size.width == 1280


async def test_a_camera_that_wants_basic_gets_it() -> None:
    camera = OddCamera(basic="viewer:right", packets=[interleaved(IDR, 1, 9000)])
    kept = Kept()
    async with odd_camera(camera):
        task = asyncio.create_task(pulled(camera.url, kept, Login("viewer", "right")))
        try:
            await until(lambda: kept.pictures)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    assert kept.pictures[0].nals == [IDR]


async def test_a_log_in_is_demanded_and_none_is_known() -> None:
    async with odd_camera(OddCamera(basic="viewer:right")) as camera:
        assert (await lost(camera.url)).cause == "auth"


async def test_a_closed_port_refuses() -> None:
    async with odd_camera(OddCamera()) as camera:
        url = camera.url
    assert (await lost(url)).cause == "refused"


async def test_a_camera_outside_the_networks_is_never_contacted() -> None:
    async with odd_camera(OddCamera()) as camera:
        with pytest.raises(CameraLost, match="outside the camera networks"):
            await pulled(camera.url, allowed="10.0.0.1")
        assert camera.asked == []


async def test_an_error_answer_refuses_and_is_named() -> None:
    async with odd_camera(OddCamera(statuses={"SETUP": 461})) as camera:
        loss = await lost(camera.url)
    assert (loss.cause, loss.detail) == ("refused", "SETUP answered 461 No")


async def test_a_camera_with_sound_alone_has_no_video() -> None:
    async with odd_camera(OddCamera(sdp=sdp("audio", "PCMA/8000"))) as camera:
        assert (await lost(camera.url)).cause == "no_video"


async def test_a_codec_we_do_not_take_is_named() -> None:
    async with odd_camera(OddCamera(sdp=sdp(codec="MP4V-ES/90000"))) as camera:
        loss = await lost(camera.url)
    assert (loss.cause, loss.detail) == ("no_video", "offers MP4V-ES only")


async def test_a_camera_that_plays_and_sends_nothing_has_no_video() -> None:
    async with odd_camera(OddCamera()) as camera:
        assert (await lost(camera.url)).cause == "no_video"


async def test_a_camera_that_falls_silent_is_stalled_within_5_s() -> None:
    async with odd_camera(OddCamera(packets=[interleaved(IDR, 1, 9000)])) as camera:
        async with asyncio.timeout(5):
            assert (await lost(camera.url)).cause == "stalled"


async def test_pictures_that_come_before_the_answer_are_kept() -> None:
    kept = Kept()
    packets = [interleaved(IDR, number, 9000 * number) for number in range(1, 4)]
    async with odd_camera(OddCamera(packets=packets, early=True)) as camera:
        with pytest.raises(CameraLost):
            await pulled(camera.url, kept)
    assert len(kept.pictures) == 3


async def test_a_session_is_kept_alive_before_its_time_is_out() -> None:
    async with odd_camera(OddCamera(packets=[interleaved(IDR, 1, 9000)])) as camera:
        await lost(camera.url)
        await until(lambda: "TEARDOWN" in camera.asked, 5)
        assert "GET_PARAMETER" in camera.asked


@pytest.mark.parametrize("url", ["http://127.0.0.1/x", "rtsp:///main", "rtsp://[::1", "nonsense"])
def test_what_is_no_rtsp_address_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(CameraLost) as info:
        Address.parse(url)
    assert url not in str(info.value)


def test_user_and_password_never_stay_in_an_address() -> None:
    address = Address.parse("rtsp://user:secret@10.1.2.3/main?x=1")
    assert (address.url, address.port) == ("rtsp://10.1.2.3/main?x=1", 554)
