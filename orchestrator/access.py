"""Who may do what: roles, actions and the one table between them. Deny by default."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What a person is here for."""

    exam_office = "exam_office"
    patrol = "patrol"
    operator = "operator"
    sys_admin = "sys_admin"
    auditor = "auditor"


class Action(StrEnum):
    """What can be done, as the ledger names it."""

    see_rooms = "see_rooms"
    see_cameras = "see_cameras"
    see_edges = "see_edges"
    see_sessions = "see_sessions"
    see_alerts = "see_alerts"
    handle_alerts = "handle_alerts"
    approve_reference = "approve_reference"
    import_timetable = "import_timetable"
    see_forecast = "see_forecast"
    see_live = "see_live"
    see_recordings = "see_recordings"
    play_recording = "play_recording"
    see_coverage = "see_coverage"
    export_evidence = "export_evidence"
    watch_footage = "watch_footage"
    """Fetch the footage of one's own play session; who may begin one is another matter."""
    manage_edges = "manage_edges"
    manage_site = "manage_site"
    see_users = "see_users"
    manage_users = "manage_users"
    read_ledger = "read_ledger"
    see_holds = "see_holds"
    manage_holds = "manage_holds"
    set_retention = "set_retention"
    plan_outages = "plan_outages"


VIDEO_ROLES = frozenset({Role.exam_office, Role.patrol, Role.operator})
"""Roles that see pictures."""
ADMIN_ROLES = frozenset({Role.sys_admin, Role.auditor})
"""Roles that keep the system or watch over it; each stands alone and sees no pictures."""

_WATCH_THE_EXAM = {
    Action.see_rooms,
    Action.see_cameras,
    Action.see_edges,
    Action.see_sessions,
    Action.see_alerts,
    Action.handle_alerts,
    Action.approve_reference,
    Action.see_live,
    Action.watch_footage,
}

ALLOWED: Mapping[Role, frozenset[Action]] = MappingProxyType(
    {
        Role.exam_office: frozenset(
            {
                *_WATCH_THE_EXAM,
                Action.import_timetable,
                Action.see_forecast,
                Action.see_recordings,
                Action.play_recording,
                Action.see_holds,
                Action.manage_holds,
                Action.set_retention,
                Action.plan_outages,
                Action.see_coverage,
                Action.export_evidence,
            }
        ),
        Role.patrol: frozenset(_WATCH_THE_EXAM),
        Role.operator: frozenset(_WATCH_THE_EXAM),
        Role.sys_admin: frozenset(
            {
                Action.see_rooms,
                Action.see_cameras,
                Action.see_edges,
                Action.see_forecast,
                Action.manage_edges,
                Action.manage_site,
                Action.see_users,
                Action.manage_users,
            }
        ),
        Role.auditor: frozenset({Action.read_ledger, Action.see_holds, Action.see_coverage}),
    }
)
"""What each role may do. What does not stand here is refused."""


def may(roles: Iterable[Role], action: Action) -> bool:
    """True when one of the roles allows the action."""
    return any(action in ALLOWED[role] for role in roles)


def is_compatible(roles: Iterable[Role]) -> bool:
    """True when one person may hold these roles together: an administrator holds one alone."""
    held = frozenset(roles)
    return bool(held) and (len(held) == 1 or not held & ADMIN_ROLES)
