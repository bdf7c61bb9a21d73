"""From sessions to recording orders, and from one timetable to the next. Pure."""

from orchestrator.planning.difference import Change, Difference, diff
from orchestrator.planning.forecast import BoxForecast, Day, Planned, Rate, Stored, Volume, forecast
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
    "BoxForecast",
    "Change",
    "Conflict",
    "Course",
    "Day",
    "Difference",
    "Planned",
    "PlannedOrder",
    "Rate",
    "Session",
    "State",
    "Stored",
    "Volume",
    "conflicts",
    "diff",
    "forecast",
    "orders",
    "session_state",
    "windows",
]
