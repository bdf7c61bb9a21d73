"""Whose footage goes, and when: by examination and room, as an exam office knows it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    ScalarSelect,
    Select,
    case,
    func,
    select,
    type_coerce,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from orchestrator.covers import goes_at, is_deleted, stays
from orchestrator.exams import Lead
from orchestrator.planning import Session
from orchestrator.sessions import session_of
from orchestrator.store.tables import cameras, exam_sessions, rooms, segments

_US = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Total:
    """How many, and how much."""

    segments: int
    bytes: int

    def __add__(self, other: "Total") -> "Total":
        """Take both together."""
        return Total(self.segments + other.segments, self.bytes + other.bytes)

    def __sub__(self, other: "Total") -> "Total":
        """Take the other out."""
        return Total(self.segments - other.segments, self.bytes - other.bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamDue:
    """One room's footage of one examination, and what becomes of it."""

    session: Session | None
    """None: it shows no examination that stands in the timetables."""
    room: str
    """Empty: its camera is in no room any more."""
    room_name: str
    """Then the camera's name."""
    start: datetime
    end: datetime
    first_at: datetime
    """When the first of it goes; of what is held: when its term ends."""
    last_at: datetime
    due: Total
    held: Total


@dataclass(frozen=True, slots=True)
class ExamsDue:
    """Examinations by when their footage goes."""

    items: list[ExamDue]
    left_out: int
    """So many more there are."""


def term_between(start: datetime, end: datetime) -> list[ColumnElement[bool]]:
    """True for what goes in this span, and for what is held and would have gone in it."""
    s = segments.c
    when = case((stays(), s.retain_until), else_=goes_at())
    return [s.retain_until < end, when >= start, when < end]


async def read_due_exams(
    connection: AsyncConnection, lead: Lead, which: Iterable[ColumnElement[bool]], limit: int
) -> ExamsDue:
    """Give the examinations of which there is such footage, the first to go first.

    A recording counts for the exam whose window it touches; of two, for the one that stands, then
    for the later.
    """
    grouped = _grouped(lead, list(which)).subquery()
    c = grouped.c
    ordered = select(grouped).order_by(c.first_at, c.room_name, c.exam).limit(limit)
    rows = (await connection.execute(ordered)).all()
    count = await connection.scalar(select(func.count()).select_from(grouped)) or 0
    wanted = {row.exam for row in rows} - {None}
    found = await connection.execute(select(exam_sessions).where(exam_sessions.c.id.in_(wanted)))
    known = {row.id: session_of(row) for row in found}
    return ExamsDue([_due(row, known.get(row.exam)) for row in rows], count - len(rows))


def _due(row: Row[Any], session: Session | None) -> ExamDue:
    held = Total(int(row.held), int(row.held_bytes))
    return ExamDue(
        session=session,
        room=row.room,
        room_name=row.room_name,
        start=row.starts_at,
        end=row.ends_at,
        first_at=row.first_at,
        last_at=row.last_at,
        due=Total(row.segments - held.segments, int(row.bytes) - held.bytes),
        held=held,
    )


def _grouped(lead: Lead, which: list[ColumnElement[bool]]) -> Select[Any]:
    s = segments.c
    kept = stays()
    each = (
        select(
            _exam_of(lead).label("exam"),
            func.coalesce(rooms.c.id, "").label("room"),
            func.coalesce(rooms.c.name, s.camera).label("room_name"),
            s.starts_at,
            s.ends_at,
            s.bytes,
            case((kept, 1), else_=0).label("kept"),
            case((kept, s.retain_until), else_=goes_at()).label("at"),
        )
        .select_from(segments)
        .outerjoin(cameras, cameras.c.id == s.camera)
        .outerjoin(rooms, rooms.c.id == cameras.c.room)
        .where(*which, ~is_deleted())
        .subquery()
    )
    c = each.c
    named = (c.exam, c.room, c.room_name)
    return select(
        *named,
        func.min(c.starts_at).label("starts_at"),
        func.max(c.ends_at).label("ends_at"),
        # of what goes; where all of it is held, of that
        func.coalesce(func.min(case((c.kept == 0, c.at))), func.min(c.at)).label("first_at"),
        func.coalesce(func.max(case((c.kept == 0, c.at))), func.max(c.at)).label("last_at"),
        func.sum(c.kept).label("held"),
        func.sum(c.kept * c.bytes).label("held_bytes"),
        func.count().label("segments"),
        func.sum(c.bytes).label("bytes"),
    ).group_by(*named)


def _exam_of(lead: Lead) -> ScalarSelect[str]:
    """Give the exam whose window a segment touches: its first file begins a little before."""
    e = exam_sessions.c
    begins, ends_at = (
        type_coerce(each, BigInteger) for each in (segments.c.starts_at, segments.c.ends_at)
    )
    starts, ends = type_coerce(e.starts_at, BigInteger), type_coerce(e.ends_at, BigInteger)
    return (
        select(e.id)
        .where(
            e.room == cameras.c.room,
            starts < ends_at + lead.before // _US,
            ends > begins - lead.after // _US,
        )
        .order_by(case((e.cancelled_at.is_(None), 0), else_=1), e.starts_at.desc(), e.id)
        .limit(1)
        .correlate(segments, cameras)
        .scalar_subquery()
    )
