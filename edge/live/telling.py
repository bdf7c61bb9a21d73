"""Telling the centre of looks, through the journal, also when the journal is busy."""

import logging
from collections import deque
from datetime import datetime
from typing import Literal, Protocol

from contract.clock import Clock
from contract.messages import LookChanged, Message
from contract.ticket import Ticket
from edge.journal import JournalBusy

log = logging.getLogger(__name__)

_AGAIN_S = 1.0
_MOST_WAITING = 1000

LookState = Literal["began", "ended", "refused"]


class FactSink(Protocol):
    """Where facts for the centre go: the journal."""

    async def add_fact(self, data: Message, at: datetime) -> None:
        """Store a fact, to be sent; raises JournalBusy."""
        ...


class Teller:
    """Tells of looks: a beginning before it happens, an end as soon as it can be written."""

    def __init__(self, facts: FactSink, clock: Clock) -> None:
        self._facts = facts
        self._clock = clock
        self._waiting: deque[tuple[LookChanged, datetime]] = deque(maxlen=_MOST_WAITING)

    async def began(self, ticket: Ticket, reason: str = "") -> None:
        """Tell that a look begins; raises JournalBusy: then it must not."""
        await self._facts.add_fact(look_changed(ticket, "began", reason), self._clock.now())

    async def ended(self, ticket: Ticket, reason: str) -> None:
        """Tell that a look ended, now or later."""
        await self._soon(look_changed(ticket, "ended", reason))

    async def refused(self, ticket: Ticket | None, reason: str) -> None:
        """Tell that a look was refused, now or later; None for a ticket that is not believed."""
        await self._soon(look_changed(ticket, "refused", reason))

    async def run(self) -> None:
        """Tell what had to wait, until cancelled."""
        while True:
            await self._clock.sleep(_AGAIN_S)
            await self._flush()

    async def _soon(self, fact: LookChanged) -> None:
        self._waiting.append((fact, self._clock.now()))
        await self._flush()

    async def _flush(self) -> None:
        while self._waiting:
            fact, at = self._waiting.popleft()
            try:
                await self._facts.add_fact(fact, at)
            except JournalBusy as error:
                log.warning("the journal is busy, a look is told later: %s", error)
                self._waiting.appendleft((fact, at))
                return


def look_changed(ticket: Ticket | None, state: LookState, reason: str = "") -> LookChanged:
    """Make the fact of a look; of a ticket that is not believed nothing is repeated."""
    return LookChanged(
        jti=ticket.jti if ticket else "",
        user=ticket.user if ticket else "",
        cameras=tuple(track.camera for track in ticket.tracks) if ticket else (),
        state=state,
        reason=reason,
    )
