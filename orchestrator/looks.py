"""Live looks: leave, ledger, ticket, the box's answer; renewed while all of it still holds."""

import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.boxapi import LiveAnswer, LiveOffer
from contract.clock import Clock
from contract.keys import SigningKey, sign
from contract.messages import Stream
from contract.retry import keep
from contract.ticket import START_WITHIN, Renewal, Ticket, Track, issue, sha256_hex
from orchestrator.access import Action, may
from orchestrator.accounts import Person
from orchestrator.boxes import Boxes, BoxUnreachable
from orchestrator.exams import Lead
from orchestrator.ledger import SYSTEM, Act, Ledger, append
from orchestrator.livetokens import LiveToken, LiveTokens, TokenHolder
from orchestrator.store import Store, StoreAway
from orchestrator.store.tables import cameras, logins, looks
from orchestrator.windows import open_until

log = logging.getLogger(__name__)

VIEW_FOR = timedelta(seconds=120)
RENEW_EVERY = timedelta(seconds=60)
MOST_TRACKS = 16
MOST_OF_A_PERSON = 16
"""Open looks at once: a wall has one for each box it shows."""
MOST_OF_A_BOX = 48
_LOOK_EVERY_S = 1.0

Wish = tuple[str, Stream]
"""A camera and which of its streams."""


class LookRefused(Exception):
    """A look is not given; `code` says why, stable.

    Codes: `forbidden`, `no_such`, `bad_request`, `outside_window`, `not_logged_in`,
    `box_unreachable`, `box_refused`, `too_many_looks`.
    """

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.code = code


@dataclass(frozen=True, slots=True)
class LookTrack:
    """Which media section shows which camera."""

    mid: str
    camera: str


@dataclass(frozen=True, slots=True)
class Look:
    """A look that began."""

    id: str
    sdp: str
    tracks: tuple[LookTrack, ...]
    refused: tuple[tuple[str, str], ...] = ()
    """Cameras that cannot be shown, with the box's reason."""


HolderOf = Callable[[str], Awaitable[Person | None]]
"""Gives the person of a log-in by its id, while it lasts."""


class Looks:
    """Every look at live pictures. `run` renews and ends them."""

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        boxes: Boxes,
        ticket_key: SigningKey,
        holder_of: HolderOf,
        clock: Clock,
        lead: Lead,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._boxes = boxes
        self._key = ticket_key
        self._holder_of = holder_of
        self._clock = clock
        self._lead = lead
        self._tokens = LiveTokens(ticket_key, clock)
        self._renewed: dict[str, datetime] = {}

    # ------------------------------------------------------------ looking

    async def open_live(
        self, person: Person, edge: str, wishes: Sequence[Wish], sdp: str, source: str = ""
    ) -> Look:
        """Begin a look at cameras of one box; raises LookRefused. Both stand in the ledger."""
        what = f"{edge} {' '.join(camera for camera, _ in wishes)}"[:500]
        act = Act(person.user, "see_live", what, source=source)
        try:
            until = await self._leave(person, edge, wishes)
        except LookRefused as refusal:
            await self._refuse(act, refusal)
            raise
        try:
            ticket = await self._write_down(person, edge, wishes, sdp, until, act)
        except LookRefused as refusal:
            await self._refuse(act, refusal)
            raise
        try:
            answer = await self._relay(ticket, sdp)
        except LookRefused as refusal:
            await self._close(ticket.jti, refusal.code)
            await self._refuse(act, refusal)
            raise
        if not await self._is_open(ticket.jti):
            await self._end_there(edge, ticket.jti)
            raise await self._ended_meanwhile(ticket)
        return Look(
            ticket.jti,
            answer.sdp,
            tuple(LookTrack(track.mid, track.camera) for track in answer.tracks),
            tuple((track.camera, track.code) for track in answer.refused),
        )

    async def open_whep(
        self, person: Person, camera: str, sdp: str, source: str = "", stream: Stream = "sub"
    ) -> Look:
        """Begin a look at one camera; raises LookRefused."""
        edge = await self._edge_of(camera)
        return await self.open_live(person, edge or "", [(camera, stream)], sdp, source)

    async def end(self, look: str, person: Person) -> None:
        """End one's own look; raises LookRefused."""
        query = select(looks.c.cameras).where(looks.c.id == look, looks.c.user_id == person.id)
        async with self._store.read() as connection:
            seen = (await connection.scalars(query)).first()
        if seen is None:
            raise LookRefused("no_such")
        if isinstance(person, TokenHolder) and {one["id"] for one in seen} != {person.camera}:
            raise LookRefused("forbidden", "the token is for another camera")
        await self._end(look, "ended by the viewer")

    async def allowed_now(self, wanted: Sequence[str]) -> frozenset[str]:
        """Give those of the cameras at which a look is allowed now, by window."""
        async with self._store.read() as connection:
            return frozenset(await open_until(connection, self._lead, wanted, self._clock.now()))

    # ------------------------------------------------------------ live tokens

    async def issue_live_token(self, person: Person, camera: str, source: str = "") -> LiveToken:
        """Make a bearer with which a player may begin one camera's look within a minute."""
        act = Act(person.user, "issue_live_token", camera, source=source)
        try:
            await self._leave(person, await self._edge_of(camera) or "", [(camera, "sub")])
        except LookRefused as refusal:
            await self._refuse(act, refusal)
            raise
        await self._ledger.record(act)
        return self._tokens.issue(person.login, camera)

    async def bearer(self, token: str) -> Person | None:
        """Give the person of a live token while the log-in lasts; None for any other text.

        Whoever comes so begins looks at the token's camera alone, and only within its minute.
        """
        claim = self._tokens.read(token)
        person = await self._holder_of(claim.login) if claim else None
        return TokenHolder.of(person, claim) if person and claim else None

    # ------------------------------------------------------------ keeping

    async def run(self) -> None:
        """Renew looks whose leave still holds, and end the others, until cancelled."""

        async def forever() -> None:
            while True:
                await self.review()
                await self._clock.sleep(_LOOK_EVERY_S)

        await keep("looks", forever, on=(StoreAway,), clock=self._clock, log=log)

    async def review(self) -> None:
        """Renew or end each open look, as its log-in, role and window say now."""
        now = self._clock.now()
        for row in await self._open_looks():
            if row.ended_at is not None:
                await self._end(row.id, "logged out")
            elif now - self._renewed.get(row.id, now - RENEW_EVERY) >= RENEW_EVERY:
                await self._renew(row, now)
            elif now >= row.view_until:
                await self._end(row.id, "the window closed")

    async def end_all(self, edge: str, why: str) -> None:
        """End every look at a box's cameras."""
        query = select(looks.c.id).where(looks.c.edge == edge, looks.c.ended_at.is_(None))
        async with self._store.read() as connection:
            found = list(await connection.scalars(query))
        for look in found:
            await self._end(look, why)

    async def _renew(self, row: Any, now: datetime) -> None:
        person = await self._holder_of(row.login)
        wishes = [(entry["id"], entry["stream"]) for entry in row.cameras]
        try:
            if person is None:
                raise LookRefused("not_logged_in")
            until = await self._leave(person, row.edge, wishes)
        except LookRefused as refusal:
            await self._end(row.id, refusal.code)
            return
        until = min(until, now + VIEW_FOR)
        async with self._store.write() as connection:
            await connection.execute(
                update(looks).where(looks.c.id == row.id).values(view_until=until)
            )
        self._renewed[row.id] = now
        signed = sign(self._key, Renewal(jti=row.id, view_until=until))
        try:
            async with self._boxes.ask(
                row.edge, "POST", f"/live/{row.id}/renew", body=signed
            ) as response:
                if response.status == 404:
                    await self._close(row.id, "the box has no such look")
        except BoxUnreachable as error:
            log.info("a look was not renewed: %s", error)

    async def _end(self, look: str, why: str) -> None:
        """End a look here first, then at the box; a box that is away ends it by itself."""
        query = select(looks.c.edge).where(looks.c.id == look, looks.c.ended_at.is_(None))
        async with self._store.read() as connection:
            edge = (await connection.scalars(query)).first()
        if edge is None:
            return
        await self._close(look, why)
        await self._end_there(edge, look)

    async def _end_there(self, edge: str, look: str) -> None:
        try:
            async with self._boxes.ask(edge, "DELETE", f"/live/{look}"):
                pass
        except BoxUnreachable as error:
            log.info("a look was ended here alone: %s", error)

    async def _ended_meanwhile(self, ticket: Ticket) -> LookRefused:
        """Say why a look was over before the box had answered."""
        if await self._holder_of(ticket.session) is None:
            return LookRefused("not_logged_in")
        if self._clock.now() >= ticket.view_until:
            return LookRefused("outside_window")
        return LookRefused("box_refused", "the look ended while it began")

    async def _is_open(self, look: str) -> bool:
        query = select(looks.c.id).where(looks.c.id == look, looks.c.ended_at.is_(None))
        async with self._store.read() as connection:
            return (await connection.scalars(query)).first() is not None

    async def _close(self, look: str, why: str) -> None:
        self._renewed.pop(look, None)
        now = self._clock.now()
        async with self._store.write() as connection:
            done = await connection.execute(
                update(looks)
                .where(looks.c.id == look, looks.c.ended_at.is_(None))
                .values(ended_at=now, ended_why=why)
            )
            if done.rowcount:
                await append(connection, Act(SYSTEM, "end_look", look, why), now)

    async def _open_looks(self) -> Sequence[Any]:
        columns = (
            looks.c.id,
            looks.c.login,
            looks.c.edge,
            looks.c.cameras,
            looks.c.view_until,
            logins.c.ended_at,
        )
        query = select(*columns).join_from(looks, logins).where(looks.c.ended_at.is_(None))
        async with self._store.read() as connection:
            return (await connection.execute(query)).all()

    # ------------------------------------------------------------ leave and ticket

    async def _leave(self, person: Person, edge: str, wishes: Sequence[Wish]) -> datetime:
        """Give until when this person may see these cameras; raises LookRefused."""
        if not may(person.roles, Action.see_live):
            raise LookRefused("forbidden")
        wanted = {camera for camera, _ in wishes}
        if isinstance(person, TokenHolder):
            if wanted != {person.camera}:
                raise LookRefused("forbidden", "the token is for another camera")
            if self._clock.now() > person.start_by:
                raise LookRefused("not_logged_in", "the token was for one minute")
        if not 1 <= len(wishes) <= MOST_TRACKS or len(wanted) != len(wishes):
            raise LookRefused("bad_request", f"a look has 1 to {MOST_TRACKS} cameras, each once")
        async with self._store.read() as connection:
            here = select(cameras.c.id).where(cameras.c.id.in_(wanted), cameras.c.edge == edge)
            if set(await connection.scalars(here)) != wanted:
                raise LookRefused("no_such", "not all are cameras of this box")
            closes = await open_until(connection, self._lead, wanted, self._clock.now())
        if closes.keys() != wanted:
            raise LookRefused("outside_window")
        return min(closes.values())

    async def _write_down(
        self,
        person: Person,
        edge: str,
        wishes: Sequence[Wish],
        sdp: str,
        until: datetime,
        act: Act,
    ) -> Ticket:
        """Commit the ledger's row, then give the ticket to be signed; raises LookRefused."""
        now = self._clock.now()
        ticket = Ticket(
            edge=edge,
            user=person.user,
            session=person.login,
            tracks=tuple(Track(camera=camera, stream=stream) for camera, stream in wishes),
            purpose="live",
            offer_sha256=sha256_hex(sdp),
            jti=secrets.token_hex(16),
            start_by=now + START_WITHIN,
            view_until=min(until, now + VIEW_FOR),
        )
        async with self._store.write() as connection:
            await _check_room(connection, person, edge)
            row = await append(connection, act, now)
            self._renewed[ticket.jti] = now  # `review` leaves it alone while the box opens it
            await connection.execute(
                insert(looks).values(
                    id=ticket.jti,
                    user_id=person.id,
                    login=person.login,
                    edge=edge,
                    cameras=[{"id": camera, "stream": stream} for camera, stream in wishes],
                    ledger=row,
                    began_at=now,
                    view_until=ticket.view_until,
                )
            )
        return ticket

    async def _relay(self, ticket: Ticket, sdp: str) -> LiveAnswer:
        offer = LiveOffer(ticket=issue(self._key, ticket), sdp=sdp)
        try:
            async with self._boxes.ask(
                ticket.edge, "POST", "/live", body=msgspec.json.encode(offer)
            ) as response:
                body = await response.read()
                if response.status != 201:
                    raise _box_refusal(response.status, body)
                return msgspec.json.decode(body, type=LiveAnswer)
        except BoxUnreachable as error:
            raise LookRefused("box_unreachable", str(error)) from error
        except msgspec.MsgspecError as error:
            raise LookRefused("box_unreachable", f"no answer of a box: {error}") from error

    async def _edge_of(self, camera: str) -> str | None:
        async with self._store.read() as connection:
            query = select(cameras.c.edge).where(cameras.c.id == camera)
            return (await connection.scalars(query)).first()

    async def _refuse(self, act: Act, refusal: LookRefused) -> None:
        await self._ledger.record(replace(act, result=refusal.code))


async def _check_room(connection: AsyncConnection, person: Person, edge: str) -> None:
    """Raise LookRefused where the person, or the box, has as many open looks as may be."""
    for which, most in (
        (looks.c.user_id == person.id, MOST_OF_A_PERSON),
        (looks.c.edge == edge, MOST_OF_A_BOX),
    ):
        query = select(func.count()).select_from(looks).where(which, looks.c.ended_at.is_(None))
        if (await connection.scalar(query) or 0) >= most:
            raise LookRefused("too_many_looks", f"{most} are open already")


def _box_refusal(status: int, body: bytes) -> LookRefused:
    try:
        said = msgspec.json.decode(body)
        code, detail = str(said.get("code", "")), str(said.get("detail", ""))
    except (msgspec.MsgspecError, AttributeError):
        code, detail = "", ""
    if status == 400:
        return LookRefused("bad_request", detail or code)
    return LookRefused("box_refused", detail or code or f"HTTP {status}")
