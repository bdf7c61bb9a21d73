"""Every role against every action."""

import pytest

from orchestrator.access import ADMIN_ROLES, ALLOWED, VIDEO_ROLES, Action, Role, is_compatible, may

# Rows are actions, columns roles; x allows.
TABLE = """
                   exam_office  patrol  operator  sys_admin  auditor
see_rooms               x         x        x          x         .
see_cameras             x         x        x          x         .
see_edges               x         x        x          x         .
see_sessions            x         x        x          .         .
see_alerts              x         x        x          .         .
handle_alerts           x         x        x          .         .
approve_reference       x         x        x          .         .
import_timetable        x         .        .          .         .
see_forecast            x         .        .          x         .
see_live                x         x        x          .         .
see_recordings          x         .        .          .         .
play_recording          x         .        .          .         .
see_coverage            x         .        .          .         x
export_evidence         x         .        .          .         .
watch_footage           x         x        x          .         .
manage_edges            .         .        .          x         .
manage_site             .         .        .          x         .
see_users               .         .        .          x         .
manage_users            .         .        .          x         .
read_ledger             .         .        .          .         x
see_holds               x         .        .          .         x
manage_holds            x         .        .          .         .
set_retention           x         .        .          .         .
plan_outages            x         .        .          .         .
"""
HEADER, *ROWS = [line.split() for line in TABLE.strip().splitlines()]
EXPECTED = {
    (Role(role), Action(action)): mark == "x"
    for action, *marks in ROWS
    for role, mark in zip(HEADER, marks, strict=True)
}


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("role", Role)
def test_a_role_may_what_the_table_says_and_nothing_else(role: Role, action: Action) -> None:
    assert may([role], action) is EXPECTED[role, action]


@pytest.mark.parametrize("action", Action)
def test_nobody_may_anything(action: Action) -> None:
    assert not may([], action)


def test_roles_add_up() -> None:
    both = [Role.patrol, Role.exam_office]
    assert may(both, Action.see_live)
    assert may(both, Action.import_timetable)
    assert not may(both, Action.manage_users)


def test_administrators_see_no_pictures() -> None:
    pictures = {
        Action.see_live,
        Action.see_recordings,
        Action.play_recording,
        Action.watch_footage,
    }
    assert all(not ALLOWED[role] & pictures for role in ADMIN_ROLES)
    assert {role for role in Role if ALLOWED[role] & pictures} == VIDEO_ROLES


@pytest.mark.parametrize("admin", sorted(ADMIN_ROLES))
@pytest.mark.parametrize("other", Role)
def test_an_administrator_holds_one_role_alone(admin: Role, other: Role) -> None:
    assert is_compatible([admin, other]) is (admin is other)


def test_supervisors_may_hold_several_roles_and_nobody_none() -> None:
    assert is_compatible(VIDEO_ROLES)
    assert not is_compatible([])
