"""Lists in parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.call import decode_query
from web.paging import page
from web.problems import Problem
from web.shapes import Page, Paging, SessionsQuery


def _walk(names: list[str], limit: int) -> list[str]:
    seen: list[str] = []
    after = ""
    while True:
        part: Page[str] = page(names, Paging(limit=limit, after=after), key=str)
        seen += part.items
        if part.next is None:
            return seen
        after = part.next


@given(st.sets(st.text("abc123", min_size=1)), st.integers(1, 5))
def test_walking_the_parts_shows_everything_once_and_in_order(names: set[str], limit: int) -> None:
    assert _walk(list(names), limit) == sorted(names)


def test_a_cursor_holds_when_its_item_is_gone() -> None:
    part: Page[str] = page(["a", "c"], Paging(after="b"), key=str)
    assert part.items == ("c",)


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "many"])
def test_a_limit_out_of_bounds_is_refused(limit: str) -> None:
    with pytest.raises(Problem) as refused:
        decode_query({"limit": limit}, Paging)
    assert refused.value.code == "bad_request"


def test_an_unknown_name_in_a_query_is_refused() -> None:
    with pytest.raises(Problem):
        decode_query({"limt": "5"}, Paging)


def test_a_naive_instant_is_refused_and_an_aware_one_taken() -> None:
    with pytest.raises(Problem):
        decode_query({"from": "2026-11-22T08:00:00"}, SessionsQuery)
    asked = decode_query({"from": "2026-11-22T08:00:00+08:00"}, SessionsQuery)
    assert asked.start is not None
    assert asked.start.utcoffset() is not None
