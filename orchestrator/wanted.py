"""What boxes should do by what the store says now, and when one must be told."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.keys import canonical
from contract.messages import Cancelled, DesiredState, Order
from contract.retention import FLOOR_DAYS
from contract.spans import Span
from orchestrator.categories import categories, classes
from orchestrator.exams import Lead
from orchestrator.planning import orders as planned_orders
from orchestrator.store.tables import (
    approved_references,
    cameras,
    cancellations,
    edges,
    timetables,
)
from orchestrator.windows import sessions_in

HORIZON = timedelta(days=60)
_LONGEST_ID = 64

Number = tuple[int, int]
"""Epoch and revision: what makes one desired state newer than another."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A desired state that was signed and stored."""

    number: Number
    digest: str
    state: DesiredState
    payload: bytes


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one box should do, by what the store says now."""

    cameras: tuple[tuple[str, str, str, str, str], ...]
    """Id, room, switch, the source as sealed at the centre, which names it, and the reference."""
    orders: tuple[Order, ...]
    cancelled: tuple[Cancelled, ...]

    def digest(self, seal_public: bytes) -> str:
        """Name the cameras and to whose key they are sealed, in hex."""
        return hashlib.sha256(canonical([self.cameras, seal_public.hex()])).hexdigest()


def is_due(
    standing: Standing | None, epoch: int, wanted: Wanted, digest: str, at: datetime
) -> bool:
    """True when a box must be told something new.

    Time alone changes nothing: orders and cancellations that are over are left aside.
    """
    if standing is None or standing.number[0] != epoch or standing.digest != digest:
        return True
    told = standing.state
    before = {order for order in told.orders if order.end > at}
    now = {order for order in wanted.orders if order.end > at}
    return before != now or not set(wanted.cancelled) <= set(told.cancelled)


def is_behind(box: Number, standing: Number, epoch: int) -> bool:
    """True when a box has seen what this centre never signed, as far as it remembers.

    Numbers of an older epoch do not count: the site's key opened a newer one above them.
    """
    return box[0] > epoch or (box[0] == epoch and box > standing)


async def read_wanted(connection: AsyncConnection, lead: Lead, now: datetime) -> dict[str, Wanted]:
    """Read what every box should do: cameras, orders of the coming 60 days, what was taken back.

    An order may be wanted and taken back at once: it moved, and the box lets go of its old span.
    """
    rows = (await connection.execute(select(cameras).order_by(cameras.c.id))).all()
    edge_of = {row.id: row.edge for row in rows}
    by_room: dict[str, list[str]] = {}
    for row in rows:
        by_room.setdefault(row.room, []).append(row.id)
    sessions = await sessions_in(connection, lead, Span(now, horizon(now)))
    days = await classes(connection)
    of = await categories(connection, (one.id for one in sessions)) if days else {}
    by_edge: dict[str, list[Order]] = {}
    for plan in planned_orders(sessions, by_room, lead.before, lead.after):
        order = Order(
            id=fitting(plan.id),
            camera=plan.camera,
            session=plan.session,
            start=plan.start,
            end=plan.end,
            retain_days=days.get(of.get(plan.session, ""), FLOOR_DAYS),
        )
        by_edge.setdefault(edge_of[plan.camera], []).append(order)
    taken_back = await _cancelled(connection, now)
    approved = await _approved(connection)
    return {
        edge: Wanted(
            tuple(
                (row.id, row.room, row.switch, row.sealed, approved.get(row.id, ""))
                for row in rows
                if row.edge == edge
            ),
            tuple(by_edge.get(edge, ())),
            tuple(taken_back.get(edge, ())),
        )
        for edge in {*edge_of.values(), *taken_back}
    }


def horizon(now: datetime) -> datetime:
    """Give how far boxes are told; it moves once a day, so that time alone rarely tells them."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + HORIZON


def fitting(order: str) -> str:
    """Give an order's id as it travels: a long one as its hash."""
    if len(order) <= _LONGEST_ID:
        return order
    return hashlib.sha256(order.encode()).hexdigest()


async def _cancelled(
    connection: AsyncConnection, now: datetime
) -> Mapping[str, Sequence[Cancelled]]:
    found: dict[str, list[Cancelled]] = {}
    current = select(cancellations).where(cancellations.c.ends_at > now)
    for row in await connection.execute(current.order_by(cancellations.c.order_id)):
        entry = Cancelled(
            order=fitting(row.order_id),
            reason=row.reason,
            ledger=row.ledger,
            approved_by=tuple(row.approved_by),
        )
        found.setdefault(row.edge, []).append(entry)
    return found


async def _approved(connection: AsyncConnection) -> dict[str, str]:
    query = select(approved_references.c.camera, approved_references.c.sha256)
    return {row.camera: row.sha256 for row in await connection.execute(query)}


async def fingerprint(connection: AsyncConnection) -> tuple[Any, ...]:
    """Give what changes when a timetable, camera, box or cancellation does; cheap."""
    applied = select(timetables.c.id).where(timetables.c.applied_at.is_not(None))
    newest = applied.order_by(timetables.c.applied_at.desc()).limit(1)
    sealed = hashlib.sha256()
    for row in await connection.execute(
        select(cameras.c.id, cameras.c.edge, cameras.c.room, cameras.c.switch, cameras.c.sealed)
    ):
        sealed.update(repr(tuple(row)).encode())
    boxes = await connection.execute(
        select(edges.c.id, edges.c.enrolled_at, edges.c.revoked_at).order_by(edges.c.id)
    )
    taken_back = await connection.scalars(select(cancellations.c.order_id))
    return (
        (await connection.scalars(newest)).first(),
        sealed.hexdigest(),
        tuple(tuple(row) for row in boxes),
        frozenset(taken_back),
        frozenset((await _approved(connection)).items()),
        frozenset((await classes(connection)).items()),
    )
