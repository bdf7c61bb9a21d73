"""Who may do what: roles, actions and the one table between them. Deny by default."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What a person is here for."""

    EXAM_OFFICE = "exam_office"
    PATROL = "patrol"
    OPERATOR = "operator"
    SYS_ADMIN = "sys_admin"
    AUDITOR = "auditor"


class Action(StrEnum):
    """What can be done, as the ledger names it."""

    SEE_ROOMS = "see_rooms"
    SEE_CAMERAS = "see_cameras"
    SEE_EDGES = "see_edges"
    SEE_SESSIONS = "see_sessions"
    SEE_ALERTS = "see_alerts"
    HANDLE_ALERTS = "handle_alerts"
    IMPORT_TIMETABLE = "import_timetable"
    SEE_LIVE = "see_live"
    SEE_RECORDINGS = "see_recordings"
    PLAY_RECORDING = "play_recording"
    MANAGE_EDGES = "manage_edges"
    MANAGE_SITE = "manage_site"
    SEE_USERS = "see_users"
    MANAGE_USERS = "manage_users"
    READ_LEDGER = "read_ledger"


VIDEO_ROLES = frozenset({Role.EXAM_OFFICE, Role.PATROL, Role.OPERATOR})
"""Roles that see pictures."""
ADMIN_ROLES = frozenset({Role.SYS_ADMIN, Role.AUDITOR})
"""Roles that keep the system or watch over it; each stands alone and sees no pictures."""

_SEE_THE_EXAM = {
    Action.SEE_ROOMS,
    Action.SEE_CAMERAS,
    Action.SEE_EDGES,
    Action.SEE_SESSIONS,
    Action.SEE_ALERTS,
    Action.SEE_LIVE,
}

ALLOWED: Mapping[Role, frozenset[Action]] = MappingProxyType(
    {
        Role.EXAM_OFFICE: frozenset(
            {
                *_SEE_THE_EXAM,
                Action.IMPORT_TIMETABLE,
                Action.SEE_RECORDINGS,
                Action.PLAY_RECORDING,
            }
        ),
        Role.PATROL: frozenset(_SEE_THE_EXAM),
        Role.OPERATOR: frozenset({*_SEE_THE_EXAM, Action.HANDLE_ALERTS}),
        Role.SYS_ADMIN: frozenset(
            {
                Action.SEE_ROOMS,
                Action.SEE_CAMERAS,
                Action.SEE_EDGES,
                Action.MANAGE_EDGES,
                Action.MANAGE_SITE,
                Action.SEE_USERS,
                Action.MANAGE_USERS,
            }
        ),
        Role.AUDITOR: frozenset({Action.READ_LEDGER}),
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
