"""Recordings: which there are, and their bytes, opened at the box for one who may."""

import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, and_, or_, select

from contract.boxapi import TICKET_HEADER
from contract.clock import Clock
from contract.keys import SigningKey
from contract.ticket import START_WITHIN, Ticket, Track, issue, sha256_hex
from orchestrator.access import Action, may
from orchestrator.accounts import Person
from orchestrator.archive import Archive, NoCopy
from orchestrator.boxes import Boxes, BoxUnreachable
from orchestrator.byterange import Unsatisfiable, span_of
from orchestrator.covers import LONGEST_SEGMENT, is_deleted, is_held
from orchestrator.ledger import Act, Ledger
from orchestrator.store import Store
from orchestrator.store.tables import segments

PLAY_FOR = timedelta(minutes=10)
"""How long a ticket for a file is good."""
MOST_DAYS = 62
"""A month, with the weeks around it that a calendar shows."""
"""Longer than any: so far back one may begin that still shows a day."""
SHELF = "shelf/"
CHUNK = 64 << 10
_SEGMENT = select(segments, is_held().label("is_held"))


class PlaybackRefused(Exception):
    """A recording is not opened; `code` says why.

    Codes: `forbidden`, `reason_required`, `no_such`, `expired`, `unsatisfiable_range`,
    `box_refused`; of play sessions also `bad_request`, `too_many_playbacks`, `playback_ended`,
    `outside_span`, `alert_closed`, `not_on_duty`, `no_camera`.
    """

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Segment:
    """A recording in the catalogue."""

    id: str
    camera: str
    start: datetime
    end: datetime
    bytes: int
    root: str
    retain_until: datetime
    edge: str
    path: str
    stream: str
    held: bool = False


@dataclass(frozen=True, slots=True)
class Media:
    """A recording's bytes as its box, or its second copy, has them."""

    status: int
    """200 or 206."""
    length: int | None
    content_range: str
    chunks: AsyncIterator[bytes]
    is_copy: bool = False
    """The bytes are the second copy's: the box could not give them."""


class Recordings:
    """Lists recordings and opens them."""

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        boxes: Boxes,
        ticket_key: SigningKey,
        clock: Clock,
        archive: Archive | None = None,
    ) -> None:
        self._store = store
        self._archive = archive
        self._ledger = ledger
        self._boxes = boxes
        self._key = ticket_key
        self._clock = clock

    async def segments(
        self,
        camera: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        limit: int = 100,
        after: str = "",
    ) -> list[Segment]:
        """Give segments of the main streams that touch the span, by start, those behind `after`."""
        s = segments.c
        seen = or_(s.retain_until > self._clock.now(), is_held())
        which = [s.stream == "main", seen, ~is_deleted()]
        if camera is not None:
            which.append(s.camera == camera)
        if start is not None:
            which.append(s.ends_at > start)
        if end is not None:
            which.append(s.starts_at < end)
        async with self._store.read() as connection:
            if after:
                last = (await connection.execute(select(segments).where(s.id == after))).first()
                if last is None:
                    return []
                later = and_(s.starts_at == last.starts_at, s.id > last.id)
                which.append(or_(s.starts_at > last.starts_at, later))
            found = _SEGMENT.where(*which).order_by(s.starts_at, s.id).limit(limit)
            return [_segment(row) for row in await connection.execute(found)]

    async def days(self, camera: str, first: date, last: date, zone: ZoneInfo) -> list[date]:
        """Give the days of the zone, of at most 62, on which the camera has recordings."""
        s = segments.c
        seen = or_(s.retain_until > self._clock.now(), is_held())
        found = []
        async with self._store.read() as connection:
            for number in range(min(MOST_DAYS, (last - first).days + 1)):
                day = first + timedelta(days=number)
                start = datetime.combine(day, time(), zone).astimezone(UTC)
                end = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
                query = select(s.id).where(
                    s.camera == camera,
                    s.stream == "main",
                    seen,
                    ~is_deleted(),
                    s.starts_at < end,
                    s.starts_at > start - LONGEST_SEGMENT,
                    s.ends_at > start,
                )
                if (await connection.execute(query.limit(1))).first() is not None:
                    found.append(day)
        return found

    async def segment(self, segment: str) -> Segment | None:
        """Give one segment, or None."""
        async with self._store.read() as connection:
            query = _SEGMENT.where(segments.c.id == segment, ~is_deleted())
            row = (await connection.execute(query)).first()
        return _segment(row) if row else None

    @asynccontextmanager
    async def open_media(
        self,
        person: Person,
        segment: str,
        reason: str,
        range_header: str = "",
        source: str = "",
    ) -> AsyncGenerator[Media]:
        """Open a recording's bytes, or the part that an RFC 9110 `Range` names.

        Raises PlaybackRefused or BoxUnreachable. Both outcomes stand in the ledger before a byte
        is asked for.
        """
        act = Act(person.user, "play_recording", segment[:200], reason[:500], source=source)
        try:
            found = await self._leave(person, segment, reason)
        except PlaybackRefused as refusal:
            await self._ledger.record(replace(act, result=refusal.code))
            raise
        await self._ledger.record(act)
        path = found.path.removeprefix(SHELF)
        headers = {TICKET_HEADER: issue(self._key, self._ticket(person, found, path))}
        if range_header:
            headers["Range"] = range_header
        asking = self._boxes.ask(
            found.edge, "GET", f"/shelf/{path}", headers=headers, streaming=True
        )
        async with AsyncExitStack() as stack:
            try:
                response = await stack.enter_async_context(asking)
            except BoxUnreachable:
                copied = await self._from_archive(act, segment, range_header)
                if copied is None:
                    raise
                yield copied
                return
            if response.status == 404:
                copied = await self._from_archive(act, segment, range_header)
                if copied is not None:
                    yield copied
                    return
            if response.status not in (200, 206):
                refused = refusal_of(response.status)
                await self._ledger.record(replace(act, result=refused.code))
                raise refused
            yield Media(
                response.status,
                response.content_length,
                response.headers.get("Content-Range", ""),
                response.content.iter_chunked(CHUNK),
            )

    async def _from_archive(self, act: Act, segment: str, range_header: str) -> Media | None:
        """Open the second copy of what its box cannot give; None: there is none to be read."""
        if self._archive is None:
            return None
        try:
            copy = await self._archive.open(segment)
            span = span_of(range_header, copy.size_bytes)
        except NoCopy:
            return None
        except Unsatisfiable as error:
            raise PlaybackRefused("unsatisfiable_range") from error
        await self._ledger.record(replace(act, result="from_archive"))
        if span is None:
            return Media(200, copy.size_bytes, "", copy.read(0, copy.size_bytes), is_copy=True)
        start, end = span
        said = f"bytes {start}-{end - 1}/{copy.size_bytes}"
        return Media(206, end - start, said, copy.read(start, end), is_copy=True)

    async def _leave(self, person: Person, segment: str, reason: str) -> Segment:
        if not may(person.roles, Action.play_recording):
            raise PlaybackRefused("forbidden")
        if not reason.strip():
            raise PlaybackRefused("reason_required")
        found = await self.segment(segment)
        if found is None:
            raise PlaybackRefused("no_such")
        if found.retain_until <= self._clock.now() and not found.held:
            raise PlaybackRefused("expired", "the recording is past its term")
        return found

    def _ticket(self, person: Person, segment: Segment, path: str) -> Ticket:
        now = self._clock.now()
        return Ticket(
            edge=segment.edge,
            user=person.user,
            session=person.login,
            tracks=(Track(camera=segment.camera, stream="main"),),
            purpose="playback",
            offer_sha256=sha256_hex(path),
            jti=secrets.token_hex(16),
            start_by=now + START_WITHIN,
            view_until=now + PLAY_FOR,
        )


def _segment(row: Row[Any]) -> Segment:
    return Segment(
        id=row.id,
        camera=row.camera,
        start=row.starts_at,
        end=row.ends_at,
        bytes=row.bytes,
        root=row.root,
        retain_until=row.retain_until,
        edge=row.edge,
        path=row.path,
        stream=row.stream,
        held=bool(row.is_held),
    )


def refusal_of(status: int) -> PlaybackRefused:
    """Give what a box's answer that is no footage means."""
    match status:
        case 404:
            return PlaybackRefused("no_such", "the box does not have it")
        case 416:
            return PlaybackRefused("unsatisfiable_range")
        case _:
            return PlaybackRefused("box_refused", f"the box answered {status}")
