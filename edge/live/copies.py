"""Copies to look at, made for the centre: one at a time, by a child that gives way to all else."""

import asyncio
import logging
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from contract.boxapi import ViewingOrder
from edge.children import describe
from edge.viewing import Job

log = logging.getLogger(__name__)

_CHUNK = 64 << 10


class Busy(Exception):
    """Another copy is being made."""


class CopyFailed(Exception):
    """The child ended before the copy was whole."""


class Copies:
    """Makes one copy at a time."""

    def __init__(self, shelf: Path) -> None:
        self._shelf = shelf
        self._is_busy = False

    @asynccontextmanager
    async def making(self, order: ViewingOrder) -> AsyncGenerator[AsyncIterator[bytes]]:
        """Make a copy; gives its bytes as they come. Raises Busy.

        The iterator raises CopyFailed at its end when the copy is not whole. The child ends with
        the block, whole or not.
        """
        if self._is_busy:
            raise Busy
        self._is_busy = True
        try:
            child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "edge.viewing"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            try:
                assert child.stdin is not None
                job = Job(shelf=str(self._shelf), order=order)
                child.stdin.write(msgspec.json.encode(job))
                child.stdin.close()
                yield _read(child)
            finally:
                if child.returncode is None:
                    child.kill()
                await child.wait()
        finally:
            self._is_busy = False


async def _read(child: asyncio.subprocess.Process) -> AsyncIterator[bytes]:
    assert child.stdout is not None
    while data := await child.stdout.read(_CHUNK):
        yield data
    code = await child.wait()
    if code:
        log.warning("a copy could not be made: %s", describe(code))
        raise CopyFailed(describe(code))
