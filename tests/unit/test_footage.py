"""Which bytes a span lets out, and what bytes show."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from contract.spans import Span
from orchestrator.footage import (
    Bytes,
    few,
    is_permitted,
    key_pictures_in,
    permitted,
    shown_by,
    span_words,
)
from tests.fakes.indexed import FRAGMENT, INIT, indexed

START = datetime(2026, 11, 22, 1, tzinfo=UTC)
INDEX = indexed(START)


def span(first: float, last: float) -> Span:
    return Span(START + timedelta(seconds=first), START + timedelta(seconds=last))


def fragments(first: int, last: int) -> Bytes:
    return Bytes(INIT + first * FRAGMENT, INIT + last * FRAGMENT)


def test_a_span_lets_its_fragments_out_and_what_leads_in() -> None:
    assert permitted(INDEX, span(0, 60)) == fragments(0, 120)
    assert permitted(INDEX, span(10, 20)) == fragments(20, 40)
    assert permitted(INDEX, span(11.2, 20)) == fragments(20, 40), "from the key picture at 10 s"
    assert permitted(INDEX, span(-9, 1)) == fragments(0, 2)
    assert permitted(INDEX, span(60, 70)) is None


def test_only_the_head_and_the_span_go_out() -> None:
    inside = span(10, 20)
    assert is_permitted(INDEX, Bytes(0, INIT), inside)
    assert is_permitted(INDEX, fragments(20, 40), inside)
    assert not is_permitted(INDEX, fragments(19, 40), inside)
    assert not is_permitted(INDEX, fragments(20, 41), inside)
    assert not is_permitted(INDEX, Bytes(0, INIT + 1), inside)
    assert not is_permitted(INDEX, Bytes(0, INDEX.bytes), inside)
    assert is_permitted(INDEX, Bytes(0, INDEX.bytes), span(-5, 65))


@given(
    st.floats(-5, 65), st.floats(0.5, 70), st.integers(0, INDEX.bytes - 1), st.integers(1, 40_000)
)
def test_no_permitted_byte_shows_what_lies_a_group_of_pictures_outside(
    first: float, length: float, at: int, size: int
) -> None:
    allowed = span(first, first + length)
    part = Bytes(at, min(INDEX.bytes, at + size))
    shown = shown_by(INDEX, part)
    if is_permitted(INDEX, part, allowed) and shown is not None:
        assert shown.start > allowed.start - timedelta(seconds=2.5)
        assert shown.end < allowed.end + timedelta(seconds=0.5)


def test_bytes_show_the_time_of_every_fragment_they_touch() -> None:
    assert shown_by(INDEX, Bytes(0, INIT)) is None
    assert shown_by(INDEX, fragments(2, 4)) == span(1, 2)
    assert shown_by(INDEX, Bytes(INIT + 999, INIT + 1001)) == span(0, 1)


def test_a_single_key_picture_shows_a_moment_and_not_nothing() -> None:
    assert key_pictures_in(INDEX, span(11.2, 11.2)) == span(10, 11.2)
    assert key_pictures_in(INDEX, span(10, 10)) == span(10, 10.04)
    assert key_pictures_in(INDEX, span(10, 30)) == span(10, 30)


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 50)), max_size=60))
def test_few_spans_tell_at_least_as_much(parts: list[tuple[int, int]]) -> None:
    spans = [span(start, start + length) for start, length in parts]
    told = few(spans, 5)
    assert len(told) <= 5
    assert all(any(t.start <= s.start and s.end <= t.end for t in told) for s in spans)


def test_spans_are_written_to_the_millisecond() -> None:
    assert span_words([span(0.25, 1)]) == "2026-11-22T01:00:00.250Z/2026-11-22T01:00:01.000Z"
