"""The box's journal: what stands on the shelf, what is missing, and the facts to be told."""

import asyncio
import hashlib
import secrets
import sqlite3
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import aiosqlite
import msgspec

from contract.anchors import Anchor, AnchorLink, hash_of
from contract.clock import Clock
from contract.keys import Signed
from contract.messages import (
    AnchorKept,
    CameraChanged,
    GapFound,
    Message,
    Order,
    SegmentClosed,
    type_of,
)
from contract.spans import Span

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BUSY_S = 15.0
_LOOK_S = 1.0
_ID_LIMIT = 64
_KEPT_US = 7 * 24 * 3600 * 1_000_000
_PRUNED_AT_ONCE = 200
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}

# Instants are microseconds since 1970. `seq` must never be given twice, not even after a fact was
# dropped: AUTOINCREMENT. A row of `segments` is one sealed file; rowid is the order of sealing.
_SCHEMA = """
create table if not exists segments (
    id text primary key,
    camera text not null,
    stream text not null check (stream in ('main', 'sub')),
    start_us integer not null,
    end_us integer not null check (end_us >= start_us),
    path text not null unique,
    root text not null,
    row blob not null -- the SegmentClosed, JSON
) strict;
create index if not exists segments_by_time on segments (camera, stream, start_us);
create table if not exists gaps (
    id text primary key,
    camera text not null,
    stream text not null check (stream in ('main', 'sub')),
    start_us integer not null,
    end_us integer not null check (end_us > start_us),
    row blob not null -- the GapFound, JSON
) strict;
create index if not exists gaps_by_time on gaps (camera, stream, start_us);
create table if not exists facts (
    seq integer primary key autoincrement,
    id text not null unique,
    type text not null,
    at_us integer not null,
    data blob not null
) strict;
create index if not exists facts_by_type on facts (type, seq);
create table if not exists promises (
    id text primary key,
    start_us integer not null,
    end_us integer not null,
    row blob not null -- the Order, JSON: what is to be stated when its window is over
) strict;
create table if not exists copies (
    segment text not null,
    copy text not null, -- the archive's name
    state text not null check (state in ('sealed', 'verified', 'gone')),
    place text not null, -- name of the object within the archive
    bytes integer not null,
    sha256 text not null, -- hex, of the encrypted object
    at_us integer not null,
    primary key (segment, copy)
) strict;
create table if not exists anchors (
    number integer primary key,
    link blob not null -- an AnchorLink in a Signed, JSON
) strict;
create table if not exists meta (key text primary key, value text not null) strict;
"""


class JournalBusy(Exception):
    """The journal cannot be had now: locked by another process, the disk is full, or begun anew."""


class JournalReplaced(JournalBusy):
    """Another file took this one's place: what is open here is to be opened again."""


class JournalDamaged(Exception):
    """What the file holds is no journal: it is to be set aside."""


def to_us(instant: datetime) -> int:
    """Give an instant as microseconds since 1970, exactly."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def from_us(us: int) -> datetime:
    """Give the instant of so many microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=us)


def fact_id(text: str) -> str:
    """Give `text` as an id of a fact: itself where it is short enough, else its hash."""
    return text if len(text) <= _ID_LIMIT else hashlib.sha256(text.encode()).hexdigest()


def set_aside(path: Path, now: datetime) -> Path:
    """Rename a damaged journal, so that a new one is begun in its place; gives its new place."""
    place = path.with_name(f"{path.name}.damaged-{now:%Y%m%dT%H%M%S%f}")
    for ending in ("-wal", "-shm", ""):  # the file last: no new one may meet the old log
        with suppress(FileNotFoundError):
            path.with_name(path.name + ending).rename(place.with_name(place.name + ending))
    return place


class Journal:
    """One connection to the journal; each process of the box has its own."""

    def __init__(self, connection: aiosqlite.Connection, path: Path, inode: int) -> None:
        self._connection = connection
        self._path = path
        self._inode = inode
        self._writing = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path) -> AsyncGenerator["Journal"]:
        """Open the journal, made at the first call; it is closed in the end.

        Raises JournalBusy or JournalDamaged, as all that is done with it may.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        with _translated():
            path.touch(0o644)
            inode = path.stat().st_ino  # before SQLite opens it: it may be set aside meanwhile
            connection = await aiosqlite.connect(path, timeout=_BUSY_S, isolation_level=None)
        try:
            with _translated():
                await connection.execute("pragma journal_mode = wal")
                await connection.execute("pragma synchronous = full")
                await connection.executescript(_SCHEMA)
                journal = cls(connection, path, inode)
            yield journal
        finally:
            await asyncio.shield(connection.close())

    async def add_segment(self, segment: SegmentClosed, at: datetime) -> SegmentClosed:
        """Record a sealed segment and its fact; gives it with `previous` filled in.

        A segment that is known already is given as it was recorded, and not told again.
        """
        async with self._transaction() as db:
            known = await _one(db, "select row from segments where id = ?", segment.segment)
            if known is not None:
                return msgspec.json.decode(known[0], type=SegmentClosed)
            last = await _one(
                db,
                "select root from segments where camera = ? and stream = ? "
                "order by rowid desc limit 1",
                segment.camera,
                segment.stream,
            )
            whole = msgspec.structs.replace(segment, previous=last[0] if last else "")
            row = msgspec.json.encode(whole)
            await db.execute(
                "insert into segments (id, camera, stream, start_us, end_us, path, root, row) "
                "values (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    whole.segment,
                    whole.camera,
                    whole.stream,
                    to_us(whole.start),
                    to_us(whole.end),
                    whole.path,
                    whole.root,
                    row,
                ),
            )
            await _tell(db, f"segment.{whole.segment}", "segment", at, row)
            return whole

    async def add_gap(self, gap: GapFound, at: datetime) -> None:
        """Record a gap and its fact, once."""
        row = msgspec.json.encode(gap)
        async with self._transaction() as db:
            done = await db.execute(
                "insert or ignore into gaps (id, camera, stream, start_us, end_us, row) "
                "values (?, ?, ?, ?, ?, ?)",
                (gap.gap, gap.camera, gap.stream, to_us(gap.start), to_us(gap.end), row),
            )
            if done.rowcount:
                await _tell(db, f"gap.{gap.gap}", "gap", at, row)

    async def add_fact(
        self,
        data: Message,
        at: datetime,
        id: str | None = None,
        note: tuple[str, str] | None = None,
    ) -> None:
        """Put a fact into the outbox; one with an id that is known changes nothing.

        `note`, a key and a word, is remembered with it: both or neither.
        """
        kind = type_of(data)
        name = id or f"{kind}.{secrets.token_hex(12)}"
        async with self._transaction() as db:
            await _tell(db, name, kind, at, msgspec.json.encode(data))
            if note is not None:
                await _remember(db, *note)

    async def add_anchor(
        self, make: Callable[[Signed | None], Signed | None], at: datetime
    ) -> bool:
        """Add the link that `make` gives for the last one, and its fact; it may give None."""
        async with self._transaction() as db:
            row = await _one(db, "select link from anchors order by number desc limit 1")
            link = make(msgspec.json.decode(row[0], type=Signed) if row else None)
            if link is None:
                return False
            body = msgspec.json.decode(link.body, type=AnchorLink)
            anchor = msgspec.json.decode(body.anchor.body, type=Anchor)
            await db.execute(
                "insert into anchors (number, link) values (?, ?)",
                (body.number, msgspec.json.encode(link)),
            )
            kept = AnchorKept(row=anchor.row, number=body.number, link=hash_of(link))
            await _tell(db, f"anchor.{hash_of(link)}", "anchor", at, msgspec.json.encode(kept))
            return True

    async def anchors(self) -> tuple[Signed, ...]:
        """Give the chain of anchors."""
        rows = await self._rows("select link from anchors order by number", ())
        return tuple(msgspec.json.decode(row[0], type=Signed) for row in rows)

    async def facts_after(
        self, seq: int, limit: int
    ) -> list[tuple[int, str, str, datetime, bytes]]:
        """Give facts above `seq` in order, at most `limit`: seq, id, type, at, data (JSON)."""
        rows = await self.rows(
            "select seq, id, type, at_us, data from facts where seq > ? order by seq limit ?",
            (seq, limit),
        )
        return [(row[0], row[1], row[2], from_us(row[3]), row[4]) for row in rows]

    async def mark_heard(self, up_to: int) -> None:
        """Remember that the centre has every fact up to here; the mark never falls.

        Of what it has heard, facts of the last week stay: the recorder reads its failures there.
        """
        async with self._transaction() as db:
            await db.execute(
                "insert into meta values ('heard', ?) on conflict (key) do update set value = "
                "cast(max(cast(value as integer), cast(excluded.value as integer)) as text)",
                (str(up_to),),
            )
            # Only the oldest are looked at: this runs often. Age counts against the last one heard,
            # which stays, so that no clock is needed.
            await db.execute(
                "delete from facts where seq in ("
                "select seq from (select seq, at_us from facts order by seq limit ?3) "
                "where seq <= ?1 and at_us < -?2 + (select at_us from facts where seq <= ?1 "
                "order by seq desc limit 1))",
                (up_to, _KEPT_US, _PRUNED_AT_ONCE),
            )

    async def heard(self) -> int:
        """Give the number up to which the centre has heard."""
        return int(await self.meta("heard") or 0)

    async def meta(self, key: str) -> str | None:
        """Give a remembered word."""
        found = await self.rows("select value from meta where key = ?", (key,))
        return next((str(row[0]) for row in found), None)

    async def set_meta(self, key: str, value: str) -> None:
        """Remember a word."""
        async with self._transaction() as db:
            await _remember(db, key, value)

    async def segments_between(
        self, camera: str, since: datetime, until: datetime
    ) -> list[SegmentClosed]:
        """Give the camera's segments that touch the span, in order of their start."""
        rows = await self.rows(
            "select row from segments where camera = ? and start_us < ? and end_us > ? "
            "order by start_us, stream",
            (camera, to_us(until), to_us(since)),
        )
        return [msgspec.json.decode(row[0], type=SegmentClosed) for row in rows]

    async def gaps_between(self, camera: str, since: datetime, until: datetime) -> list[GapFound]:
        """Give the camera's gaps that touch the span, in order of their start."""
        rows = await self.rows(
            "select row from gaps where camera = ? and start_us < ? and end_us > ? "
            "order by start_us, stream",
            (camera, to_us(until), to_us(since)),
        )
        return [msgspec.json.decode(row[0], type=GapFound) for row in rows]

    async def accounted(self, camera: str, stream: str, since: datetime) -> list[Span]:
        """Give the spans after `since` that are on disk, or known and told as gaps."""
        rows = await self.rows(
            "select start_us, end_us from segments where camera = ?1 and stream = ?2 "
            "and end_us > ?3 union all select start_us, end_us from gaps "
            "where camera = ?1 and stream = ?2 and end_us > ?3",
            (camera, stream, to_us(since)),
        )
        return [Span(from_us(start), from_us(end)) for start, end in rows]

    async def camera_changes(self, since: datetime) -> list[tuple[datetime, CameraChanged]]:
        """Give the cameras' changes of state since then, in order."""
        rows = await self.rows(
            "select at_us, data from facts where type = 'camera' and at_us >= ? order by seq",
            (to_us(since),),
        )
        return [(from_us(at), msgspec.json.decode(data, type=CameraChanged)) for at, data in rows]

    async def promise(self, orders: Iterable[Order], forget_before: datetime) -> None:
        """Remember orders beyond their window; forget those that ended before."""
        rows = [
            (order.id, to_us(order.start), to_us(order.end), msgspec.json.encode(order))
            for order in orders
        ]
        async with self._transaction() as db:
            await db.executemany("insert or replace into promises values (?, ?, ?, ?)", rows)
            await db.execute("delete from promises where end_us < ?", (to_us(forget_before),))

    async def promised(self) -> list[Order]:
        """Give the orders that are remembered, by their end."""
        rows = await self._rows("select row from promises order by end_us, id", ())
        return [msgspec.json.decode(row[0], type=Order) for row in rows]

    async def marks(self) -> tuple[int, int]:
        """Give where the record of segments and of gaps ends now."""
        rows = await self._rows(
            "select (select coalesce(max(rowid), 0) from segments), "
            "(select coalesce(max(rowid), 0) from gaps)",
            (),
        )
        (last_segment, last_gap), *_ = rows
        return last_segment, last_gap

    async def recorded_after(self, marks: tuple[int, int]) -> list[tuple[str, str, Span]]:
        """Give whose the segments and gaps are that were put on record since: camera, stream."""
        rows = await self._rows(
            "select camera, stream, start_us, end_us from segments where rowid > ? "
            "union all select camera, stream, start_us, end_us from gaps where rowid > ?",
            marks,
        )
        return [(row[0], row[1], Span(from_us(row[2]), from_us(row[3]))) for row in rows]

    async def segments_recorded(self, after: int, limit: int) -> list[tuple[int, SegmentClosed]]:
        """Give segments that stand, in order of recording, each with its place in it."""
        rows = await self._rows(
            f"select rowid, row from segments where rowid > ? and {await self._stands()} "
            "order by rowid limit ?",
            (after, limit),
        )
        return [(row[0], msgspec.json.decode(row[1], type=SegmentClosed)) for row in rows]

    async def segments_total(self) -> tuple[int, int]:
        """Give how many segments stand, and how many bytes they are."""
        size = "json_extract(cast(row as text), '$.bytes')"
        query = f"select count(*), coalesce(sum({size}), 0) from segments"
        rows = await self._rows(f"{query} where {await self._stands()}", ())
        return next((row[0], row[1]) for row in rows)

    async def roots_deleted(self) -> dict[str, str]:
        """Give the roots of the segments whose term ended, each with the one it followed."""
        if not await self._has_deletions():
            return {}
        rows = await self._rows("select segment from deletions where segment is not null", ())
        gone = (msgspec.json.decode(row[0], type=SegmentClosed) for row in rows)
        return {segment.root: segment.previous for segment in gone}

    async def known_paths(self, folder: str) -> frozenset[str]:
        """Give the paths of the segments that stand below a folder; both as in `path`."""
        prefix = folder.rstrip("/") + "/"
        rows = await self.rows(
            f"select path from segments where path > ? and path < ? and {await self._stands()}",
            (prefix, prefix + "\uffff"),
        )
        return frozenset(row[0] for row in rows)

    async def _stands(self) -> str:
        """Give the condition that a row's file is to be there.

        The newest row of a stream outlives its footage, for the chain and for the order of rows.
        """
        if not await self._has_deletions():
            return "true"
        return (
            "not exists (select 1 from deletions "
            "where deletions.id = segments.id and deletions.segment = segments.row)"
        )

    async def _has_deletions(self) -> bool:
        query = "select 1 from sqlite_master where name = 'deletions'"
        return bool([*await self._rows(query, ())])

    async def write(self, statement: str, values: tuple[str | int, ...]) -> None:
        """Change one row, for who keeps a table of his own here."""
        async with self._transaction() as db:
            await db.execute(statement, values)

    async def write_and_tell(
        self,
        statement: str,
        values: tuple[str | int, ...],
        data: Message,
        at: datetime,
        id: str,
    ) -> None:
        """Change one row and put a fact into the outbox: both, or neither."""
        async with self._transaction() as db:
            await db.execute(statement, values)
            await _tell(db, id, type_of(data), at, msgspec.json.encode(data))

    def transaction(self) -> AbstractAsyncContextManager[aiosqlite.Connection]:
        """Begin a transaction for tables that others keep here; all of it is done, or nothing."""
        return self._transaction()

    async def rows(self, query: str, values: tuple[str | int, ...] = ()) -> Iterable[sqlite3.Row]:
        """Read from such tables."""
        return await self._rows(query, values)

    async def until_replaced(self, clock: Clock) -> NoReturn:
        """Look every second; raises JournalReplaced once another file took this one's place."""
        while True:
            await clock.sleep(_LOOK_S)
            try:
                self._look_whether_begun_anew()
            except JournalReplaced:
                raise
            except JournalBusy:
                continue  # it was set aside and the new one is not there yet

    async def _rows(self, query: str, values: tuple[str | int, ...]) -> Iterable[sqlite3.Row]:
        self._look_whether_begun_anew()
        with _translated():
            return await self._connection.execute_fetchall(query, values)

    def _look_whether_begun_anew(self) -> None:
        """Raise JournalReplaced when another file took this one's place, JournalBusy for none."""
        with _translated():
            if self._path.stat().st_ino != self._inode:
                raise JournalReplaced("the journal was begun anew")

    @asynccontextmanager
    async def _transaction(self) -> AsyncGenerator[aiosqlite.Connection]:
        db = self._connection
        async with self._writing:
            self._look_whether_begun_anew()
            try:
                # A cancelled begin still runs on the thread: so it stands inside the try.
                with _translated():
                    await db.execute("begin immediate")
                    yield db
                    await db.execute("commit")
            except BaseException:
                with suppress(sqlite3.DatabaseError):
                    await db.execute("rollback")
                raise


@contextmanager
def _translated() -> Iterator[None]:
    """Say what SQLite or the disk says in our words."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
            raise JournalDamaged(str(error)) from error
        if isinstance(error, sqlite3.OperationalError):
            raise JournalBusy(str(error)) from error
        raise
    except OSError as error:
        raise JournalBusy(str(error)) from error


async def tell(db: aiosqlite.Connection, data: Message, at: datetime, id: str) -> None:
    """Put a fact into the outbox inside a transaction; one with an id that is known is not."""
    await _tell(db, id, type_of(data), at, msgspec.json.encode(data))


async def _one(db: aiosqlite.Connection, query: str, *values: str) -> sqlite3.Row | None:
    rows: Iterable[sqlite3.Row] = await db.execute_fetchall(query, values)
    return next(iter(rows), None)


async def _remember(db: aiosqlite.Connection, key: str, word: str) -> None:
    await db.execute("insert or replace into meta values (?, ?)", (key, word))


async def _tell(db: aiosqlite.Connection, name: str, kind: str, at: datetime, data: bytes) -> None:
    # Not `insert or ignore`, which would use up a number for nothing.
    await db.execute(
        "insert into facts (id, type, at_us, data) select ?1, ?2, ?3, ?4 "
        "where not exists (select 1 from facts where id = ?1)",
        (fact_id(name), kind, to_us(at), data),
    )
