"""Exam sessions with their windows and states."""

from orchestrator.access import Action
from orchestrator.planning import Session as Planned
from orchestrator.sessions import SessionView
from web.call import Call
from web.endpoint import Endpoint, get
from web.shapes import Course, Page, Session, SessionsQuery


async def sessions(call: Call, asked: SessionsQuery) -> Page[Session]:
    """List sessions whose windows overlap the span, by start."""
    found = await call.centre.sessions.list(
        asked.start, asked.end, asked.room, asked.after or None, asked.limit + 1
    )
    shown = found[: asked.limit]
    return Page(
        items=tuple(map(_session, shown)),
        next=shown[-1].session.id if len(found) > len(shown) else None,
    )


def courses_of(session: Planned) -> tuple[Course, ...]:
    """Give what is examined."""
    return tuple(Course(code=course.code, name=course.name) for course in session.courses)


def _session(view: SessionView) -> Session:
    session = view.session
    return Session(
        id=session.id,
        room=session.room,
        room_name=view.room_name,
        campus=session.campus,
        category=session.category,
        start=session.start,
        end=session.end,
        window_start=view.window.start,
        window_end=view.window.end,
        state=view.state,
        courses=courses_of(session),
        headcount=session.headcount,
        invigilators=session.invigilators,
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    get(
        "/sessions",
        sessions,
        query=SessionsQuery,
        gives=Page[Session],
        needs=Action.see_sessions,
        summary="Exam sessions by start, with the windows in which they are recorded",
    ),
)
