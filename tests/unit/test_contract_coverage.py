"""Planned seconds to the microsecond: recorded, seams and gaps."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from contract.coverage import SEAM, UNTOLD, Hole, account, length_us, roots_digest
from contract.spans import Span, union

T0 = datetime(2026, 11, 22, 8, tzinfo=UTC)
LENGTH_US = 60_000_000
WINDOW = Span(T0, T0 + timedelta(microseconds=LENGTH_US))


def span(start_us: int, length: int) -> Span:
    start = T0 + timedelta(microseconds=start_us)
    return Span(start, start + timedelta(microseconds=length))


spans = st.builds(
    span,
    st.integers(-5_000_000, LENGTH_US + 5_000_000),
    st.one_of(st.integers(0, 40_000_000), st.sampled_from([1, 999_999, 1_000_000, 1_000_001])),
)
holes = st.builds(Hole, spans, st.sampled_from(["lost", "refused", "box_down"]))


@given(st.lists(spans, max_size=12), st.lists(holes, max_size=8))
def test_recorded_seams_and_gaps_are_what_was_planned_to_the_microsecond(
    recorded: list[Span], told: list[Hole]
) -> None:
    found = account(WINDOW, recorded, told)
    assert found.planned_us == LENGTH_US
    assert found.recorded_us + found.seams_us + found.missing_us == LENGTH_US


@given(st.lists(spans, max_size=12), st.lists(holes, max_size=8))
def test_gaps_are_longer_than_a_second_apart_and_where_nothing_is_recorded(
    recorded: list[Span], told: list[Hole]
) -> None:
    gaps = account(WINDOW, recorded, told).gaps
    assert all(gap.span.end - gap.span.start > SEAM for gap in gaps)
    assert all(a.span.end <= b.span.start for a, b in pairwise(gaps))
    for gap in gaps:
        for part in recorded:
            start, end = max(part.start, gap.span.start), min(part.end, gap.span.end)
            assert end <= start


@given(st.lists(spans, max_size=8), st.lists(holes, max_size=6), st.randoms())
def test_the_order_in_which_segments_come_changes_nothing(
    recorded: list[Span], told: list[Hole], random: object
) -> None:
    shuffled = [*recorded, *recorded]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert account(WINDOW, shuffled, told) == account(WINDOW, union(recorded), told)


def test_a_gap_without_a_word_is_not_told() -> None:
    (gap,) = account(WINDOW, [span(0, 10_000_000), span(11_000_001, LENGTH_US)], []).gaps
    assert (gap.cause, gap.us) == (UNTOLD, 1_000_001)


def test_a_hole_of_a_second_is_a_seam() -> None:
    found = account(WINDOW, [span(0, 10_000_000), span(11_000_000, LENGTH_US)], [])
    assert (found.gaps, found.seams_us) == ((), 1_000_000)


def test_a_gap_is_cut_where_its_cause_changes_and_the_first_word_holds() -> None:
    told = [Hole(span(0, 20_000_000), "box_down"), Hole(span(10_000_000, 50_000_000), "lost")]
    assert account(WINDOW, [], told).gaps == (
        Hole(span(0, 20_000_000), "box_down"),
        Hole(span(20_000_000, 40_000_000), "lost"),
    )


def test_a_sliver_between_causes_is_part_of_its_neighbour() -> None:
    told = [
        Hole(span(0, 20_000_000), "box_down"),
        Hole(span(20_300_000, LENGTH_US), "lost"),
    ]
    found = account(WINDOW, [], told).gaps
    assert [gap.cause for gap in found] == ["box_down", "lost"]
    assert sum(gap.us for gap in found) == LENGTH_US


def test_lengths_do_not_pass_through_floats() -> None:
    assert length_us(Span(T0, T0 + timedelta(days=10_000, microseconds=1))) % 10 == 1


def test_the_digest_of_roots_knows_a_set_and_every_change_of_it() -> None:
    one, two = ("s1", "aa"), ("s2", "bb")
    assert roots_digest([one, two]) == roots_digest([two, one])
    assert len({roots_digest(x) for x in ([], [one], [one, two], [one, ("s2", "bc")])}) == 4
