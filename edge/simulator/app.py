"""The simulator whole: cameras, their RTSP port and the control port."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from aiohttp import web as http

from contract.clock import Clock, SystemClock
from edge.simulator.camera import Camera
from edge.simulator.control import Control
from edge.simulator.digest import Credentials
from edge.simulator.film import Job
from edge.simulator.formats import FORMATS
from edge.simulator.pacer import Pacer
from edge.simulator.server import RtspServer
from edge.simulator.strip import StripMaker
from edge.simulator.studio import Studio
from edge.simulator.x264 import parameter_sets

_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """How many cameras, and where; port 0 means any that is free."""

    cameras: int
    port: int
    control_port: int
    cache: Path
    user: str | None = None
    password: str | None = None
    """With `user`: digest authentication is asked for."""
    timezone: str = "Asia/Shanghai"
    """Of the digits in the picture."""

    @property
    def credentials(self) -> Credentials | None:
        """Who may look, or None for everybody."""
        return Credentials(self.user, self.password or "") if self.user else None


async def simulate(
    settings: SimulatorSettings,
    on_ready: Callable[[int, int], None] = lambda rtsp, control: None,
    clock: Clock | None = None,
) -> None:
    """Be the cameras until cancelled; `on_ready` hears both ports when all can be looked at.

    Raises OSError for a port in use, StudioFailed when no picture can be made.
    """
    clock = clock or SystemClock()
    with _bound(settings.port) as rtsp_socket, _bound(settings.control_port) as control_socket:
        ports = rtsp_socket.getsockname()[1], control_socket.getsockname()[1]
        async with Studio.open(settings.cache) as studio:
            cameras = await _cameras(settings, studio)
            pacer = Pacer(clock)
            rtsp = RtspServer(cameras, settings.credentials, clock, pacer.watch)
            control = Control(cameras, studio, clock, ports[0])
            async with (
                _serving(rtsp, cameras.values(), rtsp_socket),
                _controlled(control, control_socket),
            ):
                on_ready(*ports)
                await pacer.run()


def _bound(port: int) -> socket.socket:
    try:
        return socket.create_server((_HOST, port), reuse_port=False)
    except OSError as error:
        raise OSError(error.errno, f"port {port}: {error.strerror}") from error


@asynccontextmanager
async def _serving(
    rtsp: RtspServer, cameras: Collection[Camera], listening: socket.socket
) -> AsyncGenerator[None]:
    server = await asyncio.start_server(rtsp.serve, sock=listening)
    try:
        yield
    finally:
        server.close()
        for camera in cameras:
            camera.drop()


@asynccontextmanager
async def _controlled(control: Control, listening: socket.socket) -> AsyncGenerator[None]:
    runner = http.AppRunner(control.application(), access_log=None)
    await runner.setup()
    try:
        await http.SockSite(runner, listening).start()
        yield
    finally:
        await runner.cleanup()


async def _cameras(settings: SimulatorSettings, studio: Studio) -> dict[str, Camera]:
    zone = ZoneInfo(settings.timezone)
    sets = {name: parameter_sets(form.whole()) for name, form in FORMATS.items()}
    strips = {name: StripMaker(form, sets[name], zone) for name, form in FORMATS.items()}
    numbers = range(1, settings.cameras + 1)
    async with asyncio.TaskGroup() as group:
        rendered = [group.create_task(studio.reels(Job(number))) for number in numbers]
    made = [
        Camera(number, sets, strips, task.result())
        for number, task in zip(numbers, rendered, strict=True)
    ]
    return {camera.id: camera for camera in made}
