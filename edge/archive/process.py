"""The archive's process: second copies of what is sealed, one at a time, behind everything else."""

import asyncio
import logging
import os
import sqlite3
from collections import Counter

from contract.clock import Clock
from contract.messages import SegmentClosed, ShelfTrouble
from contract.objects import Objects, StoreAway
from contract.retry import backoff
from edge import orders as in_force
from edge.archive.copies import Copies
from edge.archive.outgoing import keep_only
from edge.archive.sealing import Unreadable
from edge.archive.sending import NotWhatWasSent, Sender
from edge.archive.trouble import TOLD
from edge.config import ArchiveConfig, EdgeConfig
from edge.journal import Journal, JournalBusy
from edge.recording.second import is_reachable

log = logging.getLogger(__name__)

_NICE = 15
_LOOK_S = 5.0
_TRIES = 3
_ASIDE_S = 3600.0
_MOST_ASIDE = 100
_PASSING = (StoreAway, NotWhatWasSent, Unreadable, JournalBusy, sqlite3.Error, OSError)
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 2.0, 300.0


async def run(config: EdgeConfig, clock: Clock) -> None:
    """Copy until cancelled. It needs nobody, and nobody waits for it.

    Raises JournalReplaced, in a group: which copies there are stands in the journal.
    """
    if config.archive is None:
        return
    os.nice(_NICE - os.nice(0))
    async with Journal.open(config.journal) as journal, asyncio.TaskGroup() as group:
        group.create_task(journal.until_replaced(clock), name="journal")
        await Archivist(config, config.archive, clock, journal).run()


class Archivist:
    """Goes over what has no second copy, again and again."""

    def __init__(
        self, config: EdgeConfig, archive: ArchiveConfig, clock: Clock, journal: Journal
    ) -> None:
        self._config = config
        self._archive = archive
        self._clock = clock
        self._journal = journal
        self._copies = Copies(journal, archive.name)
        self._trouble: str | None = None
        """What was told and is not over; empty: nothing is; None: the journal was not asked yet."""
        self._tries: Counter[str] = Counter()
        self._aside: dict[str, float] = {}
        """Segments whose copy comes back changed each time, and until when they wait."""

    async def run(self) -> None:
        """Work until cancelled; a store, journal or disk that fails is tried again."""
        pauses = backoff(_FIRST_PAUSE_S, _LONGEST_PAUSE_S)
        while True:
            try:
                await self.once()
            except _PASSING as error:
                await self._say(f"away: {error}")
                await self._clock.sleep(next(pauses))
            else:
                pauses = backoff(_FIRST_PAUSE_S, _LONGEST_PAUSE_S)
                await self._clock.sleep(_LOOK_S)

    async def once(self) -> int:
        """Copy all that is due now; gives how many. Raises what `run` tries again after."""
        done = 0
        objects = Objects.of(self._archive)
        await self._tidy()
        sender = Sender(self._config, self._archive, self._clock, self._copies, objects)
        while True:
            orders = await asyncio.to_thread(in_force.load, self._config.orders)
            now = self._clock.monotonic()
            self._aside = {name: until for name, until in self._aside.items() if until > now}
            waiting = await self._copies.waiting(orders, self._clock.now(), self._aside)
            if not waiting:
                return done
            for segment in waiting:
                done += await self._copy(sender, segment)
                await self._say("")

    async def _copy(self, sender: Sender, segment: SegmentClosed) -> bool:
        """Copy one; after some tries the rest does not wait for it. Raises while it is tried.

        What lies on a second volume that is away is put aside, and asked for again in an hour.
        """
        data, volume = self._config.data, segment.volume
        if not await asyncio.to_thread(is_reachable, data, segment.path, volume):
            self._aside[segment.segment] = self._clock.monotonic() + _ASIDE_S
            return False
        try:
            await sender.copy(segment)
        except (Unreadable, NotWhatWasSent) as error:
            self._tries[segment.segment] += 1
            if self._tries[segment.segment] < _TRIES:
                raise
            if isinstance(error, Unreadable):
                await self._copies.give_up(segment, self._clock.now(), f"{segment.path}: {error}")
            elif len(self._aside) < _MOST_ASIDE:
                await self._copies.complain(segment, self._clock.now(), str(error))
                self._aside[segment.segment] = self._clock.monotonic() + _ASIDE_S
            else:  # it is the store and not the segment
                raise
            log.exception("%s is not copied, the next are", segment.segment)
            self._tries.pop(segment.segment)
            return False
        self._tries.pop(segment.segment, None)
        return True

    async def _tidy(self) -> None:
        """Remove objects on their way whose footage is gone, or that arrived before a crash."""
        waiting = await self._copies.outgoing()
        await asyncio.to_thread(keep_only, self._config, waiting)

    async def _say(self, trouble: str) -> None:
        """Tell when second copies cannot be made, and when they can again; not at every try."""
        try:
            if self._trouble is None:
                self._trouble = await self._journal.meta(TOLD) or ""
            if bool(trouble) == bool(self._trouble):
                return
            if trouble:
                log.warning("no second copies: %s", trouble)
            else:
                log.warning("second copies are made again")
            fact = ShelfTrouble(
                kind="archive" if trouble else "archive_back",
                detail=trouble or "copies are made again",
            )
            await self._journal.add_fact(fact, self._clock.now())
            self._trouble = trouble
            await self._journal.set_meta(TOLD, trouble)
        except (JournalBusy, sqlite3.Error) as error:
            log.warning("that is told at the next try: %s", error)
