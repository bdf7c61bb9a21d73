"""The box's processes, real ones: started again when they end, gone when the agent goes."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from contract.clock import SystemClock
from edge.children import Child, describe, tend
from tests.fakes.waiting import until

ALIVE = """
import pathlib, sys, time, os
pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
beat = pathlib.Path(sys.argv[2])
while True:
    beat.touch()
    time.sleep(0.1)
"""


def child(folder: Path) -> Child:
    command = (sys.executable, "-c", ALIVE, str(folder / "pid"), str(folder / "beat"))
    return Child("worker", command, folder / "beat")


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_killed_process_is_started_again_and_said(tmp_path: Path) -> None:
    said: list[str] = []

    async def lost(how: str) -> None:
        said.append(how)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(tend(child(tmp_path), SystemClock(), lost))
        await until((tmp_path / "beat").exists)
        first = int((tmp_path / "pid").read_text())
        os.kill(first, signal.SIGKILL)
        await until(lambda: (tmp_path / "pid").read_text() not in ("", str(first)))
        assert said == ["SIGKILL"]
        task.cancel()
    second = int((tmp_path / "pid").read_text())
    assert not is_running(second)


async def test_cancelling_ends_the_process(tmp_path: Path) -> None:
    async def lost(how: str) -> None:
        raise AssertionError(how)

    task = asyncio.create_task(tend(child(tmp_path), SystemClock(), lost))
    await until((tmp_path / "beat").exists)
    pid = int((tmp_path / "pid").read_text())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not is_running(pid)


@pytest.mark.parametrize(
    ("code", "said"), [(0, "exit 0"), (3, "exit 3"), (-9, "SIGKILL"), (-11, "SIGSEGV")]
)
def test_an_end_is_described(code: int, said: str) -> None:
    assert describe(code) == said
