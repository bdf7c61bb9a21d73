"""The recorder's rows: written in order, beside the recording, as soon as the journal lets them."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from contract.clock import Clock
from contract.messages import ShelfTrouble
from edge.journal import Journal, JournalBusy, JournalDamaged, set_aside

log = logging.getLogger(__name__)

_LIMIT = 20_000
_AGAIN_S = 1.0
_LEAVE_S = 6.0

T = TypeVar("T")
Act = Callable[[Journal], Awaitable[T]]


class Rows:
    """Opens the journal when it can be opened, and does one thing at a time in it.

    A row that finds no room is left undone: its segment stands on the shelf, where the next start
    finds it.
    """

    def __init__(self, path: Path, clock: Clock, limit: int = _LIMIT) -> None:
        self.on_begun_anew: list[Callable[[], object]] = []
        """Hears that a damaged journal was set aside: what it knew must be found again."""
        self._path = path
        self._clock = clock
        self._waiting: asyncio.Queue[Act[object] | None] = asyncio.Queue(limit)
        self._is_full = False
        self._working = asyncio.create_task(self._work(), name="rows")

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path, clock: Clock, limit: int = _LIMIT) -> AsyncGenerator["Rows"]:
        """Work until the end; what was asked for is then done within seconds, or left over."""
        rows = cls(path, clock, limit)
        try:
            yield rows
        finally:
            rows._end()
            await asyncio.wait({rows._working}, timeout=_LEAVE_S)
            rows._working.cancel()
            await asyncio.gather(rows._working, return_exceptions=True)

    def put(self, act: Act[object]) -> bool:
        """Have this done once, after all before; false: there is no room."""
        try:
            self._waiting.put_nowait(act)
        except asyncio.QueueFull:
            if not self._is_full:
                log.error("the journal was out of reach for too long: rows are left undone")
            self._is_full = True
            return False
        self._is_full = False
        return True

    async def read(self, act: Act[T]) -> T:
        """Give what this finds, after all before was written, however long that takes."""
        found: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        async def look(journal: Journal) -> None:
            value = await act(journal)
            if not found.done():
                found.set_result(value)

        await self._waiting.put(look)
        return await found

    async def failed(self) -> None:
        """Wait for what must not happen: raises the error that ended the work."""
        await asyncio.wait({self._working})
        self._working.result()

    def _end(self) -> None:
        try:
            self._waiting.put_nowait(None)
        except asyncio.QueueFull:
            self._working.cancel()

    async def _work(self) -> None:
        act: Act[object] | None = None
        is_out_of_reach = False
        while True:
            try:
                async with Journal.open(self._path) as journal:
                    while act is not None or (act := await self._waiting.get()) is not None:
                        await act(journal)
                        act = None
                        if is_out_of_reach:
                            log.warning("the journal can be written again")
                        is_out_of_reach = False
                    return
            except JournalBusy as error:
                if not is_out_of_reach:
                    log.warning("the journal cannot be written: %s", error)
                is_out_of_reach = True
                await self._clock.sleep(_AGAIN_S)
            except JournalDamaged as error:
                await self._begin_anew(error)

    async def _begin_anew(self, error: JournalDamaged) -> None:
        now = self._clock.now()
        place = await asyncio.to_thread(set_aside, self._path, now)
        detail = f"the journal is damaged ({error}): now {place.name}, and a new one is begun"
        log.error("%s", detail)
        trouble = ShelfTrouble(kind="quarantined", detail=detail)
        self.put(lambda journal: journal.add_fact(trouble, now))
        for begin in self.on_begun_anew:
            begin()
