"""Which orders are in force on this box, and what a newer desired state changes of them."""

from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from contract.keys import write_private
from contract.messages import Camera, Cancelled, DesiredState, Id, Message, Order
from contract.spans import Span, union

PROTECTED = timedelta(hours=24)
"""An order that begins within this is kept until it is named under `cancelled` (DESIGN §4)."""


class StateRefused(Exception):
    """A desired state is not newer than what the box has, or of an epoch nobody granted."""


class OrdersInForce(Message, frozen=True, kw_only=True):
    """What the recorder works by. A file of the box, never sent."""

    epoch: int = 0
    revision: int = 0
    cameras: tuple[Camera, ...] = ()
    orders: tuple[Order, ...] = ()
    inherited: tuple[Id, ...] = ()
    """Orders that ran when a new epoch began: nothing cancels them any more."""


def is_open(order: Order, now: datetime) -> bool:
    """True while the order's span runs."""
    return order.start <= now < order.end


def is_protected(order: Order, now: datetime) -> bool:
    """True for an order that runs, or begins within 24 h: absence does not end it."""
    return now < order.end and order.start - PROTECTED <= now


def adopt(
    current: OrdersInForce, state: DesiredState, now: datetime, earliest: datetime | None = None
) -> OrdersInForce:
    """Give the orders in force after a newer desired state.

    Absence is not cancellation: a protected order that the state does not mention stays, one that
    it shortens keeps its span, until `cancelled` names it; one that runs needs two names there. A
    state of a new epoch (a restored or new centre) can add and extend, but what runs then is
    cancelled by nobody. `earliest` is given when the box does not believe its clock: the true time
    is at least that, and every order that may not be over counts as running. Raises StateRefused
    for a state that is not newer.
    """
    if (state.epoch, state.revision) <= (current.epoch, current.revision):
        raise StateRefused(
            f"revision {state.epoch}.{state.revision} is not newer than "
            f"{current.epoch}.{current.revision}"
        )
    wanted = {order.id: order for order in state.orders}
    cancelled = {entry.order: entry for entry in state.cancelled}
    inherited = _inherited(current, state, now, earliest)
    for old in current.orders:
        if not _stays(old, now, earliest):
            continue
        entry = cancelled.get(old.id) if old.id not in inherited else None
        if entry and _may_cancel(entry, runs=_runs(old, now, earliest)):
            continue
        new = wanted.get(old.id)
        wanted[old.id] = old if new is None else _widened(old, new)
    cameras = {camera.id: camera for camera in state.cameras}
    needed = {order.camera for order in wanted.values()}
    kept = [old for old in current.cameras if old.id in needed and old.id not in cameras]
    return OrdersInForce(
        epoch=state.epoch,
        revision=state.revision,
        cameras=(*state.cameras, *kept),
        orders=tuple(sorted(wanted.values(), key=lambda order: (order.start, order.id))),
        inherited=tuple(sorted(inherited & wanted.keys())),
    )


def _stays(order: Order, now: datetime, earliest: datetime | None) -> bool:
    return is_protected(order, now) if earliest is None else order.end > earliest


def _runs(order: Order, now: datetime, earliest: datetime | None) -> bool:
    return is_open(order, now) if earliest is None else order.end > earliest


def _inherited(
    current: OrdersInForce, state: DesiredState, now: datetime, earliest: datetime | None
) -> set[str]:
    if current.epoch in (0, state.epoch):
        return set(current.inherited)
    return {order.id for order in current.orders if _runs(order, now, earliest)}


def _may_cancel(entry: Cancelled, *, runs: bool) -> bool:
    return len(set(entry.approved_by)) >= (2 if runs else 1) and bool(entry.reason)


def _widened(old: Order, new: Order) -> Order:
    return msgspec.structs.replace(
        new,
        start=min(old.start, new.start),
        end=max(old.end, new.end),
        record=tuple(sorted({*old.record, *new.record})),
        retain_days=max(old.retain_days, new.retain_days),
    )


def windows(orders: tuple[Order, ...], camera: str) -> list[Span]:
    """Merge a camera's orders into the spans to be covered, apart and in order."""
    return union(Span(order.start, order.end) for order in orders if order.camera == camera)


def load(path: Path) -> OrdersInForce:
    """Read the file; no file means no orders. Raises ValueError for what is no such file."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=OrdersInForce)
    except FileNotFoundError:
        return OrdersInForce()
    except msgspec.MsgspecError as error:
        raise ValueError(f"{path}: {error}") from error


def save(path: Path, orders: OrdersInForce) -> None:
    """Write the file whole, or not at all."""
    write_private(path, msgspec.json.encode(orders))
