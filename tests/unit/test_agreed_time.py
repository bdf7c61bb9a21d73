"""What time it is, by our clock and the boxes'."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from contract.retention import CLOCKS_AGREE
from orchestrator.agreedtime import FRESH, Heard, agreed_time

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
seconds = st.integers(0, 44).map(lambda count: count * SECOND)
offsets = st.timedeltas(-timedelta(days=400), timedelta(days=400))


def beat(ago: timedelta = timedelta(), box_is_off: timedelta = timedelta()) -> Heard:
    return Heard(at=NOW - ago + box_is_off, heard_at=NOW - ago)


def test_no_time_is_agreed_without_a_box() -> None:
    assert agreed_time(NOW, []) is None
    assert agreed_time(NOW, [beat(FRESH + SECOND)]) is None


def test_one_box_is_enough_and_its_own_word_is_what_counts() -> None:
    assert agreed_time(NOW, [beat(10 * SECOND, -2 * SECOND)]) == NOW - 12 * SECOND


def test_one_box_that_contradicts_is_enough() -> None:
    wrong = timedelta(days=31)
    assert agreed_time(NOW, [beat(), beat(SECOND, -wrong)]) is None
    assert agreed_time(NOW, [beat(), beat(SECOND, wrong)]) is None
    assert agreed_time(NOW, [beat(), beat(2 * FRESH, -wrong)]) == NOW


@given(st.lists(seconds, min_size=1, max_size=5), offsets)
def test_a_clock_of_ours_that_is_wrong_makes_nothing_old(
    ages: Sequence[timedelta], wrong: timedelta
) -> None:
    ours = NOW + wrong
    heard = [Heard(at=NOW - ago, heard_at=ours - ago) for ago in ages]
    found = agreed_time(ours, heard)
    assert (found is None) == (abs(wrong) > CLOCKS_AGREE)
    assert found is None or found <= NOW


@given(st.lists(seconds, min_size=1, max_size=5), offsets)
def test_a_clock_of_ours_that_jumps_after_the_heartbeats_makes_nothing_old(
    ages: Sequence[timedelta], jump: timedelta
) -> None:
    found = agreed_time(NOW + jump, [beat(ago) for ago in ages])
    assert found is None or found <= NOW
