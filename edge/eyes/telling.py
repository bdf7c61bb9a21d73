"""Telling the centre what was seen, also when the journal is busy, and remembering what is open."""

import asyncio
import logging
from datetime import datetime
from typing import Protocol

import msgspec

from contract.clock import Clock, Instant
from contract.messages import Message, ReferenceTaken, TamperChanged, TamperKind
from contract.retry import keep
from edge.eyes.voting import EXACT, Change, Tamper
from edge.journal import JournalBusy, to_us

log = logging.getLogger(__name__)

_MOST_WAITING = 1000


class Book(Protocol):
    """What of the journal the eyes use."""

    async def add_fact(self, data: Message, at: datetime, id: str, note: tuple[str, str]) -> None:
        """Store a fact, to be sent, and remember a word under a key, both or neither.

        Raises JournalBusy.
        """
        ...

    async def meta(self, key: str) -> str | None:
        """Give a remembered word."""
        ...


class _Open(Message, frozen=True, kw_only=True):
    kind: TamperKind
    first_at: Instant


class Telling:
    """Writes facts in their order; what was told outlives this process."""

    def __init__(self, book: Book, clock: Clock) -> None:
        self._book = book
        self._clock = clock
        self._waiting: asyncio.Queue[TamperChanged | ReferenceTaken] = asyncio.Queue(_MOST_WAITING)

    async def changed(self, camera: str, change: Change, fingerprint: str) -> None:
        """Tell that something began or ended, now or as soon as it can be written."""
        tamper = change.tamper
        log.info("%s: %s %s, since %s", camera, tamper.kind, change.state, tamper.first_at)
        fact = TamperChanged(
            camera=camera,
            stream="sub",
            kind=tamper.kind,
            state=change.state,
            score=round(change.score, 4),
            extent=round(change.extent, 4),
            model="exact" if tamper.kind in EXACT else fingerprint,
            first_at=tamper.first_at,
            voted_at=self._clock.now(),
        )
        await self._waiting.put(fact)

    async def taken(self, camera: str, sha256: str, at: datetime, sharpness: float) -> None:
        """Tell that a reference view waits for approval."""
        log.info("%s: reference view %s waits for approval", camera, sha256[:12])
        fact = ReferenceTaken(camera=camera, sha256=sha256, taken_at=at, sharpness=sharpness)
        await self._waiting.put(fact)

    async def open(self, camera: str) -> Tamper | None:
        """Give what was told to have begun, and not to have ended."""
        word = await self._book.meta(f"tamper.{camera}")
        if not word:
            return None
        known = msgspec.json.decode(word, type=_Open)
        return Tamper(known.kind, known.first_at)

    async def candidate(self, camera: str) -> str:
        """Give the view that was last told to wait for approval, or nothing."""
        return await self._book.meta(f"reference.{camera}") or ""

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            fact = await self._waiting.get()

            async def write(fact: TamperChanged | ReferenceTaken = fact) -> None:
                await self._write(fact)

            await keep("telling", write, on=(JournalBusy,), clock=self._clock, log=log)

    async def _write(self, fact: TamperChanged | ReferenceTaken) -> None:
        now = self._clock.now()
        if isinstance(fact, ReferenceTaken):
            name = f"reference.{fact.camera}.{fact.sha256[:16]}"
            await self._book.add_fact(fact, now, name, (f"reference.{fact.camera}", fact.sha256))
            return
        name = f"tamper.{fact.camera}.{fact.kind}.{to_us(fact.first_at)}.{fact.state}"
        known = _Open(kind=fact.kind, first_at=fact.first_at)
        word = msgspec.json.encode(known).decode() if fact.state == "began" else ""
        await self._book.add_fact(fact, now, name, (f"tamper.{fact.camera}", word))
