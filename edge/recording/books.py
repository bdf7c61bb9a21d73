"""Sealing, beside the recording and never in its way; telling goes its own."""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Literal

from contract.clock import Clock
from contract.messages import GapFound, Message, ShelfTrouble
from edge.clockrun import boot_id, sealed_in
from edge.config import EdgeConfig
from edge.journal import Journal, from_us
from edge.recording import adoption
from edge.recording.names import Name
from edge.recording.rows import Rows
from edge.recording.sealing import NotSynced, fact_of, seal
from edge.recording.second import Second
from edge.recording.segment import Finished

log = logging.getLogger(__name__)

_LIMIT = 256
"""Each segment that waits holds a file open."""
_LEAVE_S = 6.0
_RETRY_S = 5.0
_RECENT = timedelta(days=2)
"""Within this the journal must know every segment before anything is called missing."""


@contextmanager
def _passing_over(place: Path) -> Iterator[None]:
    """Let one folder that cannot be read hold up nothing else."""
    try:
        yield
    except OSError as error:
        log.error("%s cannot be looked through: %s", place, error)


Job = Callable[[], Awaitable[None]]
Trouble = Literal[
    "disk_full", "wrong_volume", "quarantined", "remnant", "write_failed", "recovered"
]


class Books:
    """Does one job on the shelf at a time, in order; rows follow when the journal lets them.

    A segment without a row stands sealed on the shelf: the next start finds it.
    """

    def __init__(
        self,
        config: EdgeConfig,
        rows: Rows,
        clock: Clock,
        volume: str,
        clock_trusted: Callable[[], bool],
        second: Second | None = None,
    ) -> None:
        self._config = config
        self._rows = rows
        self._clock = clock
        self._volume = volume
        self._second = second
        self._clock_trusted = clock_trusted
        self._boot = boot_id()
        self.on_unsealed: Callable[[Finished], None] = lambda _finished: None
        """Hears of a segment that could not be sealed: its seconds are not on record."""
        self._jobs: asyncio.Queue[Job | None] = asyncio.Queue(_LIMIT)
        self._unrecorded: set[Path] = set()
        self._look_again = asyncio.Event()
        self._unsealed: dict[Path, tuple[Name, int | None]] = {}
        """With how far the disk has each of them for certain, where it did not take the rest."""
        self._working = asyncio.create_task(self._work(), name="books")

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        config: EdgeConfig,
        rows: Rows,
        clock: Clock,
        volume: str,
        clock_trusted: Callable[[], bool],
        second: Second | None = None,
    ) -> AsyncGenerator["Books"]:
        """Work until the end; then what was asked for is done within seconds, or left over.

        A segment left over is a `.part`, or sealed without a row: the next start adopts it.
        """
        books = cls(config, rows, clock, volume, clock_trusted, second)
        try:
            yield books
        finally:
            await books._leave()

    def seal(self, finished: Finished) -> None:
        """Seal a segment, then record and tell it."""
        run = sealed_in(self._clock, self._boot, from_us(finished.end_us))
        if not self._put(partial(self._seal, finished, self._clock_trusted(), run)):
            os.close(finished.fd)
            log.error("the shelf is too slow: %s waits for the next start", finished.part.name)
            self.on_unsealed(finished)

    def tell(self, data: Message, id: str | None = None) -> None:
        """Put a fact into the outbox."""
        at = self._clock.now()
        self._rows.put(lambda journal: journal.add_fact(data, at, id))

    def tell_gap(self, gap: GapFound) -> None:
        """Record and tell a gap, once."""
        at = self._clock.now()
        self._rows.put(lambda journal: journal.add_gap(gap, at))

    async def take_over(self, parts: list[Path]) -> None:
        """Seal what an earlier run left on a second volume that was found."""
        for part in parts:
            await self._jobs.put(partial(self._adopt, part))
        self._look_again.set()

    async def adopt(self, parts: list[Path], done: asyncio.Event) -> None:
        """Seal what an earlier run left and find what the journal does not know, until cancelled.

        `done` is set when all that may be needed to say what is missing is on its way there.
        """
        for part in parts:
            await self._jobs.put(partial(self._adopt, part))
        finished = asyncio.Event()

        async def finish() -> None:
            finished.set()

        await self._jobs.put(finish)
        await finished.wait()
        self._rows.on_begun_anew.append(self._look_again.set)
        while True:
            self._look_again.clear()
            await self._look_for_strays(done)
            while not self._look_again.is_set():
                await self._clock.sleep(_RETRY_S)
                await self._seal_again()

    async def _seal_again(self) -> None:
        """Try what could not be sealed once more; said only when it succeeds."""
        for part, (name, synced) in list(self._unsealed.items()):
            with suppress(OSError, ValueError):
                finished = await asyncio.to_thread(adoption.adopt, part, name)
                await self._seal(replace(finished, cut_to=synced), self._clock_trusted())

    async def _work(self) -> None:
        while (job := await self._jobs.get()) is not None:
            await job()

    async def _leave(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_LEAVE_S):
                await self._jobs.put(None)
                await asyncio.wait({self._working})
        self._working.cancel()
        await asyncio.gather(self._working, return_exceptions=True)

    async def failed(self) -> None:
        """Wait for what must not happen: raises the error that ended the work."""
        await asyncio.wait({self._working})
        self._working.result()

    def _put(self, job: Job) -> bool:
        try:
            self._jobs.put_nowait(job)
        except asyncio.QueueFull:
            return False
        return True

    async def _seal(self, finished: Finished, trusted: bool, run: str = "") -> None:
        shelf = finished.part.parents[2]  # of the volume on which it was begun
        expected = finished.name.file(shelf, "mp4")
        self._unrecorded.add(expected)
        try:
            if finished.cut_to is not None:
                finished = await asyncio.to_thread(adoption.cut, finished)
            place = await asyncio.to_thread(seal, finished, shelf)
        except ValueError as error:
            self._unrecorded.discard(expected)
            self._unsealed.pop(finished.part, None)
            # the next start would take what only memory has of it for what the disk has
            await self._set_aside(finished.part, str(error), "write_failed")
            return
        except OSError as error:
            self._unrecorded.discard(expected)
            if finished.part in self._unsealed:
                return
            synced = finished.synced if isinstance(error, NotSynced) else None
            self._unsealed[finished.part] = finished.name, synced
            detail = f"{finished.name.segment} could not be sealed: {error.strerror}"
            self._trouble("write_failed", detail)
            self.on_unsealed(finished)
            return
        if self._unsealed.pop(finished.part, None):
            log.warning("%s could be sealed after all", finished.name.segment)
        data, volume = self._config.data, self._volume_of(shelf)
        fact = fact_of(finished, place, data, volume, clock_trusted=trusted, clock_run=run)

        async def record(journal: Journal) -> None:
            await journal.add_segment(fact, self._clock.now())
            self._unrecorded.discard(place)

        if not self._rows.put(record):
            self._unrecorded.discard(place)

    def _volume_of(self, shelf: Path) -> str:
        if shelf == self._config.shelf or self._second is None:
            return self._volume
        return self._second.volume

    async def _adopt(self, path: Path) -> None:
        name = adoption.name_of(path, self._config.shelf)
        try:
            if name is None:
                raise ValueError("is not named by us")
            finished = await asyncio.to_thread(adoption.adopt, path, name)
        except ValueError as error:
            if name is not None and path.suffix == ".mp4":
                self._leave_alone(path, str(error))
            else:
                await self._set_aside(
                    path, str(error), "quarantined" if name is None else "remnant"
                )
        except FileNotFoundError:
            log.warning("%s is there no more: its volume is away, or it is sealed", path)
        except OSError as error:
            self._leave_alone(path, f"not adopted: {error.strerror}")
        else:
            log.info("adopted %s: %d fragments", name.segment, finished.fragments)
            await self._seal(finished, self._clock_trusted())

    async def _look_for_strays(self, done: asyncio.Event) -> None:
        """Adopt sealed files without a row, set aside what is not ours, newest first."""
        data = self._config.data
        shelves = [self._config.shelf]
        if self._second is not None and self._second.is_there:
            shelves.append(self._second.place)
        recent = f"{self._clock.now() - _RECENT:%Y-%m-%d}"
        days: list[Path] = []
        for shelf in shelves:
            with _passing_over(shelf):
                days += await asyncio.to_thread(adoption.days, shelf)
        for day in sorted(days, key=lambda day: day.name, reverse=True):
            if day.name < recent:
                done.set()
            folder = day.relative_to(data).as_posix()
            files: list[Path] = []
            with _passing_over(day):
                files = await asyncio.to_thread(adoption.files, day)
            unrecorded = frozenset(self._unrecorded)
            known = await self._rows.read(partial(Journal.known_paths, folder=folder))
            for path in files:
                is_known = path.relative_to(data).as_posix() in known or path in unrecorded
                if path.suffix != ".part" and not is_known:
                    await self._adopt(path)
        done.set()

    def _leave_alone(self, path: Path, why: str) -> None:
        """Tell once of a file that cannot be put on record; it may still be evidence."""
        where = path.relative_to(self._config.data).as_posix()
        log.warning("shelf: %s %s; it stays where it is", where, why)
        detail = f"{where} {why}; it stays on the shelf and is not on record"
        self.tell(ShelfTrouble(kind="quarantined", detail=detail), id=f"left.{where}")

    async def _set_aside(self, path: Path, why: str, kind: Trouble) -> None:
        try:
            place = await asyncio.to_thread(adoption.set_aside, path, self._config.data)
        except FileNotFoundError:
            return  # whoever put it there took it away again
        except OSError as error:
            self._leave_alone(path, f"{why}, and cannot be set aside: {error.strerror}")
            return
        where = path.relative_to(self._config.data)
        self._trouble(kind, f"{where} {why}; now {place.name} in quarantine")

    def _trouble(self, kind: Trouble, detail: str) -> None:
        log.warning("shelf: %s: %s", kind, detail)
        self.tell(ShelfTrouble(kind=kind, detail=detail))
