"""Processes that render reels aside, so that the cameras never stutter."""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from queue import SimpleQueue

import msgspec

from edge.simulator.camera import Reels
from edge.simulator.film import Job, edition, render
from edge.simulator.formats import StreamName
from edge.simulator.reel import ReelUnreadable, load

_PROCESSES = 2


class StudioFailed(Exception):
    """A rendering process ended without its reel."""


class Studio:
    """Gives reels: from the cache, else rendered into it by one of two processes."""

    def __init__(self, cache: Path) -> None:
        self._folder = cache / edition()
        self._idle: list[asyncio.subprocess.Process] = []
        self._all: list[asyncio.subprocess.Process] = []
        self._places = asyncio.Semaphore(_PROCESSES)

    @classmethod
    @asynccontextmanager
    async def open(cls, cache: Path) -> AsyncGenerator["Studio"]:
        """Have a studio whose processes end with the block."""
        studio = cls(cache)
        try:
            yield studio
        finally:
            await studio._close()

    async def reels(self, job: Job) -> Reels:
        """The reels of a job; raises StudioFailed."""
        try:
            return self._load(job)
        except (FileNotFoundError, ReelUnreadable):
            async with self._places:
                await self._render(job)
            return self._load(job)

    def _load(self, job: Job) -> Reels:
        return {name: load(job.file(self._folder, name)) for name in StreamName}

    async def _render(self, job: Job) -> None:
        process = self._idle.pop() if self._idle else await self._hire()
        assert process.stdin
        assert process.stdout
        try:
            process.stdin.write(msgspec.json.encode(job) + b"\n")
            await process.stdin.drain()
            answer = await process.stdout.readline()
        except ConnectionError as error:
            raise StudioFailed(f"{job}: {error}") from error
        if not answer:
            raise StudioFailed(f"{job}: the rendering process ended")
        self._idle.append(process)

    async def _hire(self) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "edge.simulator.studio",
            str(self._folder),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self._all.append(process)
        return process

    async def _close(self) -> None:
        for process in self._all:
            if process.returncode is None:
                process.kill()
            await process.wait()


def work(folder: Path) -> None:
    """Render what is asked for, a line of JSON each, until stdin ends."""
    jobs: SimpleQueue[Job] = SimpleQueue()
    threading.Thread(target=_listen, args=(jobs,), daemon=True).start()
    while True:
        render(jobs.get(), folder)
        sys.stdout.write("done\n")
        sys.stdout.flush()


def _listen(jobs: SimpleQueue[Job]) -> None:
    for line in sys.stdin:
        jobs.put(msgspec.json.decode(line, type=Job))
    os._exit(0)  # whoever asked is gone; nobody wants what is being rendered


if __name__ == "__main__":
    work(Path(sys.argv[1]))
