"""Facts up: signed, in order, again and again until the centre has heard them."""

import asyncio
import logging

import msgspec

from contract import topics
from contract.bus import Bus, BusDown
from contract.clock import Clock
from contract.keys import SigningKey
from contract.messages import Fact, Heard, sign_fact
from edge.journal import Journal, JournalBusy

log = logging.getLogger(__name__)

_POLL_S = 0.25
_AGAIN_S = 20.0
_IN_FLIGHT = 200


class Outbox:
    """Sends the journal's facts; `heard` moves the mark."""

    def __init__(
        self, edge: str, key: SigningKey, journal: Journal, bus: Bus, clock: Clock
    ) -> None:
        self._edge = edge
        self._key = key
        self._journal = journal
        self._bus = bus
        self._clock = clock
        self._sent = 0
        self._sent_at = 0.0
        self._heard = 0
        self._marked = 0

    def reconnected(self) -> None:
        """Begin again after the mark: what was under way may be lost."""
        self._sent = self._heard

    def on_heard(self, payload: bytes) -> None:
        """Take the centre's word that it has stored facts up to a number."""
        self._heard = max(self._heard, msgspec.json.decode(payload, type=Heard).up_to)

    async def run(self) -> None:
        """Send what is new, and what was not answered for 20 s, until cancelled."""
        self._heard = self._marked = await self._journal.heard()
        self._sent = self._heard
        while True:
            await self._clock.sleep(_POLL_S)
            await self._mark()
            if not self._bus.is_up:
                continue
            now = self._clock.monotonic()
            if self._sent > self._heard and now - self._sent_at > _AGAIN_S:
                self._sent = self._heard
            try:
                await self._send(now)
            except BusDown:
                self._sent = self._heard

    async def _mark(self) -> None:
        if self._marked == self._heard:
            return
        try:
            await self._journal.mark_heard(self._heard)
        except JournalBusy:
            return  # the next round
        self._marked = self._heard

    async def _send(self, now: float) -> None:
        room = _IN_FLIGHT - (self._sent - self._heard)
        if room <= 0:
            return
        for seq, name, kind, at, data in await self._journal.facts_after(self._sent, room):
            fact = Fact(edge=self._edge, seq=seq, id=name, type=kind, at=at, data=msgspec.Raw(data))
            signed = await asyncio.to_thread(sign_fact, self._key, fact)
            await self._bus.publish(topics.fact(self._edge), msgspec.json.encode(signed))
            self._sent, self._sent_at = seq, now
