"""Reading a timetable apart, in a process with limits, so that no file can hurt the centre."""

import asyncio
import sys

import msgspec

from orchestrator.timetable.book import MOST_BYTES, Unreadable
from orchestrator.timetable.job import Failure, Job, Outcome
from orchestrator.timetable.sessions import Reading, localised

_MOST_SECONDS = 60.0
_AT_ONCE = 2


class TimetableReader:
    """Reads at most two files at a time; further ones wait."""

    def __init__(self, seconds: float = _MOST_SECONDS) -> None:
        self._seconds = seconds
        self._free = asyncio.Semaphore(_AT_ONCE)

    async def read(self, job: Job) -> Reading:
        """Give what the file says; raises Unreadable, also for a file that takes too much."""
        if len(job.data) > MOST_BYTES:
            raise Unreadable(
                "too_large",
                f"文件超过 {MOST_BYTES >> 20} MB",
                f"the file is larger than {MOST_BYTES >> 20} MB",
            )
        async with self._free:
            answer = await self._ask(job)
        outcome = _outcome(answer)
        if isinstance(outcome, Failure):
            raise Unreadable(outcome.code, outcome.zh, outcome.en)
        return localised(outcome)

    async def _ask(self, job: Job) -> bytes:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "orchestrator.timetable"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(self._seconds):
                answer, _ = await child.communicate(msgspec.msgpack.encode(job))
        except TimeoutError as error:
            raise _exhausted() from error
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        return answer if child.returncode == 0 else b""


def _outcome(answer: bytes) -> Outcome:
    """Decode the answer; a child that died of its limits left none."""
    try:
        outcome: Outcome = msgspec.msgpack.decode(answer, type=Outcome)
    except msgspec.DecodeError as error:
        raise _exhausted() from error
    return outcome


def _exhausted() -> Unreadable:
    return Unreadable(
        "took_too_much",
        "读取文件所需的时间或内存超过上限",
        "reading the file takes more time or memory than is given",
    )
