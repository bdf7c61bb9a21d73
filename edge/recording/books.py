"""Sealing and telling, one after the other, beside the recording and never in its way."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Literal

from contract.clock import Clock
from contract.messages import GapFound, Message, ShelfTrouble
from edge.config import EdgeConfig
from edge.journal import Journal, JournalBusy
from edge.recording import adoption
from edge.recording.sealing import fact_of, seal
from edge.recording.segment import Finished

log = logging.getLogger(__name__)

_LIMIT = 20_000
_AGAIN_S = 1.0
_LEAVE_S = 6.0

Job = Callable[[], Awaitable[None]]
Trouble = Literal["disk_full", "wrong_volume", "quarantined", "write_failed", "recovered"]


class Books:
    """Does one job at a time, in order, and again while the journal cannot be written."""

    def __init__(
        self,
        config: EdgeConfig,
        journal: Journal,
        clock: Clock,
        volume: str,
        clock_trusted: Callable[[], bool],
    ) -> None:
        self._config = config
        self._journal = journal
        self._clock = clock
        self._volume = volume
        self._clock_trusted = clock_trusted
        self.on_unsealed: Callable[[Finished], None] = lambda _finished: None
        """Hears of a segment that could not be sealed: its seconds are not on record."""
        self._jobs: asyncio.Queue[Job | None] = asyncio.Queue(_LIMIT)
        self._working = asyncio.create_task(self._work(), name="books")

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        config: EdgeConfig,
        journal: Journal,
        clock: Clock,
        volume: str,
        clock_trusted: Callable[[], bool],
    ) -> AsyncGenerator["Books"]:
        """Work until the end; then what was asked for is done within seconds, or left over.

        A segment left over is a `.part`, or sealed without a row: the next start adopts it.
        """
        books = cls(config, journal, clock, volume, clock_trusted)
        try:
            yield books
        finally:
            books._put(None)
            await books._leave()

    def seal(self, finished: Finished) -> None:
        """Seal a segment, then record and tell it."""
        trusted = self._clock_trusted()
        self._put(partial(self._seal, finished, trusted))

    def tell(self, data: Message, id: str | None = None) -> None:
        """Put a fact into the outbox."""
        at = self._clock.now()
        self._put(lambda: self._recorded(lambda: self._journal.add_fact(data, at, id)))

    def tell_gap(self, gap: GapFound) -> None:
        """Record and tell a gap, once."""
        at = self._clock.now()
        self._put(lambda: self._recorded(lambda: self._journal.add_gap(gap, at)))

    def adopt(self, parts: list[Path]) -> asyncio.Event:
        """Seal what an earlier run left unfinished, look for strays; set after the former."""
        done = asyncio.Event()
        for part in parts:
            self._put(partial(self._adopt, part))

        async def finished() -> None:
            done.set()

        self._put(finished)
        self._put(self._look_for_strays)
        return done

    async def _work(self) -> None:
        while (job := await self._jobs.get()) is not None:
            await job()

    async def _leave(self) -> None:
        await asyncio.wait({self._working}, timeout=_LEAVE_S)
        self._working.cancel()
        await asyncio.gather(self._working, return_exceptions=True)

    async def failed(self) -> None:
        """Wait for what must not happen: raises the error that ended the work."""
        await asyncio.wait({self._working})
        self._working.result()

    async def _recorded(self, write: Callable[[], Awaitable[object]]) -> None:
        waited = False
        while True:
            try:
                await write()
            except JournalBusy as error:
                if not waited:
                    log.warning("the journal cannot be written: %s", error)
                waited = True
                await self._clock.sleep(_AGAIN_S)
            else:
                if waited:
                    log.warning("the journal can be written again")
                return

    def _put(self, job: Job | None) -> None:
        try:
            self._jobs.put_nowait(job)
        except asyncio.QueueFull:
            log.error("the journal has been out of reach for too long: a job is left undone")

    async def _seal(self, finished: Finished, trusted: bool) -> None:
        config = self._config
        try:
            place = await asyncio.to_thread(seal, finished, config.shelf)
        except OSError as error:
            detail = f"{finished.name.segment} could not be sealed: {error.strerror}"
            await self._trouble("write_failed", detail)
            self.on_unsealed(finished)
            return
        fact = fact_of(finished, place, config.data, self._volume, clock_trusted=trusted)
        await self._recorded(lambda: self._journal.add_segment(fact, self._clock.now()))

    async def _adopt(self, path: Path) -> None:
        name = adoption.name_of(path, self._config.shelf)
        try:
            if name is None:
                raise ValueError("is not named by us")
            finished = await asyncio.to_thread(adoption.adopt, path, name)
        except ValueError as error:
            await self._set_aside(path, str(error))
        except OSError as error:
            await self._trouble("write_failed", f"{path.name} not adopted: {error.strerror}")
        else:
            log.info("adopted %s: %d fragments", name.segment, finished.fragments)
            await self._seal(finished, self._clock_trusted())

    async def _look_for_strays(self) -> None:
        """Adopt sealed files the journal does not know, set aside what is not ours."""
        shelf, data = self._config.shelf, self._config.data
        for day in await asyncio.to_thread(adoption.days, shelf):
            known = await self._journal.known_paths(day.relative_to(data).as_posix())
            for path in await asyncio.to_thread(adoption.files, day):
                if path.suffix != ".part" and path.relative_to(data).as_posix() not in known:
                    await self._adopt(path)

    async def _set_aside(self, path: Path, why: str) -> None:
        place = await asyncio.to_thread(adoption.set_aside, path, self._config.data)
        where = path.relative_to(self._config.data)
        await self._trouble("quarantined", f"{where} {why}; now {place.name} in quarantine")

    async def _trouble(self, kind: Trouble, detail: str) -> None:
        log.warning("shelf: %s: %s", kind, detail)
        fact, at = ShelfTrouble(kind=kind, detail=detail), self._clock.now()
        await self._recorded(lambda: self._journal.add_fact(fact, at))
