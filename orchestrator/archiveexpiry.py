"""Copies whose footage may go: deleted from the archive by the same rule, and written down."""

import logging
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.clock import Clock
from contract.objects import Objects, StoreAway
from contract.retry import keep
from orchestrator.ledger import SYSTEM, Act, append
from orchestrator.store import Store
from orchestrator.store import StoreAway as DatabaseAway
from orchestrator.store.tables import archive_copies, segments

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=10)
_MOST = 500


class MayDelete(Protocol):
    """The rule by which footage may go: past its term, held by nobody, by a clock one believes."""

    async def __call__(self, connection: AsyncConnection, segment: str, now: datetime) -> bool:
        """Say whether the segment's copies may be deleted now."""
        ...


async def never(connection: AsyncConnection, segment: str, now: datetime) -> bool:
    """Let nothing go: where no rule is known, nothing is early."""
    del connection, segment, now
    return False


class ArchiveExpiry:
    """Deletes copies with a credential of its own, which boxes do not have."""

    def __init__(
        self, store: Store, objects: Objects, clock: Clock, may_delete: MayDelete = never
    ) -> None:
        self._store = store
        self._objects = objects
        self._clock = clock
        self._may_delete = may_delete

    async def run(self) -> None:
        """Work until cancelled; an archive or database that is away is tried again."""

        async def forever() -> None:
            while True:
                await self.sweep()
                await self._clock.sleep(EVERY.total_seconds())

        away = (StoreAway, DatabaseAway)
        await keep("archive expiry", forever, on=away, clock=self._clock, log=log)

    async def sweep(self) -> int:
        """Delete what may go now; gives how many. Raises StoreAway.

        The act is in the ledger before the object is gone; the record of the copy stays.
        """
        gone = 0
        for segment, copy, place in await self._past_term():
            now = self._clock.now()
            async with self._store.write() as connection:
                if not await self._may_delete(connection, segment, now):
                    continue
                act = Act(SYSTEM, "delete_archive_copy", f"{segment} {copy}", "term is over")
                await append(connection, act, now)
            await self._objects.delete(place)
            if await self._objects.size(place) is not None:
                raise StoreAway(f"{place} is still there after it was deleted")
            async with self._store.write() as connection:
                c = archive_copies.c
                await connection.execute(
                    update(archive_copies)
                    .where(c.segment == segment, c.copy == copy)
                    .values(deleted_at=self._clock.now(), deleted_why="term is over")
                )
            gone += 1
        return gone

    async def _past_term(self) -> list[tuple[str, str, str]]:
        c = archive_copies.c
        query = (
            select(c.segment, c.copy, c.place)
            .join(segments, segments.c.id == c.segment)
            .where(c.deleted_at.is_(None), segments.c.retain_until <= self._clock.now())
            .order_by(segments.c.retain_until, c.segment)
            .limit(_MOST)
        )
        async with self._store.read() as connection:
            return [(r.segment, r.copy, r.place) for r in await connection.execute(query)]
