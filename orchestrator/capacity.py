"""Capacity before the exam: what the store knows of disks, rates and exams, put into a forecast."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.clock import Clock
from contract.messages import Stream
from contract.retention import FLOOR_DAYS, period
from contract.spans import Span
from orchestrator.categories import classes
from orchestrator.covers import LIVE, is_deleted
from orchestrator.exams import Lead
from orchestrator.planning import Difference, PlannedOrder, Session, orders, windows
from orchestrator.planning.forecast import (
    BoxForecast,
    Planned,
    Rate,
    Stored,
    Volume,
    forecast,
    rate_of,
    worse,
)
from orchestrator.store import Store
from orchestrator.store.tables import (
    camera_states,
    cameras,
    edge_states,
    edge_volumes,
    edges,
    hold_cameras,
    holds,
    segments,
)
from orchestrator.windows import sessions_in

HORIZON_DAYS = 30
_FURTHEST_DAYS = 180
_MEASURED_OVER = timedelta(days=14)
_RECORDED: Stream = "main"
"""The stream that orders keep on disk."""


@dataclass(frozen=True, slots=True)
class HeldSpan:
    """Footage of one camera that a hold keeps; `until` None: nobody knows how long."""

    camera: str
    span: Span
    until: datetime | None = None


HeldReader = Callable[[AsyncConnection, datetime], Awaitable[Sequence[HeldSpan]]]
"""Reads which spans are held at an instant."""


async def live_holds(connection: AsyncConnection, now: datetime) -> Sequence[HeldSpan]:
    """Give what holds keep now; only a request's hold may know its end."""
    del now
    query = (
        select(hold_cameras.c.camera, holds.c.starts_at, holds.c.ends_at, holds.c.lapses_at)
        .join(holds, holds.c.id == hold_cameras.c.hold)
        .where(holds.c.state.in_(LIVE))
    )
    return [
        HeldSpan(row.camera, Span(row.starts_at, row.ends_at), row.lapses_at)
        for row in await connection.execute(query)
    ]


@dataclass(frozen=True, slots=True)
class Check:
    """What a timetable does to the disks."""

    boxes: tuple[BoxForecast, ...]
    """As it would be with the timetable applied."""
    worst: BoxForecast | None
    """The box that does not fit because of it; None: it fits."""


class DoesNotFit(Exception):
    """The timetable would fill a box's disk before its exams are recorded."""

    code = "does_not_fit"

    def __init__(self, box: BoxForecast) -> None:
        first = box.first_day
        if first is None:
            raise ValueError(f"{box.edge} fits")
        self.edge = box.edge
        self.day = first.date
        self.shortfall_bytes = first.shortfall_bytes
        self.most_bytes = box.shortfall_bytes
        super().__init__(f"{self.edge} {self.day}: {self.shortfall_bytes} bytes too few")


class Capacity:
    """Forecasts the boxes' volumes from the catalogue and the timetable."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        lead: Lead,
        timezone: str,
        held: HeldReader = live_holds,
    ) -> None:
        self._store = store
        self._clock = clock
        self._lead = lead
        self._zone = ZoneInfo(timezone)
        self._held = held

    async def forecast(self, days: int = HORIZON_DAYS) -> tuple[BoxForecast, ...]:
        """Give the volumes day by day, as the timetable stands."""
        now = self._clock.now()
        async with self._store.read() as connection:
            disks = await self._disks(connection, now)
            sessions = await self._sessions(connection, now, days)
        return self._judge(disks, sessions, now, days)

    async def check(self, difference: Difference) -> Check:
        """Give what applying a difference does; looks as far as its last exam, 30 days at least."""
        now = self._clock.now()
        afters = [*difference.added, *(change.after for change in difference.changed)]
        days = _days_to(afters, now)
        async with self._store.read() as connection:
            disks = await self._disks(connection, now)
            standing = await self._sessions(connection, now, days)
        gone = {session.id for session in difference.removed}
        gone |= {change.before.id for change in difference.changed}
        then = [*(session for session in standing if session.id not in gone), *afters]
        before = self._judge(disks, standing, now, days)
        after = self._judge(disks, then, now, days)
        return Check(after, worse(before, after))

    async def _sessions(
        self, connection: AsyncConnection, now: datetime, days: int
    ) -> list[Session]:
        span = Span(now, now + timedelta(days=days + 1))
        return await sessions_in(connection, self._lead, span)

    async def _disks(self, connection: AsyncConnection, now: datetime) -> "_Disks":
        rows = (
            await connection.execute(select(cameras.c.id, cameras.c.room, cameras.c.edge))
        ).all()
        by_room: dict[str, list[str]] = defaultdict(list)
        for row in rows:
            by_room[row.room].append(row.id)
        return _Disks(
            volumes=await _volumes(connection),
            stored=await self._stored(connection, now),
            rates=await _rates(connection, [row.id for row in rows], now),
            cameras=dict(by_room),
            edge_of={row.id: row.edge for row in rows},
            days=await classes(connection),
        )

    async def _stored(self, connection: AsyncConnection, now: datetime) -> tuple[Stored, ...]:
        """Give what is on the boxes, by when it goes: in lots, there are millions of segments."""
        s = segments.c
        query = (
            select(s.edge, s.retain_until, func.sum(s.bytes).label("bytes"))
            .where(s.retain_until > now, _is_on_first())
            .group_by(s.edge, s.retain_until)
        )
        found = await connection.execute(query)
        lots = {(row.edge, row.retain_until): int(row.bytes) for row in found}
        kept: list[Stored] = []
        for lot, until in (await self._held_segments(connection, now)).items():
            _, edge, goes_at, size = lot
            lots[edge, goes_at] = lots.get((edge, goes_at), size) - size
            leaves_at = None if until is None else max(until, goes_at)
            kept.append(Stored(edge, size, leaves_at, is_held=True))
        free = [Stored(edge, size, goes_at) for (edge, goes_at), size in lots.items() if size > 0]
        return (*free, *kept)

    async def _held_segments(
        self, connection: AsyncConnection, now: datetime
    ) -> dict[tuple[str, str, datetime, int], datetime | None]:
        """Give each segment that a hold touches, once, with until when the longest keeps it."""
        s = segments.c
        found: dict[tuple[str, str, datetime, int], datetime | None] = {}
        for held in await self._held(connection, now):
            query = select(s.id, s.edge, s.retain_until, s.bytes).where(
                s.camera == held.camera,
                s.starts_at < held.span.end,
                s.ends_at > held.span.start,
                ~is_deleted(),
                _is_on_first(),
            )
            for row in await connection.execute(query):
                key = (row.id, row.edge, row.retain_until, row.bytes)
                earlier = found.get(key, held.until)
                endless = earlier is None or held.until is None
                found[key] = None if endless else max(earlier or now, held.until or now)
        return found

    def _judge(
        self, disks: "_Disks", sessions: Sequence[Session], now: datetime, days: int
    ) -> tuple[BoxForecast, ...]:
        planned = orders(sessions, disks.cameras, self._lead.before, self._lead.after)
        kept = _kept(planned, sessions, disks.days)
        plans = [
            Planned(
                edge=disks.edge_of[camera],
                camera=camera,
                span=span,
                rate=disks.rates[camera],
                keep_until=max(
                    until
                    for one, until in kept[camera]
                    if one.start < span.end and span.start < one.end
                ),
            )
            for camera, spans in windows(planned).items()
            for span in spans
        ]
        return forecast(disks.volumes, plans, disks.stored, now, days, self._zone)


@dataclass(frozen=True, slots=True)
class _Disks:
    """All that does not depend on the timetable."""

    volumes: tuple[Volume, ...]
    stored: tuple[Stored, ...]
    rates: dict[str, Rate]
    cameras: dict[str, list[str]]
    edge_of: dict[str, str]
    days: dict[str, int]
    """By category of exam, where it is more than thirty."""


def _kept(
    planned: Iterable[PlannedOrder], sessions: Iterable[Session], days: dict[str, int]
) -> dict[str, list[tuple[Span, datetime]]]:
    """Give until when the footage of each camera's orders is kept, by the class of the exam."""
    category = {session.id: session.category for session in sessions}
    kept: dict[str, list[tuple[Span, datetime]]] = defaultdict(list)
    for order in planned:
        term = period(days.get(category[order.session], FLOOR_DAYS))
        kept[order.camera].append((Span(order.start, order.end), order.end + term))
    return kept


def _days_to(sessions: Iterable[Session], now: datetime) -> int:
    last = max((session.end for session in sessions), default=now)
    return min(_FURTHEST_DAYS, max(HORIZON_DAYS, (last - now).days + 2))


def _is_on_first() -> ColumnElement[bool]:
    """True for what lies on a box's first volume: the second is not forecast."""
    return segments.c.path.not_like("shelf/.second/%")


async def _volumes(connection: AsyncConnection) -> tuple[Volume, ...]:
    query = (
        select(edges.c.id, edge_volumes.c.total_bytes, edge_states.c.free_bytes)
        .join(edge_states, edge_states.c.edge == edges.c.id, isouter=True)
        .join(edge_volumes, edge_volumes.c.edge == edges.c.id, isouter=True)
        .where(edges.c.revoked_at.is_(None))
        .order_by(edges.c.id)
    )
    rows = await connection.execute(query)
    return tuple(Volume(row.id, row.total_bytes, row.free_bytes) for row in rows)


async def _rates(
    connection: AsyncConnection, names: Iterable[str], now: datetime
) -> dict[str, Rate]:
    """Give each camera's rate: of its files of the last two weeks, else as its box saw it."""
    s = segments.c
    query = (
        select(
            s.camera,
            func.sum(s.bytes).label("bytes"),
            func.sum(s.ends_at - s.starts_at).label("lasted"),
        )
        .where(s.stream == _RECORDED, s.starts_at > now - _MEASURED_OVER)
        .group_by(s.camera)
    )
    recorded = {
        row.camera: (int(row.bytes), _seconds(row.lasted))
        for row in await connection.execute(query)
    }
    c = camera_states.c
    seen = select(c.camera, c.bitrate_bps).where(c.stream == _RECORDED)
    reported = {row.camera: row.bitrate_bps for row in await connection.execute(seen)}
    return {
        name: rate_of(_RECORDED, *recorded.get(name, (0, 0.0)), reported.get(name, 0))
        for name in names
    }


def _seconds(lasted: object) -> float:
    """Read a sum of differences of instants: whole microseconds in the database."""
    return float(str(lasted)) / 1e6
