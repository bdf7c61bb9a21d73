"""Sealed recordings for the centre: one ticket opens one file, as often as it takes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path

from contract.clock import Clock
from contract.keys import BadSignature, open_signed
from contract.ticket import Ticket, TicketRefused, check
from edge.live.telling import Teller
from edge.live.used import UsedTickets


class NoSuchRecording(Exception):
    """Nothing sealed lies under that path."""


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

    async def open(self, path: str, signed: str) -> Path:
        """Give the file a ticket opens; raises TicketRefused, NoSuchRecording or JournalBusy."""
        await self.admit(path, signed)
        return await self.sealed(path)

    async def sealed(self, path: str) -> Path:
        """Give a sealed file on the shelf; raises NoSuchRecording. Asks for no leave."""
        if self._is_over is not None and await self._is_over(path):
            raise NoSuchRecording(f"{path} is past its term")
        return await asyncio.to_thread(sealed_file, self._shelf, path)

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


def sealed_file(shelf: Path, path: str) -> Path:
    """Find a sealed recording below the shelf; raises NoSuchRecording for anything else."""
    root = shelf.resolve()
    file = (root / path).resolve()
    if not file.is_relative_to(root) or file.suffix != ".mp4" or not file.is_file():
        raise NoSuchRecording(path)
    if file.stat().st_mode & 0o222:
        raise NoSuchRecording(f"{path} is still being written")
    return file
