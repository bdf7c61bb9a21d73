"""Which orders are in force: absence is not cancellation."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.messages import Camera, Cancelled, DesiredState, Order
from contract.spans import Span
from edge import orders as in_force
from edge.orders import OrdersInForce, StateRefused, adopt, is_open, is_protected, windows

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def order(
    name: str = "s1.c1", camera: str = "c1", start: float = -0.5, hours: float = 2.0
) -> Order:
    begins = NOW + timedelta(hours=start)
    return Order(
        id=name, camera=camera, session="s1", start=begins, end=begins + timedelta(hours=hours)
    )


def state(*orders: Order, revision: int = 2, epoch: int = 1, **more: object) -> DesiredState:
    cameras = tuple(
        Camera(id=name, room="r1", sealed="") for name in sorted({o.camera for o in orders})
    )
    return DesiredState(
        edge="box-1",
        epoch=epoch,
        revision=revision,
        issued_at=NOW,
        cameras=cameras,
        orders=orders,
        cancelled=more.get("cancelled", ()),  # type: ignore[arg-type]  # kept short for the tests
    )


def having(*orders: Order) -> OrdersInForce:
    return adopt(OrdersInForce(), state(*orders, revision=1), NOW)


def test_an_open_order_stays_though_a_newer_state_forgets_it() -> None:
    assert adopt(having(order()), state(), NOW).orders == (order(),)


def test_the_camera_of_a_kept_order_is_kept_too() -> None:
    assert [camera.id for camera in adopt(having(order()), state(), NOW).cameras] == ["c1"]


def test_an_order_that_begins_within_a_day_stays() -> None:
    soon = order(start=23.9)
    assert adopt(having(soon), state(), NOW).orders == (soon,)


def test_an_order_of_next_week_goes_when_it_is_absent() -> None:
    assert adopt(having(order(start=24 * 7)), state(), NOW).orders == ()


def test_an_order_that_ended_goes() -> None:
    assert adopt(having(order(start=-3)), state(), NOW).orders == ()


def test_one_person_cannot_cancel_what_runs() -> None:
    entry = Cancelled(order="s1.c1", reason="moved", ledger=7, approved_by=("zhang", "zhang"))
    assert adopt(having(order()), state(cancelled=(entry,)), NOW).orders == (order(),)


def test_two_persons_can() -> None:
    entry = Cancelled(order="s1.c1", reason="moved", ledger=7, approved_by=("zhang", "li"))
    assert adopt(having(order()), state(cancelled=(entry,)), NOW).orders == ()


def test_one_person_cancels_what_has_not_begun() -> None:
    soon = order(start=3)
    entry = Cancelled(order="s1.c1", reason="moved", ledger=7, approved_by=("zhang",))
    assert adopt(having(soon), state(cancelled=(entry,)), NOW).orders == ()


def test_a_cancellation_without_a_reason_is_none() -> None:
    entry = Cancelled(order="s1.c1", reason="", ledger=7, approved_by=("zhang", "li"))
    assert adopt(having(order()), state(cancelled=(entry,)), NOW).orders == (order(),)


def test_an_order_that_moved_lets_go_of_its_old_span() -> None:
    later = order(start=26)
    entry = Cancelled(order="s1.c1", reason="moved", ledger=7, approved_by=("zhang",))
    assert adopt(having(order(start=3)), state(later, cancelled=(entry,)), NOW).orders == (later,)


def test_a_new_epoch_cancels_nothing_that_runs() -> None:
    entry = Cancelled(order="s1.c1", reason="moved", ledger=7, approved_by=("zhang", "li"))
    after = adopt(having(order()), state(epoch=2, revision=1, cancelled=(entry,)), NOW)
    assert after.orders == (order(),)


def test_an_open_order_can_be_extended_but_not_shortened() -> None:
    longer, shorter = order(hours=3), order(hours=1)
    assert adopt(having(order()), state(longer), NOW).orders == (longer,)
    assert adopt(having(order()), state(shorter), NOW).orders == (order(),)


@pytest.mark.parametrize(("epoch", "revision"), [(1, 1), (1, 0 + 1), (0 + 1, 1)])
def test_a_state_that_is_not_newer_is_refused(epoch: int, revision: int) -> None:
    with pytest.raises(StateRefused):
        adopt(having(order()), state(epoch=epoch, revision=revision), NOW)


def test_back_to_back_orders_are_one_window() -> None:
    first, second = order("a", hours=1), order("b", start=0.5, hours=1)
    assert windows((first, second), "c1") == [Span(first.start, second.end)]


def test_orders_come_back_from_disk(tmp_path: Path) -> None:
    path = tmp_path / "orders.json"
    assert in_force.load(path) == OrdersInForce()
    in_force.save(path, having(order()))
    assert in_force.load(path) == having(order())
    path.write_text("{")
    with pytest.raises(ValueError, match=r"orders\.json"):
        in_force.load(path)


offsets = st.floats(min_value=-48, max_value=24 * 20, allow_nan=False)
some_orders = st.lists(
    st.builds(
        lambda n, start, hours: order(f"s{n}.c1", start=start, hours=hours),
        st.integers(1, 8),
        offsets,
        st.floats(min_value=0.1, max_value=6),
    ),
    max_size=6,
    unique_by=lambda o: o.id,
)


@given(some_orders, some_orders)
def test_no_newer_state_ever_takes_a_protected_second_away(
    before: list[Order], after: list[Order]
) -> None:
    had = having(*before)
    have = {o.id: o for o in adopt(had, state(*after), NOW).orders}
    for old in had.orders:
        if is_protected(old, NOW):
            kept = have[old.id]
            assert kept.start <= old.start
            assert kept.end >= old.end
        if is_open(old, NOW):
            assert is_open(have[old.id], NOW)
