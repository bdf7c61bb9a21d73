"""Which streams are wanted when."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.keys import SealKey, seal
from contract.messages import Camera, Order, Source, Stream
from contract.spans import Span
from edge.orders import OrdersInForce
from edge.recording.arming import (
    Origins,
    arms_at,
    by_camera,
    is_armed,
    ordered_spans,
    wanted,
)

KEY = SealKey.make()
T0 = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def camera(name: str, key: SealKey = KEY) -> Camera:
    source = Source(main=f"rtsp://10.0.0.1/{name}", sub="rtsp://10.0.0.1/sub", user="u")
    sealed = seal(key.public, msgspec.json.encode(source))
    return Camera(id=name, room="r", switch="sw", sealed=sealed)


def order(name: str, start: datetime, record: tuple[Stream, ...] = ("main",)) -> Order:
    return Order(
        id=f"o-{name}-{start:%H%M}",
        camera=name,
        session="s",
        start=start,
        end=start + HOUR,
        record=record,
    )


ORDERS = OrdersInForce(cameras=(camera("c1"), camera("c2")), orders=(order("c1", T0 + HOUR),))


def names(
    orders: OrdersInForce, now: datetime, earliest: datetime | None = None
) -> list[tuple[str, str]]:
    return sorted(wanted(by_camera(orders), Origins(KEY), now, earliest))


def test_outside_windows_nothing_is_pulled() -> None:
    assert names(ORDERS, T0) == []
    assert names(ORDERS, T0 + 2 * HOUR + timedelta(seconds=2)) == []


def test_in_a_window_both_streams_are_pulled_and_the_ordered_kept() -> None:
    want = wanted(by_camera(ORDERS), Origins(KEY), T0 + HOUR)
    assert want["c1", "main"].keep == (Span(T0 + HOUR, T0 + 2 * HOUR),)
    assert want["c1", "sub"].keep == ()
    assert want["c1", "main"].origin.url == "rtsp://10.0.0.1/c1"


@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=20))
def test_sessions_begin_between_20_s_and_2_min_before_a_window(name: str) -> None:
    before = T0 - arms_at(name, Span(T0, T0 + HOUR))
    assert timedelta(seconds=20) <= before <= timedelta(minutes=2)


def test_cameras_do_not_begin_all_at_once() -> None:
    begins = {arms_at(f"c{n}", Span(T0, T0 + HOUR)).replace(microsecond=0) for n in range(100)}
    assert len(begins) > 50


def test_a_window_lasts_until_its_last_pictures_have_come() -> None:
    window = Span(T0, T0 + HOUR)
    assert is_armed("c", window, T0 + HOUR + timedelta(seconds=1))
    assert not is_armed("c", window, T0 + HOUR + timedelta(seconds=2))


BOTH = [("c1", "main"), ("c1", "sub")]


def test_a_box_without_a_trusted_clock_keeps_all_that_is_ordered_within_a_day() -> None:
    now = T0 - timedelta(hours=20)
    assert names(ORDERS, now, now) == BOTH
    want = wanted(by_camera(ORDERS), Origins(KEY), now, now)
    assert now in want["c1", "main"].keep[0]
    assert want["c1", "sub"].keep == ()
    earlier = now - timedelta(hours=5)
    assert names(ORDERS, earlier, earlier) == []


def test_a_clock_at_the_year_2000_records_by_the_earliest_true_time() -> None:
    wrong = datetime(2000, 1, 1, tzinfo=UTC)
    assert names(ORDERS, wrong, T0) == BOTH
    assert wrong in wanted(by_camera(ORDERS), Origins(KEY), wrong, T0)["c1", "main"].keep[0]
    assert names(ORDERS, wrong, T0 - timedelta(days=2)) == []


def test_without_any_earliest_time_every_ordered_camera_is_recorded() -> None:
    wrong = datetime(2000, 1, 1, tzinfo=UTC)
    assert names(ORDERS, wrong, datetime.min.replace(tzinfo=UTC)) == BOTH


def test_an_order_that_is_over_by_the_earliest_true_time_is_not_recorded() -> None:
    over = T0 + 2 * HOUR + timedelta(seconds=6)
    assert names(ORDERS, T0 + HOUR, over) == []
    assert names(ORDERS, T0 + HOUR, over - timedelta(seconds=2)) == BOTH


def test_the_same_source_sealed_anew_is_the_same_origin() -> None:
    again = msgspec.structs.replace(ORDERS, cameras=(camera("c1"),))
    assert again.cameras[0].sealed != ORDERS.cameras[0].sealed
    now = T0 + HOUR
    assert wanted(by_camera(again), Origins(KEY), now) == wanted(
        by_camera(ORDERS), Origins(KEY), now
    )


def test_a_camera_sealed_to_another_box_is_a_fault_of_its_own() -> None:
    orders = msgspec.structs.replace(ORDERS, cameras=(camera("c1", SealKey.make()),))
    want = wanted(by_camera(orders), Origins(KEY), T0 + HOUR)
    assert want["c1", "main"].origin.fault == "its address was not sealed to this box"


@pytest.mark.parametrize("record", [("main",), ("main", "sub")])
def test_windows_are_those_of_the_ordered_streams(record: tuple[Stream, ...]) -> None:
    both = (order("c1", T0, record), order("c1", T0 + HOUR, ("main",)))
    spans = ordered_spans(OrdersInForce(orders=both))
    assert spans["c1", "main"] == [Span(T0, T0 + 2 * HOUR)]
    assert spans.get(("c1", "sub")) == ([Span(T0, T0 + HOUR)] if "sub" in record else None)


def test_an_origin_does_not_show_where_it_is() -> None:
    want = wanted(by_camera(ORDERS), Origins(KEY), T0 + HOUR)
    assert "10.0.0.1" not in repr(want)
