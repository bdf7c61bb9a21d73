"""The ledger: every act before it happens, in a chain that shows any change."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from datetime import UTC, datetime

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.anchors import Witness
from contract.clock import Clock
from contract.keys import canonical
from orchestrator.store import Store
from orchestrator.store.tables import ledger

FIRST = "0" * 64
"""What stands as the hash before the first row."""
SYSTEM = "system"
"""The actor when no person acts."""
_LOCK = 0x6C6564676572  # "ledger"
_BATCH = 1000

Walked = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Act:
    """Who does what on what, why, with what result, from where."""

    actor: str
    action: str
    object: str
    reason: str = ""
    result: str = "ok"
    source: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the ledger."""

    id: int
    at: datetime
    act: Act
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """The first row that does not fit the chain, or what somebody has on record of it."""

    id: int
    why: str
    why_zh: str = field(default="", compare=False)


class Ledger:
    """Writes acts, each in a transaction of its own."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def record(self, act: Act) -> int:
        """Write the act down; gives its row's id once it is committed."""
        async with self._store.write() as connection:
            return await append(connection, act, self._clock.now())

    async def entries(self, after: int = 0, limit: int = 100) -> list[Entry]:
        """Give up to `limit` rows after row `after`, oldest first."""
        async with self._store.read() as connection:
            return await _entries(connection, after, limit)

    async def length(self) -> int:
        """Give the number of rows."""
        async with self._store.read() as connection:
            return int(await connection.scalar(select(func.count()).select_from(ledger)) or 0)

    async def head(self) -> Entry | None:
        """Give the newest row; None while there is none."""
        async with self._store.read() as connection:
            newest = await connection.scalar(select(func.max(ledger.c.id)))
            rows = await _entries(connection, newest - 1, 1) if newest else []
            return rows[0] if rows else None

    async def verify(
        self, witnesses: Iterable[Witness] = (), walked: Walked = lambda rows: None
    ) -> BrokenLink | None:
        """Walk the whole chain; gives the first broken link, or None.

        Only `witnesses` show that rows were cut off at its end or that it was computed anew.
        `walked` hears how many rows were walked.
        """
        async with self._store.read() as connection:
            return await verify(connection, witnesses, walked)


async def append(connection: AsyncConnection, act: Act, at: datetime) -> int:
    """Write the act down inside the caller's transaction; gives its row's id."""
    act = _storable(act)
    if connection.dialect.name == "postgresql":  # on SQLite the write lock does this
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    newest = select(ledger.c.id, ledger.c.hash).order_by(ledger.c.id.desc()).limit(1)
    head = (await connection.execute(newest)).first()
    number, previous = (1, FIRST) if head is None else (head.id + 1, head.hash)
    row = {
        "id": number,
        "at": at,
        "actor": act.actor,
        "action": act.action,
        "object": act.object,
        "reason": act.reason,
        "result": act.result,
        "source": act.source,
        "previous": previous,
    }
    await connection.execute(insert(ledger).values(**row, hash=hash_of(number, at, act, previous)))
    return number


def _storable(act: Act) -> Act:
    """PostgreSQL keeps no NUL in a text; whoever sends one is still written down."""
    return Act(*(value.replace("\0", "\N{REPLACEMENT CHARACTER}") for value in astuple(act)))


def hash_of(number: int, at: datetime, act: Act, previous: str) -> str:
    """Give the hash that seals a row: over all its columns and the hash before it."""
    row = canonical([number, at.astimezone(UTC), act, previous])
    return hashlib.sha256(row).hexdigest()


async def verify(
    connection: AsyncConnection,
    witnesses: Iterable[Witness] = (),
    walked: Walked = lambda rows: None,
) -> BrokenLink | None:
    """Walk the whole chain; gives the first broken link, or None. As `Ledger.verify`."""
    seen: dict[int, list[Witness]] = {}
    for witness in witnesses:
        seen.setdefault(witness.anchor.row, []).append(witness)
    number, previous, confirmed = 0, FIRST, 0
    while entries := await _entries(connection, number, _BATCH):
        broken = first_broken(entries, number, previous)
        contradicted, confirmed = first_contradicted(entries, seen, confirmed)
        found = [one for one in (broken, contradicted) if one is not None]
        if found:
            return min(found, key=lambda one: one.id)
        number, previous = entries[-1].id, entries[-1].hash
        walked(len(entries))
    return cut_off(number, seen)


def first_contradicted(
    entries: Sequence[Entry], seen: Mapping[int, Sequence[Witness]], confirmed: int
) -> tuple[BrokenLink | None, int]:
    """Give the first of the rows that is not what a witness saw, and the last that is."""
    for entry in entries:
        for witness in seen.get(entry.id, ()):
            if witness.anchor.hash != entry.hash:
                at = f"{witness.anchor.at:%Y-%m-%d %H:%M:%S}Z"
                return BrokenLink(
                    entry.id,
                    f"it is not the row that {witness.by} has on record of {at}; the ledger was "
                    f"written anew between rows {confirmed + 1} and {entry.id}",
                    f"与 {witness.by} 留存的 {at} 记录不符；第 {confirmed + 1} 至 {entry.id} 行之间"
                    "的日志被重写",
                ), confirmed
        if entry.id in seen:
            confirmed = entry.id
    return None, confirmed


def cut_off(last: int, seen: Mapping[int, Sequence[Witness]]) -> BrokenLink | None:
    """Give the first row that is missing at the end, by what witnesses saw of later ones."""
    highest = max(seen, default=0)
    if highest <= last:
        return None
    witness = seen[highest][0]
    at = f"{witness.anchor.at:%Y-%m-%d %H:%M:%S}Z"
    return BrokenLink(
        last + 1,
        f"the row is missing, and all up to row {highest} that {witness.by} has on record of {at}: "
        "the ledger was cut off here",
        f"该行及其后直到第 {highest} 行缺失（{witness.by} 留存有 {at} 的记录）：日志在此被截断",
    )


def first_broken(entries: Sequence[Entry], number: int, previous: str) -> BrokenLink | None:
    """Give the first of the rows that does not follow row `number` with hash `previous`."""
    for entry in entries:
        if entry.id != number + 1:
            return BrokenLink(number + 1, "the row is missing", "该行缺失")
        if entry.previous != previous:
            return BrokenLink(entry.id, "it does not follow the row before", "与上一行不衔接")
        if entry.hash != hash_of(entry.id, entry.at, entry.act, entry.previous):
            return BrokenLink(entry.id, "it was changed", "被改动")
        number, previous = entry.id, entry.hash
    return None


async def _entries(connection: AsyncConnection, after: int, limit: int) -> list[Entry]:
    rows = await connection.execute(
        select(ledger).where(ledger.c.id > after).order_by(ledger.c.id).limit(limit)
    )
    return [
        Entry(
            row.id,
            row.at,
            Act(row.actor, row.action, row.object, row.reason, row.result, row.source),
            row.previous,
            row.hash,
        )
        for row in rows
    ]
