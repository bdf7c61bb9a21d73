"""The journal as the live process has it: when another takes its place, looks go on with that."""

import asyncio
import logging
import sqlite3
from datetime import datetime

from contract.clock import Clock
from contract.messages import Message
from contract.retry import keep
from edge.config import EdgeConfig
from edge.journal import Journal, JournalBusy, JournalDamaged, JournalReplaced
from edge.live.lapsed import Viewing

log = logging.getLogger(__name__)


class Record:
    """Tells facts to the journal and asks it what may be seen; while there is none, it is busy."""

    def __init__(self, config: EdgeConfig, clock: Clock) -> None:
        self.opened = asyncio.Event()
        """Set once there was a journal."""
        self._config = config
        self._clock = clock
        self._journal: Journal | None = None
        self._viewing: Viewing | None = None
        self._using = asyncio.Lock()  # it is not closed under anybody's hands

    async def run(self) -> None:
        """Keep the journal open, and the new one when it is begun anew, until cancelled."""
        passing = (JournalBusy, JournalDamaged, sqlite3.Error, OSError)
        while True:
            await keep("opening the journal", self._hold, on=passing, clock=self._clock, log=log)

    async def add_fact(self, data: Message, at: datetime) -> None:
        """Store a fact, to be sent; raises JournalBusy."""
        async with self._using:
            if self._journal is None:
                raise JournalBusy("the journal is not open")
            try:
                await self._journal.add_fact(data, at)
            except JournalDamaged as error:
                raise JournalBusy(str(error)) from error

    async def is_over(self, path: str) -> bool:
        """True for a path below the shelf that nobody may see any more; raises JournalBusy."""
        async with self._using:
            if self._viewing is None:
                raise JournalBusy("the journal is not open")
            try:
                return await self._viewing.is_over(path)
            except JournalDamaged as error:
                raise JournalBusy(str(error)) from error

    async def _hold(self) -> None:
        """Hold one journal open until another takes its place."""
        async with Journal.open(self._config.journal) as journal:
            self._journal = journal
            self._viewing = Viewing(self._config, journal, self._clock)
            self.opened.set()
            try:
                await journal.until_replaced(self._clock)
            except JournalReplaced as news:
                log.warning("%s", news)
            finally:
                async with self._using:
                    self._journal = self._viewing = None
