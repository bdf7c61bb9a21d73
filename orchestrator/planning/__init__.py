"""From sessions to recording orders, and from one timetable to the next. Pure."""

from orchestrator.planning.difference import Change, Difference, diff
from orchestrator.planning.plan import (
    Conflict,
    Course,
    PlannedOrder,
    Session,
    State,
    conflicts,
    orders,
    session_state,
    windows,
)

__all__ = [
    "Change",
    "Conflict",
    "Course",
    "Difference",
    "PlannedOrder",
    "Session",
    "State",
    "conflicts",
    "diff",
    "orders",
    "session_state",
    "windows",
]
