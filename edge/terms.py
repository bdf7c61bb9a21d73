"""Until when each piece of footage is kept: the tables of expiry in the journal."""

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Self

import aiosqlite
import msgspec

from contract.messages import (
    DeferCause,
    DeferralEnded,
    Deferred,
    Deleted,
    Kept,
    KeptLonger,
    Message,
    Order,
    RetentionRaised,
    SegmentClosed,
)
from contract.retention import Window, kept_from, raised, retain_until
from contract.spans import Span
from edge.clockrun import ClockRun, parse
from edge.expiry import Term
from edge.journal import Journal, from_us, tell, to_us

POLICY = "term"
"""What deletions name as their ground: the term was over and nothing held it."""
_AT_ONCE = 500
_DAY_US = 86_400_000_000
_REGISTERED = "terms registered"

# A term has no `retain_us` until the clock that wrote its span is confirmed; then it only rises.
# `deletions` outlives the footage. `windows` remembers orders that are over,
# while they may ask for something.
_SCHEMA = (
    """create table if not exists terms (
    id text primary key, -- of the segment; of anything else, `stray.` and a hash of its path
    camera text not null,
    start_us integer not null,
    end_us integer not null,
    path text not null unique,
    root text not null,
    bytes integer not null,
    volume text not null,
    clock_run text not null,
    retain_us integer,
    late_us integer, -- since when it is past its term and cannot go
    held text not null default '', -- what kept it beyond its term, JSON
    begun_us integer -- its deletion was begun
) strict""",
    "create index if not exists terms_by_end on terms (retain_us)",
    "create index if not exists terms_by_camera on terms (camera, end_us)",
    """create table if not exists windows (
    id text primary key,
    camera text not null,
    start_us integer not null,
    end_us integer not null,
    days integer not null check (days >= 30)
) strict""",
    "create index if not exists windows_by_camera on windows (camera, end_us)",
    """create table if not exists deletions (
    id text not null,
    deleted_us integer not null,
    row blob not null, -- the Deleted, JSON
    segment blob, -- the SegmentClosed, JSON: the chain is proved across what is gone
    primary key (id, deleted_us)
) strict""",
)
_TERM = (
    "id, camera, start_us, end_us, path, root, bytes, volume, retain_us, late_us, begun_us"
    " from terms"
)


class Terms:
    """Terms, windows and deletions, in the box's journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._remembered: list[tuple[str, str, datetime, datetime, int]] = []
        self._noted: dict[str, str] = {}

    @classmethod
    async def open(cls, journal: Journal) -> Self:
        """Make the tables where there are none; raises JournalBusy."""
        async with journal.transaction() as db:
            for statement in _SCHEMA:
                await db.execute(statement)
        return cls(journal)

    # ------------------------------------------------------------ windows

    async def remember(self, orders: Iterable[Order], longer: Iterable[KeptLonger]) -> set[str]:
        """Keep the windows of these; gives the cameras of which one is new or has grown."""
        wanted = [
            *((one.id, one.camera, one.start, one.end, one.retain_days) for one in orders),
            *((one.window, one.camera, one.start, one.end, one.retain_days) for one in longer),
        ]
        if wanted == self._remembered:
            return set()
        rows = await self._journal.rows("select id, camera, start_us, end_us, days from windows")
        known = {row[0]: row for row in rows}
        grown = []
        for order, camera, start, end, days in wanted:
            name, new = f"{order}@{camera}", (to_us(start), to_us(end), days)
            old = known.get(name)
            if old is not None:
                new = (min(old[2], new[0]), max(old[3], new[1]), max(old[4], new[2]))
            if old is None or new != (old[2], old[3], old[4]):
                grown.append((name, camera, *new))
        if grown:
            async with self._journal.transaction() as db:
                await db.executemany("insert or replace into windows values (?, ?, ?, ?, ?)", grown)
        self._remembered = wanted
        return {row[1] for row in grown}

    async def cameras(self) -> set[str]:
        """Give the cameras that ever had a window."""
        rows = await self._journal.rows("select distinct camera from windows")
        return {row[0] for row in rows}

    async def forget_windows(self, certain: datetime) -> None:
        """Forget the windows that ask for nothing more: their days are over, no footage is theirs.

        It is `certain` that it is so late. A day is left for clocks and what is still sealed.
        """
        over = (
            f"windows where end_us + (days + 1) * {_DAY_US} < ?1 and not exists ("
            "select 1 from terms where terms.camera = windows.camera "
            "and terms.end_us >= windows.start_us and terms.start_us <= windows.end_us)"
        )
        if [*await self._journal.rows(f"select 1 from {over} limit 1", (to_us(certain),))]:
            async with self._journal.transaction() as db:
                await db.execute(f"delete from {over}", (to_us(certain),))

    async def _windows(self, camera: str) -> list[Window]:
        rows = await self._journal.rows(
            "select start_us, end_us, days from windows where camera = ?", (camera,)
        )
        return [Window(from_us(start), from_us(end), days) for start, end, days in rows]

    # ------------------------------------------------------------ terms

    async def register(self) -> int:
        """Take in segments that were sealed since; gives how many, at most 500."""
        since = int(await self._journal.meta(_REGISTERED) or 0)
        rows = list(
            await self._journal.rows(
                "select rowid, row from segments where rowid > ? order by rowid limit ?",
                (since, _AT_ONCE),
            )
        )
        if not rows:
            return 0
        async with self._journal.transaction() as db:
            for _, row in rows:
                await _add(db, _term_of(msgspec.json.decode(row, type=SegmentClosed)))
            await db.execute(
                "insert or replace into meta values (?, ?)", (_REGISTERED, str(rows[-1][0]))
            )
        return len(rows)

    async def register_strays(self, strays: Iterable[tuple[str, str, int]], volume: str) -> None:
        """Take in files that are no segments on record: path, camera where known, and bytes."""
        async with self._journal.transaction() as db:
            for path, camera, size in strays:
                name = f"stray.{hashlib.sha256(path.encode()).hexdigest()[:40]}"
                await _add(db, (name, camera, 0, 0, path, "", size, volume, ""))

    async def known_paths(self) -> frozenset[str]:
        """Give the path of everything that has a term."""
        return frozenset(row[0] for row in await self._journal.rows("select path from terms"))

    async def settle(self, run: ClockRun, confirmed: datetime, at: datetime) -> int:
        """Give terms to what waits for one: the clock is confirmed now. Gives how many.

        What was sealed in this run of the clocks has the span it says. Of anything else it is
        certain only that it ended before now: it counts from now. Where its clock was not believed
        and its span is known after all, the centre hears of that.
        """
        rows = await self._journal.rows(
            "select id, camera, start_us, end_us, clock_run, (select json_extract("
            "cast(row as text), '$.clock') from segments where segments.id = terms.id) "
            "from terms where retain_us is null limit ?",
            (_AT_ONCE,),
        )
        settled: list[tuple[str, int, int, datetime]] = []
        spans: dict[str, Span] = {}
        for one, camera, start_us, end_us, text, clock in rows:
            windows = await self._windows(camera)
            sealed = parse(text)
            said = Span(from_us(start_us), from_us(end_us))
            if sealed is not None and sealed.is_same(run):
                settled.append((one, start_us, end_us, retain_until(said, windows)))
            else:
                settled.append((one, 0, to_us(confirmed), kept_from(confirmed, windows)))
            shift = run.shift(sealed) if sealed is not None else None
            if clock == "untrusted" and shift is not None:
                spans[one] = Span(said.start + shift, said.end + shift)
        await self._keep(settled, at, spans)
        return len(settled)

    async def raise_of(self, cameras: Iterable[str], at: datetime) -> None:
        """Raise the terms of these cameras' footage where a window asks for more."""
        for camera in cameras:
            windows = await self._windows(camera)
            if not windows:
                continue
            rows = await self._journal.rows(
                "select id, start_us, end_us, retain_us from terms "
                "where camera = ? and retain_us is not null and end_us > ?",
                (camera, to_us(min(one.start for one in windows))),
            )
            wanted = []
            for one, start_us, end_us, retain_us in rows:
                span = Span(from_us(start_us), from_us(end_us))
                until = raised(from_us(retain_us), retain_until(span, windows))
                if until > from_us(retain_us):
                    wanted.append((one, start_us, end_us, until))
            await self._keep(wanted, at)

    async def _keep(
        self,
        terms: Sequence[tuple[str, int, int, datetime]],
        at: datetime,
        spans: Mapping[str, Span] | None = None,
    ) -> None:
        if not terms:
            return
        true = spans or {}
        async with self._journal.transaction() as db:
            await db.executemany(
                "update terms set start_us = ?2, end_us = ?3, "
                "late_us = case when ?4 > late_us then null else late_us end, "
                "retain_us = max(coalesce(retain_us, ?4), ?4) where id = ?1",
                [(one, start, end, to_us(until)) for one, start, end, until in terms],
            )
            kept = tuple(_kept(one, until, true.get(one)) for one, _, _, until in terms)
            fact = RetentionRaised(kept=kept)
            await tell(db, fact, at, f"retention.{_hash_of(fact)}")

    async def over(self, now: datetime, limit: int = _AT_ONCE, after: int = 0) -> list[Term]:
        """Give what is past its term and what is half deleted, the oldest end first."""
        rows = await self._journal.rows(
            f"select {_TERM} where retain_us <= ? or begun_us is not null "
            "order by retain_us, id limit ? offset ?",
            (to_us(now), limit, after),
        )
        return [_read(row) for row in rows]

    async def by_path(self, path: str) -> Term | None:
        """Give the term of what lies there."""
        rows = await self._journal.rows(f"select {_TERM} where path = ?", (path,))
        return next(map(_read, rows), None)

    async def renewed(self, term: Term) -> Term:
        """Give a term as it stands now: it may have been raised since."""
        rows = await self._journal.rows(f"select {_TERM} where id = ?", (term.id,))
        return next(map(_read, rows), term)

    async def all(self) -> list[Term]:
        """Give every term."""
        return [_read(row) for row in await self._journal.rows(f"select {_TERM} order by id")]

    # ------------------------------------------------------------ the end of a term

    async def note_held(self, id: str, holds: Sequence[str]) -> None:
        """Remember what keeps it beyond its term, for the record of its deletion."""
        text = msgspec.json.encode(sorted(holds)).decode()
        if self._noted.get(id) != text:
            async with self._journal.transaction() as db:
                await db.execute("update terms set held = ? where id = ?", (text, id))
            self._noted[id] = text

    async def defer(self, terms: Sequence[Term], why: DeferCause, at: datetime) -> None:
        """Write down that these are late, once for each, and tell it; anew after it had ended."""
        new = await self._which(terms, "late_us is null")
        if not new:
            return
        async with self._journal.transaction() as db:
            await db.executemany(
                "update terms set late_us = ? where id = ?", [(to_us(at), one) for one in new]
            )
            fact = Deferred(segments=new, why=why, since=at)
            await tell(db, fact, at, f"deferred.{_hash_of(fact)}")

    async def end_deferrals(self, terms: Sequence[Term], at: datetime) -> None:
        """Write down that these are not late after all, and tell it of those that were."""
        ended = await self._which(terms, "late_us is not null")
        if not ended:
            return
        async with self._journal.transaction() as db:
            await db.executemany(
                "update terms set late_us = null where id = ?", [(one,) for one in ended]
            )
            fact = DeferralEnded(segments=ended)
            await tell(db, fact, at, f"deferral_ended.{_hash_of(fact)}.{to_us(at)}")

    async def _which(self, terms: Sequence[Term], condition: str) -> tuple[str, ...]:
        """Give the ids of those of which this is true now."""
        names = msgspec.json.encode([term.id for term in terms]).decode()
        rows = await self._journal.rows(
            "select id from terms where id in (select value from json_each(?)) "
            f"and {condition} order by id",
            (names,),
        )
        return tuple(row[0] for row in rows)

    async def begin(self, term: Term, at: datetime) -> None:
        """Write down that its deletion begins."""
        async with self._journal.transaction() as db:
            await db.execute("update terms set begun_us = ? where id = ?", (to_us(at), term.id))

    async def take_back(self, term: Term) -> None:
        """Its deletion was begun, and it stays after all."""
        async with self._journal.transaction() as db:
            await db.execute("update terms set begun_us = null where id = ?", (term.id,))

    async def forget(self, term: Term) -> None:
        """A stray that needs no term: it became a segment, or is in use again."""
        async with self._journal.transaction() as db:
            await db.execute("delete from terms where id = ?", (term.id,))

    async def record(self, term: Term, at: datetime, *, missing: bool, root: str = "") -> Deleted:
        """Write the deletion down and tell it; the newest row of a stream stays, for the chain."""
        assert term.retain_until is not None
        async with self._journal.transaction() as db:
            held = await _value(db, "select held from terms where id = ?", term.id)
            segment = await _value(db, "select row from segments where id = ?", term.id)
            gone = Deleted(
                segment=term.id,
                camera=term.camera,
                start=term.start,
                end=term.end,
                path=term.path,
                bytes=term.bytes,
                root=term.root or root,
                retain_until=term.retain_until,
                deleted_at=at,
                policy=POLICY,
                late_s=max(0.0, (at - term.retain_until).total_seconds()),
                missing=missing,
                holds=tuple(msgspec.json.decode(held)) if held else (),
            )
            await db.execute(
                "insert or ignore into deletions values (?, ?, ?, ?)",
                (term.id, to_us(at), msgspec.json.encode(gone), segment),
            )
            await db.execute("delete from terms where id = ?", (term.id,))
            await db.execute(
                "delete from segments where id = ?1 and rowid < (select max(rowid) from segments "
                "where camera = (select camera from segments where id = ?1) and stream = "
                "(select stream from segments where id = ?1))",
                (term.id,),
            )
            await tell(db, gone, at, f"deleted.{term.id}.{to_us(at)}")
        self._noted.pop(term.id, None)
        return gone

    async def deletions(self) -> list[Deleted]:
        """Give every deletion on record, the oldest first."""
        rows = await self._journal.rows("select row from deletions order by deleted_us, id")
        return [msgspec.json.decode(row[0], type=Deleted) for row in rows]


def _kept(segment: str, until: datetime, span: Span | None) -> Kept:
    if span is None:
        return Kept(segment=segment, retain_until=until)
    return Kept(segment=segment, retain_until=until, start=span.start, end=span.end)


def _hash_of(fact: Message) -> str:
    return hashlib.sha256(msgspec.json.encode(fact)).hexdigest()[:40]


_Row = tuple[str, str, int, int, str, str, int, str, str]


async def _add(db: aiosqlite.Connection, row: _Row) -> None:
    await db.execute("delete from terms where path = ? and id like 'stray.%'", (row[4],))
    await db.execute(
        "insert or ignore into terms "
        "(id, camera, start_us, end_us, path, root, bytes, volume, clock_run) "
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        row,
    )


def _term_of(segment: SegmentClosed) -> _Row:
    return (
        segment.segment,
        segment.camera,
        to_us(segment.start),
        to_us(segment.end),
        segment.path,
        segment.root,
        segment.bytes,
        segment.volume,
        segment.clock_run,
    )


def _read(row: sqlite3.Row) -> Term:
    name, camera, start, end, path, root, size, volume, retain, late, begun = row
    return Term(
        id=name,
        camera=camera,
        start=from_us(start),
        end=from_us(end),
        path=path,
        root=root,
        bytes=size,
        volume=volume,
        retain_until=None if retain is None else from_us(retain),
        late_since=None if late is None else from_us(late),
        is_begun=begun is not None,
    )


async def _value(db: aiosqlite.Connection, query: str, id: str) -> bytes | None:
    rows = list(await db.execute_fetchall(query, (id,)))
    with suppress(IndexError):
        value: bytes | None = rows[0][0]
        return value
    return None
