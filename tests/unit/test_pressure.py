"""The ladder of a filling disk."""

from hypothesis import given
from hypothesis import strategies as st

from contract.messages import Pressure
from edge.recording.pressure import STEPS, is_spilling, marks, may_record, step, with_second

GB = 1_000_000_000
AT = marks(1000 * GB, 8 * GB)

free = st.integers(0, 20 * GB)
steps = st.sampled_from(STEPS)


def test_things_are_given_up_one_after_the_other_and_the_main_stream_last() -> None:
    walked: list[Pressure] = []
    now: Pressure = "none"
    for free_bytes in (9 * GB, 7 * GB, 3 * GB, GB, 30_000_000):
        now = step(now, free_bytes, AT)
        walked.append(now)
    assert walked == list(STEPS)
    assert [may_record("main", one) for one in walked] == [True, True, True, True, False]
    assert [may_record("sub", one) for one in walked] == [True, True, False, False, False]
    assert [is_spilling(one) for one in walked] == [False, False, False, True, True]


def test_a_small_volume_keeps_only_the_journals_reserve() -> None:
    small = marks(12_000_000, 1)
    assert small.low == small.newest == 240_000
    assert step("none", 240_000, small) == "none"
    assert step("none", 239_999, small) == "newest"


def test_a_step_is_left_only_when_there_is_clearly_room_again() -> None:
    assert step("low", 8 * GB, AT) == "low"
    assert step("low", 10 * GB, AT) == "none"
    assert step("newest", 20 * GB, AT) == "none"


@given(steps, st.none() | steps)
def test_the_newest_is_lost_only_where_no_volume_takes_it(
    first: Pressure, second: Pressure | None
) -> None:
    together = with_second(first, second)
    assert (together == "newest") == (first == "newest" and second in (None, "newest"))
    if first != "newest":
        assert together == first


@given(steps, free, free)
def test_more_room_never_means_more_pressure(before: Pressure, one: int, other: int) -> None:
    less, more = sorted((one, other))
    assert STEPS.index(step(before, more, AT)) <= STEPS.index(step(before, less, AT))


@given(steps, free)
def test_a_step_is_stood_on_until_something_changes(before: Pressure, now: int) -> None:
    stood = step(before, now, AT)
    assert step(stood, now, AT) == stood


@given(steps, free, st.integers(0, GB // 20))
def test_a_little_back_and_forth_changes_nothing(before: Pressure, now: int, little: int) -> None:
    stood = step(before, now, AT)
    down = step(stood, max(0, now - little), AT)
    if STEPS.index(down) < STEPS.index("spill"):
        assert step(down, now, AT) == down


@given(steps, free)
def test_the_newest_is_lost_only_where_the_journal_needs_the_room(
    before: Pressure, now: int
) -> None:
    if now < AT.newest:
        assert step(before, now, AT) == "newest"
    if now >= 1.25 * AT.newest:
        assert step(before, now, AT) != "newest"
