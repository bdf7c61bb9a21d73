"""Retention: what is deleted by when, what was, and how long each category is kept."""

from datetime import date, timedelta
from typing import Any

from orchestrator.access import Action
from orchestrator.dueexams import ExamDue
from orchestrator.dueexams import Total as Counted
from orchestrator.retention import Class, Piece
from web.call import Call, Nothing
from web.endpoint import Endpoint, get, post
from web.problems import Problem
from web.routes.sessions import courses_of
from web.shapes import (
    AheadQuery,
    Deletion,
    Deletions,
    DueDay,
    DueDays,
    DueExam,
    DueExams,
    DueExamsQuery,
    DuePiece,
    DueQuery,
    RetentionClass,
    RetentionClasses,
    RetentionDue,
    SetClass,
    Total,
)


async def due(call: Call, asked: DueQuery) -> RetentionDue:
    """Say what will be deleted by then, what is held and what is late."""
    found = await call.centre.retention.due(asked.at or call.centre.clock.now())
    return RetentionDue(
        at=found.at,
        due=tuple(map(_piece, found.due)),
        held=tuple(map(_piece, found.held)),
        deferred=tuple(map(_piece, found.deferred)),
        totals={name: _total(total) for name, total in found.totals.items()},
    )


async def days(call: Call, asked: AheadQuery) -> DueDays:
    """Say it day by day."""
    centre = call.centre
    until = centre.clock.now() + timedelta(days=asked.days)
    found = await centre.retention.days(until, centre.config.zone)
    return DueDays(
        items=tuple(
            DueDay(day=one.day, due=_total(one.due), held=_total(one.held)) for one in found
        )
    )


async def exams(call: Call, asked: DueExamsQuery) -> DueExams:
    """Name whose footage goes on a day, or is kept by a hold."""
    if bool(asked.day) == bool(asked.hold):
        raise Problem("bad_request", "give either day or hold")
    retention = call.centre.retention
    if asked.hold:
        found = await retention.exams_of_hold((await call.centre.holds.one(asked.hold)).id)
    else:
        try:
            day = date.fromisoformat(asked.day)
        except ValueError as error:
            raise Problem("bad_request", f"{asked.day} is no day") from error
        found = await retention.exams_of_day(day, call.centre.config.zone)
    return DueExams(items=tuple(map(_exam, found.items)), left_out=found.left_out)


async def deletions(call: Call, _: Nothing) -> Deletions:
    """List what is gone."""
    rows: list[Any] = await call.centre.retention.deletions(200)
    return Deletions(
        items=tuple(
            Deletion(
                segment=row.segment,
                camera=row.camera,
                edge=row.edge,
                start=row.starts_at,
                end=row.ends_at,
                bytes=row.bytes,
                root=row.root,
                retain_until=row.retain_until,
                deleted_at=row.deleted_at,
                late_s=row.late_s,
                policy=row.policy,
                missing=row.missing,
                holds=tuple(row.holds),
            )
            for row in rows
        )
    )


async def classes(call: Call, _: Nothing) -> RetentionClasses:
    """List the categories."""
    return RetentionClasses(items=tuple(map(_class, await call.centre.retention.classes())))


async def set_class(call: Call, asked: SetClass) -> RetentionClass:
    """Keep a category's footage longer."""
    done = await call.centre.retention.set_class(
        call.person, asked.category, asked.days, asked.reason, call.source
    )
    call.centre.dispatch.touch()
    call.centre.hold_lists.touch()
    return _class(done)


def _piece(one: Piece) -> DuePiece:
    return DuePiece(**{name: getattr(one, name) for name in DuePiece.__struct_fields__})


def _exam(one: ExamDue) -> DueExam:
    session = one.session
    return DueExam(
        session=session.id if session else "",
        courses=courses_of(session) if session else (),
        room=one.room,
        room_name=one.room_name,
        start=session.start if session else one.start,
        end=session.end if session else one.end,
        first_at=one.first_at,
        last_at=one.last_at,
        due=_total(one.due),
        held=_total(one.held),
    )


def _total(one: Counted) -> Total:
    return Total(segments=one.segments, bytes=one.bytes)


def _class(one: Class) -> RetentionClass:
    return RetentionClass(
        category=one.category, days=one.days, set_by=one.set_by, set_at=one.set_at
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    get(
        "/retention/due",
        due,
        query=DueQuery,
        gives=RetentionDue,
        needs=Action.see_holds,
        summary="What will be deleted by `at`, what holds keep, and what is late",
    ),
    get(
        "/retention/days",
        days,
        query=AheadQuery,
        gives=DueDays,
        needs=Action.see_holds,
        summary="What reaches the end of its term, day by day",
    ),
    get(
        "/retention/exams",
        exams,
        query=DueExamsQuery,
        gives=DueExams,
        needs=Action.see_holds,
        summary="Whose footage goes on a day, or is kept by a hold, by exam and room",
        errors=("no_such",),
    ),
    get(
        "/retention/deletions",
        deletions,
        query=Nothing,
        gives=Deletions,
        needs=Action.see_holds,
        summary="The records of footage that is gone, the newest first",
    ),
    get(
        "/retention/classes",
        classes,
        query=Nothing,
        gives=RetentionClasses,
        needs=Action.see_holds,
        summary="How many days footage of each category of exams is kept",
    ),
    post(
        "/retention/classes",
        set_class,
        takes=SetClass,
        gives=RetentionClass,
        needs=Action.set_retention,
        summary="Keep a category's footage so many days, thirty at least; no term ever falls",
        errors=("retention_too_short",),
    ),
)
