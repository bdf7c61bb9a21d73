"""What an evidence package would hold: which recordings, what is missing, how many bytes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.messages import Fact
from contract.spans import Span, subtract
from orchestrator.covers import is_deleted, is_held
from orchestrator.store import Store
from orchestrator.store.tables import cameras, facts, segments

LONGEST = timedelta(hours=8)
SETTLED = timedelta(minutes=2)
"""So long after a second its recording is sealed and told of, where there is one."""
_MINUTE = timedelta(minutes=1)
_HOLE_S = 1.0
_PERIOD = timedelta(days=30)
_BATCH = 500
_MICROSECOND = timedelta(microseconds=1)


class EvidenceRefused(Exception):
    """A package is not made or not given; `code` says why, stable.

    Codes: `forbidden`, `reason_required`, `bad_request`, `no_such`, `too_long`, `not_over`,
    `no_footage`, `expired`, `no_space`, `footage_changed`, `unproved`, `box_refused`,
    `box_unreachable`, `conflict`, `link_used`, `undertaking_required`.
    """

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Piece:
    """A recording that has a part of the span."""

    segment: str
    camera: str
    edge: str
    path: str
    """Below the box's shelf."""
    start: datetime
    end: datetime
    bytes: int
    root: str
    span_90k: tuple[int, int]
    """The part of the span, from the segment's start."""

    @property
    def share(self) -> int:
        """About how many of its bytes the span takes."""
        whole = max((self.end - self.start) / _MICROSECOND * 9 / 100, 1)
        part = min(self.span_90k[1], whole) - self.span_90k[0]
        return int(self.bytes * max(0.0, min(1.0, part / whole)))


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes in."""

    pieces: tuple[Piece, ...]
    missing: tuple[tuple[str, Span], ...]

    @property
    def bytes(self) -> int:
        """About how large the package will be: the footage, and copies to look at of that size."""
        return 2 * sum(piece.share for piece in self.pieces) + (1 << 20)


async def plan(store: Store, wanted: Sequence[str], span: Span, now: datetime) -> Plan:
    """Say what there is of these cameras in this span; raises EvidenceRefused."""
    if not wanted or len(set(wanted)) != len(wanted):
        raise EvidenceRefused("bad_request", "name each camera once")
    if span.start >= span.end:
        raise EvidenceRefused("bad_request", "the span ends before it begins")
    if span.end - span.start > LONGEST:
        raise EvidenceRefused("too_long", f"at most {LONGEST // timedelta(hours=1)} hours")
    if span.end > now - SETTLED:
        raise EvidenceRefused("not_over", f"ask again {SETTLED // _MINUTE} minutes after its end")
    async with store.read() as connection:
        known = set(await connection.scalars(select(cameras.c.id).where(cameras.c.id.in_(wanted))))
        rows = await _segments(connection, wanted, span)
    recorded = {row.camera for row in rows}
    if strangers := [camera for camera in wanted if camera not in known | recorded]:
        raise EvidenceRefused("no_such", f"there is no camera {strangers[0]}")
    if any(_is_past(row, now) for row in rows) or (not rows and span.end < now - _PERIOD):
        raise EvidenceRefused("expired", "已超过保存期 / past its term")
    if not rows:
        raise EvidenceRefused("no_footage")
    pieces = tuple(_piece(row, span) for row in rows)
    return Plan(pieces, tuple(_missing(wanted, pieces, span)))


async def is_over(store: Store, segment: str, now: datetime) -> bool:
    """Say whether a recording is past its term or deleted: making a package takes hours."""
    query = select(segments.c.retain_until, is_held().label("is_held")).where(
        segments.c.id == segment, ~is_deleted()
    )
    async with store.read() as connection:
        row = (await connection.execute(query)).first()
    return row is None or _is_past(row, now)


def _is_past(row: Row[Any], now: datetime) -> bool:
    return bool(row.retain_until <= now and not row.is_held)


async def _segments(
    connection: AsyncConnection, wanted: Sequence[str], span: Span
) -> Sequence[Row[Any]]:
    s = segments.c
    query = (
        select(segments, is_held().label("is_held"))
        .where(s.stream == "main", s.camera.in_(wanted))
        .where(s.ends_at > span.start, s.starts_at < span.end, ~is_deleted())
        .order_by(s.camera, s.starts_at, s.id)
    )
    return (await connection.execute(query)).all()


def _piece(row: Row[Any], span: Span) -> Piece:
    return Piece(
        segment=row.id,
        camera=row.camera,
        edge=row.edge,
        path=row.path.removeprefix("shelf/"),
        start=row.starts_at,
        end=row.ends_at,
        bytes=row.bytes,
        root=row.root,
        span_90k=(in_90k(span.start - row.starts_at), in_90k(span.end - row.starts_at)),
    )


def in_90k(since: timedelta) -> int:
    """Give the first 90 kHz tick that is not before this; never a negative one."""
    return max(0, -(-(since // _MICROSECOND) * 9 // 100))


def _missing(
    wanted: Iterable[str], pieces: Iterable[Piece], span: Span
) -> Iterable[tuple[str, Span]]:
    for camera in wanted:
        there = [Span(piece.start, piece.end) for piece in pieces if piece.camera == camera]
        for hole in subtract(span, there):
            if hole.seconds > _HOLE_S:
                yield camera, hole


async def facts_of(store: Store, pieces: Sequence[Piece]) -> dict[str, Fact]:
    """Give what the boxes said of these recordings, as it came; raises EvidenceRefused."""
    found: dict[str, Fact] = {}
    for edge in sorted({piece.edge for piece in pieces}):
        mine = {piece.segment for piece in pieces if piece.edge == edge}
        since = min(piece.start for piece in pieces if piece.edge == edge)
        found |= await _told(store, edge, mine, since)
    if lost := [piece.segment for piece in pieces if piece.segment not in found]:
        raise EvidenceRefused("unproved", f"no box signed for {lost[0]}")
    return found


async def _told(store: Store, edge: str, wanted: set[str], since: datetime) -> dict[str, Fact]:
    found: dict[str, Fact] = {}
    seq = -1
    while len(found) < len(wanted):
        query = (
            select(facts.c.seq, facts.c.body)
            .where(facts.c.edge == edge, facts.c.type == "segment")
            .where(facts.c.at >= since, facts.c.seq > seq)
            .order_by(facts.c.seq)
            .limit(_BATCH)
        )
        async with store.read() as connection:
            rows = (await connection.execute(query)).all()
        if not rows:
            break
        for row in rows:
            fact = msgspec.json.decode(row.body, type=Fact)
            name = msgspec.json.decode(fact.data, type=_Named).segment
            if name in wanted:
                found[name] = fact
        seq = rows[-1].seq
    return found


class _Named(msgspec.Struct):
    segment: str
