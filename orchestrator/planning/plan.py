"""Sessions and the orders that cover them: every camera of the room, with lead-in and lead-out."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from contract.spans import Span, union

State = Literal["PLANNED", "ARMED", "RUNNING", "ENDING", "ENDED", "CANCELLED"]


@dataclass(frozen=True, slots=True)
class Course:
    """What is examined; the teaching class tells two sittings of one course apart."""

    code: str
    name: str
    teaching_class: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What names the exam whenever and wherever it is held."""
        return (self.code or self.name, self.teaching_class)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One room in one unbroken span with at least one exam."""

    id: str
    room: str
    start: datetime
    end: datetime
    courses: tuple[Course, ...] = ()
    headcount: int | None = None
    invigilators: tuple[str, ...] = ()
    campus: str = ""
    category: str = ""
    """Of the rule's first article; its class says how long footage is kept. Empty: unknown."""
    cancelled: bool = False

    @property
    def exams(self) -> frozenset[tuple[str, str]]:
        """Which exams are held."""
        return frozenset(course.key for course in self.courses)

    @property
    def span(self) -> Span:
        """From start to end, without lead-in and lead-out."""
        return Span(self.start, self.end)

    def window(self, lead_in: timedelta, lead_out: timedelta) -> Span:
        """Give the span that is recorded for it."""
        return Span(self.start - lead_in, self.end + lead_out)


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """Record this camera in this window, for this session."""

    id: str
    session: str
    camera: str
    start: datetime
    end: datetime


def orders(
    sessions: Iterable[Session],
    cameras_by_room: Mapping[str, Sequence[str]],
    lead_in: timedelta,
    lead_out: timedelta,
) -> tuple[PlannedOrder, ...]:
    """Give one order per session and camera of its room, by start; none for cancelled ones."""
    planned = [
        PlannedOrder(f"{session.id}.{camera}", session.id, camera, window.start, window.end)
        for session in sessions
        if not session.cancelled
        for window in (session.window(lead_in, lead_out),)
        for camera in cameras_by_room.get(session.room, ())
    ]
    return tuple(sorted(planned, key=lambda order: (order.start, order.id)))


def windows(planned: Iterable[PlannedOrder]) -> dict[str, list[Span]]:
    """Give each camera's spans, merged where orders overlap or follow back to back."""
    by_camera: dict[str, list[Span]] = defaultdict(list)
    for order in planned:
        by_camera[order.camera].append(Span(order.start, order.end))
    return {camera: union(spans) for camera, spans in sorted(by_camera.items())}


def session_state(
    session: Session, now: datetime, lead_in: timedelta, lead_out: timedelta
) -> State:
    """Give what the clock makes of a session."""
    if session.cancelled:
        return "CANCELLED"
    window = session.window(lead_in, lead_out)
    if now < window.start:
        return "PLANNED"
    if now < session.start:
        return "ARMED"
    if now < session.end:
        return "RUNNING"
    return "ENDING" if now < window.end else "ENDED"
