"""Whether exams fit on a disk: by hand, and as rules."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.spans import Span
from orchestrator.planning.forecast import (
    SAFETY,
    BoxForecast,
    Planned,
    Rate,
    Stored,
    Volume,
    forecast,
    rate_of,
    worse,
)

NOW = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
GB = 1_000_000_000
DAY = timedelta(days=1)
RATE = Rate(GB / 3600 / SAFETY, "recorded")
"""One planned hour takes 1 GB."""


def planned(start: datetime, hours: float, edge: str = "box-1", camera: str = "cam-1") -> Planned:
    span = Span(start, start + timedelta(hours=hours))
    return Planned(edge, camera, span, RATE, span.end + 30 * DAY)


def one(volume: Volume, plans: list[Planned], stored: list[Stored], days: int = 30) -> BoxForecast:
    (box,) = forecast([volume], plans, stored, NOW, days, SHANGHAI)
    return box


def test_what_is_planned_adds_up_day_by_day_and_what_expires_frees_its_space() -> None:
    volume = Volume("box-1", 100 * GB, 60 * GB)
    leaving = Stored("box-1", 5 * GB, NOW + DAY + timedelta(hours=2))
    box = one(volume, [planned(NOW + DAY, 3), planned(NOW + 2 * DAY, 2)], [leaving], days=4)
    assert [day.date for day in box.days] == [date(2026, 11, d) for d in (23, 24, 25, 26)]
    assert [day.planned_bytes // GB for day in box.days] == [0, 3, 2, 0]
    assert [day.expiring_bytes // GB for day in box.days] == [0, 5, 0, 0]
    assert [day.used_bytes // GB for day in box.days] == [40, 38, 40, 40]
    assert box.days[1].peak_bytes == 43 * GB  # due at 02:00, free at 03:00: after the exam
    assert (box.first_day, box.options) == (None, None)


def test_the_first_day_that_does_not_fit_is_named_with_the_exact_shortfall() -> None:
    volume = Volume("box-1", 100 * GB, 12 * GB)  # 2 GB are kept free
    plans = [planned(NOW + n * DAY, 4) for n in range(1, 5)]
    box = one(volume, plans, [Stored("box-1", 20 * GB, NOW + 6 * DAY)])
    assert box.first_day is not None
    assert box.first_day.date == date(2026, 11, 26)
    assert box.first_day.shortfall_bytes == 2 * GB
    assert box.shortfall_bytes == 6 * GB
    assert box.options is not None
    assert box.options.fewer_camera_hours == pytest.approx(6)
    assert box.options.later == date(2026, 11, 30)


def test_another_box_is_named_only_when_all_of_it_fits_there() -> None:
    volumes = [
        Volume("box-1", 100 * GB, 3 * GB),
        Volume("box-2", 100 * GB, 50 * GB),
        Volume("box-3", 100 * GB, 6 * GB),
        Volume("box-4", None, None),
    ]
    boxes = forecast(volumes, [planned(NOW + DAY, 10)], [], NOW, 30, SHANGHAI)
    assert boxes[0].shortfall_bytes == 9 * GB
    assert boxes[0].options is not None
    assert boxes[0].options.other_boxes == (("box-2", 48 * GB),)


def test_held_footage_does_not_go_and_is_shown() -> None:
    volume = Volume("box-1", 100 * GB, 10 * GB)
    held = [Stored("box-1", 30 * GB, None, is_held=True), Stored("box-1", 9 * GB, NOW + DAY)]
    box = one(volume, [planned(NOW + 3 * DAY, 20)], held)
    assert box.held_bytes == 30 * GB
    assert box.shortfall_bytes == (90 - 9 + 20 - 98) * GB


def test_what_is_overdue_gives_no_space_to_count_on() -> None:
    volume = Volume("box-1", 100 * GB, 10 * GB)
    box = one(volume, [], [Stored("box-1", 50 * GB, NOW - DAY)])
    assert box.days[-1].used_bytes == 90 * GB


def test_a_window_that_is_open_counts_only_with_what_is_left_of_it() -> None:
    box = one(Volume("box-1", 100 * GB, 90 * GB), [planned(NOW - timedelta(hours=2), 3)], [])
    assert box.days[0].planned_bytes == GB


def test_what_is_recorded_now_goes_again_within_a_longer_look() -> None:
    box = one(Volume("box-1", 100 * GB, 90 * GB), [planned(NOW, 2)], [], days=40)
    assert box.days[29].used_bytes == 12 * GB
    assert box.days[-1].used_bytes == 10 * GB


def test_a_box_that_was_never_heard_is_neither_well_nor_ill() -> None:
    box = one(Volume("box-1", None, None), [planned(NOW, 999)], [])
    assert not box.is_known
    assert (box.first_day, box.days[0].free_bytes) == (None, None)


@pytest.mark.parametrize(
    ("recorded", "seconds", "reported", "expected"),
    [
        (900_000, 900.0, 4_000_000, Rate(1000, "recorded")),
        (90_000, 90.0, 4_000_000, Rate(500_000, "reported")),
        (0, 9000.0, 0, Rate(500_000, "assumed")),
    ],
)
def test_a_rate_is_measured_where_it_can_be(
    recorded: int, seconds: float, reported: int, expected: Rate
) -> None:
    assert rate_of("main", recorded, seconds, reported) == expected


def test_only_what_makes_it_worse_is_refused_and_the_soonest_is_named() -> None:
    small = [Volume("box-1", 100 * GB, 5 * GB), Volume("box-2", 100 * GB, 5 * GB)]
    standing = [planned(NOW + DAY, 8)]
    more = [*standing, planned(NOW + 5 * DAY, 9, "box-2"), planned(NOW + 3 * DAY, 1)]
    before = forecast(small, standing, [], NOW, 30, SHANGHAI)
    after = forecast(small, more, [], NOW, 30, SHANGHAI)
    assert worse(before, before) is None
    found = worse(before, after)
    assert found is not None
    assert found.edge == "box-1"
    assert worse(after, before) is None


spans = st.builds(
    lambda start, minutes: planned(NOW + timedelta(minutes=start), minutes / 60),
    st.integers(-600, 50_000),
    st.integers(1, 600),
)
lots = st.builds(
    lambda size, hours: Stored("box-1", size, NOW + timedelta(hours=hours)),
    st.integers(0, 10 * GB),
    st.integers(-100, 1000),
)


@given(st.lists(spans, max_size=8), st.lists(lots, max_size=8))
def test_nothing_is_lost_between_the_days(plans: list[Planned], stored: list[Stored]) -> None:
    box = one(Volume("box-1", 500 * GB, 300 * GB), plans, stored)
    used = 200 * GB
    for day in box.days:
        used += day.planned_bytes - day.expiring_bytes
        assert day.used_bytes == pytest.approx(used, abs=100)
        assert day.peak_bytes >= day.used_bytes - 1


@given(st.lists(spans, min_size=1, max_size=8), st.lists(lots, max_size=8))
def test_one_more_exam_never_makes_room(plans: list[Planned], stored: list[Stored]) -> None:
    volume = Volume("box-1", 250 * GB, 20 * GB)
    fewer, all_of_it = one(volume, plans[1:], stored), one(volume, plans, stored)
    assert all_of_it.shortfall_bytes >= fewer.shortfall_bytes
