import itertools
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from contract.spans import Span, subtract, union
from tests.fakes.clock import ManualClock

NOW = ManualClock().now()


def span(start: int, end: int) -> Span:
    return Span(NOW + timedelta(seconds=start), NOW + timedelta(seconds=end))


spans = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 20)).map(lambda at: span(at[0], at[0] + at[1])),
    max_size=8,
)
instants = st.integers(-5, 90).map(lambda second: NOW + timedelta(seconds=second))


@given(spans, instants)
def test_a_union_holds_exactly_the_instants_of_its_parts(parts: list[Span], at: datetime) -> None:
    assert any(at in part for part in union(parts)) == any(at in part for part in parts)


@given(spans)
def test_a_unions_spans_are_apart_and_in_order(parts: list[Span]) -> None:
    merged = union(parts)
    assert all(one.end < two.start for one, two in itertools.pairwise(merged))
    assert union(merged) == merged


@given(spans, instants)
def test_a_difference_holds_exactly_what_is_left(parts: list[Span], at: datetime) -> None:
    whole = span(10, 50)
    left = any(at in part for part in subtract(whole, parts))
    assert left == (at in whole and not any(at in part for part in parts))


def test_a_span_has_its_start_and_not_its_end() -> None:
    assert NOW in span(0, 5)
    assert NOW + timedelta(seconds=5) not in span(0, 5)
    assert span(0, 5).seconds == 5
