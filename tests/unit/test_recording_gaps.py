"""What is missing, and why: pure."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from contract.spans import Span, subtract
from edge.recording.coverage import Coverage, joined
from edge.recording.gaps import SETTLE, TOLERATED, Failure, Gap, absence, explain, missing

T0 = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def span(start: float, end: float) -> Span:
    return Span(at(start), at(end))


WINDOW = span(0, 600)


def test_a_gap_is_told_when_footage_follows() -> None:
    covered = [span(-1, 100), span(130, 200)]
    assert missing(WINDOW, covered, at(200)) == [span(100, 130)]


def test_a_gap_that_still_grows_is_not_told() -> None:
    assert missing(WINDOW, [span(-1, 100)], at(300)) == []


def test_a_gap_at_the_end_is_told_when_the_window_is_over() -> None:
    assert missing(WINDOW, [span(0, 500)], at(602)) == []
    assert missing(WINDOW, [span(0, 500)], at(603)) == [span(500, 600)]


def test_a_joint_of_a_second_is_no_gap() -> None:
    covered = [span(0, 100), span(101, 600)]
    assert missing(WINDOW, covered, at(700)) == []


def test_a_window_that_has_not_begun_misses_nothing() -> None:
    assert missing(WINDOW, [], at(-10)) == []
    assert missing(WINDOW, [], at(1)) == []


@given(
    st.lists(st.tuples(st.integers(-50, 650), st.integers(1, 200)), max_size=12),
    st.integers(-20, 700),
)
def test_what_was_told_never_changes_as_time_goes_on(
    covered: list[tuple[int, int]], now: int
) -> None:
    known = [span(start, start + length) for start, length in covered if start + length <= now - 3]
    for gap in missing(WINDOW, known, at(now)):
        assert gap in missing(WINDOW, known, at(10_000))


@given(st.lists(st.tuples(st.integers(-50, 650), st.integers(1, 200)), max_size=12))
def test_every_second_is_covered_or_a_gap_or_a_joint(covered: list[tuple[int, int]]) -> None:
    known = [span(start, start + length) for start, length in covered]
    told = missing(WINDOW, known, at(10_000))
    rest = subtract(WINDOW, [*known, *told])
    assert all(part.end - part.start <= TOLERATED for part in rest)


def test_a_box_that_was_down_in_the_window_is_the_cause() -> None:
    down = absence(WINDOW, at(100), at(130))
    assert explain(span(99.5, 131), [down], []) == [
        Gap(span(99.5, 131), "box_down", "the recorder did not run")
    ]


def test_a_box_that_started_after_the_windows_start_was_late() -> None:
    for last in (None, at(-3600)):
        (gap,) = explain(span(0, 31), [absence(WINDOW, last, at(30))], [])
        assert gap.cause == "started_late"


def test_a_camera_that_failed_before_and_after_the_box_was_down_keeps_its_part() -> None:
    failures = [Failure(at(50), "stalled", "a"), Failure(at(140), "refused", "b")]
    gaps = explain(span(50, 200), [absence(WINDOW, at(100), at(130))], failures)
    assert gaps == [
        Gap(span(50, 100), "stalled", "a"),
        Gap(span(100, 130), "box_down", "the recorder did not run"),
        Gap(span(130, 200), "refused", "b"),
    ]


def test_the_last_failure_within_a_gap_is_its_cause() -> None:
    failures = [
        Failure(at(10), "auth"),
        Failure(at(100), "lost"),
        Failure(at(110), "refused", "no"),
        Failure(at(300), "disk"),
    ]
    assert explain(span(101, 130), [], failures) == [Gap(span(101, 130), "refused", "no")]


def test_a_gap_within_a_session_is_a_stall() -> None:
    (gap,) = explain(span(100, 103), [], [Failure(at(10), "auth")])
    assert gap.cause == "stalled"


@given(
    st.integers(0, 500),
    st.integers(2, 100),
    st.lists(st.integers(-10, 600), max_size=5),
    st.integers(-100, 500),
    st.integers(1, 300),
)
def test_the_explained_parts_are_the_gap(
    start: int, length: int, failed: list[int], down: int, lasted: int
) -> None:
    whole = span(start, start + length)
    failures = [Failure(at(instant), "lost") for instant in failed]
    parts = explain(whole, [absence(WINDOW, at(down), at(down + lasted))], failures)
    assert parts[0].span.start == whole.start
    assert parts[-1].span.end == whole.end
    assert subtract(whole, [part.span for part in parts]) == []
    assert sum(part.span.seconds for part in parts) == whole.seconds


def us(seconds: float) -> int:
    return (at(seconds) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def test_fragments_join_and_a_pause_of_more_than_a_second_parts_them() -> None:
    coverage = Coverage([span(-10, 0)])
    for start in (0.5, 1.0, 1.9, 2.4, 6.0, 6.5):
        coverage.add(us(start), us(start + 0.5))
    assert coverage.spans() == [span(-10, 2.9), span(6, 7)]


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), max_size=3),
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), min_size=1, max_size=3),
    st.integers(0, 40),
    st.integers(1, 20),
)
def test_what_grows_reaches_no_farther_than_the_spans_say(
    known: list[tuple[int, int]], grown: list[tuple[int, int]], start: int, seconds: int
) -> None:
    coverage = Coverage([span(begin, begin + length) for begin, length in known])
    for begin, length in grown:
        coverage.add(us(begin), us(begin + length))
    if coverage.reaches(at(start), at(start + seconds)):
        assert missing(span(start, start + seconds), coverage.spans(), at(1000)) == []


def test_what_grows_reaches_back_over_the_file_before_it() -> None:
    coverage = Coverage([span(0, 10)])
    assert not coverage.reaches(at(0), at(10))
    coverage.add(us(10.5), us(11))
    assert coverage.reaches(at(0), at(11))
    assert not coverage.reaches(at(0), at(11.5))
    assert not coverage.reaches(at(-1), at(11))


def test_coverage_after_a_step_back_of_the_clock_is_not_less() -> None:
    coverage = Coverage()
    coverage.add(us(100), us(101))
    coverage.add(us(50), us(51))
    assert coverage.spans() == [span(50, 51), span(100, 101)]


def test_what_is_over_is_forgotten() -> None:
    coverage = Coverage([span(0, 10), span(20, 30)])
    coverage.forget_before(at(15))
    assert coverage.spans() == [span(20, 30)]


def test_spans_join_over_a_second() -> None:
    assert joined([span(0, 1), span(2, 3), span(4.1, 5)]) == [span(0, 3), span(4.1, 5)]


def test_what_is_being_written_has_time_to_settle() -> None:
    assert timedelta(seconds=2) <= SETTLE <= timedelta(seconds=5)
