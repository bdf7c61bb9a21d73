"""Writing a timetable's difference into the store, inside the caller's transaction."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from secrets import token_hex
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from orchestrator.exams import Lead
from orchestrator.planning import Difference, PlannedOrder, Session, orders
from orchestrator.sessions import columns_of
from orchestrator.store.tables import cameras, cancellations, exam_sessions

Because = tuple[str, str, int]
"""Who takes orders back, why, and the ledger's row of it."""


@dataclass(frozen=True, slots=True)
class Applied:
    """How many sessions a timetable added, removed and changed."""

    added: int
    removed: int
    changed: int


async def carry_out(
    connection: AsyncConnection,
    difference: Difference,
    timetable: str,
    lead: Lead,
    because: Because,
    now: datetime,
) -> Applied:
    """Write the difference; orders that no longer hold are named as cancelled."""
    await _retire([s.id for s in difference.removed], connection, now)
    await _set_aside([change.before.id for change in difference.changed], connection)
    afters = [columns_of(change.after) for change in difference.changed]
    await _update(connection, [{**after, "timetable": timetable} for after in afters])
    added = await _with_free_ids(connection, difference.added)
    if added:
        rows = [{**columns_of(session), "timetable": timetable} for session in added]
        await connection.execute(insert(exam_sessions), rows)
    await _take_back(connection, difference, lead, because, now)
    return Applied(len(added), len(difference.removed), len(difference.changed))


async def touched_edges(connection: AsyncConnection, difference: Difference) -> frozenset[str]:
    """Give the boxes that watch a room of which something changed."""
    touched = {session.room for session in (*difference.added, *difference.removed)}
    for change in difference.changed:
        touched |= {change.before.room, change.after.room}
    found = await _cameras(connection, touched)
    return frozenset(edge for _, _, edge in found)


async def _retire(ids: list[str], connection: AsyncConnection, now: datetime) -> None:
    """Cancel sessions. They stay in the store; read again, the exam is a new session."""
    gone = [{"id": one, "cancelled_at": now, "provenance": f"cancelled {one}"} for one in ids]
    await _update(connection, gone)


async def _set_aside(ids: list[str], connection: AsyncConnection) -> None:
    """Free the provenance of sessions that change, so that two may change places."""
    await _update(connection, [{"id": one, "provenance": f"changing {one}"} for one in ids])


async def _update(connection: AsyncConnection, rows: list[dict[str, Any]]) -> None:
    """Write rows that have the same columns, each under its id, in one statement."""
    if not rows:
        return
    which = exam_sessions.c.id == bindparam("of")
    values: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name != "id"}
    named = [{"of": row["id"], **{name: row[name] for name in values}} for row in rows]
    await connection.execute(update(exam_sessions).where(which).values(**values), named)


async def _with_free_ids(connection: AsyncConnection, sessions: Iterable[Session]) -> list[Session]:
    """Give a session another id where its own belongs to one that was cancelled."""
    wanted = list(sessions)
    taken: set[str] = set()
    for first in range(0, len(wanted), 500):
        ids = [session.id for session in wanted[first : first + 500]]
        query = select(exam_sessions.c.id).where(exam_sessions.c.id.in_(ids))
        taken |= set((await connection.execute(query)).scalars())
    return [replace(s, id=f"s{token_hex(6)}") if s.id in taken else s for s in wanted]


async def _take_back(
    connection: AsyncConnection,
    difference: Difference,
    lead: Lead,
    because: Because,
    now: datetime,
) -> None:
    """Name the orders that end before their time: of sessions removed, moved or shortened."""
    befores = [*difference.removed, *(change.before for change in difference.changed)]
    afters = [change.after for change in difference.changed]
    found = await _cameras(connection, {session.room for session in (*befores, *afters)})
    by_room: dict[str, list[str]] = {}
    edge_of: dict[str, str] = {}
    for room, camera, edge in found:
        by_room.setdefault(room, []).append(camera)
        edge_of[camera] = edge
    kept = {order.id: order for order in orders(afters, by_room, lead.before, lead.after)}
    gone = {
        order.id: order
        for order in orders(befores, by_room, lead.before, lead.after)
        if order.end > now and not _covers(kept.get(order.id), order)
    }
    rows = [_named(order, edge_of[order.camera], because, now) for order in gone.values()]
    if rows:
        which = cancellations.c.order_id == bindparam("of")
        await connection.execute(delete(cancellations).where(which), [{"of": one} for one in gone])
        await connection.execute(insert(cancellations), rows)


def _covers(new: PlannedOrder | None, old: PlannedOrder) -> bool:
    return new is not None and new.start <= old.start and old.end <= new.end


def _named(order: PlannedOrder, edge: str, because: Because, now: datetime) -> dict[str, Any]:
    actor, reason, row = because
    return {
        "order_id": order.id,
        "edge": edge,
        "session": order.session,
        "reason": reason,
        "ledger": row,
        "approved_by": [actor],
        "at": now,
        "ends_at": order.end,
    }


async def _cameras(connection: AsyncConnection, rooms: Iterable[str]) -> list[tuple[str, str, str]]:
    """Give room, camera and box of every camera in these rooms."""
    c = cameras.c
    query = select(c.room, c.id, c.edge)
    wanted = set(rooms)
    return [
        (row.room, row.id, row.edge)
        for row in await connection.execute(query)
        if row.room in wanted
    ]
