"""Exam sessions in the store: how they are kept, found and shown."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.clock import Clock
from contract.spans import Span
from orchestrator.exams import Lead
from orchestrator.planning import Course, Session, State, session_state
from orchestrator.store import Store
from orchestrator.store.tables import certificates, exam_sessions, rooms

ShownState = State | Literal["VERIFIED", "INCOMPLETE"]
"""What the clock makes of a session, and once it is over, what its certificate says."""


class NoSuchSession(Exception):
    """No session has this id."""


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as people see it."""

    session: Session
    room_name: str
    window: Span
    state: ShownState


class Sessions:
    """Reads exam sessions; timetables write them."""

    def __init__(self, store: Store, clock: Clock, lead: Lead) -> None:
        self._store = store
        self._clock = clock
        self._lead = lead

    async def list(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        room: str | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> list[SessionView]:
        """Give sessions whose windows overlap the span, by start; `after` is the last one's id."""
        s = exam_sessions.c
        query = _selected().order_by(s.starts_at, s.id).limit(limit)
        which: list[ColumnElement[bool]] = []
        if start is not None:
            which.append(s.ends_at > start - self._lead.after)
        if end is not None:
            which.append(s.starts_at < end + self._lead.before)
        if room is not None:
            which.append(s.room == room)
        async with self._store.read() as connection:
            if after is not None:
                last = (await connection.execute(select(s.starts_at).where(s.id == after))).first()
                if last is None:
                    raise NoSuchSession(after)
                later = (s.starts_at == last.starts_at) & (s.id > after)
                which.append((s.starts_at > last.starts_at) | later)
            found = (await connection.execute(query.where(*which))).all()
        return [self._view(row) for row in found]

    async def get(self, id: str) -> SessionView:
        """Give one session; raises NoSuchSession."""
        async with self._store.read() as connection:
            query = _selected().where(exam_sessions.c.id == id)
            row = (await connection.execute(query)).first()
        if row is None:
            raise NoSuchSession(id)
        return self._view(row)

    def _view(self, row: Row[Any]) -> SessionView:
        session = session_of(row)
        window = session.window(self._lead.before, self._lead.after)
        now = self._clock.now()
        state = session_state(session, now, self._lead.before, self._lead.after)
        shown = row.verdict if state == "ENDED" and row.verdict else state
        return SessionView(session, row.room_name, window, shown)


def _selected() -> Select[Any]:
    c = certificates.c
    newest = (
        select(c.verdict)
        .where(c.session == exam_sessions.c.id)
        .order_by(c.edition.desc())
        .limit(1)
        .scalar_subquery()
    )
    return select(exam_sessions, rooms.c.name.label("room_name"), newest.label("verdict")).join(
        rooms, rooms.c.id == exam_sessions.c.room
    )


def session_of(row: Any) -> Session:
    """Give the session a row of `exam_sessions` or `staged_sessions` holds."""
    return Session(
        id=row.id,
        room=row.room,
        start=row.starts_at,
        end=row.ends_at,
        courses=tuple(Course(**course) for course in row.courses),
        headcount=row.headcount,
        invigilators=tuple(row.invigilators),
        campus=row.campus,
        category=row.category,
        cancelled=getattr(row, "cancelled_at", None) is not None,
    )


def columns_of(session: Session) -> dict[str, Any]:
    """Give a session as the columns of either table."""
    return {
        "id": session.id,
        "provenance": provenance_of(session),
        "room": session.room,
        "starts_at": session.start,
        "ends_at": session.end,
        "campus": session.campus,
        "category": session.category,
        "headcount": session.headcount,
        "courses": [
            {
                "code": course.code,
                "name": course.name,
                "teaching_class": course.teaching_class,
            }
            for course in session.courses
        ],
        "invigilators": list(session.invigilators),
    }


def provenance_of(session: Session) -> str:
    """Give what makes it the same session when it is read again: room, span and exams."""
    span = [session.start.isoformat(), session.end.isoformat()]
    return json.dumps([session.room, *span, sorted(session.exams)], ensure_ascii=False)


async def standing(connection: AsyncConnection, since: datetime) -> list[Session]:
    """Give the sessions that are not cancelled and end after `since`."""
    s = exam_sessions.c
    query = select(exam_sessions).where(s.cancelled_at.is_(None), s.ends_at > since)
    return [session_of(row) for row in await connection.execute(query)]
