"""Reading from the store what certificates and the proof of silence are made of."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Row as DbRow
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.coverage import Hole
from contract.keys import BadSignature
from contract.messages import (
    ContactChanged,
    CoverageStated,
    Fact,
    RecorderBegan,
    data_of,
    verify_fact,
)
from contract.spans import Span
from orchestrator.certificates.building import STREAM, CameraFacts, Facts, Row, ToldGap, Word
from orchestrator.certificates.document import Copy, Listed, Sat, Sitting
from orchestrator.certificates.silence import (
    Evidence,
    Recorded,
    Told,
    is_settled,
    judge,
    lead_in,
)
from orchestrator.covers import touching
from orchestrator.exams import Lead
from orchestrator.outages import holes_of
from orchestrator.planning import Session
from orchestrator.store.tables import (
    archive_copies,
    cameras,
    dispatches,
    edge_states,
    edges,
    exam_sessions,
    fact_marks,
    facts,
    gaps,
    rooms,
    segments,
)
from orchestrator.wanted import fitting

SILENCE = timedelta(hours=24)
"""How much before a window's end a certificate speaks of."""
MOST_OUTSIDE = 20_000
"""So many recordings outside windows are named; where there are more, the span is too long."""
_AT_ONCE = 500
_CAMERAS_AT_ONCE = 16
_BEFORE = timedelta(days=2)
"""A contact that began longer before a span is not looked for."""


class TooMuch(ValueError):
    """More lies outside windows than one answer names."""


@dataclass(frozen=True, slots=True)
class Site:
    """What stands at the head of every certificate."""

    name: str
    timezone: str
    lead: Lead


@dataclass(slots=True)
class _Commands:
    """Which orders each box was told, and when."""

    connection: AsyncConnection
    states: dict[tuple[str, datetime], Sequence[tuple[datetime, bytes]]] = field(
        default_factory=dict
    )

    async def first(self, edge: str, order: str, window: Span) -> datetime | None:
        """Give when the box was first told; an instant before the window stands for all such."""
        named = rb"\"id\":\"" + order.encode() + rb"\""
        for at, payload in await self._states(edge, window):
            if named in payload:
                return at
        return None

    async def _states(self, edge: str, window: Span) -> Sequence[tuple[datetime, bytes]]:
        key = (edge, window.start)
        if key not in self.states:
            d = dispatches.c
            columns = select(d.issued_at, d.payload).where(d.edge == edge)
            before = columns.where(d.issued_at <= window.start).order_by(
                d.issued_at.desc(), d.epoch.desc(), d.revision.desc()
            )
            later = columns.where(d.issued_at > window.start, d.issued_at < window.end)
            rows = [
                *(await self.connection.execute(before.limit(1))),
                *(await self.connection.execute(later.order_by(d.issued_at))),
            ]
            self.states[key] = [(row.issued_at, row.payload) for row in rows]
        return self.states[key]


async def read_facts(
    connection: AsyncConnection, site: Site, sessions: Sequence[Session]
) -> list[Facts]:
    """Read all that is known of these sessions."""
    if not sessions:
        return []
    windows = [site.lead.window(one.start, one.end) for one in sessions]
    whole = Span(min(one.start for one in windows), max(one.end for one in windows))
    words = await _words(connection, whole)
    first = min(one.end for one in windows) - SILENCE - _BEFORE
    told = await _told(connection, Span(first, whole.end))
    commands = _Commands(connection)
    found = []
    for session, window in zip(sessions, windows, strict=True):
        own = await _cameras_of(connection, session.room)
        span = Span(window.end - SILENCE, window.end)
        evidence = await _evidence(connection, site.lead, own, span, told)
        found.append(
            Facts(
                site=site.name,
                timezone=site.timezone,
                sitting=await _sitting(connection, session, window),
                silence=judge(evidence),
                cameras=[
                    await _camera(connection, row, session, window, words, commands) for row in own
                ],
            )
        )
    return found


async def read_evidence(
    connection: AsyncConnection, lead: Lead, span: Span, room: str | None = None
) -> Evidence:
    """Read what there is to prove silence in a span, of a room or of the whole site.

    Raises TooMuch.
    """
    own = await _cameras_of(connection, room)
    told = await _told(connection, Span(span.start - _BEFORE, span.end))
    return await _evidence(connection, lead, own, span, told)


# ---------------------------------------------------------------- one session


async def _cameras_of(connection: AsyncConnection, room: str | None) -> list[DbRow[Any]]:
    query = select(cameras.c.id, cameras.c.room, cameras.c.edge).order_by(cameras.c.id)
    if room is not None:
        query = query.where(cameras.c.room == room)
    return list((await connection.execute(query)).all())


async def _sitting(connection: AsyncConnection, session: Session, window: Span) -> Sitting:
    query = select(rooms.c.name, rooms.c.building, rooms.c.campus).where(rooms.c.id == session.room)
    room = (await connection.execute(query)).one()
    return Sitting(
        id=session.id,
        room=session.room,
        room_name=room.name,
        building=room.building,
        campus=session.campus or room.campus,
        start=session.start,
        end=session.end,
        window_start=window.start,
        window_end=window.end,
        courses=tuple(Sat(code=one.code, name=one.name) for one in session.courses),
        headcount=session.headcount,
    )


async def _camera(
    connection: AsyncConnection,
    row: DbRow[Any],
    session: Session,
    window: Span,
    words: Mapping[tuple[str, str], Sequence[Word]],
    commands: _Commands,
) -> CameraFacts:
    order = fitting(f"{session.id}.{row.id}")
    first = {row.edge: await commands.first(row.edge, order, window)}
    said = []
    for word in words.get((session.id, row.id), ()):
        if word.edge not in first:
            first[word.edge] = await commands.first(word.edge, order, window)
        was_told = word.edge == row.edge or first[word.edge] is not None
        if was_told and word.said.order == order and word.said.stream == STREAM:
            said.append(word)
    found = await _segments(connection, row.id, window)
    return CameraFacts(
        camera=row.id,
        edge=row.edge,
        order=order,
        segments=found,
        gaps=await _gaps(connection, row.id, window),
        words=said,
        known_roots=await _roots(connection, row.id, {one.listed.previous for one in found}),
        commanded_at=min((at for at in first.values() if at is not None), default=None),
        copies=await _copies(connection, [one.listed.id for one in found]),
        outages=await holes_of(connection, session.room, window),
    )


async def _copies(connection: AsyncConnection, listed: Sequence[str]) -> tuple[Copy, ...]:
    """Give the archives that hold all of these segments, each read back."""
    c = archive_copies.c
    query = select(c.segment, c.copy, c.verified_at).where(c.deleted_at.is_(None))
    verified: dict[str, list[datetime]] = defaultdict(list)
    for first in range(0, len(listed), _AT_ONCE):
        part = listed[first : first + _AT_ONCE]
        for row in await connection.execute(query.where(c.segment.in_(part))):
            verified[row.copy].append(row.verified_at)
    return tuple(
        Copy(where="archive", name=name, segments=len(at), at=max(at), verified_at=max(at))
        for name, at in sorted(verified.items())
        if len(at) == len(listed)
    )


async def _segments(connection: AsyncConnection, camera: str, window: Span) -> list[Row]:
    s = segments.c
    query = select(segments).where(
        s.camera == camera,
        s.stream == STREAM,
        s.starts_at < window.end,
        s.ends_at > window.start,
    )
    return [
        Row(
            Listed(
                id=row.id,
                edge=row.edge,
                start=row.starts_at,
                end=row.ends_at,
                bytes=row.bytes,
                root=row.root,
                previous=row.previous,
                clock=row.clock,
                adopted=row.adopted,
            ),
            row.clock_offset_ms,
        )
        for row in await connection.execute(query)
    ]


async def _gaps(connection: AsyncConnection, camera: str, window: Span) -> list[ToldGap]:
    g = gaps.c
    query = select(gaps).where(
        g.camera == camera,
        g.stream == STREAM,
        g.starts_at < window.end,
        g.ends_at > window.start,
    )
    return [
        ToldGap(row.edge, Hole(Span(row.starts_at, row.ends_at), row.cause, row.detail))
        for row in await connection.execute(query)
    ]


async def _roots(connection: AsyncConnection, camera: str, wanted: set[str]) -> frozenset[str]:
    s = segments.c
    query = select(s.root).where(s.camera == camera, s.stream == STREAM, s.root.in_(wanted))
    return frozenset(await connection.scalars(query))


# ---------------------------------------------------------------- what boxes said


async def _words(connection: AsyncConnection, whole: Span) -> dict[tuple[str, str], list[Word]]:
    """Give the statements by session and camera; one whose key is no longer the box's is none."""
    rows = await connection.execute(
        select(facts.c.edge, facts.c.seq, facts.c.body, edges.c.sign_public, fact_marks.c.up_to)
        .join(edges, edges.c.id == facts.c.edge)
        .outerjoin(fact_marks, fact_marks.c.edge == facts.c.edge)
        # by our clock: the box's may be wrong
        .where(facts.c.type == "coverage", facts.c.heard_at >= whole.start)
    )
    found: dict[tuple[str, str], list[Word]] = defaultdict(list)
    for row in rows:
        try:
            fact = msgspec.json.decode(row.body, type=Fact)
            said = data_of(fact)
            verify_fact(row.sign_public, fact)
        except (msgspec.MsgspecError, BadSignature):
            continue
        if isinstance(said, CoverageStated):
            word = Word(
                edge=row.edge,
                public=row.sign_public,
                fact=fact.id,
                seq=fact.seq,
                at=fact.at,
                body=row.body.decode(),
                said=said,
                is_complete=row.up_to is not None and fact.seq <= row.up_to,
            )
            found[said.session, said.camera].append(word)
    return found


async def _told(connection: AsyncConnection, span: Span) -> list[Told]:
    """Give what boxes said of contacts in a span, and the first start that each of them told."""
    columns = select(facts.c.edge, facts.c.body)
    kinds = ("contact", "recorder")
    near = columns.where(facts.c.type.in_(kinds), facts.c.at >= span.start)
    rows = list(await connection.execute(near))
    first = (
        select(facts.c.edge, func.min(facts.c.at).label("at"))
        .where(facts.c.type == "recorder")
        .group_by(facts.c.edge)
        .subquery()
    )
    rows += await connection.execute(
        columns.join(first, (first.c.edge == facts.c.edge) & (first.c.at == facts.c.at)).where(
            facts.c.type == "recorder"
        )
    )
    found = []
    for row in rows:
        try:
            fact = msgspec.json.decode(row.body, type=Fact)
            said = data_of(fact)
        except msgspec.MsgspecError:
            continue
        if isinstance(said, ContactChanged | RecorderBegan):
            found.append(Told(row.edge, fact.at, fact.seq, said))
    return found


# ---------------------------------------------------------------- silence


async def _evidence(
    connection: AsyncConnection,
    lead: Lead,
    own: Sequence[DbRow[Any]],
    span: Span,
    told: Sequence[Told],
) -> Evidence:
    by_room = await _windows(connection, lead, {row.room for row in own}, span)
    windows = {row.id: by_room.get(row.room, []) for row in own}
    heard = select(edge_states.c.edge, edge_states.c.heard_at)
    heard_at = {row.edge: row.heard_at for row in await connection.execute(heard)}
    found: list[Recorded] = []
    settled = lead_in_us = 0
    async for one in _recorded(connection, sorted(windows), span):
        if is_settled(one, windows[one.camera]):
            settled += 1
            lead_in_us = max(lead_in_us, lead_in(one, windows[one.camera]))
        elif len(found) < MOST_OUTSIDE:
            found.append(one)
        else:
            raise TooMuch(f"more than {MOST_OUTSIDE} recordings lie outside windows")
    return Evidence(
        span=span,
        windows=windows,
        segments=found,
        settled=settled,
        settled_lead_in_us=lead_in_us,
        told=told,
        heard_at={edge: heard_at.get(edge) for edge in sorted({row.edge for row in own})},
    )


async def _recorded(
    connection: AsyncConnection, wanted: Sequence[str], span: Span
) -> AsyncIterator[Recorded]:
    """Give the segments that touch a span, one after the other: a site has millions."""
    s = segments.c
    columns = select(s.id, s.camera, s.stream, s.edge, s.starts_at, s.ends_at, s.clock)
    for first in range(0, len(wanted), _CAMERAS_AT_ONCE):
        part = wanted[first : first + _CAMERAS_AT_ONCE]
        query = columns.where(touching(part, span.start, span.end))
        rows = await connection.stream(query.execution_options(yield_per=_AT_ONCE))
        async for row in rows:
            yield Recorded(
                row.id,
                row.camera,
                row.stream,
                row.edge,
                Span(row.starts_at, row.ends_at),
                row.clock == "trusted",
            )


async def _windows(
    connection: AsyncConnection, lead: Lead, wanted: Iterable[str], span: Span
) -> dict[str, list[Span]]:
    """Give each room's windows; one that was taken back ended then."""
    s = exam_sessions.c
    query = select(s.room, s.starts_at, s.ends_at, s.cancelled_at).where(
        s.room.in_(list(wanted)),
        s.starts_at < span.end + SILENCE,
        s.ends_at > span.start - SILENCE,
    )
    found: dict[str, list[Span]] = defaultdict(list)
    for row in await connection.execute(query):
        window = lead.window(row.starts_at, row.ends_at)
        if row.cancelled_at is not None:
            window = Span(window.start, min(window.end, row.cancelled_at))
        if window.start < window.end:
            found[row.room].append(window)
    return found
