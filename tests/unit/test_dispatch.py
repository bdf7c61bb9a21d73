from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.messages import Cancelled, DesiredState, Order
from orchestrator.wanted import Standing, Wanted, fitting, horizon, is_behind, is_due
from tests.fakes.clock import ManualClock

NOW = ManualClock().now()
KEY = b"k" * 32
CAMERA = ("cam1", "r1", "", "sealed", "")


def order(id: str = "s1.cam1", start: int = 1, end: int = 3) -> Order:
    return Order(
        id=id,
        camera="cam1",
        session="s1",
        start=NOW + timedelta(hours=start),
        end=NOW + timedelta(hours=end),
    )


def wanted(*orders: Order, cancelled: tuple[Cancelled, ...] = ()) -> Wanted:
    return Wanted((CAMERA,), orders, cancelled)


def standing(want: Wanted, epoch: int = 1, revision: int = 1) -> Standing:
    state = DesiredState(
        edge="b1",
        epoch=epoch,
        revision=revision,
        issued_at=NOW,
        cameras=(),
        orders=want.orders,
        cancelled=want.cancelled,
    )
    return Standing((epoch, revision), want.digest(KEY), state, b"")


def due(before: Wanted | None, now: Wanted, at: datetime = NOW, epoch: int = 1) -> bool:
    told = standing(before) if before else None
    return is_due(told, epoch, now, now.digest(KEY), at)


def test_a_box_that_was_told_nothing_is_due() -> None:
    assert due(None, wanted())


def test_planning_the_same_again_changes_nothing() -> None:
    assert not due(wanted(order()), wanted(order()))


@pytest.mark.parametrize("change", [{"start": 0}, {"end": 4}, {"id": "s2.cam1"}])
def test_a_changed_order_is_due(change: dict[str, Any]) -> None:
    assert due(wanted(order()), wanted(order(**change)))


def test_an_order_that_is_over_needs_no_word() -> None:
    assert not due(wanted(order(), order("old", -3, -1)), wanted(order()))


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(1, 4)), max_size=6), st.integers(0, 12))
def test_time_alone_changes_nothing(spans: list[tuple[int, int]], hours: int) -> None:
    orders = [order(f"o{n}", start, start + length) for n, (start, length) in enumerate(spans)]
    later = NOW + timedelta(hours=hours)
    left = [one for one in orders if one.end > later]
    assert not due(wanted(*orders), wanted(*left), later)


def test_a_cancellation_is_due_until_it_was_told() -> None:
    taken_back = (Cancelled(order="s1.cam1", reason="moved", ledger=3, approved_by=("chen",)),)
    assert due(wanted(order()), wanted(cancelled=taken_back))
    assert not due(wanted(cancelled=taken_back), wanted(cancelled=taken_back))


def test_a_cancellation_that_ended_is_dropped_without_a_word() -> None:
    taken_back = (Cancelled(order="s1.cam1", reason="moved", ledger=3, approved_by=("chen",)),)
    assert not due(wanted(cancelled=taken_back), wanted())


def test_another_camera_source_or_key_is_due() -> None:
    want = wanted(order())
    other = replace(want, cameras=(("cam1", "r1", "", "sealed anew", ""),))
    assert due(want, other)
    assert is_due(standing(want), 1, want, want.digest(b"x" * 32), NOW)


def test_a_new_epoch_is_due() -> None:
    assert due(wanted(order()), wanted(order()), epoch=2)


@pytest.mark.parametrize(
    ("box", "store", "epoch", "behind"),
    [
        ((0, 0), (0, 0), 1, False),  # a new box
        ((1, 4), (1, 5), 1, False),  # it will hear of 5
        ((1, 5), (1, 5), 1, False),
        ((1, 6), (1, 5), 1, True),  # a restored store
        ((1, 6), (0, 0), 1, True),  # an empty store
        ((1, 6), (0, 0), 2, False),  # the site opened an epoch above
        ((2, 1), (1, 9), 1, True),  # keys restored from before the epoch
    ],
)
def test_a_store_is_behind_when_a_box_has_seen_more(
    box: tuple[int, int], store: tuple[int, int], epoch: int, behind: bool
) -> None:
    assert is_behind(box, store, epoch) == behind


def test_the_horizon_moves_once_a_day_and_is_at_least_two_weeks_off() -> None:
    morning = NOW.replace(hour=1)
    assert horizon(morning) == horizon(morning.replace(hour=23, minute=59))
    assert horizon(NOW) - NOW > timedelta(days=14)


def test_an_orders_id_always_fits() -> None:
    assert fitting("s1.cam1") == "s1.cam1"
    long = fitting("s" * 60 + ".cam1")
    assert len(long) == 64
    assert long == fitting("s" * 60 + ".cam1") != fitting("s" * 60 + ".cam2")
    msgspec.convert(msgspec.to_builtins(order(long)), Order)
