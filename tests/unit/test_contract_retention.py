"""How long footage is kept: the rule that centre and box share."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.messages import HoldList, Order
from contract.retention import FLOOR_DAYS, TooShort, Window, kept_from, period, raised, retain_until
from contract.spans import Span

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
DAYS_30 = timedelta(days=30)
MINUTES = st.integers(-10_000, 10_000).map(lambda m: NOW + timedelta(minutes=m))
SPANS = st.tuples(MINUTES, st.integers(0, 300)).map(
    lambda two: Span(two[0], two[0] + timedelta(minutes=two[1]))
)
WINDOWS = st.lists(
    st.tuples(SPANS, st.sampled_from([30, 60, 180])).map(
        lambda two: Window(two[0].start, two[0].end, two[1])
    ),
    max_size=6,
)


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def test_a_segment_is_kept_thirty_days_from_the_latest_end_of_the_windows_it_touches() -> None:
    windows = [Window(at(-60), at(30)), Window(at(0), at(90)), Window(at(2), at(500))]
    assert retain_until(Span(at(0), at(1)), windows) == at(90) + DAYS_30


def test_footage_outside_windows_is_kept_thirty_days_from_its_own_end() -> None:
    assert retain_until(Span(at(0), at(1)), [Window(at(1), at(90))]) == at(1) + DAYS_30


def test_each_window_asks_for_its_own_class() -> None:
    windows = [Window(at(-60), at(30), 90), Window(at(0), at(90))]
    assert retain_until(Span(at(0), at(1)), windows) == at(30) + timedelta(days=90)


@pytest.mark.parametrize("days", [-1, 0, 1, 29])
def test_a_class_of_less_than_thirty_days_is_refused(days: int) -> None:
    with pytest.raises(TooShort):
        period(days)
    order = Order(id="o", camera="c", session="s", start=NOW, end=at(1))
    wire = msgspec.json.encode(msgspec.structs.replace(order, retain_days=days))
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(wire, type=Order)


def test_an_order_of_an_older_centre_asks_for_thirty_days() -> None:
    order = Order(id="o", camera="c", session="s", start=NOW, end=at(1))
    wire = msgspec.json.decode(msgspec.json.encode(order))
    del wire["retain_days"]
    assert msgspec.convert(wire, type=Order, strict=False).retain_days == FLOOR_DAYS


@given(SPANS, WINDOWS, WINDOWS)
def test_more_windows_never_shorten_a_term(
    span: Span, windows: list[Window], more: list[Window]
) -> None:
    touching = [one for one in windows if retain_until(span, [one]) != retain_until(span, [])]
    if touching:
        assert retain_until(span, windows + more) >= retain_until(span, windows)


@given(SPANS, WINDOWS, st.integers(0, 10_000))
def test_what_counts_from_a_later_confirmation_is_never_kept_shorter(
    span: Span, windows: list[Window], later: int
) -> None:
    confirmed = max(span.end, span.start + timedelta(minutes=1)) + timedelta(minutes=later)
    assert kept_from(confirmed, windows) >= retain_until(span, windows)


@given(st.none() | MINUTES, MINUTES)
def test_a_term_never_falls(before: datetime | None, wanted: datetime) -> None:
    assert raised(before, wanted) >= wanted
    assert before is None or raised(before, wanted) >= before


def test_a_list_of_no_holds_is_still_a_list() -> None:
    wire = msgspec.json.encode(HoldList(edge="box-1", epoch=1, number=1, issued_at=NOW))
    assert msgspec.json.decode(wire, type=HoldList).holds == ()
