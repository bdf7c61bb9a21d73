"""Copies whose footage may go: deleted from the archive by the same rule, and written down."""

import logging
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.clock import Clock
from contract.objects import Objects, StoreAway
from contract.retry import keep
from orchestrator.agreedtime import read_agreed_time
from orchestrator.covers import is_held
from orchestrator.ledger import SYSTEM, Act, append
from orchestrator.store import Store
from orchestrator.store import StoreAway as DatabaseAway
from orchestrator.store.tables import archive_copies, segments

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=10)
LIST_EVERY = timedelta(days=1)
"""So often the whole archive is looked through for objects that no box told of."""
_MOST = 500
_ENDING = ".xka"


class MayDelete(Protocol):
    """The rule by which footage may go: past its term by both clocks, held by nobody."""

    async def __call__(self, connection: AsyncConnection, segment: str, now: datetime) -> bool:
        """Say whether the segment's copies may be deleted now."""
        ...


class ArchiveExpiry:
    """Deletes copies with a credential of its own, which boxes do not have."""

    def __init__(self, store: Store, objects: Objects, clock: Clock, may_delete: MayDelete) -> None:
        self._store = store
        self._objects = objects
        self._clock = clock
        self._may_delete = may_delete
        self._is_deferred = False

    async def run(self) -> None:
        """Work until cancelled; an archive or database that is away is tried again."""

        async def forever() -> None:
            listed_at: float | None = None
            while True:
                await self.sweep()
                now = self._clock.monotonic()
                if listed_at is None or now - listed_at >= LIST_EVERY.total_seconds():
                    listed_at = now
                    try:
                        await self.sweep_untold()
                    except StoreAway as error:  # listing may be a right we lack: all else goes on
                        log.warning("the archive was not looked through: %s", error)
                await self._clock.sleep(EVERY.total_seconds())

        away = (StoreAway, DatabaseAway)
        await keep("archive expiry", forever, on=away, clock=self._clock, log=log)

    async def sweep(self) -> int:
        """Delete what may go now; gives how many. Raises StoreAway.

        The act is in the ledger before the object is gone; the record of the copy stays. While no
        box confirms our clock all of it waits; that is said once.
        """
        if not await self._is_time_agreed():
            return 0
        gone = 0
        after: _After | None = None
        while batch := await self._past_term(after):
            for segment, copy, place, _ in batch:
                gone += await self._delete(segment, copy, place)
            segment, copy, _, until = batch[-1]
            after = (until, segment, copy)
        return gone

    async def sweep_untold(self) -> int:
        """Delete objects past their term that no box told of; gives how many. Raises StoreAway.

        Those were sent and not read back before their footage went, or sent again by a box that
        lost its journal. What is of no segment known here stays: nobody knows its term.
        """
        if not await self._is_time_agreed():
            return 0
        gone = 0
        async for names in self._objects.names():
            for segment, place in await self._untold(names):
                now = self._clock.now()
                async with self._store.write() as connection:
                    if not await self._may_delete(connection, segment, now):
                        continue
                    act = Act(SYSTEM, "delete_archive_copy", f"{segment} {place}", "not told of")
                    await append(connection, act, now)
                await self._objects.delete(place)
                gone += 1
        return gone

    async def _untold(self, names: list[str]) -> list[tuple[str, str]]:
        """Give segment and name of the objects that are past their term and no standing copy."""
        named = [
            (name.rpartition("/")[2].removesuffix(_ENDING), name)
            for name in names
            if name.endswith(_ENDING)
        ]
        c, s = archive_copies.c, segments.c
        told = select(c.place).where(c.deleted_at.is_(None), c.place.in_(names))
        past = select(s.id, s.edge).where(
            s.id.in_({segment for segment, _ in named}),
            s.retain_until <= self._clock.now(),
            ~is_held(),
        )
        async with self._store.read() as connection:
            standing = set(await connection.scalars(told))
            edge_of = {row.id: row.edge for row in await connection.execute(past)}
        return [
            (segment, place)
            for segment, place in named
            if segment in edge_of
            and place.startswith(f"{edge_of[segment]}/")
            and place not in standing
        ]

    async def _is_time_agreed(self) -> bool:
        async with self._store.read() as connection:
            agreed = await read_agreed_time(connection, self._clock.now()) is not None
        if self._is_deferred == agreed:
            self._is_deferred = not agreed
            if agreed:
                log.warning("boxes confirm the centre's clock: copies go again")
            else:
                log.warning("no copies go: no box confirms the centre's clock, or one contradicts")
        return agreed

    async def _delete(self, segment: str, copy: str, place: str) -> bool:
        now = self._clock.now()
        async with self._store.write() as connection:
            if not await self._may_delete(connection, segment, now):
                return False
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
        return True

    async def _past_term(self, after: "_After | None") -> list[tuple[str, str, str, datetime]]:
        """Give the oldest copies after this one that no hold keeps: each comes once a sweep."""
        c, until = archive_copies.c, segments.c.retain_until
        query = (
            select(c.segment, c.copy, c.place, until)
            .join(segments, segments.c.id == c.segment)
            .where(c.deleted_at.is_(None), until <= self._clock.now(), ~is_held())
            .order_by(until, c.segment, c.copy)
            .limit(_MOST)
        )
        if after is not None:
            term, segment, copy = after
            next_copy = (c.segment == segment) & (c.copy > copy)
            later = (c.segment > segment) | next_copy
            query = query.where((until > term) | ((until == term) & later))
        async with self._store.read() as connection:
            return [tuple(row) for row in await connection.execute(query)]


_After = tuple[datetime, str, str]
"""Term, segment and copy of the last one that was looked at."""
