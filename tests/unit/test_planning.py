"""From sessions to orders: every camera, every second, nothing twice."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from contract.spans import Span
from orchestrator.planning import (
    Course,
    Session,
    State,
    orders,
    session_state,
    windows,
)

IN, OUT = timedelta(minutes=30), timedelta(minutes=15)
NINE = datetime(2027, 1, 13, 9, tzinfo=UTC)
CAMERAS = {"R1": ["cam-1", "cam-2"], "R2": ["cam-3"], "R3": []}


def _session(id: str, room: str = "R1", start: datetime = NINE, minutes: int = 120) -> Session:
    end = start + timedelta(minutes=minutes)
    return Session(id=id, room=room, start=start, end=end, courses=(Course(id, id),))


def _sessions() -> some.SearchStrategy[list[Session]]:
    one = some.builds(
        lambda number, room, start, minutes: _session(
            f"s{number}", room, NINE + timedelta(minutes=start), minutes
        ),
        some.integers(0, 999),
        some.sampled_from(["R1", "R2", "R3"]),
        some.integers(-5000, 5000),
        some.integers(1, 400),
    )
    return some.lists(one, max_size=12, unique_by=lambda session: session.id)


def test_every_camera_of_the_room_gets_an_order_with_lead_in_and_lead_out() -> None:
    planned = orders([_session("s1")], CAMERAS, IN, OUT)
    assert [(order.id, order.camera) for order in planned] == [
        ("s1.cam-1", "cam-1"),
        ("s1.cam-2", "cam-2"),
    ]
    assert {(order.start, order.end) for order in planned} == {
        (NINE - IN, NINE + timedelta(hours=2) + OUT)
    }


def test_a_cancelled_session_has_no_orders() -> None:
    session = Session(id="s", room="R1", start=NINE, end=NINE + IN, cancelled=True)
    assert orders([session], CAMERAS, IN, OUT) == ()


def test_sessions_back_to_back_share_one_window() -> None:
    first = _session("s1", "R2")
    second = _session("s2", "R2", first.end + IN + OUT)
    planned = orders([second, first], CAMERAS, IN, OUT)
    assert windows(planned) == {"cam-3": [Span(first.start - IN, second.end + OUT)]}


def test_sessions_apart_keep_windows_apart() -> None:
    first = _session("s1", "R2")
    second = _session("s2", "R2", first.end + IN + OUT + timedelta(seconds=1))
    assert len(windows(orders([first, second], CAMERAS, IN, OUT))["cam-3"]) == 2


@given(_sessions())
def test_there_is_exactly_one_order_per_session_and_camera(sessions: list[Session]) -> None:
    planned = orders(sessions, CAMERAS, IN, OUT)
    wanted = Counter((s.id, camera) for s in sessions for camera in CAMERAS[s.room])
    assert Counter((order.session, order.camera) for order in planned) == wanted
    assert len({order.id for order in planned}) == len(planned)


@given(_sessions())
def test_planning_twice_changes_nothing(sessions: list[Session]) -> None:
    again = orders([*reversed(sessions)], CAMERAS, IN, OUT)
    assert orders(sessions, CAMERAS, IN, OUT) == again


@given(_sessions())
def test_no_camera_is_in_two_places(sessions: list[Session]) -> None:
    room_of = {session.id: session.room for session in sessions}
    rooms: dict[str, set[str]] = {}
    for order in orders(sessions, CAMERAS, IN, OUT):
        rooms.setdefault(order.camera, set()).add(room_of[order.session])
    assert all(len(places) == 1 for places in rooms.values())


@given(_sessions())
def test_the_windows_cover_every_session_and_nothing_else(sessions: list[Session]) -> None:
    by_camera = windows(orders(sessions, CAMERAS, IN, OUT))
    for session in sessions:
        wanted = session.window(IN, OUT)
        for camera in CAMERAS[session.room]:
            covering = [w for w in by_camera[camera] if w.start <= wanted.start < w.end]
            assert [wanted.end <= window.end for window in covering] == [True]
    edges = {edge for s in sessions for edge in (s.start - IN, s.end + OUT)}
    assert all(w.start in edges and w.end in edges for spans in by_camera.values() for w in spans)


@given(_sessions(), some.integers(-300, 300).filter(bool))
def test_a_changed_session_changes_only_its_own_orders(
    sessions: list[Session], minutes: int
) -> None:
    for session in sessions[:1]:
        moved = _session(session.id, session.room, session.start + timedelta(minutes=minutes))
        before = orders(sessions, CAMERAS, IN, OUT)
        after = orders([moved, *sessions[1:]], CAMERAS, IN, OUT)
        assert {order.session for order in set(before) ^ set(after)} <= {session.id}


@pytest.mark.parametrize(
    ("minutes", "state"),
    [
        (-31, "PLANNED"),
        (-30, "ARMED"),
        (-1, "ARMED"),
        (0, "RUNNING"),
        (119, "RUNNING"),
        (120, "ENDING"),
        (134, "ENDING"),
        (135, "ENDED"),
    ],
)
def test_the_clock_makes_the_state(minutes: int, state: State) -> None:
    now = NINE + timedelta(minutes=minutes)
    assert session_state(_session("s"), now, IN, OUT) == state


def test_a_cancelled_session_is_cancelled_at_any_time() -> None:
    session = Session(id="s", room="R1", start=NINE, end=NINE + IN, cancelled=True)
    assert session_state(session, NINE, IN, OUT) == "CANCELLED"
