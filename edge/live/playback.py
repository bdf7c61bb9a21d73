"""Recordings for the centre: one ticket opens one file, as often as it takes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from contract.boxapi import Growing, SegmentIndex
from contract.clock import Clock
from contract.fmp4 import TIMESCALE
from contract.keys import BadSignature, open_signed
from contract.segmentindex import NotASegment, index_of, key_pictures, whole_bytes
from contract.ticket import Ticket, TicketRefused, check
from edge.journal import from_us
from edge.live.telling import Teller
from edge.live.used import UsedTickets
from edge.recording.names import SECOND, parse


class NoSuchRecording(Exception):
    """Nothing that may be shown lies under that path."""


class Opened(NamedTuple):
    """A file, and how many bytes of it may be sent."""

    file: Path
    size: int


class Playback:
    """Checks tickets for the shelf and finds the files."""

    def __init__(
        self,
        edge: str,
        trusted: Mapping[str, bytes],
        shelf: Path,
        used: UsedTickets,
        teller: Teller,
        clock: Clock,
        is_over: Callable[[str], Awaitable[bool]] | None = None,
    ) -> None:
        self._is_over = is_over
        self._edge = edge
        self._trusted = trusted
        self._shelf = shelf
        self._used = used
        self._teller = teller
        self._clock = clock

    async def open(self, path: str, signed: str) -> Opened:
        """Give the file a ticket opens; raises TicketRefused, NoSuchRecording or JournalBusy."""
        await self.admit(path, signed)
        return await self._standing(path)

    async def sealed(self, path: str) -> Path:
        """Give a sealed file on the shelf; raises NoSuchRecording. Asks for no leave."""
        opened = await self._standing(path)
        if opened.file.suffix != ".mp4":
            raise NoSuchRecording(f"{path} is not sealed")
        return opened.file

    async def index(self, path: str, signed: str) -> SegmentIndex:
        """Give where each picture of a file stands; raises like `open`."""
        await self.admit(path, signed)
        await self._standing(path)
        return await asyncio.to_thread(_index, self._shelf, path)

    async def key_pictures(self, path: str, signed: str, first: int, last: int) -> bytes:
        """Give the key pictures of a part alone, as fMP4; raises like `open`.

        A segment's key pictures are a tenth of it: a few MB at most.
        """
        await self.admit(path, signed)
        await self._standing(path)
        return await asyncio.to_thread(_key_pictures, self._shelf, path, first, last)

    async def growing(self, camera: str, signed: str) -> Growing:
        """Say which file the camera's main stream is being written to; raises like `open`."""
        await self.admit(f"growing/{camera}", signed)
        return await asyncio.to_thread(_growing, self._shelf, camera)

    async def _standing(self, path: str) -> Opened:
        """Give what may be read of a file whose term is not over."""
        if self._is_over is not None and await self._is_over(path):
            raise NoSuchRecording(f"{path} is past its term")
        return await asyncio.to_thread(readable, self._shelf, path)

    async def admit(self, what: str, signed: str) -> None:
        """Return when the ticket gives leave for this; raises TicketRefused or JournalBusy."""
        try:
            ticket = self._read(signed)
        except TicketRefused as refusal:
            await self._teller.refused(None, refusal.code)
            raise
        try:
            await self._admit(what, signed, ticket)
        except TicketRefused as refusal:
            await self._teller.refused(ticket, refusal.code)
            raise

    def _read(self, signed: str) -> Ticket:
        try:
            return open_signed(signed.encode(), self._trusted, Ticket)
        except BadSignature as error:
            raise TicketRefused("forged") from error

    async def _admit(self, what: str, signed: str, ticket: Ticket) -> None:
        """The first use is in time for `start_by`; later ones may follow until `view_until`."""
        now = self._clock.now()
        if now >= ticket.view_until:
            raise TicketRefused("late")
        use = await self._used.use_of(ticket.jti)
        began: datetime = now if use is None else use.at
        check(signed, self._trusted, edge=self._edge, purpose="playback", what=what, now=began)
        if use is None:
            # Told first: a ticket that is claimed is never asked about again.
            await self._teller.began(ticket, f"playback {what}")
            await self._used.claim(ticket.jti, what, now, ticket.view_until)
        elif use.what != what:
            raise TicketRefused("used")


def readable(shelf: Path, path: str) -> Opened:
    """Find a recording below the shelf; raises NoSuchRecording for anything else.

    Of a file that still grows only the whole fragments count. One that was sealed since the caller
    heard of it is found under its new name.
    """
    file = _place(shelf, path)
    if file.suffix == ".part" and not file.is_file():
        file = file.with_suffix(".mp4")
    if not file.is_file():
        raise NoSuchRecording(path)
    try:
        if file.suffix == ".part":
            return Opened(file, whole_bytes(file))
        about = file.stat()
    except (NotASegment, FileNotFoundError) as error:
        raise NoSuchRecording(path) from error
    if about.st_mode & 0o222:
        raise NoSuchRecording(f"{path} is not sealed")
    return Opened(file, about.st_size)


def _place(shelf: Path, path: str) -> Path:
    root = shelf.resolve()
    file = (root / path).resolve()
    if not file.is_relative_to(root) or file.suffix not in (".mp4", ".part"):
        raise NoSuchRecording(path)
    return file


def _index(shelf: Path, path: str) -> SegmentIndex:
    file = readable(shelf, path).file
    name = parse(PurePosixPath(file.relative_to(shelf.resolve()).as_posix()))
    if name is None:
        raise NoSuchRecording(path)
    try:
        with file.open("rb") as opened:
            return index_of(opened, from_us(name.start_us), growing=file.suffix == ".part")
    except (NotASegment, FileNotFoundError) as error:
        raise NoSuchRecording(path) from error


def _key_pictures(shelf: Path, path: str, first: int, last: int) -> bytes:
    file = readable(shelf, path).file
    try:
        with file.open("rb") as opened:
            return b"".join(key_pictures(opened, first, last))
    except (NotASegment, FileNotFoundError) as error:
        raise NoSuchRecording(path) from error


def _growing(shelf: Path, camera: str) -> Growing:
    folders = [(place / camera).resolve() for place in (shelf, shelf / SECOND)]
    if folders[0].parent != shelf.resolve():
        raise NoSuchRecording(camera)
    parts = [part for folder in folders for part in folder.glob("*/*.part")]
    for file in sorted(parts, key=lambda part: part.name, reverse=True):
        path = file.relative_to(shelf.resolve())
        name = parse(PurePosixPath(path.as_posix()))
        if name is None or name.stream != "main":
            continue
        try:
            index = _index(shelf, path.as_posix())
        except NoSuchRecording:
            continue
        length = timedelta(seconds=index.fragments[-1].end / TIMESCALE)
        return Growing(
            path=path.as_posix(), start=index.start, end=index.start + length, bytes=index.bytes
        )
    raise NoSuchRecording(f"nothing of {camera} is being recorded")
