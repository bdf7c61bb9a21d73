"""What one timetable changes of another."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as some

from orchestrator.planning import Change, Course, Difference, Session, diff

NINE = datetime(2027, 1, 13, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _session(id: str, *courses: str, room: str = "R1", at: float = 0, hours: float = 2) -> Session:
    start = NINE + at * HOUR
    return Session(
        id=id,
        room=room,
        start=start,
        end=start + hours * HOUR,
        courses=tuple(Course(course, course) for course in courses or (id,)),
    )


def _new(session: Session, **changes: object) -> Session:
    """The same as a file says it, under an id of its own."""
    return replace(session, id=f"new-{session.id}", **changes)  # type: ignore[arg-type]  # fields


def _ids(sessions: Iterable[Session]) -> list[str]:
    return [session.id for session in sessions]


def test_the_same_sessions_in_another_order_change_nothing() -> None:
    current = [_session("a"), _session("b", room="R2"), _session("c", at=5)]
    found = diff(current, [_new(session) for session in reversed(current)])
    assert found == Difference((), (), (), (current[0], current[1], current[2]))


def test_the_order_of_names_is_no_change() -> None:
    session = replace(_session("a", "M1", "M2"), invigilators=("甲", "乙"))
    turned = _new(session, invigilators=("乙", "甲"), courses=session.courses[::-1])
    assert diff([session], [turned]).unchanged == (session,)


def test_what_is_new_is_added_and_what_is_gone_removed() -> None:
    gone, stays, comes = _session("a"), _session("b", at=5), _session("c", at=10)
    found = diff([gone, stays], [_new(stays), comes])
    assert (_ids(found.added), _ids(found.removed)) == (["c"], ["a"])
    assert found.unchanged == (stays,)


def test_other_invigilators_are_a_change_of_the_same_session() -> None:
    session = _session("a")
    found = diff([session], [_new(session, invigilators=("甲",))])
    assert found.changed == (Change(session, replace(session, invigilators=("甲",))),)


def test_a_longer_exam_is_a_change() -> None:
    session = _session("a")
    longer = session.end + HOUR
    assert diff([session], [_new(session, end=longer)]).changed == (
        Change(session, replace(session, end=longer)),
    )


def test_an_exam_that_moves_alone_keeps_its_session() -> None:
    session, other = _session("a", "M1"), _session("b", "M2", at=3)
    moved = _new(session, room="R2", start=NINE + 24 * HOUR, end=NINE + 26 * HOUR)
    found = diff([session, other], [moved, _new(other)])
    assert found.changed == (Change(session, replace(moved, id="a")),)
    assert (found.added, found.removed) == ((), ())


def test_one_exam_in_two_rooms_that_both_move_is_not_guessed() -> None:
    current = [_session("a", "M1"), _session("b", "M1", room="R2")]
    moved = [_session("x", "M1", at=24), _session("y", "M1", room="R2", at=24)]
    found = diff(current, moved)
    assert (_ids(found.added), _ids(found.removed)) == (["x", "y"], ["a", "b"])


def test_of_one_exam_in_two_rooms_the_one_that_moves_is_known() -> None:
    stays, moves = _session("a", "M1"), _session("b", "M1", room="R2")
    found = diff([stays, moves], [_new(stays), _session("x", "M1", room="R3")])
    assert [change.before.id for change in found.changed] == ["b"]
    assert found.unchanged == (stays,)


def test_the_teaching_class_tells_two_sittings_apart() -> None:
    def held(id: str, room: str, at: float, group: str) -> Session:
        return replace(_session(id, room=room, at=at), courses=(Course("M1", "高数", group),))

    current = [held("a", "R1", 0, "A班"), held("b", "R2", 0, "B班")]
    moved = [held("x", "R1", 24, "B班"), held("y", "R2", 24, "A班")]
    found = diff(current, moved)
    assert [(c.before.id, c.after.room) for c in found.changed] == [("a", "R2"), ("b", "R1")][::-1]


def test_two_sessions_that_change_places_are_two_changes() -> None:
    a, b = _session("a", "M1"), _session("b", "M2", room="R2")
    found = diff([a, b], [_new(a, room="R2"), _new(b, room="R1")])
    assert len(found.changed) == 2
    assert (found.added, found.removed) == ((), ())


def test_what_is_not_removable_is_neither_removed_nor_moved() -> None:
    own, foreign = _session("a", "M1"), _session("b", "M2", room="R2")
    found = diff([own, foreign], [_session("x", "M2", at=24)], removable={"a"})
    assert (_ids(found.added), _ids(found.removed)) == (["x"], ["a"])
    assert found.changed == ()


def test_what_is_not_removable_is_recognised_where_it_stands() -> None:
    foreign = _session("b", "M2")
    assert diff([foreign], [_new(foreign)], removable=()).unchanged == (foreign,)


def test_a_cancelled_session_does_not_count() -> None:
    session = replace(_session("a"), cancelled=True)
    assert _ids(diff([session], [_session("x", "a")]).added) == ["x"]


_PLANS = some.lists(
    some.builds(
        lambda number, course, room, at: _session(f"s{number}", course, room=room, at=at),
        some.integers(0, 99),
        some.sampled_from(["M1", "M2", "M3"]),
        some.sampled_from(["R1", "R2"]),
        some.integers(0, 6),
    ),
    max_size=8,
    unique_by=(lambda s: s.id, lambda s: (s.room, s.start)),
)


def _after(found: Difference) -> list[Session]:
    return [*found.added, *(change.after for change in found.changed), *found.unchanged]


def _said(sessions: Iterable[Session]) -> list[str]:
    return sorted(repr(replace(session, id="")) for session in sessions)


@given(_PLANS, _PLANS)
def test_applying_a_difference_leads_to_what_the_file_says(
    current: list[Session], wanted: list[Session]
) -> None:
    new = [_new(session) for session in wanted]
    assert _said(_after(diff(current, new))) == _said(new)


@given(_PLANS, _PLANS)
def test_applying_it_again_changes_nothing(current: list[Session], wanted: list[Session]) -> None:
    new = [_new(session) for session in wanted]
    again = diff(_after(diff(current, new)), new)
    assert (again.added, again.removed, again.changed) == ((), (), ())


@given(_PLANS, _PLANS)
def test_no_session_is_lost_or_told_twice(current: list[Session], wanted: list[Session]) -> None:
    found = diff(current, [_new(session) for session in wanted])
    before = [c.before for c in found.changed]
    assert sorted(_ids([*found.removed, *before, *found.unchanged])) == sorted(_ids(current))
    assert len(_after(found)) == len(wanted)


def test_another_category_is_a_change_and_none_takes_none_away() -> None:
    standing = replace(_session("a"), category="国家教育考试")
    (change,) = diff([standing], [_new(standing, category="其他")]).changed
    assert (change.after.id, change.after.category) == ("a", "其他")
    assert diff([standing], [_new(standing, category="")]).unchanged == (standing,)
    moved = _new(standing, category="", room="R2")
    (change,) = diff([standing], [moved]).changed
    assert (change.after.room, change.after.category) == ("R2", "国家教育考试")
