"""Telling those who watch what has changed, inside this process."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime

import msgspec

from contract.clock import Clock, Instant

_ROOM_FOR = 256


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something changed. `resync`: more than fitted; read everything anew."""

    type: str
    id: str
    at: Instant
    data: object = None


class Mailbox:
    """One watcher's events. When it is full it is emptied, and says `resync` instead."""

    def __init__(self, room_for: int = _ROOM_FOR) -> None:
        self._events: deque[Event] = deque()
        self._room_for = room_for
        self._arrived = asyncio.Event()

    def put(self, event: Event) -> None:
        """Take an event in; never waits."""
        if len(self._events) >= self._room_for:
            self._events.clear()
            self._events.append(Event(type="resync", id="", at=event.at))
        else:
            self._events.append(event)
        self._arrived.set()

    async def get(self) -> Event:
        """Give the oldest event; wait for one when there is none."""
        while not self._events:
            self._arrived.clear()
            await self._arrived.wait()
        return self._events.popleft()

    def __aiter__(self) -> "Mailbox":
        return self

    async def __anext__(self) -> Event:
        return await self.get()


class Events:
    """Everybody who watches hears everything; a slow one loses its own."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._mailboxes: set[Mailbox] = set()

    def publish(self, type: str, id: str, data: object = None, at: datetime | None = None) -> None:
        """Tell all who watch; never waits."""
        event = Event(type=type, id=id, at=at or self._clock.now(), data=data)
        for mailbox in self._mailboxes:
            mailbox.put(event)

    @asynccontextmanager
    async def subscribe(self) -> AsyncGenerator[Mailbox]:
        """Watch from now on, while the block lasts."""
        mailbox = Mailbox()
        self._mailboxes.add(mailbox)
        try:
            yield mailbox
        finally:
            self._mailboxes.discard(mailbox)
