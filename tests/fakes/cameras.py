"""Simulated cameras in a process of their own, for every test that needs some."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from edge.simulator.numbering import camera_id

_UP_WITHIN_S = 200.0


@dataclass(frozen=True, slots=True)
class Farm:
    """Where the cameras are."""

    rtsp_port: int
    control_url: str
    cameras: tuple[str, ...]
    pid: int
    user: str | None = None
    password: str | None = None

    def url(self, camera: str, stream: str = "main") -> str:
        """The URL of a stream, without credentials."""
        return f"rtsp://127.0.0.1:{self.rtsp_port}/{camera}/{stream}"

    def faults(self, camera: str) -> str:
        """Where to POST and DELETE faults."""
        return f"{self.control_url}/cameras/{camera}/faults"


def cache_folder() -> Path:
    """The folder of rendered reels, shared by all runs; `XUNKAO_CACHE` says another."""
    return Path(os.environ.get("XUNKAO_CACHE", Path.home() / ".cache/xunkao/simulator"))


@asynccontextmanager
async def running_cameras(
    count: int,
    *,
    cache: Path | None = None,
    user: str | None = None,
    password: str | None = None,
    port: int = 0,
) -> AsyncGenerator[Farm]:
    """Have cameras cam-01, cam-02, … on free ports until the block ends."""
    command = ["--cameras", str(count), "--port", str(port), "--control", "0"]
    command += ["--cache", str(cache or cache_folder())]
    command += ["--user", user or "", "--password", password or ""]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "edge", "simulate"), *command, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(_UP_WITHIN_S):
            rtsp, control = await _ports(process)
        cameras = tuple(camera_id(number) for number in range(1, count + 1))
        yield Farm(rtsp, f"http://127.0.0.1:{control}", cameras, process.pid, user, password)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _ports(process: asyncio.subprocess.Process) -> tuple[int, int]:
    assert process.stdout
    line = (await process.stdout.readline()).decode()
    ready, _, urls = line.strip().partition(" ")
    if ready != "ready":
        raise RuntimeError(f"the simulator said {line!r}")
    rtsp, control = (int(url.rpartition(":")[2]) for url in urls.split())
    return rtsp, control
