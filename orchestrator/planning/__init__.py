"""From sessions to recording orders, and from one timetable to the next. Pure."""

from orchestrator.planning.difference import Change, Difference, diff
from orchestrator.planning.plan import (
    Course,
    PlannedOrder,
    Session,
    State,
    orders,
    session_state,
    windows,
)

__all__ = [
    "Change",
    "Course",
    "Difference",
    "PlannedOrder",
    "Session",
    "State",
    "diff",
    "orders",
    "session_state",
    "windows",
]
