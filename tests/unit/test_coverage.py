"""What of a window is in the catalogue."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from contract.coverage import UNTOLD, Hole
from contract.spans import Span
from orchestrator.coverage import cover

START = datetime(2026, 11, 22, 8, tzinfo=UTC)
WINDOW = Span(START, START + timedelta(seconds=600))


def _span(begin: float, end: float) -> Span:
    return Span(START + timedelta(seconds=begin), START + timedelta(seconds=end))


def test_segments_without_a_hole_cover_the_window() -> None:
    found = cover("cam", WINDOW, [_span(-30, 200), _span(200, 601)], [])
    assert (found.planned_s, found.recorded_s, found.missing) == (600, 600, ())


def test_a_second_between_two_segments_is_no_gap() -> None:
    found = cover("cam", WINDOW, [_span(0, 299.5), _span(300.5, 600)], [])
    assert found.missing == ()
    assert found.recorded_s == 600


def test_a_hole_has_the_cause_that_was_told() -> None:
    told = [Hole(_span(100, 160), "lost")]
    found = cover("cam", WINDOW, [_span(0, 100), _span(160, 600)], told)
    assert found.missing == (Hole(_span(100, 160), "lost"),)
    assert found.recorded_s == 540


def test_what_nobody_told_of_is_missing_all_the_same() -> None:
    told = [Hole(_span(100, 130), "stalled")]
    found = cover("cam", WINDOW, [_span(0, 100), _span(160, 600)], told)
    assert found.missing == (
        Hole(_span(100, 130), "stalled"),
        Hole(_span(130, 160), UNTOLD),
    )


def test_a_gap_told_where_a_segment_lies_takes_nothing_away() -> None:
    found = cover("cam", WINDOW, [_span(0, 600)], [Hole(_span(10, 20), "lost")])
    assert found.missing == ()


def test_nothing_recorded_is_all_missing() -> None:
    found = cover("cam", WINDOW, [], [])
    assert (found.recorded_s, found.missing) == (0, (Hole(WINDOW, UNTOLD),))


def test_what_is_being_recorded_is_neither_there_nor_missing() -> None:
    told = [Hole(_span(100, 160), "lost")]
    found = cover("cam", WINDOW, [_span(0, 100), _span(160, 540)], told, is_recording=True)
    assert found.growing_since == _span(540, 600).start
    assert (found.planned_s, found.recorded_s) == (540, 480)
    assert found.missing == (Hole(_span(100, 160), "lost"),)


def test_a_camera_that_does_not_record_misses_its_last_minute() -> None:
    found = cover("cam", WINDOW, [_span(0, 540)], [])
    assert (found.growing_since, found.missing) == (None, (Hole(_span(540, 600), UNTOLD),))


def test_a_gap_with_a_cause_or_before_a_file_is_one_while_another_file_grows() -> None:
    lost = [Hole(_span(540, 600), "lost")]
    assert cover("cam", WINDOW, [_span(0, 540)], lost, is_recording=True).growing_since is None
    between = cover("cam", WINDOW, [_span(0, 100), _span(160, 600)], [], is_recording=True)
    assert (between.growing_since, len(between.missing)) == (None, 1)


def test_a_file_that_should_have_been_sealed_long_ago_is_missing() -> None:
    hours = Span(START, START + timedelta(hours=2))
    found = cover("cam", hours, [_span(0, 600)], [], is_recording=True)
    assert (found.growing_since, found.planned_s) == (None, 7200)


_spans = st.lists(
    st.tuples(st.integers(-60, 660), st.integers(2, 200)).map(lambda p: _span(p[0], p[0] + p[1])),
    max_size=8,
)


@given(_spans, _spans)
def test_recorded_and_missing_make_the_planned_seconds(
    recorded: list[Span], told: list[Span]
) -> None:
    found = cover("cam", WINDOW, recorded, [Hole(span, "lost") for span in told])
    lost = sum(part.us for part in found.missing)
    assert round((found.planned_s - found.recorded_s) * 1_000_000) == lost
    assert all(part.span.start >= WINDOW.start for part in found.missing)
    assert all(part.span.end <= WINDOW.end for part in found.missing)
