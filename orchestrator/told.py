"""What each thing a box tells changes in the store, and what watchers hear of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import RowMapping, Table, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.messages import (
    Archived,
    Booted,
    CameraChanged,
    CameraStatus,
    DeferralEnded,
    Deferred,
    Deleted,
    EdgeStatus,
    GapFound,
    HoldsHeard,
    LookChanged,
    Message,
    ProcessLost,
    RecorderBegan,
    ReferenceTaken,
    RetentionRaised,
    SegmentClosed,
    ShelfTrouble,
    StateHeard,
    TamperChanged,
)
from contract.retention import FLOOR_DAYS, Window, kept_from, retain_until
from contract.spans import Span
from orchestrator.alerts.classes import OF_SHELF
from orchestrator.archive import keep_copy
from orchestrator.belonging import own_cameras
from orchestrator.boxtroubles import end_by_footage, end_troubles, note_trouble
from orchestrator.categories import categories, classes
from orchestrator.exams import Lead
from orchestrator.expired import (
    by_its_clock,
    end_deferrals,
    note_deferral,
    note_deletion,
    note_holds,
    raise_terms,
)
from orchestrator.ledger import Act, append
from orchestrator.store.tables import (
    camera_states,
    cameras,
    edge_states,
    edge_volumes,
    gaps,
    looks,
    reference_views,
    segments,
    tampers,
)
from orchestrator.windows import sessions_in

_SHOWN = ("state", "cause", "recording")
_SEEN = (*_SHOWN, "last_frame_at", "bitrate_bps")


@dataclass(frozen=True, slots=True)
class Happened:
    """What those who watch are told."""

    type: str
    id: str
    data: dict[str, Any]


async def apply(
    connection: AsyncConnection,
    edge: str,
    at: datetime,
    now: datetime,
    data: Message | None,
    lead: Lead,
) -> list[Happened]:
    """Change the store by one new fact; of a kind we do not know, nothing.

    `at` is the box's word for when it was, and `now` our clock: the ledger goes by ours.
    """
    match data:
        case SegmentClosed():
            return await keep_segments(connection, edge, [data], lead, now)
        case GapFound():
            return await _gap(connection, edge, data)
        case CameraChanged():
            return await _camera(connection, edge, at, data)
        case LookChanged():
            return await _look(connection, edge, at, now, data)
        case StateHeard() if not data.accepted:
            return [Happened("edge", edge, {"refused": data.reason})]
        case RecorderBegan():
            await end_troubles(connection, edge, ("write_failed",), at)
            return []
        case Archived():
            news = await keep_copy(connection, edge, data)
            await end_troubles(connection, edge, ("archive",), at)
            return [Happened("recording", data.segment, {"archived": data.copy})] if news else []
        case TamperChanged():
            return await _tamper(connection, edge, at, data)
        case ReferenceTaken():
            return await _reference(connection, edge, data)
        case Booted():
            return await _forget_tampers(connection, edge, at)
        case ProcessLost(process="eyes"):
            lost = [Happened("edge", edge, {"process": data.process, "how": data.how})]
            return lost + await _forget_tampers(connection, edge, at)
        case ProcessLost():
            return [Happened("edge", edge, {"process": data.process, "how": data.how})]
        case RetentionRaised():
            await raise_terms(connection, edge, at, data)
            return []
        case Deleted():
            await note_deletion(connection, edge, now, data)
            return [Happened("deletion", data.segment, {"edge": edge, "camera": data.camera})]
        case Deferred():
            await note_deferral(connection, edge, data)
            return [Happened("edge", edge, {"deferred": len(data.segments), "why": data.why})]
        case DeferralEnded():
            await end_deferrals(connection, edge, data.segments, at)
            return [Happened("edge", edge, {"kept": len(data.segments)})]
        case HoldsHeard():
            await note_holds(connection, edge, at, now, data)
            return [Happened("hold", "", {"edge": edge, "accepted": data.accepted})]
        case ShelfTrouble():
            if data.kind in OF_SHELF:
                await _meddled(connection, edge, at, data)
            await note_trouble(connection, edge, at, data)
            return [Happened("edge", edge, {"shelf": data.kind, "detail": data.detail})]
        case _:
            return []


async def keep_status(
    connection: AsyncConnection, edge: str, status: EdgeStatus, now: datetime
) -> list[Happened]:
    """Keep what a box says of itself; a last will makes it offline."""
    mine = select(edge_states).where(edge_states.c.edge == edge)
    row = (await connection.execute(mine)).mappings().first()
    if status.state == "offline":  # the will of a connection that was replaced says nothing
        same = row is not None and row["boot"] == status.boot
        return await lose(connection, edge, "cut_off") if same else []
    values = {
        "at": status.at,
        "heard_at": now,
        "state": "online",
        "boot": status.boot,
        "epoch": status.epoch,
        "revision": status.revision,
        "clock_trusted": status.clock_trusted,
        "free_bytes": status.free_bytes,
    }
    if row is None:
        await connection.execute(insert(edge_states).values(edge=edge, **values))
    else:
        await connection.execute(
            update(edge_states).where(edge_states.c.edge == edge).values(**values)
        )
    await _keep_volume(connection, edge, status)
    happened = await _keep_cameras(connection, edge, status)
    shown = ("state", "boot", "epoch", "revision", "clock_trusted")
    if row is None or any(row[name] != values[name] for name in shown):
        happened.append(Happened("edge", edge, {name: values[name] for name in shown}))
    return happened


async def lose(connection: AsyncConnection, edge: str, cause: str) -> list[Happened]:
    """Note that a box is not heard; what its cameras do is unknown then."""
    online = (edge_states.c.edge == edge) & (edge_states.c.state == "online")
    done = await connection.execute(update(edge_states).where(online).values(state="offline"))
    if not done.rowcount:
        return []
    mine = camera_states.c.edge == edge
    await connection.execute(
        update(camera_states)
        .where(mine)
        .values(state="unknown", cause="box_offline", recording=False, bitrate_bps=0)
    )
    lost = await connection.scalars(select(camera_states.c.camera).where(mine).distinct())
    unknown = {"state": "unknown", "cause": "box_offline", "recording": False}
    return [
        Happened("edge", edge, {"state": "offline", "cause": cause}),
        *(Happened("camera", camera, unknown) for camera in lost),
    ]


async def silent_since(connection: AsyncConnection, last: datetime) -> list[str]:
    """Give the boxes that count as online and were last heard before then."""
    which = (edge_states.c.state == "online") & (edge_states.c.heard_at < last)
    return list(await connection.scalars(select(edge_states.c.edge).where(which)))


async def keep_segments(
    connection: AsyncConnection,
    edge: str,
    closed: Iterable[SegmentClosed],
    lead: Lead,
    heard_at: datetime,
) -> list[Happened]:
    """Keep segments that are new: five statements, however many they are.

    Of what a clock wrote that was not believed it is certain only that it ended before it was
    heard of: its term counts from then, until its box knows more.
    """
    told = {one.segment: one for one in closed}
    if told:
        await end_by_footage(connection, edge, max(one.start for one in told.values()))
    names = await _free_ids(connection, segments, edge, told)
    new = [(names[one], told[one]) for one in names]
    if not new:
        return []
    held = select(cameras.c.id, cameras.c.room).where(
        cameras.c.id.in_({one.camera for _, one in new})
    )
    room_of = {row.id: row.room for row in await connection.execute(held)}
    span = Span(min(one.start for _, one in new), max(one.end for _, one in new))
    rooms = set(room_of.values())
    days = await classes(connection)
    if any(one.clock == "untrusted" for _, one in new):  # a window that is over may still ask
        longer = timedelta(days=max(days.values(), default=FLOOR_DAYS) - FLOOR_DAYS + 1)
        span = Span(min(span.start, heard_at - longer), max(span.end, heard_at))
    sessions = await sessions_in(connection, lead, span, rooms=rooms, cancelled=True)
    of = await categories(connection, (one.id for one in sessions)) if days else {}
    windows = [
        (one.room, Window(window.start, window.end, days.get(of.get(one.id, ""), FLOOR_DAYS)))
        for one in sessions
        for window in (lead.window(one.start, one.end),)
    ]
    rows = []
    for name, one in new:
        own = [window for room, window in windows if room == room_of.get(one.camera)]
        until = retain_until(Span(one.start, one.end), own)
        if one.clock == "untrusted":
            until = max(until, kept_from(heard_at, own))
        rows.append(_segment_row(edge, name, one, until))
    await connection.execute(insert(segments), rows)
    return [Happened("recording", name, _shown(one)) for name, one in new]


def _segment_row(edge: str, name: str, data: SegmentClosed, kept: datetime) -> dict[str, Any]:
    return {
        "id": name,
        "edge": edge,
        "camera": data.camera,
        "stream": data.stream,
        "starts_at": data.start,
        "ends_at": data.end,
        "bytes": data.bytes,
        "path": data.path,
        "root": data.root,
        "previous": data.previous,
        "fragments": data.fragments,
        "clock": data.clock,
        "clock_offset_ms": data.clock_offset_ms,
        "volume": data.volume,
        "adopted": data.adopted,
        "retain_until": kept,
    }


def _shown(data: SegmentClosed) -> dict[str, Any]:
    return {"camera": data.camera, "start": data.start, "end": data.end, "bytes": data.bytes}


async def _free_ids(
    connection: AsyncConnection, table: Table, edge: str, wanted: Iterable[str]
) -> dict[str, str]:
    """Give the id under which each new thing of a box is kept; none for what is there already.

    An id that another box took first hides nothing: longer ids than boxes may give are ours.
    """
    ours = {one: f"twin-{sha256(f'{edge}/{one}'.encode()).hexdigest()}" for one in wanted}
    known = select(table.c.id, table.c.edge).where(table.c.id.in_([*ours, *ours.values()]))
    holders = {row.id: row.edge for row in await connection.execute(known)}
    return {
        one: twin if one in holders else one
        for one, twin in ours.items()
        if twin not in holders and holders.get(one) != edge
    }


async def _gap(connection: AsyncConnection, edge: str, data: GapFound) -> list[Happened]:
    name = (await _free_ids(connection, gaps, edge, [data.gap])).get(data.gap)
    if name is None:
        return []
    await connection.execute(
        insert(gaps).values(
            id=name,
            edge=edge,
            camera=data.camera,
            stream=data.stream,
            starts_at=data.start,
            ends_at=data.end,
            cause=data.cause,
            detail=data.detail,
        )
    )
    gap = {"camera": data.camera, "start": data.start, "end": data.end, "gap": data.cause}
    return [Happened("recording", name, gap)]


async def _keep_volume(connection: AsyncConnection, edge: str, status: EdgeStatus) -> None:
    """Keep what a box says of its volume; one of an older edition says nothing."""
    if status.total_bytes is None:
        return
    said = {
        "at": status.at,
        "total_bytes": status.total_bytes,
        "pressure": "spill" if status.pressure == "preview" else status.pressure,
    }
    mine = edge_volumes.c.edge == edge
    if not (await connection.execute(update(edge_volumes).where(mine).values(**said))).rowcount:
        await connection.execute(insert(edge_volumes).values(edge=edge, **said))


async def _keep_cameras(
    connection: AsyncConnection, edge: str, status: EdgeStatus
) -> list[Happened]:
    """Keep all of a heartbeat's cameras: three statements, however many they are.

    One of the box's cameras that it does not mention is off: what it did before is over.
    """
    c = camera_states.c
    known = c.camera.in_({seen.camera for seen in status.cameras}) | (c.edge == edge)
    rows = (await connection.execute(select(camera_states).where(known))).mappings()
    before = {(row["camera"], row["stream"]): row for row in rows}
    now_seen = {(seen.camera, seen.stream): seen for seen in status.cameras}
    for name, row in before.items():
        if name not in now_seen and row["state"] != "off":
            now_seen[name] = _unmentioned(row)
    added: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    happened: list[Happened] = []
    for seen in now_seen.values():
        old = before.get((seen.camera, seen.stream))
        (added if old is None else changed).append(
            {
                "of": seen.camera,
                "from": seen.stream,
                "edge": edge,
                "at": status.at,
                **{name: getattr(seen, name) for name in _SEEN},
            }
        )
        if seen.stream == "main" and (
            old is None or any(old[name] != getattr(seen, name) for name in _SHOWN)
        ):
            told = {name: getattr(seen, name) for name in _SEEN}
            happened.append(Happened("camera", seen.camera, told))
    values: dict[str, Any] = {name: bindparam(name) for name in ("edge", "at", *_SEEN)}
    key: dict[str, Any] = {"camera": bindparam("of"), "stream": bindparam("from")}
    if added:
        await connection.execute(insert(camera_states).values(**key, **values), added)
    if changed:
        which = [camera_states.c[name] == value for name, value in key.items()]
        await connection.execute(update(camera_states).where(*which).values(**values), changed)
    return happened


def _unmentioned(row: RowMapping) -> CameraStatus:
    return CameraStatus(
        camera=row["camera"],
        stream=row["stream"],
        state="off",
        last_frame_at=row["last_frame_at"],
    )


async def _camera(
    connection: AsyncConnection, edge: str, at: datetime, data: CameraChanged
) -> list[Happened]:
    """Keep a stream's change, unless a heartbeat said something later or the camera moved away."""
    if not await own_cameras(connection, edge, [data.camera]):
        return []
    which = [camera_states.c.camera == data.camera, camera_states.c.stream == data.stream]
    row = (await connection.execute(select(camera_states).where(*which))).mappings().first()
    values = {"edge": edge, "at": at, "state": data.state, "cause": data.cause}
    if row is None:
        new = insert(camera_states).values(camera=data.camera, stream=data.stream, **values)
        await connection.execute(new)
    elif row["at"] <= at:
        await connection.execute(update(camera_states).where(*which).values(**values))
    else:
        return []
    told = {"recording": False, "last_frame_at": None, "bitrate_bps": 0, **(row or {}), **values}
    same = row is not None and all(row[name] == told[name] for name in _SHOWN)
    if same or data.stream != "main":
        return []
    return [Happened("camera", data.camera, {name: told[name] for name in _SEEN})]


async def _look(
    connection: AsyncConnection, edge: str, at: datetime, now: datetime, data: LookChanged
) -> list[Happened]:
    if data.state == "refused":
        what = f"{edge} {' '.join(data.cameras)}".strip()
        why = by_its_clock("refused at the box", at)
        act = Act(data.user or f"edge:{edge}", "look", what, why, data.reason)
        await append(connection, act, now)
    if data.state == "ended":
        still_open = (looks.c.id == data.jti) & (looks.c.edge == edge) & looks.c.ended_at.is_(None)
        await connection.execute(
            update(looks).where(still_open).values(ended_at=at, ended_why=data.reason or "ended")
        )
    return []


async def _tamper(
    connection: AsyncConnection, edge: str, at: datetime, data: TamperChanged
) -> list[Happened]:
    """Keep each time a picture was not as it should be; one ends before the next begins."""
    mine = (tampers.c.camera == data.camera) & (tampers.c.kind == data.kind)
    before = mine & tampers.c.ended_at.is_(None)
    if data.state == "ended":
        await connection.execute(update(tampers).where(before).values(ended_at=at))
    else:
        name = f"{data.camera}.{data.kind}.{data.first_at:%Y%m%dT%H%M%S%f}"
        known = select(tampers.c.id).where(tampers.c.id == name)
        if (await connection.scalars(known)).first() is not None:
            return []
        await connection.execute(update(tampers).where(before).values(ended_at=data.first_at))
        await connection.execute(
            insert(tampers).values(
                id=name,
                camera=data.camera,
                edge=edge,
                kind=data.kind,
                score=data.score,
                extent=data.extent,
                model=data.model,
                first_at=data.first_at,
                voted_at=data.voted_at,
            )
        )
    told = {"kind": data.kind, "state": data.state, "score": data.score, "extent": data.extent}
    return [Happened("tamper", data.camera, told)]


async def _meddled(
    connection: AsyncConnection, edge: str, at: datetime, data: ShelfTrouble
) -> None:
    """Keep that footage of a camera was removed or changed; one word waits to be counted.

    A hundred files that are gone are one case. What was counted before stands until a person ends
    the case, so it makes room.
    """
    alike = [kind for kind in OF_SHELF if OF_SHELF[kind] == OF_SHELF[data.kind]]
    mine = (tampers.c.camera == data.camera) & tampers.c.kind.in_(alike)
    if not data.camera:
        mine &= tampers.c.edge == edge
    before = mine & tampers.c.ended_at.is_(None)
    waiting = select(tampers.c.id).where(before, tampers.c.alert.is_(None))
    if (await connection.scalars(waiting)).first() is not None:
        return
    name = f"{data.segment or edge}.{data.kind}.{at:%Y%m%dT%H%M%S%f}"
    await connection.execute(update(tampers).where(before).values(ended_at=at))
    await connection.execute(
        insert(tampers).values(
            id=name,
            camera=data.camera,
            edge=edge,
            kind=data.kind,
            score=1.0,
            extent=1.0,
            model="exact",
            first_at=at,
            voted_at=at,
        )
    )


async def _forget_tampers(connection: AsyncConnection, edge: str, at: datetime) -> list[Happened]:
    """End all that a box's eyes said: they are new, and say anew what they see."""
    seen = tampers.c.kind.not_in(list(OF_SHELF))
    mine = (tampers.c.edge == edge) & tampers.c.ended_at.is_(None) & seen
    cameras_of = list(await connection.scalars(select(tampers.c.camera).where(mine).distinct()))
    await connection.execute(update(tampers).where(mine).values(ended_at=at))
    return [Happened("tamper", camera, {"state": "ended"}) for camera in cameras_of]


async def _reference(
    connection: AsyncConnection, edge: str, data: ReferenceTaken
) -> list[Happened]:
    view = {"camera": data.camera, "sha256": data.sha256}
    which = [reference_views.c[name] == value for name, value in view.items()]
    if (await connection.execute(select(reference_views).where(*which))).first() is None:
        await connection.execute(
            insert(reference_views).values(
                **view, edge=edge, taken_at=data.taken_at, sharpness=data.sharpness
            )
        )
    return [Happened("reference", data.camera, {"state": "candidate", "sha256": data.sha256})]
