"""Which sessions' windows touch a span, and which cameras' windows are open."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.spans import Span, union
from orchestrator.exams import Lead
from orchestrator.planning import Session
from orchestrator.sessions import session_of
from orchestrator.store.tables import cameras, exam_sessions

_LONGEST_CHAIN = timedelta(days=1)


async def sessions_in(
    connection: AsyncConnection,
    lead: Lead,
    span: Span,
    *,
    rooms: Iterable[str] | None = None,
    cancelled: bool = False,
) -> list[Session]:
    """Give the sessions whose windows touch the span, by start; cancelled ones on demand."""
    s = exam_sessions.c
    which: list[ColumnElement[bool]] = [
        s.starts_at < span.end + lead.before,
        s.ends_at > span.start - lead.after,
    ]
    if rooms is not None:
        which.append(s.room.in_(list(rooms)))
    if not cancelled:
        which.append(s.cancelled_at.is_(None))
    found = select(exam_sessions).where(*which).order_by(s.starts_at, s.id)
    return [session_of(row) for row in await connection.execute(found)]


async def open_sessions(connection: AsyncConnection, lead: Lead, now: datetime) -> list[Session]:
    """Give the sessions whose windows are open now, by start."""
    near = await sessions_in(connection, lead, Span(now, now + timedelta(microseconds=1)))
    return [session for session in near if now in lead.window(session.start, session.end)]


async def open_until(
    connection: AsyncConnection, lead: Lead, wanted: Iterable[str], now: datetime
) -> dict[str, datetime]:
    """Give, for each of the cameras whose window is open, when it closes.

    Windows that overlap or follow back to back are one.
    """
    query = select(cameras.c.id, cameras.c.room).where(cameras.c.id.in_(list(wanted)))
    room_of = {row.id: row.room for row in await connection.execute(query)}
    ahead = Span(now, now + _LONGEST_CHAIN)
    sessions = await sessions_in(connection, lead, ahead, rooms=set(room_of.values()))
    closes: dict[str, datetime] = {}
    for camera, room in room_of.items():
        for window in union(lead.window(s.start, s.end) for s in sessions if s.room == room):
            if now in window:
                closes[camera] = window.end
    return closes
