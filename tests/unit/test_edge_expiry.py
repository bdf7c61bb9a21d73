"""The rule of deletion, turned over from every side."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.retention import CLOCKS_AGREE, LIST_LIVES
from edge.clockrun import ClockRun, parse, run_of, sealed_in
from edge.expiry import MARGIN, CentreTime, Defer, Delete, Footing, Keep, Term, due, is_over
from tests.fakes.clock import ManualClock

END = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
NOW = END + MARGIN


def term(retain_until: datetime | None = END, volume: str = "v1") -> Term:
    return Term(
        id="s1",
        camera="c1",
        start=END - timedelta(days=30),
        end=END - timedelta(days=30),
        path="shelf/c1/x.mp4",
        root="aa",
        bytes=1,
        volume=volume,
        retain_until=retain_until,
    )


def footing(**changes: object) -> Footing:
    found = {
        "now": NOW,
        "is_trusted": True,
        "certain": NOW,
        "issued_at": NOW,
        "volume": "v1",
        **changes,
    }
    return Footing(**found)  # type: ignore[arg-type]  # kept short for the tests


def test_what_is_due_in_every_way_goes() -> None:
    assert due(term(), [], footing()) == Delete()


@pytest.mark.parametrize(
    ("piece", "held", "changes", "kind"),
    [
        (term(None), [], {}, Keep),
        (term(END + SECOND), [], {}, Keep),
        (term(), ["h1"], {}, Keep),
        (term(), [], {"is_trusted": False}, Keep),
        (term(), [], {"volume": None}, Defer),
        (term(volume="v2"), [], {}, Defer),
        (term(), [], {"issued_at": None}, Defer),
        (term(), [], {"certain": None}, Defer),
        (term(), [], {"issued_at": NOW - LIST_LIVES - SECOND}, Defer),
        (term(), [], {"now": NOW + CLOCKS_AGREE + SECOND}, Defer),
        (term(), [], {"certain": NOW - SECOND, "now": NOW}, Keep),
    ],
)
def test_each_condition_alone_stops_it(
    piece: Term, held: list[str], changes: dict[str, object], kind: type
) -> None:
    assert isinstance(due(piece, held, footing(**changes)), kind)


OFFSETS = st.integers(-200_000, 200_000).map(lambda s: NOW + timedelta(seconds=s))


@given(
    st.none() | OFFSETS,
    st.lists(st.just("h1"), max_size=1),
    OFFSETS,
    st.booleans(),
    st.none() | OFFSETS,
    st.none() | OFFSETS,
    st.sampled_from(["v1", "v2", None]),
)
def test_whatever_the_footing_nothing_goes_before_the_centres_time(
    until: datetime | None,
    held: list[str],
    now: datetime,
    trusted: bool,
    certain: datetime | None,
    issued: datetime | None,
    volume: str | None,
) -> None:
    found = footing(now=now, is_trusted=trusted, certain=certain, issued_at=issued, volume=volume)
    if due(term(until), held, found) == Delete():
        assert (trusted, held, volume) == (True, [], "v1")
        assert until is not None
        assert certain is not None
        assert issued is not None
        assert certain >= until + MARGIN
        assert certain - issued <= LIST_LIVES
        assert abs(now - certain) <= CLOCKS_AGREE


def test_past_its_term_nobody_sees_it_unless_it_is_held() -> None:
    assert is_over(term(), [], END)
    assert not is_over(term(), [], END - SECOND)
    assert not is_over(term(), ["h1"], NOW)


@given(
    st.lists(st.tuples(st.floats(0, 5000), st.floats(0, 4000)), min_size=1, max_size=12),
    st.floats(0, 9000),
)
def test_a_word_that_travelled_long_never_makes_it_later_than_it_is(
    words: list[tuple[float, float]], now: float
) -> None:
    centre = CentreTime()
    for issued, delay in sorted(words, key=sum):
        if issued + delay <= now:
            centre.hear(END + timedelta(seconds=issued), issued + delay)
    certain = centre.certain(now)
    assert certain is None or certain <= END + timedelta(seconds=now) + SECOND / 1000


def test_a_word_older_than_an_hour_is_worth_nothing() -> None:
    centre = CentreTime()
    centre.hear(END, 0.0)
    assert centre.certain(3600.0) == END + LIST_LIVES
    assert centre.certain(3601.0) is None
    assert centre.certain(-1.0) is None  # the machine began anew


def test_a_step_of_the_wall_clock_begins_another_run() -> None:
    clock = ManualClock()
    before = run_of(clock, "b1")
    clock.step(timedelta(seconds=4))
    assert run_of(clock, "b1").is_same(before)
    clock.step(timedelta(seconds=2))
    assert not run_of(clock, "b1").is_same(before)
    assert not before.is_same(ClockRun("b2", before.ahead_ms))
    assert parse(str(before)) == before
    assert parse("nonsense") is None


def test_a_segment_that_says_another_time_than_the_clock_is_of_no_run() -> None:
    clock = ManualClock()
    assert sealed_in(clock, "b1", clock.now() - timedelta(seconds=6)) == ""
    assert parse(sealed_in(clock, "b1", clock.now())) == run_of(clock, "b1")
