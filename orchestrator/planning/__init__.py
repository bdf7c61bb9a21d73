"""From sessions to recording orders, and from one timetable to the next. Pure."""

from orchestrator.planning.difference import Change, Difference, diff
from orchestrator.planning.forecast import BoxForecast, Day, Planned, Rate, Stored, Volume, forecast
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
    "BoxForecast",
    "Change",
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
    "diff",
    "forecast",
    "orders",
    "session_state",
    "windows",
]
