"""What goes to the broker, in order; what cannot be sent now is sent again at the next connect."""

import asyncio
from collections.abc import Iterable, Mapping

import msgspec

from contract import topics
from contract.bus import Bus, BusDown
from orchestrator.alerts.cases import Case, Change
from orchestrator.alerts.words import plain, told

_ROOM_FOR = 5000
_SENT = frozenset({"sent", "resent"})
_FOR_ALL = frozenset({"taken", "solved", "shelved"})


class Post:
    """A queue of messages. `run` publishes them one after another."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._letters: asyncio.Queue[tuple[str, bytes, bool]] = asyncio.Queue(_ROOM_FOR)

    async def run(self) -> None:
        """Publish until cancelled. Nobody waits for it: phones confirm what reached them."""
        while True:
            topic, payload, retain = await self._letters.get()
            try:
                await self._bus.publish(topic, payload, retain=retain)
            except BusDown:
                continue

    def put(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Have it published; the oldest gives way when too many wait."""
        if self._letters.full():
            self._letters.get_nowait()
        self._letters.put_nowait((topic, payload, retain))

    def tell(self, change: Change, before: Case | None, rooms: Mapping[str, str]) -> None:
        """Tell everybody of a changed case, and the phones that must know."""
        case = change.case
        self.retain(case, rooms)
        phones = {step.phone for step in change.steps if step.kind in _SENT}
        if before is not None and before.cameras != case.cameras and case.is_waiting:
            phones |= {delivery.phone for delivery in case.deliveries}  # it grew, or shrank
        if case.state in _FOR_ALL and (before is None or before.state != case.state):
            phones |= {delivery.phone for delivery in case.deliveries}
        self.send(case, phones, rooms)

    def retain(self, case: Case, rooms: Mapping[str, str]) -> None:
        """Publish a case for all who listen, or take it away when it is solved."""
        payload = msgspec.json.encode(told(case, rooms)) if case.is_open else b""
        self.put(topics.alert(case.id), payload, retain=True)

    def send(self, case: Case, phones: Iterable[str], rooms: Mapping[str, str]) -> None:
        """Send a case to phones."""
        for phone in sorted(phones):
            self.put(topics.duty_alert(phone), msgspec.json.encode(told(case, rooms)))
            text = plain(case, rooms.get(case.room or ""))
            self.put(topics.duty_text(phone), text.encode())
