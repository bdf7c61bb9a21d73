"""The footage of a play session, from its box or its second copy, as bytes nobody here decodes."""

import logging
import secrets
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from contract.boxapi import TICKET_HEADER, Growing, SegmentIndex
from contract.clock import Clock
from contract.keys import SigningKey
from contract.spans import Span
from contract.ticket import START_WITHIN, Ticket, Track, issue, sha256_hex
from orchestrator.accounts import Person
from orchestrator.archive import NoCopy
from orchestrator.boxes import Boxes, BoxUnreachable
from orchestrator.byterange import Unsatisfiable, span_of
from orchestrator.copiedfootage import CopiedFootage
from orchestrator.footage import (
    Bytes,
    is_permitted,
    key_pictures_in,
    shown_by,
    ticks_at,
    time_of,
)
from orchestrator.playbacks import Playback, Playbacks
from orchestrator.recordings import (
    CHUNK,
    PLAY_FOR,
    SHELF,
    Media,
    PlaybackRefused,
    Recordings,
    refusal_of,
)
from orchestrator.store import Store
from orchestrator.store.tables import cameras

log = logging.getLogger(__name__)

MOST_LISTED = 8000
"""Segments of a session: four cameras for a day."""
_MOST_TICKETS = 4000
_MOST_INDEXES = 64
_FRESH = timedelta(seconds=30)
"""A ticket that the box has not seen is made anew after this; it must begin within 60 s."""


@dataclass(frozen=True, slots=True)
class Footage:
    """A file that a session may show."""

    id: str
    camera: str
    edge: str
    path: str
    """Below the shelf."""
    start: datetime
    end: datetime
    bytes: int
    growing: bool = False


@dataclass(slots=True)
class _Leave:
    signed: str
    made_at: datetime
    is_used: bool = False


class Screening:
    """Opens footage for play sessions. A session has one ticket for each file."""

    def __init__(
        self,
        store: Store,
        recordings: Recordings,
        playbacks: Playbacks,
        boxes: Boxes,
        ticket_key: SigningKey,
        clock: Clock,
        copies: CopiedFootage | None = None,
    ) -> None:
        self._store = store
        self._copies = copies
        self._lost_at: dict[str, datetime] = {}
        self._from_copy: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._recordings = recordings
        self._playbacks = playbacks
        self._boxes = boxes
        self._key = ticket_key
        self._clock = clock
        self._tickets: OrderedDict[tuple[str, str], _Leave] = OrderedDict()
        self._indexes: OrderedDict[str, tuple[SegmentIndex, bytes, datetime]] = OrderedDict()

    async def footage(self, person: Person, playback: str) -> list[Footage]:
        """List what a session may show, by start; raises PlaybackRefused.

        A replay's list ends with the file that grows, as far as the box has whole fragments of it.
        """
        play = await self._playbacks.admit(person, playback)
        found: list[Footage] = []
        for camera in play.cameras:
            sealed = await self._recordings.segments(
                camera, play.span.start, play.span.end, limit=MOST_LISTED // len(play.cameras)
            )
            found += [
                Footage(
                    one.id,
                    camera,
                    one.edge,
                    one.path.removeprefix(SHELF),
                    one.start,
                    one.end,
                    one.bytes,
                )
                for one in sealed
            ]
            if play.alert is not None:
                growing = await self._growing(play, camera)
                if growing is not None and growing.id not in {one.id for one in found}:
                    found.append(growing)
        return sorted(found, key=lambda one: (one.start, one.id))

    async def index(self, person: Person, playback: str, segment: str, source: str = "") -> bytes:
        """Give a segment's index as the box wrote it; raises PlaybackRefused, BoxUnreachable."""
        play, footage = await self._admit(person, playback, segment, source)
        _, raw = await self._index(play, footage)
        return raw

    @asynccontextmanager
    async def media(
        self, person: Person, playback: str, segment: str, wanted: str = "", source: str = ""
    ) -> AsyncGenerator[Media]:
        """Open a part of a segment; what it shows is written down before a byte is asked for.

        Raises PlaybackRefused (`outside_span` for bytes beyond the session's span) or
        BoxUnreachable.
        """
        play, footage = await self._admit(person, playback, segment, source)
        index, _ = await self._index(play, footage)
        try:
            part = Bytes(*(span_of(wanted, index.bytes) or (0, index.bytes)))
        except Unsatisfiable as error:
            raise PlaybackRefused("unsatisfiable_range") from error
        if not is_permitted(index, part, play.span):
            await self._playbacks.refuse(person, f"{play.id} {segment}", "outside_span", source)
            raise PlaybackRefused("outside_span")
        shown = shown_by(index, part)
        if shown is not None:
            await self._playbacks.serve(play, footage.camera, shown)
        path = f"/shelf/{footage.path}"
        async with self._open(
            play, footage, path, _range(part), lambda copies: copies.part(footage.id, part)
        ) as found:
            yield found

    @asynccontextmanager
    async def key_pictures(
        self,
        person: Person,
        playback: str,
        segment: str,
        part: Span | None = None,
        source: str = "",
    ) -> AsyncGenerator[Media]:
        """Open the key pictures alone of what the session may show of a segment, or of a part.

        Raises like `media`.
        """
        play, footage = await self._admit(person, playback, segment, source)
        index, _ = await self._index(play, footage)
        whole = Span(index.start, time_of(index, index.fragments[-1].end))
        wanted = part or whole
        start = max(wanted.start, play.span.start, whole.start)
        end = min(wanted.end, play.span.end, whole.end)
        if start > end:
            await self._playbacks.refuse(person, f"{play.id} {segment}", "outside_span", source)
            raise PlaybackRefused("outside_span")
        shown = key_pictures_in(index, Span(start, end))
        await self._playbacks.serve(play, footage.camera, shown)
        first, last = ticks_at(index, start), ticks_at(index, end)
        path = f"/keyframes/{footage.path}?from={first}&to={last}"
        async with self._open(
            play, footage, path, "", lambda copies: copies.key_pictures(footage.id, first, last)
        ) as found:
            yield found

    # ------------------------------------------------------------ within

    async def _admit(
        self, person: Person, playback: str, segment: str, source: str
    ) -> tuple[Playback, Footage]:
        try:
            play = await self._playbacks.admit(person, playback)
            return play, await self._find(play, segment)
        except PlaybackRefused as refusal:
            await self._playbacks.refuse(person, f"{playback} {segment}", refusal.code, source)
            raise

    async def _find(self, play: Playback, segment: str) -> Footage:
        found = await self._recordings.segment(segment)
        if found is None:
            return await self._unsealed(play, segment)
        if found.camera not in play.cameras or not (
            found.start < play.span.end and found.end > play.span.start
        ):
            raise PlaybackRefused("outside_span")
        if found.retain_until <= self._clock.now() and not found.held:
            raise PlaybackRefused("expired", "the recording is past its term")
        path = found.path.removeprefix(SHELF)
        return Footage(
            found.id, found.camera, found.edge, path, found.start, found.end, found.bytes
        )

    async def _unsealed(self, play: Playback, segment: str) -> Footage:
        """Give the file that a replay's segment grows in, by its name; others see sealed ones."""
        camera, _, stamp = segment.partition(".main.")
        if play.alert is None or camera not in play.cameras:
            raise PlaybackRefused("no_such")
        try:
            start = datetime.strptime(f"{stamp}000", "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
        except ValueError as error:
            raise PlaybackRefused("no_such") from error
        edge = await self._edge_of(camera)
        path = f"{camera}/{start:%Y-%m-%d}/{stamp}.part"
        return Footage(segment, camera, edge, path, start, start, 0, growing=True)

    async def _growing(self, play: Playback, camera: str) -> Footage | None:
        """Ask the box which file grows; None where it writes none or cannot be asked."""
        edge = await self._edge_of(camera)
        what = f"growing/{camera}"
        ticket = issue(self._key, self._ticket(play, edge, camera, what))
        try:
            async with self._boxes.ask(
                edge, "GET", f"/{what}", headers={TICKET_HEADER: ticket}
            ) as response:
                if response.status != 200:
                    return None
                found = msgspec.json.decode(await response.read(), type=Growing)
        except BoxUnreachable:
            return None
        if found.start >= play.span.end:
            return None
        stamp = found.path.rpartition("/")[2].partition(".")[0]
        return Footage(
            f"{camera}.main.{stamp}",
            camera,
            edge,
            found.path,
            found.start,
            found.end,
            found.bytes,
            growing=True,
        )

    async def _edge_of(self, camera: str) -> str:
        async with self._store.read() as connection:
            query = cameras.select().where(cameras.c.id == camera)
            row = (await connection.execute(query)).first()
        if row is None:
            raise PlaybackRefused("no_such")
        return str(row.edge)

    async def _index(self, play: Playback, footage: Footage) -> tuple[SegmentIndex, bytes]:
        now = self._clock.now()
        if (known := self._indexes.get(footage.path)) is not None:
            index, raw, read_at = known
            if not index.copied or now - read_at < _FRESH:  # the box may be back
                self._indexes.move_to_end(footage.path)
                return _dated(index, raw, footage)
        async with self._open(
            play,
            footage,
            f"/index/{footage.path}",
            "",
            lambda copies: copies.index(footage.id, footage.start),
        ) as found:
            raw = b"".join([chunk async for chunk in found.chunks])
        index = msgspec.json.decode(raw, type=SegmentIndex)
        if not index.growing:
            self._indexes[footage.path] = index, raw, now
            if len(self._indexes) > _MOST_INDEXES:
                self._indexes.popitem(last=False)
        return _dated(index, raw, footage)

    @asynccontextmanager
    async def _open(
        self,
        play: Playback,
        footage: Footage,
        path: str,
        wanted: str,
        copied: Callable[[CopiedFootage], Awaitable[Media]],
    ) -> AsyncGenerator[Media]:
        """Open it at the box, or the second copy where that cannot be asked or has it no more."""
        is_lost = self._is_lost(footage.edge)
        found = await self._copy_of(play, footage, copied) if is_lost else None
        async with AsyncExitStack() as stack:
            if found is None:
                try:
                    found = await stack.enter_async_context(self._ask(play, footage, path, wanted))
                except (BoxUnreachable, PlaybackRefused) as error:
                    if isinstance(error, BoxUnreachable):
                        self._lost_at[footage.edge] = self._clock.now()
                    elif error.code != "no_such":
                        raise
                    found = None if is_lost else await self._copy_of(play, footage, copied)
                    if found is None:
                        raise
            yield found

    def _is_lost(self, edge: str) -> bool:
        """True for a while after a box could not be asked: each try costs ten seconds."""
        lost_at = self._lost_at.get(edge)
        return lost_at is not None and self._clock.now() - lost_at < _FRESH

    async def _copy_of(
        self,
        play: Playback,
        footage: Footage,
        copied: Callable[[CopiedFootage], Awaitable[Media]],
    ) -> Media | None:
        """Open the second copy; the ledger says so once a session and recording."""
        if self._copies is None:
            return None
        try:
            found = await copied(self._copies)
        except NoCopy as error:
            log.info("no second copy: %s", error)
            return None
        shown = play.id, footage.id
        if shown not in self._from_copy:
            await self._playbacks.from_copy(play, footage.id)
            self._from_copy[shown] = None
            if len(self._from_copy) > _MOST_TICKETS:
                self._from_copy.popitem(last=False)
        return found

    @asynccontextmanager
    async def _ask(
        self, play: Playback, footage: Footage, path: str, wanted: str
    ) -> AsyncGenerator[Media]:
        leave = self._leave(play, footage)
        headers = {TICKET_HEADER: leave.signed}
        if wanted:
            headers["Range"] = wanted
        async with self._boxes.ask(
            footage.edge, "GET", path, headers=headers, streaming=True
        ) as response:
            if response.status not in (200, 206):
                raise refusal_of(response.status)
            leave.is_used = True
            yield Media(
                response.status,
                response.content_length,
                response.headers.get("Content-Range", ""),
                response.content.iter_chunked(CHUNK),
            )

    def _leave(self, play: Playback, footage: Footage) -> _Leave:
        """Give the session's ticket for a file; it is asked again while the session lasts."""
        now = self._clock.now()
        known = self._tickets.get((play.id, footage.path))
        if known is not None:
            age = now - known.made_at
            if age < (PLAY_FOR - _FRESH if known.is_used else _FRESH):
                return known
        ticket = self._ticket(play, footage.edge, footage.camera, footage.path)
        made = self._tickets[play.id, footage.path] = _Leave(issue(self._key, ticket), now)
        if len(self._tickets) > _MOST_TICKETS:
            self._tickets.popitem(last=False)
        return made

    def _ticket(self, play: Playback, edge: str, camera: str, what: str) -> Ticket:
        now = self._clock.now()
        return Ticket(
            edge=edge,
            user=play.user,
            session=play.login,
            tracks=(Track(camera=camera, stream="main"),),
            purpose="playback",
            offer_sha256=sha256_hex(what),
            jti=secrets.token_hex(16),
            start_by=now + START_WITHIN,
            view_until=now + PLAY_FOR,
        )


def _range(part: Bytes) -> str:
    return f"bytes={part.start}-{part.stop - 1}"


def _dated(index: SegmentIndex, raw: bytes, footage: Footage) -> tuple[SegmentIndex, bytes]:
    """Give an index the start that the catalogue knows: a box goes by the name of the file.

    They differ where the box's clock was wrong and the span was corrected later.
    """
    if footage.growing or index.start == footage.start:
        return index, raw
    index = msgspec.structs.replace(index, start=footage.start)
    return index, msgspec.json.encode(index)
