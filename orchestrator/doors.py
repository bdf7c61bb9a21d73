"""What is examined in each room, told by the clock: to watchers, and retained at the broker."""

import logging
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Literal

import msgspec

from contract import topics
from contract.bus import Bus, BusDown
from contract.clock import Clock
from contract.messages import CourseHeld, RoomSession
from contract.retry import keep
from contract.spans import Span
from orchestrator.events import Events
from orchestrator.exams import Lead, State
from orchestrator.planning import Session, session_state
from orchestrator.store import Store, StoreAway
from orchestrator.windows import sessions_in

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0
_AROUND = timedelta(minutes=2)
"""How long after its window a session is still looked at, so that its end is told."""


class Doors:
    """Tells each change of a session's state. `run` watches the clock."""

    def __init__(self, store: Store, bus: Bus, events: Events, clock: Clock, lead: Lead) -> None:
        self._store = store
        self._bus = bus
        self._events = events
        self._clock = clock
        self._lead = lead
        self._states: dict[str, State] = {}
        self._rooms: dict[str, bytes] = {}
        self._began = False

    async def run(self) -> None:
        """Look every second, until cancelled."""

        async def forever() -> None:
            while True:
                await self.look()
                await self._clock.sleep(_LOOK_EVERY_S)

        await keep("sessions", forever, on=(StoreAway,), clock=self._clock, log=log)

    async def look(self) -> None:
        """Tell what has changed since the last look."""
        now = self._clock.now()
        async with self._store.read() as connection:
            near = Span(now - _AROUND, now + _AROUND)
            sessions = await sessions_in(connection, self._lead, near, cancelled=True)
        before, after = self._states, {}
        for session in sessions:
            state = session_state(session, now, self._lead.before, self._lead.after)
            after[session.id] = state
            if self._began and before.get(session.id) != state:
                data = {"state": state, "room": session.room}
                self._events.publish("session", session.id, data, now)
        self._states, self._began = after, True
        await self._publish(on_the_door([(one, after[one.id]) for one in sessions]))

    async def greet(self, bus: Bus) -> None:
        """Publish every room's door, for the broker forgets."""
        del bus
        for room, payload in list(self._rooms.items()):
            await self._tell(room, payload)

    async def _publish(self, doors: Mapping[str, RoomSession]) -> None:
        wanted = {room: msgspec.json.encode(door) for room, door in doors.items()}
        for room in self._rooms.keys() - wanted.keys():
            await self._tell(room, b"")
        for room, payload in wanted.items():
            if self._rooms.get(room) != payload:
                await self._tell(room, payload)
        self._rooms = wanted

    async def _tell(self, room: str, payload: bytes) -> None:
        try:
            await self._bus.publish(topics.session(room), payload, retain=True)
        except BusDown:
            return  # the next connect publishes it


def on_the_door(sessions: Iterable[tuple[Session, State]]) -> dict[str, RoomSession]:
    """Give what stands on each room's door; a running exam goes before one that comes or ends."""
    doors: dict[str, RoomSession] = {}
    for rank in ("ENDING", "ARMED", "RUNNING"):
        for session, state in sessions:
            if state == rank:
                doors[session.room] = _door(session, rank)
    return doors


def _door(session: Session, state: Literal["ARMED", "RUNNING", "ENDING"]) -> RoomSession:
    return RoomSession(
        room=session.room,
        session=session.id,
        state=state,
        start=session.start,
        end=session.end,
        courses=tuple(CourseHeld(code=one.code, name=one.name) for one in session.courses),
    )
