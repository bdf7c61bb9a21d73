"""RTP time to wall clock."""

from hypothesis import given
from hypothesis import strategies as st

from edge.rtsp.timeline import Timeline, ntp_to_us, us_of_90k

NOW_US = 1_800_000_000_000_000
SECOND = 1_000_000


def ntp(us: int) -> int:
    return -(-us * 2**32 // SECOND) + (2_208_988_800 << 32)


@given(st.integers(0, 2**52))
def test_ntp_time_reads_back(us: int) -> None:
    assert ntp_to_us(ntp(us)) == us


@given(st.lists(st.integers(-80_000, 400_000), max_size=50), st.integers(0, 2**32 - 1))
def test_unwrapping_keeps_distances(steps: list[int], first: int) -> None:
    line, value = Timeline(1), first
    start = line.unwrap(first)
    for step in steps:
        value += step
        assert line.unwrap(value % 2**32) - start == value - first
    assert line.run == 1


def test_the_quickest_arrival_counts() -> None:
    line = Timeline(1)
    for second, late in enumerate((0.4, 0.1, 0.3)):
        line.arrived(line.unwrap(second * 90_000), NOW_US + round((second + late) * SECOND))
    at = line.unwrap(3 * 90_000)
    assert abs(line.captured_us(1, at) - (NOW_US + 3 * SECOND + 100_000)) < 1_000


def test_a_camera_that_runs_slow_is_followed() -> None:
    line = Timeline(1)
    for second in range(3600):  # 50 ppm slow: 0.18 s in an hour
        line.arrived(line.unwrap(second * 90_000), NOW_US + round(second * 1.00005 * SECOND))
    at = line.unwrap(3600 * 90_000)
    assert abs(line.captured_us(1, at) - NOW_US - round(3600 * 1.00005 * SECOND)) < 1_000


def test_a_sane_report_counts_before_arrival() -> None:
    line = Timeline(1)
    stamp = line.unwrap(0)
    line.arrived(stamp, NOW_US + 400_000)
    line.report(ntp(NOW_US), 0, NOW_US + 400_000)
    assert abs(line.captured_us(1, stamp) - NOW_US) <= 1


def test_a_camera_whose_clock_is_wrong_is_timed_by_arrival() -> None:
    line = Timeline(1)
    stamp = line.unwrap(0)
    line.arrived(stamp, NOW_US)
    line.report(ntp(NOW_US - 3600 * SECOND), 0, NOW_US)
    assert line.captured_us(1, stamp) == NOW_US
    assert line.run == 1


def test_a_picture_is_not_captured_after_it_came() -> None:
    line = Timeline(1)
    stamp = line.unwrap(0)
    line.arrived(stamp, NOW_US)
    line.report(ntp(NOW_US + 2 * SECOND), 0, NOW_US)
    assert line.captured_us(1, stamp) == NOW_US


def test_a_step_of_the_cameras_clock_begins_a_new_run() -> None:
    line = Timeline(1)
    stamp = line.unwrap(0)
    line.arrived(stamp, NOW_US)
    line.report(ntp(NOW_US), 0, NOW_US)
    line.report(ntp(NOW_US + 7 * SECOND), 5 * 90_000, NOW_US + 5 * SECOND)
    assert line.run == 2


def test_a_jump_of_the_time_stamps_begins_a_new_run_and_the_old_keeps_its_time() -> None:
    line = Timeline(1)
    before = line.unwrap(1000)
    line.arrived(before, NOW_US)
    after = line.unwrap(1000 + 100 * 90_000)
    assert line.run == 2
    line.arrived(after, NOW_US + 40_000)
    assert line.captured_us(1, before) == NOW_US
    assert line.captured_us(2, after) == NOW_US + 40_000


def test_a_report_before_the_first_picture_times_a_burst_from_the_past() -> None:
    line = Timeline(1)
    line.report(ntp(NOW_US), 0, NOW_US + 2 * SECOND)
    stamp = line.unwrap(0)
    line.arrived(stamp, NOW_US + 2 * SECOND)
    assert abs(line.captured_us(1, stamp) - NOW_US) <= 1


def test_a_report_without_time_changes_nothing() -> None:
    line = Timeline(1)
    line.report(0, 0, NOW_US)
    stamp = line.unwrap(0)
    line.report(0, 0, NOW_US)
    line.arrived(stamp, NOW_US)
    assert line.captured_us(1, stamp) == NOW_US


@given(st.integers(0, 2**40))
def test_ticks_are_microseconds_of_90_khz(ticks: int) -> None:
    assert us_of_90k(ticks) == ticks * SECOND // 90_000
