"""What do the simulated cameras cost, when each is watched on both its streams?

A simulator of 32 cameras in one process, a client that reads and forgets in another; the figure is
the simulator's processor time, user and system, as a share of one core.
"""

import argparse
import asyncio
import json
import multiprocessing
import time
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection

import psutil

from tests.fakes.cameras import running_cameras

_WARM_UP_S = 5.0


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured."""

    cameras: int
    streams: int
    seconds: float
    core_share: float
    megabits_per_second: float
    resident_megabytes: float


class _Drain(asyncio.Protocol):
    """Asks for one stream and throws away what comes."""

    received = 0

    def __init__(self, url: str) -> None:
        self._url = url

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        assert isinstance(transport, asyncio.WriteTransport)
        way = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
        transport.write(f"SETUP {self._url}/track0 RTSP/1.0\r\nCSeq: 1\r\n{way}\r\n".encode())
        transport.write(f"PLAY {self._url} RTSP/1.0\r\nCSeq: 2\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        """Count and forget."""
        self.received += len(data)


def _watch(port: int, urls: list[str], told: Connection) -> None:
    asyncio.run(_drain(port, urls, told))


async def _drain(port: int, urls: list[str], told: Connection) -> None:
    loop = asyncio.get_running_loop()
    drains = [_Drain(url) for url in urls]
    for drain in drains:
        await loop.create_connection(lambda drain=drain: drain, "127.0.0.1", port)  # type: ignore[misc]
    while True:
        await loop.run_in_executor(None, told.recv)
        told.send(sum(drain.received for drain in drains))


async def measure(cameras: int, seconds: float) -> Result:
    """Run the simulator under all its clients for some seconds."""
    async with running_cameras(cameras) as farm:
        urls = [farm.url(camera, stream) for camera in farm.cameras for stream in ("main", "sub")]
        here, there = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        client = context.Process(target=_watch, args=(farm.rtsp_port, urls, there), daemon=True)
        client.start()
        there.close()
        await asyncio.sleep(_WARM_UP_S)
        process = psutil.Process(farm.pid)
        bytes_before, used_before, began = _ask(here), _used(process), time.monotonic()
        await asyncio.sleep(seconds)
        lasted = time.monotonic() - began
        used = _used(process) - used_before
        received = _ask(here) - bytes_before
        memory = process.memory_info().rss
        client.kill()
        client.join()
    return Result(
        cameras=cameras,
        streams=len(urls),
        seconds=round(lasted, 1),
        core_share=round(used / lasted, 4),
        megabits_per_second=round(received * 8 / lasted / 1e6, 1),
        resident_megabytes=round(memory / 1e6),
    )


def _ask(client: Connection) -> int:
    client.send(None)
    return int(client.recv())


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def main() -> None:
    """Measure and say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulator")
    parser.add_argument("--cameras", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    result = asyncio.run(measure(given.cameras, given.seconds))
    if given.json:
        print(json.dumps(asdict(result)))
        return
    print(f"{result.cameras} cameras, {result.streams} streams watched:")
    print(f"  {result.core_share:.1%} of a core, {result.megabits_per_second} Mbit/s")
    print(f"  {result.resident_megabytes} MB resident")


if __name__ == "__main__":
    main()
