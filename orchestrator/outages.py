"""Notices of outage: that rooms' devices will be off for a span, filed before it begins.

A notice explains what is missing; it makes nothing complete.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.clock import Clock
from contract.coverage import Hole
from contract.spans import Span
from orchestrator.access import Action, may
from orchestrator.accounts import Person
from orchestrator.events import Events
from orchestrator.exams import Lead
from orchestrator.ledger import Act, append
from orchestrator.store import Store
from orchestrator.store.tables import outage_rooms, outages, rooms
from orchestrator.windows import sessions_in

CAUSE = "outage"
"""The cause of a gap inside a notice's span."""
_LONGEST = timedelta(days=31)
_LEDGER_CHARACTERS = 500
"""So much of a text stands in a row of the ledger."""
_SLACK = timedelta(minutes=2)
"""One that begins now has begun by the time it is sent."""


class OutageRefused(Exception):
    """A notice is not filed or withdrawn; `code` says why.

    Codes: `forbidden`, `bad_request`, `no_such`, `conflict`, `outage_conflicts`.
    """

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOutage:
    """What somebody files."""

    rooms: tuple[str, ...]
    start: datetime
    end: datetime
    reason: str
    contact: str
    override: str = ""
    """Why exams in the span are no obstacle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A notice of outage."""

    id: str
    rooms: tuple[str, ...]
    start: datetime
    end: datetime
    reason: str
    contact: str
    override: str
    filed_by: str
    filed_at: datetime
    withdrawn_by: str | None
    withdrawn_at: datetime | None

    @property
    def holds_until(self) -> datetime:
        """When it ends, or ended by being withdrawn."""
        return self.end if self.withdrawn_at is None else min(self.end, self.withdrawn_at)


class Outages:
    """All notices."""

    def __init__(self, store: Store, events: Events, clock: Clock, lead: Lead) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self._lead = lead

    async def list(self, start: datetime, end: datetime) -> list[Outage]:
        """Give the notices that touch a span, by start; withdrawn ones too."""
        o = outages.c
        query = select(outages).where(o.starts_at < end, o.ends_at > start)
        async with self._store.read() as connection:
            found = (await connection.execute(query.order_by(o.starts_at, o.id))).all()
            named = await _rooms_of(connection, [row.id for row in found])
        return [_outage(row, named.get(row.id, ())) for row in found]

    async def file(self, person: Person, new: NewOutage, source: str = "") -> Outage:
        """File a notice; raises OutageRefused. Both outcomes stand in the ledger."""
        now = self._clock.now()
        name = f"o{now:%Y%m%d}-{secrets.token_hex(4)}"
        refusal: OutageRefused | None = None
        async with self._store.write() as connection:
            try:
                await self._check(connection, person, new, now)
            except OutageRefused as error:
                refusal = error
            result = "ok" if refusal is None else refusal.code
            act = Act(person.user, "file_outage", *said_of(name, new), result, source)
            await append(connection, act, now)
            if refusal is None:
                await connection.execute(
                    insert(outages).values(
                        id=name,
                        starts_at=new.start,
                        ends_at=new.end,
                        reason=new.reason.strip(),
                        contact=new.contact.strip(),
                        override=new.override.strip(),
                        filed_by=person.user,
                        filed_at=now,
                    )
                )
                rows = [{"outage": name, "room": room} for room in sorted(set(new.rooms))]
                await connection.execute(insert(outage_rooms), rows)
        if refusal is not None:
            raise refusal
        self._events.publish("outage", name, {"state": "filed"})
        return await self._one(name)

    async def withdraw(self, person: Person, outage: str, reason: str, source: str = "") -> Outage:
        """End a notice from now on; raises OutageRefused. What it has explained stays explained."""
        now = self._clock.now()
        refusal: OutageRefused | None = None
        if not may(person.roles, Action.plan_outages):
            refusal = OutageRefused("forbidden")
        async with self._store.write() as connection:
            still = (outages.c.id == outage) & outages.c.withdrawn_at.is_(None)
            still &= outages.c.ends_at > now
            if refusal is None:
                done = await connection.execute(
                    update(outages).where(still).values(withdrawn_by=person.user, withdrawn_at=now)
                )
                if not done.rowcount:
                    known = await connection.scalar(
                        select(outages.c.id).where(outages.c.id == outage)
                    )
                    refusal = OutageRefused("conflict" if known else "no_such")
            result = "ok" if refusal is None else refusal.code
            what, why = outage[:_LEDGER_CHARACTERS], reason[:_LEDGER_CHARACTERS]
            act = Act(person.user, "withdraw_outage", what, why, result, source)
            await append(connection, act, now)
        if refusal is not None:
            raise refusal
        self._events.publish("outage", outage, {"state": "withdrawn"})
        return await self._one(outage)

    async def _check(
        self, connection: AsyncConnection, person: Person, new: NewOutage, now: datetime
    ) -> None:
        if not may(person.roles, Action.plan_outages):
            raise OutageRefused("forbidden")
        if not timedelta() < new.end - new.start <= _LONGEST or not new.rooms:
            raise OutageRefused("bad_request", "the span is empty, or longer than 31 days")
        if new.start < now - _SLACK:
            raise OutageRefused("bad_request", "a notice is filed before the outage begins")
        if not new.reason.strip():
            raise OutageRefused("bad_request", "a reason must be named")
        known = set(await connection.scalars(select(rooms.c.id).where(rooms.c.id.in_(new.rooms))))
        if missing := sorted(set(new.rooms) - known):
            raise OutageRefused("no_such", f"no room {missing[0]}")
        touched = await sessions_in(
            connection, self._lead, Span(new.start, new.end), rooms=new.rooms
        )
        if touched and not new.override.strip():
            raise OutageRefused("outage_conflicts", f"{len(touched)} exams are in that span")

    async def _one(self, outage: str) -> Outage:
        async with self._store.read() as connection:
            row = (await connection.execute(select(outages).where(outages.c.id == outage))).one()
            named = await _rooms_of(connection, [outage])
        return _outage(row, named.get(outage, ()))


def said_of(name: str, new: NewOutage) -> tuple[str, str]:
    """Give what and why for the ledger, most important first: both end after 500 characters.

    A list of rooms that is too long is told by its hash as well.
    """
    span = f"{name} {new.start.isoformat()}/{new.end.isoformat()}"
    named = ",".join(sorted(set(new.rooms)))
    what, why = f"{span} {named}", new.reason.strip()
    if len(what) > _LEDGER_CHARACTERS:
        digest = hashlib.sha256(named.encode()).hexdigest()
        what = f"{span} {len(set(new.rooms))} rooms sha256:{digest} {named}"
    if new.override.strip():
        why = f"over exams: {new.override.strip()}; {why}"
    return what[:_LEDGER_CHARACTERS], why[:_LEDGER_CHARACTERS]


async def holes_of(connection: AsyncConnection, room: str, window: Span) -> list[Hole]:
    """Give the planned outages of a room in a window, as causes of what is missing there."""
    o = outages.c
    mine = select(outage_rooms.c.outage).where(outage_rooms.c.room == room)
    query = select(outages).where(
        o.id.in_(mine),
        o.starts_at < window.end,
        o.ends_at > window.start,
        or_(o.withdrawn_at.is_(None), o.withdrawn_at > o.starts_at),
    )
    found = []
    for row in await connection.execute(query.order_by(o.starts_at, o.id)):
        one = _outage(row, (room,))
        begin = max(one.start, one.filed_at, window.start)  # what was before, it does not explain
        span = Span(begin, min(one.holds_until, window.end))
        if span.start < span.end:
            found.append(Hole(span, CAUSE, f"{one.id}: {one.reason}"))
    return found


async def standing_in(connection: AsyncConnection, span: Span) -> dict[str, list[Span]]:
    """Give by room when outages that are filed and not withdrawn fall into a span."""
    o = outages.c
    query = (
        select(outage_rooms.c.room, o.starts_at, o.ends_at)
        .join(outages, o.id == outage_rooms.c.outage)
        .where(o.starts_at < span.end, o.ends_at > span.start, o.withdrawn_at.is_(None))
        .order_by(o.starts_at, o.id)
    )
    found: dict[str, list[Span]] = {}
    for row in await connection.execute(query):
        found.setdefault(row.room, []).append(Span(row.starts_at, row.ends_at))
    return found


async def _rooms_of(
    connection: AsyncConnection, named: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    query = select(outage_rooms).where(outage_rooms.c.outage.in_(list(named)))
    found: dict[str, tuple[str, ...]] = {}
    for row in await connection.execute(query.order_by(outage_rooms.c.room)):
        found[row.outage] = (*found.get(row.outage, ()), row.room)
    return found


def _outage(row: Row[Any], named: tuple[str, ...]) -> Outage:
    return Outage(
        id=row.id,
        rooms=named,
        start=row.starts_at,
        end=row.ends_at,
        reason=row.reason,
        contact=row.contact,
        override=row.override,
        filed_by=row.filed_by,
        filed_at=row.filed_at,
        withdrawn_by=row.withdrawn_by,
        withdrawn_at=row.withdrawn_at,
    )
