"""Cases in the store: written as they change, read when the centre starts or people ask."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Row, Select, delete, exists, func, insert, literal, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.retention import FLOOR_DAYS
from orchestrator.alerts.cases import Case, Change, Delivery
from orchestrator.alerts.classes import OF_BOX, Kind
from orchestrator.alerts.seen import (
    BoxSeen,
    BoxTrouble,
    CameraSeen,
    Incomplete,
    LateDeletion,
    Seen,
    Tamper,
)
from orchestrator.covers import is_held
from orchestrator.exams import Lead
from orchestrator.store.columns import InstantType
from orchestrator.store.tables import (
    alert_events,
    alerts,
    box_troubles,
    camera_states,
    cameras,
    certificates,
    deferrals,
    deliveries,
    edge_states,
    edge_volumes,
    edges,
    exam_sessions,
    segments,
    tampers,
)
from orchestrator.windows import open_sessions

Which = Literal["open", "closed", "all"]

_COLUMNS = [field.name for field in fields(Case) if field.name != "deliveries"]
_DELIVERY = [field.name for field in fields(Delivery)]


@dataclass(frozen=True, slots=True)
class Event:
    """A step of an alert, as it is kept."""

    number: int
    at: datetime
    step: str
    phone: str
    person: str
    detail: str


async def keep(connection: AsyncConnection, change: Change, now: datetime) -> None:
    """Write a changed case, its deliveries and its steps."""
    case = change.case
    values = {name: getattr(case, name) for name in _COLUMNS}
    done = await connection.execute(update(alerts).where(alerts.c.id == case.id).values(**values))
    if not done.rowcount:
        await connection.execute(insert(alerts).values(**values))
    mine = (deliveries.c.alert == case.id) & (deliveries.c.round == case.round)
    await connection.execute(delete(deliveries).where(mine))
    if case.deliveries:
        rows = [
            {
                "alert": case.id,
                "round": case.round,
                **{name: getattr(one, name) for name in _DELIVERY},
            }
            for one in case.deliveries
        ]
        await connection.execute(insert(deliveries), rows)
    if change.steps:
        newest = select(func.max(alert_events.c.number)).where(alert_events.c.alert == case.id)
        number = int(await connection.scalar(newest) or 0)
        steps = [
            {
                "alert": case.id,
                "number": number + 1 + place,
                "at": now,
                "step": step.kind,
                "phone": step.phone,
                "person": step.person,
                "detail": step.detail,
            }
            for place, step in enumerate(change.steps)
        ]
        await connection.execute(insert(alert_events), steps)
    await count(connection, change.occurrences, case.id)


async def count(connection: AsyncConnection, words: Sequence[str], alert: str) -> None:
    """Note under which case words of boxes were counted; empty: under none."""
    if words:
        which = tampers.c.id.in_(list(words)) & tampers.c.alert.is_(None)
        await connection.execute(update(tampers).where(which).values(alert=alert))


async def pass_over(connection: AsyncConnection, words: Sequence[str], now: datetime) -> None:
    """Settle words of boxes that nobody is called for."""
    if words:
        await connection.execute(
            update(tampers)
            .where(tampers.c.id.in_(list(words)))
            .values(
                alert=func.coalesce(tampers.c.alert, ""),
                ended_at=func.coalesce(tampers.c.ended_at, literal(now, InstantType)),
            )
        )


async def open_cases(connection: AsyncConnection) -> list[Case]:
    """Read the cases that are not solved."""
    return await _cases(connection, select(alerts).where(alerts.c.solved_at.is_(None)))


async def listed(
    connection: AsyncConnection, which: Which, after: str = "", limit: int = 100
) -> list[Case]:
    """Read cases, newest first, those behind `after`."""
    query = select(alerts).order_by(alerts.c.raised_at.desc(), alerts.c.id.desc()).limit(limit)
    if which != "all":
        is_open = alerts.c.solved_at.is_(None)
        query = query.where(is_open if which == "open" else ~is_open)
    if after:
        last = (await connection.execute(select(alerts).where(alerts.c.id == after))).first()
        if last is None:
            return []
        same = (alerts.c.raised_at == last.raised_at) & (alerts.c.id < after)
        query = query.where(or_(alerts.c.raised_at < last.raised_at, same))
    return await _cases(connection, query)


async def one(connection: AsyncConnection, id: str) -> Case | None:
    """Read one case."""
    found = await _cases(connection, select(alerts).where(alerts.c.id == id))
    return found[0] if found else None


async def events_of(connection: AsyncConnection, id: str) -> list[Event]:
    """Read what became of a case, step by step."""
    query = (
        select(*(alert_events.c[field.name] for field in fields(Event)))
        .where(alert_events.c.alert == id)
        .order_by(alert_events.c.number)
    )
    return [Event(*row) for row in await connection.execute(query)]


async def solved_since(connection: AsyncConnection, when: datetime) -> list[str]:
    """Name the cases that were solved since then."""
    return list(await connection.scalars(select(alerts.c.id).where(alerts.c.solved_at >= when)))


async def raised_since(
    connection: AsyncConnection, when: datetime, without: Collection[str]
) -> int:
    """Count the cases that were raised since then, solved ones too."""
    query = select(func.count()).where(alerts.c.raised_at > when, alerts.c.kind.not_in(without))
    return int(await connection.scalar(query) or 0)


async def _cases(connection: AsyncConnection, query: Select[Any]) -> list[Case]:
    rows = (await connection.execute(query)).all()
    wanted = deliveries.c.alert.in_([row.id for row in rows])
    told = await connection.execute(
        select(deliveries).where(wanted).order_by(deliveries.c.sent_at, deliveries.c.phone)
    )
    by_case: dict[tuple[str, int], list[Delivery]] = {}
    for row in told:
        made = Delivery(**{name: getattr(row, name) for name in _DELIVERY})
        by_case.setdefault((row.alert, row.round), []).append(made)
    return [_case(row, by_case.get((row.id, row.round), [])) for row in rows]


def _case(row: Row[Any], told: Sequence[Delivery]) -> Case:
    return Case(**{name: getattr(row, name) for name in _COLUMNS}, deliveries=tuple(told))


# ------------------------------------------------------------ what is seen


async def read_seen(connection: AsyncConnection, lead: Lead, now: datetime) -> Seen:
    """Read what was last heard of the cameras whose windows are open, and of their boxes."""
    sessions = {session.room: session.id for session in await open_sessions(connection, lead, now)}
    main = (camera_states.c.camera == cameras.c.id) & (camera_states.c.stream == "main")
    query = (
        select(
            cameras.c.id,
            cameras.c.edge,
            cameras.c.room,
            cameras.c.switch,
            camera_states.c.state,
            camera_states.c.recording,
            camera_states.c.last_frame_at,
            edge_states.c.state.label("box"),
            edge_states.c.heard_at,
            edge_volumes.c.pressure,
        )
        .join(edges, edges.c.id == cameras.c.edge)
        .outerjoin(camera_states, main)
        .outerjoin(edge_states, edge_states.c.edge == cameras.c.edge)
        .outerjoin(edge_volumes, edge_volumes.c.edge == cameras.c.edge)
        .where(
            cameras.c.room.in_(list(sessions)),
            edges.c.enrolled_at.is_not(None),
            edges.c.revoked_at.is_(None),
        )
        .order_by(cameras.c.id)
    )
    rows = (await connection.execute(query)).all() if sessions else []
    seen = [
        CameraSeen(
            camera=row.id,
            edge=row.edge,
            room=row.room,
            session=sessions[row.room],
            state=row.state or ("off" if row.box == "online" else "unknown"),
            recording=bool(row.recording),
            switch=row.switch,
            last_frame_at=row.last_frame_at,
        )
        for row in rows
    ]
    boxes = {
        row.edge: BoxSeen(
            edge=row.edge,
            cameras=sum(other.edge == row.edge for other in rows),
            is_online=row.box == "online",
            heard_at=row.heard_at,
            pressure=row.pressure or "none",
        )
        for row in rows
    }
    unsettled = tampers.c.ended_at.is_(None) | tampers.c.alert.is_(None)
    words = await connection.execute(
        select(tampers).where(unsettled).order_by(tampers.c.first_at, tampers.c.id)
    )
    told = [
        Tamper(
            id=row.id,
            camera=row.camera,
            kind=row.kind,
            score=row.score,
            model=row.model,
            first_at=row.first_at,
            ended_at=row.ended_at,
            is_counted=row.alert is not None,
            edge=row.edge,
        )
        for row in words
    ]
    d = deferrals.c
    held = select(segments.c.id).where(
        segments.c.id == d.segment, segments.c.edge == d.edge, is_held()
    )
    open_ones = (
        select(d.edge, func.min(d.since).label("since"))
        .where(d.ended_at.is_(None), ~exists(held.correlate(deferrals)))
        .group_by(d.edge)
    )
    late = [
        LateDeletion(row.edge, row.since)
        for row in await connection.execute(open_ones.order_by(d.edge))
    ]
    return Seen(
        seen,
        list(boxes.values()),
        told,
        late,
        await _troubles(connection),
        await _incomplete(connection, now),
    )


async def _troubles(connection: AsyncConnection) -> list[BoxTrouble]:
    """Read what lasts about the boxes, outside windows too."""
    of_box = select(func.count()).where(cameras.c.edge == edges.c.id).scalar_subquery()
    query = (
        select(
            edges.c.id,
            of_box.label("cameras"),
            edge_states.c.state,
            edge_states.c.clock_trusted,
            box_troubles.c.kind,
            box_troubles.c.since,
        )
        .join(edge_states, edge_states.c.edge == edges.c.id)
        .outerjoin(
            box_troubles,
            (box_troubles.c.edge == edges.c.id) & box_troubles.c.ended_at.is_(None),
        )
        .where(edges.c.enrolled_at.is_not(None), edges.c.revoked_at.is_(None))
        .order_by(edges.c.id, box_troubles.c.kind)
    )
    found: dict[tuple[str, Kind], BoxTrouble] = {}
    for row in (await connection.execute(query)).all():
        kinds: list[tuple[Kind, datetime | None]] = []
        if row.kind in OF_BOX:
            kinds.append((OF_BOX[row.kind], row.since))
        if not row.clock_trusted:
            kinds.append(("clock_untrusted", None))
        for kind, since in kinds:
            found[row.id, kind] = BoxTrouble(
                edge=row.id,
                kind=kind,
                cameras=row.cameras,
                is_online=row.state == "online",
                since=since,
            )
    return list(found.values())


async def _incomplete(connection: AsyncConnection, now: datetime) -> list[Incomplete]:
    """Read the sessions whose footage has gaps, while there is footage; each is dealt with once."""
    c, s = certificates.c, exam_sessions.c
    later = certificates.alias()
    newest = ~exists().where(later.c.session == c.session, later.c.edition > c.edition)
    settled = exists().where(
        alerts.c.kind == "session_incomplete",
        alerts.c.subject == c.session,
        alerts.c.solved_by.is_not(None),
    )
    query = (
        select(c.session, s.room, s.ends_at)
        .join(exam_sessions, s.id == c.session)
        .where(
            s.ends_at > now - timedelta(days=FLOOR_DAYS),
            s.ends_at <= now,
            s.cancelled_at.is_(None),
            c.verdict == text("'INCOMPLETE'"),  # a parameter would not find the index
            newest,
            ~settled,
        )
        .order_by(s.ends_at, c.session)
    )
    return [Incomplete(*row) for row in await connection.execute(query)]
