from datetime import UTC, datetime, timedelta

from contract.messages import Order
from edge.live.leave import GRACE, grace

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def order(camera: str, ends_in: timedelta, begins_in: timedelta = -60 * MINUTE) -> Order:
    return Order(
        id=f"{camera}-{ends_in}",
        camera=camera,
        session="exam",
        start=NOW + begins_in,
        end=NOW + ends_in,
    )


def test_a_silent_centre_gives_ten_minutes_more() -> None:
    orders = (order("cam1", 60 * MINUTE),)
    assert grace(NOW, 90.0, ["cam1"], orders, NOW) == NOW + GRACE


def test_a_centre_that_speaks_gives_what_it_gave_and_no_more() -> None:
    assert grace(NOW, 10.0, ["cam1"], (order("cam1", 60 * MINUTE),), NOW) is None


def test_grace_ends_with_the_window() -> None:
    assert grace(NOW, 90.0, ["cam1"], (order("cam1", 3 * MINUTE),), NOW) == NOW + 3 * MINUTE


def test_grace_ends_with_the_first_window_of_several_cameras() -> None:
    orders = (order("cam1", 60 * MINUTE), order("cam2", 5 * MINUTE))
    assert grace(NOW, 90.0, ["cam1", "cam2"], orders, NOW) == NOW + 5 * MINUTE


def test_windows_back_to_back_count_as_one() -> None:
    orders = (order("cam1", 2 * MINUTE), order("cam1", 60 * MINUTE, 2 * MINUTE))
    assert grace(NOW, 90.0, ["cam1"], orders, NOW) == NOW + GRACE


def test_outside_a_window_there_is_no_grace() -> None:
    orders = (order("cam1", 60 * MINUTE), order("cam2", 90 * MINUTE, 30 * MINUTE))
    assert grace(NOW, 90.0, ["cam2"], orders, NOW) is None
    assert grace(NOW, 90.0, ["cam1", "cam2"], orders, NOW) is None
    assert grace(NOW, 90.0, ["cam1"], (), NOW) is None


def test_grace_counts_from_the_end_of_leave_not_from_now() -> None:
    orders = (order("cam1", 60 * MINUTE),)
    assert grace(NOW - 4 * MINUTE, 300.0, ["cam1"], orders, NOW) == NOW + 6 * MINUTE
    assert grace(NOW - 11 * MINUTE, 700.0, ["cam1"], orders, NOW) is None
