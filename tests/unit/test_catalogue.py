from hypothesis import given
from hypothesis import strategies as st

from orchestrator.marks import Hole, contiguous


@given(st.integers(0, 20), st.sets(st.integers(1, 40)))
def test_the_mark_stops_before_the_first_hole(up_to: int, stored: set[int]) -> None:
    mark = contiguous(up_to, stored)
    assert set(range(up_to + 1, mark + 1)) <= stored
    assert mark + 1 not in stored


@given(st.permutations(range(1, 8)))
def test_in_whatever_order_facts_come_the_mark_ends_at_the_last(order: list[int]) -> None:
    mark, stored = 0, set[int]()
    for seq in order:
        stored.add(seq)
        mark = contiguous(mark, stored)
    assert mark == 7


def test_a_hole_is_given_up_at_the_third_sighting() -> None:
    hole = Hole()
    assert [hole.see(500), hole.see(500), hole.see(500)] == [False, False, True]


def test_a_lower_number_begins_the_count_anew() -> None:
    hole = Hole()
    hole.see(510)
    hole.see(510)
    assert [hole.see(500), hole.see(510), hole.see(500), hole.see(500)] == [
        False,
        False,
        False,
        True,
    ]
