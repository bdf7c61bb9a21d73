"""What the agent has to tell: kept until the journal takes it."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime

from contract.clock import Clock
from contract.messages import Message
from edge.journal import Journal, JournalBusy

log = logging.getLogger(__name__)

_AGAIN_S = 1.0
_MOST = 1000


class Notes:
    """A bounded list; when it is full the oldest note is dropped, and counted."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: deque[tuple[Message, datetime]] = deque(maxlen=_MOST)
        self._news = asyncio.Event()
        self.dropped = 0

    def say(self, data: Message) -> None:
        """Note a fact with the time now; never waits."""
        self.dropped += len(self._waiting) == _MOST
        self._waiting.append((data, self._clock.now()))
        self._news.set()

    def saying(self, make: Callable[[str], Message]) -> Callable[[str], Awaitable[None]]:
        """Give what notes `make` of a word, for those who must await."""

        async def noted(word: str) -> None:
            self.say(make(word))

        return noted

    async def write(self, journal: Journal) -> None:
        """Hand the notes to the journal, again while it is busy, until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                data, at = self._waiting[0]
                try:
                    await journal.add_fact(data, at)
                except JournalBusy:
                    await self._clock.sleep(_AGAIN_S)
                else:
                    self._waiting.popleft()
