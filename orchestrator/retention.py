"""How long footage of each category is kept, what will be deleted by when, and what was."""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    case,
    delete,
    exists,
    func,
    insert,
    select,
    type_coerce,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.clock import Clock
from contract.retention import FLOOR_DAYS, TooShort, period
from orchestrator.accounts import Person
from orchestrator.covers import goes_at, held_ids, is_deleted, is_held, stays, touched_by_hold
from orchestrator.dueexams import ExamsDue, Total, read_due_exams, term_between
from orchestrator.exams import Lead
from orchestrator.ledger import Act, append
from orchestrator.longer import raise_terms
from orchestrator.store import Store
from orchestrator.store.tables import (
    deferrals,
    deletions,
    exam_sessions,
    hold_cameras,
    holds,
    retention_classes,
    segments,
)

_MOST_DAYS = 36500
_US = timedelta(microseconds=1)
_DAY_US = 86_400_000_000
_FIRST = date(1970, 1, 1)


class RetentionRefused(Exception):
    """A class is not set; `code` is `retention_too_short` or `bad_request`."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A recording whose term is or will be over."""

    id: str
    camera: str
    edge: str
    start: datetime
    end: datetime
    bytes: int
    retain_until: datetime
    why: str = ""
    """Of a deferral."""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """What becomes of recordings up to an instant."""

    at: datetime
    due: list[Piece]
    held: list[Piece]
    deferred: list[Piece]
    totals: dict[str, Total]


@dataclass(frozen=True, slots=True)
class Day:
    """What is deleted on a day, of the site's zone."""

    day: str
    due: Total
    held: Total


@dataclass(frozen=True, slots=True)
class Class:
    """How many days footage of a category is kept."""

    category: str
    days: int
    set_by: str = ""
    set_at: datetime | None = None


class Retention:
    """Reads terms and sets classes."""

    def __init__(self, store: Store, clock: Clock, lead: Lead) -> None:
        self._store = store
        self._clock = clock
        self._lead = lead

    async def due(self, at: datetime, limit: int = 1000) -> Due:
        """Give what will be deleted by then, what holds keep, and what is late already."""
        over = [segments.c.retain_until <= at, ~is_deleted()]
        goes = (goes_at() <= at) & ~stays()
        mine = (deferrals.c.segment == segments.c.id) & (deferrals.c.edge == segments.c.edge)
        still = [deferrals.c.ended_at.is_(None), ~is_deleted(), ~is_held()]
        late = (
            select(segments, deferrals.c.why, deferrals.c.since)
            .join(deferrals, mine)
            .where(*still)
            .order_by(deferrals.c.since, segments.c.id)
            .limit(limit)
        )
        total = select(
            func.count(segments.c.id), func.coalesce(func.sum(segments.c.bytes), 0)
        ).where(mine, *still)
        async with self._store.read() as connection:
            due, due_total = await _pieces(connection, [*over, goes], limit)
            held, held_total = await _pieces(connection, [*over, ~goes], limit)
            deferred = [_piece(row) for row in await connection.execute(late)]
            count, size = (await connection.execute(total)).one()
        totals = {
            "due": due_total,
            "held": held_total,
            "deferred": Total(count, int(size)),
        }
        return Due(at, due, held, deferred, totals)

    async def days(self, until: datetime, zone: tzinfo) -> list[Day]:
        """Give what goes on each day until then, in the site's zone.

        What is held stands at the day on which its term ends; under a hold that lapses by itself,
        at the day on which it does.
        """
        offset = self._clock.now().astimezone(zone).utcoffset() or timedelta()
        last = until.astimezone(zone).date() + timedelta(days=1)
        until = datetime.combine(last, time(), zone)  # days are given whole

        def day_of(instant: ColumnElement[datetime]) -> ColumnElement[int]:
            return (type_coerce(instant, BigInteger) + offset // _US) // _DAY_US

        s = segments.c
        term, goes, kept = day_of(s.retain_until), day_of(goes_at()), case((stays(), 1), else_=0)
        sums = (func.count().label("segments"), func.coalesce(func.sum(s.bytes), 0).label("bytes"))
        ending = (s.retain_until < until, ~is_deleted())
        each = select(term.label("term"), *sums).where(*ending).group_by(term)
        # holds are few and find their footage by its camera; asking each recording is slow
        by_then = case((goes_at() < until, 1), else_=0)
        named = (term.label("term"), goes.label("goes"), kept.label("kept"))
        held = (
            select(*named, by_then.label("goes_by_then"), *sums)
            .where(*ending, s.id.in_(held_ids()))
            .group_by(*named, by_then)
        )
        due: defaultdict[int, Total] = defaultdict(lambda: Total(0, 0))
        stay: defaultdict[int, Total] = defaultdict(lambda: Total(0, 0))
        async with self._store.read() as connection:
            for row in await connection.execute(each):
                due[row.term] += Total(row.segments, int(row.bytes))
            for row in await connection.execute(held):
                size = Total(row.segments, int(row.bytes))
                due[row.term] -= size
                if row.kept:
                    stay[row.term] += size
                elif row.goes_by_then:
                    due[row.goes] += size
        numbers = sorted({day for of in (due, stay) for day, size in of.items() if size.segments})
        return [Day(str(_FIRST + timedelta(days=n)), due[n], stay[n]) for n in numbers]

    async def exams_of_day(self, day: date, zone: tzinfo, limit: int = 1000) -> ExamsDue:
        """Name the exams whose footage goes on a day of the site's zone."""
        start = datetime.combine(day, time(), zone)
        end = datetime.combine(day + timedelta(days=1), time(), zone)
        return await self._exams(term_between(start, end), limit)

    async def exams_by(self, at: datetime, limit: int = 1000) -> ExamsDue:
        """Name the exams whose footage will have gone by then."""
        return await self._exams([segments.c.retain_until <= at, goes_at() <= at, ~stays()], limit)

    async def exams_of_hold(self, id: str, limit: int = 1000) -> ExamsDue:
        """Name the exams whose footage a hold keeps."""
        mine = [holds.c.id == id, hold_cameras.c.hold == id, touched_by_hold()]
        covered = select(holds.c.id).where(*mine).correlate(segments)
        return await self._exams([exists(covered)], limit)

    async def _exams(self, which: list[ColumnElement[bool]], limit: int) -> ExamsDue:
        async with self._store.read() as connection:
            return await read_due_exams(connection, self._lead, which, limit)

    async def deletions(self, limit: int = 100) -> list[Row[Any]]:
        """Give the newest deletions."""
        newest = select(deletions).order_by(deletions.c.deleted_at.desc()).limit(limit)
        async with self._store.read() as connection:
            return list(await connection.execute(newest))

    # ------------------------------------------------------------ classes

    async def classes(self) -> list[Class]:
        """Give every category in use, and how long its footage is kept."""
        async with self._store.read() as connection:
            rows = (await connection.execute(select(retention_classes))).all()
            used = select(exam_sessions.c.category).distinct()
            names = set(await connection.scalars(used)) | {row.category for row in rows}
        known = {
            row.category: Class(row.category, row.days, row.set_by, row.set_at) for row in rows
        }
        return [known.get(name, Class(name, FLOOR_DAYS)) for name in sorted(names)]

    async def raise_terms(self) -> None:
        """Make terms as long as the classes say: after one was set, and after a start."""
        await raise_terms(self._store, self._lead, self._clock.now())

    async def set_class(
        self, person: Person, category: str, days: int, reason: str, source: str = ""
    ) -> Class:
        """Keep footage of this category so many days; raises RetentionRefused below thirty.

        What has its term already is kept longer by it, and never shorter.
        """
        now = self._clock.now()
        act = Act(person.user, "set_retention", f"{category} {days} d"[:200], reason, source=source)
        refusal: RetentionRefused | None = None
        try:
            period(days)
        except TooShort as error:
            refusal = RetentionRefused("retention_too_short", str(error))
        if days > _MOST_DAYS:
            refusal = RetentionRefused("bad_request", "more than a hundred years")
        async with self._store.write() as connection:
            result = "ok" if refusal is None else refusal.code
            await append(connection, replace(act, result=result), now)
            if refusal is None:
                mine = retention_classes.c.category == category
                await connection.execute(delete(retention_classes).where(mine))
                await connection.execute(
                    insert(retention_classes).values(
                        category=category, days=days, set_by=person.user, set_at=now
                    )
                )
        if refusal is not None:
            raise refusal
        await self.raise_terms()
        return Class(category, days, person.user, now)


async def _pieces(
    connection: AsyncConnection, which: list[ColumnElement[bool]], limit: int
) -> tuple[list[Piece], Total]:
    s = segments.c
    found = select(segments).where(*which).order_by(s.retain_until, s.id).limit(limit)
    pieces = [_piece(row) for row in await connection.execute(found)]
    totals = select(func.count(s.id), func.coalesce(func.sum(s.bytes), 0)).where(*which)
    count, size = (await connection.execute(totals)).one()
    return pieces, Total(count, int(size))


def _piece(row: Row[Any]) -> Piece:
    return Piece(
        id=row.id,
        camera=row.camera,
        edge=row.edge,
        start=row.starts_at,
        end=row.ends_at,
        bytes=row.bytes,
        retain_until=row.retain_until,
        why=getattr(row, "why", ""),
        since=getattr(row, "since", None),
    )
