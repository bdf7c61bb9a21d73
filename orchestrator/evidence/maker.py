"""Making a package: the boxes cut and copy, the centre puts together and signs."""

import asyncio
import hashlib
import itertools
import logging
import secrets
import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple

import aiohttp
import msgspec
from sqlalchemy import select

from contract.boxapi import TICKET_HEADER, ViewingOrder
from contract.clock import Clock
from contract.cutting import NothingInside
from contract.keys import BadSignature
from contract.messages import Fact, verify_fact
from contract.ticket import START_WITHIN, Ticket, Track, issue, sha256_hex
from orchestrator.archive import NoCopy
from orchestrator.boxes import Boxes, BoxUnreachable
from orchestrator.certificates.records import Kept, of_span
from orchestrator.copiedfootage import CopiedFootage
from orchestrator.evidence.certified import add_certificates
from orchestrator.evidence.footage import Footage, FootageChanged
from orchestrator.evidence.manifest import (
    Site,
    Vouched,
    Wish,
    about,
    footage_name,
    segment_row,
    vouch,
)
from orchestrator.evidence.package import Package, beside_of, writing
from orchestrator.evidence.plan import EvidenceRefused, Piece, Plan, facts_of, is_over
from orchestrator.evidence.readme import add_reading_matter
from orchestrator.keyring import Keyring
from orchestrator.ledger import FIRST, Ledger
from orchestrator.store import Store
from orchestrator.store.tables import cameras, edges, rooms

log = logging.getLogger(__name__)

_TAKE_FOR = timedelta(minutes=30)
_CHUNK = 256 << 10
_TRIES = 5
_QUIET_S = 60.0
_BUSY_S = 5.0
_BUSY_TRIES = 360
_SPARE_BYTES = 256 << 20

Tell = Callable[[int], None]
"""Hears how many bytes stand already."""
OnSealed = Callable[[str, int], Awaitable[None]]
"""Hears SHA-256 and size before the package is put in its place."""


@dataclass(frozen=True, slots=True)
class Made:
    """A package that stands."""

    sha256: str
    bytes: int


class Maker:
    """Makes packages; everything it needs of the centre."""

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        boxes: Boxes,
        keyring: Keyring,
        clock: Clock,
        site: str,
        zone: str,
        copies: CopiedFootage | None = None,
    ) -> None:
        self.copies = copies
        """Where footage is read from when its box is lost; None: there is no archive."""
        self._store = store
        self._ledger = ledger
        self._boxes = boxes
        self._keyring = keyring
        self._clock = clock
        self._site = site
        self._zone = zone

    async def make(
        self, wish: Wish, plan: Plan, place: Path, login: str, tell: Tell, on_sealed: OnSealed
    ) -> Made:
        """Make the package at `place`; nothing of it is left when this fails.

        Raises EvidenceRefused, BoxUnreachable or OSError.
        """
        if shutil.disk_usage(place.parent).free < plan.bytes + _SPARE_BYTES:
            raise EvidenceRefused("no_space", f"about {plan.bytes} bytes are needed")
        told = await facts_of(self._store, plan.pieces)
        boxes = await self._vouched(told)
        site = Site(self._site, self._zone, await self._rooms(wish))
        job = _Job(self, wish, plan, login, tell)
        with writing(place) as package:
            add_reading_matter(package, wish, site, plan.missing)
            rows = [
                row for piece in plan.pieces if (row := await job.footage(package, piece, told))
            ]
            if not rows:
                raise EvidenceRefused("no_footage")
            viewing = [
                shown
                for number, group in job.groups
                if (shown := await job.viewing(package, number, group))
            ]
            certificates = add_certificates(package, await self._certificates(wish))
            package.finish(
                about(
                    wish,
                    site,
                    self._clock.now(),
                    rows,
                    plan.missing,
                    viewing,
                    boxes,
                    self._keyring.identity.public,
                    await self._head(),
                    certificates,
                ),
                self._keyring.evidence,
            )
            made = await _sum_of(beside_of(place))
            await on_sealed(made.sha256, made.bytes)
        return made

    async def _head(self) -> tuple[int, str]:
        """Give number and hash of the ledger's newest row; 0 and zeros while there is none."""
        newest = await self._ledger.head()
        return (0, FIRST) if newest is None else (newest.id, newest.hash)

    async def _rooms(self, wish: Wish) -> dict[str, str]:
        query = (
            select(cameras.c.id, rooms.c.name)
            .join(rooms, rooms.c.id == cameras.c.room)
            .where(cameras.c.id.in_(wish.cameras))
        )
        async with self._store.read() as connection:
            return {row.id: row.name for row in await connection.execute(query)}

    async def _certificates(self, wish: Wish) -> list[Kept]:
        async with self._store.read() as connection:
            return await of_span(connection, wish.cameras, wish.span)

    async def _vouched(self, told: Mapping[str, Fact]) -> list[Vouched]:
        names = sorted({fact.edge for fact in told.values()})
        query = select(edges.c.id, edges.c.sign_public, edges.c.enrolled_at).where(
            edges.c.id.in_(names), edges.c.enrolled_at.is_not(None)
        )
        async with self._store.read() as connection:
            keys = {row.id: row for row in await connection.execute(query)}
        for segment, fact in told.items():
            try:
                verify_fact(keys[fact.edge].sign_public, fact)
            except (KeyError, BadSignature) as error:
                raise EvidenceRefused(
                    "unproved", f"{segment} was signed with a key box {fact.edge} has no more"
                ) from error
        now, identity = self._clock.now(), self._keyring.identity
        return [
            vouch(identity, name, keys[name].sign_public, keys[name].enrolled_at, now)
            for name in names
        ]

    @asynccontextmanager
    async def ask(
        self, user: str, login: str, piece: Piece, method: str, path: str, body: bytes | None = None
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        """Ask the piece's box with a ticket; raises BoxUnreachable."""
        what = path
        if body is not None:
            what = f"viewing/{piece.camera}?sha256={hashlib.sha256(body).hexdigest()}"
        now = self._clock.now()
        ticket = Ticket(
            edge=piece.edge,
            user=user,
            session=login,
            tracks=(Track(camera=piece.camera, stream="main"),),
            purpose="playback",
            offer_sha256=sha256_hex(what),
            jti=secrets.token_hex(16),
            start_by=now + START_WITHIN,
            view_until=now + _TAKE_FOR,
        )
        headers = {TICKET_HEADER: issue(self._keyring.ticket, ticket)}
        async with self._boxes.ask(
            piece.edge,
            method,
            f"/{path}",
            body=body,
            headers=headers,
            streaming=True,
            quiet_s=_QUIET_S,
        ) as response:
            yield response

    async def pause(self, seconds: float) -> None:
        """Wait a little."""
        await self._clock.sleep(seconds)

    async def is_over(self, piece: Piece) -> bool:
        """Say whether the piece's term ended since the package was planned."""
        return await is_over(self._store, piece.segment, self._clock.now())

    def order(self, wish: Wish, group: Sequence[Piece]) -> ViewingOrder:
        """Say what the copy of these pieces shows."""
        return ViewingOrder(
            camera=group[0].camera,
            paths=tuple(piece.path for piece in group),
            starts=tuple(piece.start for piece in group),
            start=wish.span.start,
            end=wish.span.end,
            request=wish.request,
            recipient=wish.recipient,
            zone=self._zone,
        )


class _Gone(Exception):
    """The box has the recording no more."""


class _Damaged(Exception):
    """What the box has of the recording is not what it sealed."""


WhyCopied = Literal["box_lost", "gone", "changed"]
"""Why a piece is the archive's: its box does not answer, has it no more, or has another."""


class _Copied(NamedTuple):
    """What was taken from the archive; no row where the span holds no picture."""

    row: dict[str, Any] | None


class _Job:
    """One package while it is made."""

    def __init__(self, maker: Maker, wish: Wish, plan: Plan, login: str, tell: Tell) -> None:
        self._maker = maker
        self._wish = wish
        self._login = login
        self._tell = tell
        self._done = 0
        self._copied: set[str] = set()
        self._lost: set[str] = set()
        """Boxes that did not answer for as long as one is waited for: they are asked no more."""
        by_place = itertools.groupby(plan.pieces, lambda piece: (piece.camera, piece.edge))
        self.groups = [(number, list(group)) for number, (_, group) in enumerate(by_place)]

    async def footage(
        self, package: Package, piece: Piece, told: Mapping[str, Fact]
    ) -> dict[str, Any] | None:
        """Take a piece's fragments; None when it has no picture inside the span."""
        begin, end = piece.span_90k
        path = f"fragments/{piece.path}?from={begin}&to={end}"
        for attempt in itertools.count(1):
            before = self._done
            try:
                async with self._ask(piece, "GET", path) as response:
                    if response.status == 404 and b"nothing_inside" in await response.read():
                        return None
                    await _check(response, piece)
                    with package.file(footage_name(piece.camera, piece.segment)) as file:
                        footage = Footage(file, piece.root, begin, end)
                        async for data in response.content.iter_chunked(_CHUNK):
                            with _on_our_disk():
                                footage.take(data)
                            self._advance(len(data))
                        with _on_our_disk():
                            return segment_row(told[piece.segment], piece.span_90k, footage)
            except (FootageChanged, _Damaged) as error:
                self._done = before
                if (copied := await self._from_archive(package, piece, told, "changed")) is None:
                    refusal = EvidenceRefused("footage_changed", f"{piece.segment}: {error}")
                    raise refusal from error
                return copied.row
            except _Gone as gone:
                if (copied := await self._from_archive(package, piece, told, "gone")) is None:
                    raise EvidenceRefused("no_footage", str(gone)) from gone
                return copied.row
            except (BoxUnreachable, aiohttp.ClientError, TimeoutError):
                self._done = before
                if attempt < _TRIES and piece.edge not in self._lost:
                    await self._maker.pause(2.0**attempt)
                    continue
                self._lost.add(piece.edge)
                if (copied := await self._from_archive(package, piece, told, "box_lost")) is None:
                    raise
                return copied.row
        raise AssertionError

    async def _from_archive(
        self, package: Package, piece: Piece, told: Mapping[str, Fact], why: WhyCopied
    ) -> _Copied | None:
        """Take a piece from its second copy; None: there is none that can be read."""
        copies, span = self._maker.copies, piece.span_90k
        if copies is None:
            return None
        if await self._maker.is_over(piece):  # a copy stands until the next look at what is due
            raise EvidenceRefused("expired", f"{piece.segment}: 已超过保存期 / past its term")
        try:
            data = await copies.fragments(piece.segment, *span)
        except NoCopy as error:
            log.info("no second copy: %s", error)
            return None
        except NothingInside:
            self._copied.add(piece.segment)
            return _Copied(None)
        try:
            with _on_our_disk(), package.file(footage_name(piece.camera, piece.segment)) as file:
                footage = Footage(file, piece.root, *span)
                footage.take(data)
                row = segment_row(told[piece.segment], span, footage)
        except FootageChanged as error:
            log.warning("the second copy of %s is another: %s", piece.segment, error)
            return None
        self._copied.add(piece.segment)
        self._advance(len(data))
        return _Copied({**row, "copied": why})

    async def viewing(
        self, package: Package, number: int, group: list[Piece]
    ) -> dict[str, str] | None:
        """Take the copy to look at of what one box has of one camera.

        The box alone makes one: of what came from the archive there is none, nor when the box is
        lost after it gave the footage, which is the evidence.
        """
        edge, group = group[0].edge, [one for one in group if one.segment not in self._copied]
        if not group or edge in self._lost:
            return None
        camera = group[0].camera
        twice = [n for n, other in self.groups if other[0].camera == camera].index(number)
        name = f"viewing/{camera}{f'-{twice + 1}' if twice else ''}.mp4"
        body = msgspec.json.encode(self._maker.order(self._wish, group))
        for attempt in itertools.count(1):
            before = self._done
            try:
                async with self._ask(group[0], "POST", "viewing", body) as response:
                    if response.status != 503:
                        await _check(response, group[0])
                        with package.file(name) as file:
                            async for data in response.content.iter_chunked(_CHUNK):
                                with _on_our_disk():
                                    file.write(data)
                                self._advance(len(data))
                        return {"camera": camera, "file": name}
                if attempt >= _BUSY_TRIES:
                    raise EvidenceRefused("box_refused", f"box {group[0].edge} stays busy")
                await self._maker.pause(_BUSY_S)
            except _Gone as gone:
                raise EvidenceRefused("no_footage", str(gone)) from gone
            except _Damaged as error:
                raise EvidenceRefused("footage_changed", str(error)) from error
            except (BoxUnreachable, aiohttp.ClientError, TimeoutError):
                self._done = before
                if attempt >= _TRIES:
                    log.warning("box %s is lost: no copy of %s to look at", edge, camera)
                    return None
                await self._maker.pause(2.0**attempt)
        raise AssertionError

    def _ask(self, piece: Piece, method: str, path: str, body: bytes | None = None) -> Any:
        return self._maker.ask(self._wish.exported_by, self._login, piece, method, path, body)

    def _advance(self, count: int) -> None:
        self._done += count
        self._tell(self._done)


@contextmanager
def _on_our_disk() -> Generator[None]:
    """What fails here is our disk, not the line to the box."""
    try:
        yield
    except OSError as error:
        raise EvidenceRefused("no_space", str(error)) from error


async def _check(response: aiohttp.ClientResponse, piece: Piece) -> None:
    match response.status:
        case 200:
            return
        case 404:
            raise _Gone(f"box {piece.edge} does not have {piece.segment}")
        case 422:
            raise _Damaged(f"{piece.segment} is damaged on the box")
        case status:
            said = (await response.text())[:200]
            raise EvidenceRefused("box_refused", f"box {piece.edge} answered {status} {said}")


async def _sum_of(path: Path) -> Made:
    def read() -> Made:
        with path.open("rb") as file:
            return Made(hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)

    return await asyncio.to_thread(read)
