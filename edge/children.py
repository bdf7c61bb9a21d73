"""The box's processes: started, watched, started again, and gone when the agent goes."""

import asyncio
import logging
import os
import signal
import stat
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from contract.clock import Clock
from contract.retry import backoff

log = logging.getLogger(__name__)

_BEAT_S = 1.0
_STUCK_S = 15.0
_LEAVE_S = 10.0


@dataclass(frozen=True, slots=True)
class Child:
    """One process: its name, its command line and the file it touches while it lives."""

    name: str
    command: tuple[str, ...]
    beat: Path


class _Stuck(Exception):
    """The process has not touched its file for too long."""


async def tend(child: Child, clock: Clock, on_lost: Callable[[str], Awaitable[None]]) -> None:
    """Keep one process running until cancelled; then ask it to leave, and see that it does.

    `on_lost` hears how it ended, each time it was not asked to.
    """
    pauses = backoff(0.3, 5.0)
    while True:
        began = clock.monotonic()
        child.beat.unlink(missing_ok=True)
        process = await asyncio.create_subprocess_exec(
            *child.command, stdin=asyncio.subprocess.PIPE
        )
        try:
            how = await _ended(process, child, clock)
        finally:
            await _leave(process)
        log.error("%s ended: %s", child.name, how)
        await on_lost(how)
        if clock.monotonic() - began > 60:
            pauses = backoff(0.3, 5.0)
        await clock.sleep(next(pauses))


async def _ended(process: asyncio.subprocess.Process, child: Child, clock: Clock) -> str:
    watch = asyncio.create_task(_watch(child, clock), name=f"watch {child.name}")
    wait = asyncio.create_task(process.wait(), name=f"wait {child.name}")
    try:
        await asyncio.wait({watch, wait}, return_when=asyncio.FIRST_COMPLETED)
        if wait.done():
            return describe(wait.result())
        process.kill()
        return f"stuck for {_STUCK_S:g} s, killed"
    finally:
        watch.cancel()
        wait.cancel()
        await asyncio.gather(watch, wait, return_exceptions=True)


async def _watch(child: Child, clock: Clock) -> None:
    last_mtime, seen_at = 0.0, clock.monotonic()
    while clock.monotonic() - seen_at < _STUCK_S:
        await clock.sleep(_BEAT_S)
        try:
            mtime = child.beat.stat().st_mtime
        except FileNotFoundError:
            continue
        if mtime != last_mtime:
            last_mtime, seen_at = mtime, clock.monotonic()


async def _leave(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.terminate()
        async with asyncio.timeout(_LEAVE_S):
            await asyncio.shield(process.wait())
    except ProcessLookupError:
        pass
    except TimeoutError:
        process.kill()
        await process.wait()


def describe(code: int) -> str:
    """Say how a process ended, from its return code."""
    if code >= 0:
        return f"exit {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


async def live_as_child(work: Awaitable[None], beat: Path) -> None:
    """Run a child's work until its parent goes (end of stdin) or it is told to (SIGTERM)."""
    loop = asyncio.get_running_loop()
    left = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, left.set)
    loop.add_signal_handler(signal.SIGINT, lambda: None)  # the agent decides
    _on_end_of_stdin(loop, left)
    beat.parent.mkdir(parents=True, exist_ok=True)
    working = asyncio.ensure_future(work)
    leaving = asyncio.create_task(left.wait(), name="parent")
    beating = asyncio.create_task(_beat(beat), name="beat")
    try:
        await asyncio.wait({working, leaving, beating}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (working, leaving, beating):
            task.cancel()
        await asyncio.gather(working, leaving, beating, return_exceptions=True)
    for task in (working, beating):
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error


def _on_end_of_stdin(loop: asyncio.AbstractEventLoop, left: asyncio.Event) -> None:
    fd = sys.stdin.fileno()
    if not stat.S_ISFIFO(os.fstat(fd).st_mode):
        return  # started by hand: nobody holds the other end

    def readable() -> None:
        if not os.read(fd, 4096):
            loop.remove_reader(fd)
            left.set()

    loop.add_reader(fd, readable)


async def _beat(path: Path) -> None:
    while True:
        path.touch()
        await asyncio.sleep(_BEAT_S)
