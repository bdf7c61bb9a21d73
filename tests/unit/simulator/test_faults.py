"""When faults begin, end and replace one another."""

import pytest

from edge.simulator.control import FaultOrder, planned
from edge.simulator.faults import Disturbance, Fault, FaultBook, FaultKind


def fault(kind: FaultKind, begins: float, ends: float | None, extent: float = 1.0) -> Fault:
    return Fault(kind, extent, begins, ends)


def test_a_fault_is_on_from_its_beginning_up_to_its_end() -> None:
    book = FaultBook()
    book.add(fault(FaultKind.STALL, 10, 20))
    on = [book.find(FaultKind.STALL, at) is not None for at in (9.9, 10, 19.9, 20)]
    assert on == [False, True, True, False]


def test_a_fault_without_end_stays_until_all_are_ended() -> None:
    book = FaultBook()
    book.add(fault(FaultKind.COVER, 10, None))
    assert book.active(1e12)
    assert [old.kind for old in book.clear()] == [FaultKind.COVER]
    assert not book.active(1e12)


def test_of_two_scenes_the_later_one_counts_and_the_other_comes_back() -> None:
    book = FaultBook()
    book.add(fault(FaultKind.COVER, 0, None))
    book.add(fault(FaultKind.DARK, 0, 5))
    shown = [book.scene(at) for at in (4, 6)]
    assert [one.kind if one else None for one in shown] == [FaultKind.DARK, FaultKind.COVER]


def test_the_same_kind_again_replaces_the_first() -> None:
    book = FaultBook()
    book.add(fault(FaultKind.COVER, 0, None, 0.2))
    book.add(fault(FaultKind.COVER, 0, None, 0.9))
    assert [one.extent for one in book.active(1)] == [0.9]


def test_faults_of_different_kinds_come_together() -> None:
    book = FaultBook()
    book.add(fault(FaultKind.CLOCK_JUMP, 0, None, 30))
    book.add(fault(FaultKind.COVER, 0, None))
    assert {one.kind for one in book.active(1)} == {FaultKind.CLOCK_JUMP, FaultKind.COVER}


def test_ending_the_faults_leaves_what_is_none() -> None:
    book = FaultBook()
    book.add(fault(FaultKind.COVER, 0, None))
    book.add(Fault(Disturbance.LIGHTS, 1.0, 0, None))
    assert [old.kind for old in book.clear()] == [FaultKind.COVER]
    shown = book.scene(1)
    assert shown
    assert shown.kind is Disturbance.LIGHTS
    assert [old.kind for old in book.clear(Disturbance)] == [Disturbance.LIGHTS]
    assert book.scene(1) is None


@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.REBOOT])
def test_a_camera_that_is_cut_or_rebooting_is_not_reachable(kind: FaultKind) -> None:
    book = FaultBook()
    book.add(fault(kind, 10, 20))
    assert [book.is_reachable(at) for at in (9, 15, 21)] == [True, False, True]


def test_what_is_over_is_forgotten_and_what_is_to_come_is_not_active() -> None:
    book = FaultBook()
    book.add(fault(FaultKind.STALL, 0, 5))
    book.add(fault(FaultKind.COVER, 50, None))
    assert book.active(10) == ()
    assert fault(FaultKind.STALL, 0, 5) not in book
    assert fault(FaultKind.COVER, 50, None) in book


def test_pictures_change_where_a_second_begins() -> None:
    due = planned(FaultOrder(FaultKind.COVER, 3.5, 0.4), 0.4, 100.2)
    assert (due.begins, due.ends, due.extent) == (101.0, 104.5, 0.4)


def test_a_cut_comes_at_once() -> None:
    assert planned(FaultOrder(FaultKind.CUT), 1.0, 100.2).begins == 100.2


def test_a_reboot_ends_by_itself_and_other_faults_do_not() -> None:
    assert planned(FaultOrder(FaultKind.REBOOT), 1.0, 100.0).ends == 120.0
    assert planned(FaultOrder(FaultKind.STALL), 1.0, 100.0).ends is None


def test_an_extent_beyond_the_whole_is_refused_but_a_clock_may_jump_anywhere() -> None:
    with pytest.raises(ValueError, match="extent"):
        FaultOrder(FaultKind.COVER, None, 1.5)
    assert FaultOrder(FaultKind.CLOCK_JUMP, None, -86_400).extent == -86_400
