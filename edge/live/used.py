"""Which tickets were used: in a file, so that a restart does not make them new."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiosqlite

KEPT = timedelta(days=1)
"""Beyond its end a ticket is remembered this long, so that a clock set back makes none new."""

_TABLES = """
create table if not exists used (
    jti text primary key,
    what text not null,    -- the shelf path, or 'live'
    at real not null,      -- first use, seconds since 1970
    until real not null    -- the ticket's view_until
) without rowid
"""


@dataclass(frozen=True, slots=True)
class Use:
    """A ticket's first use."""

    what: str
    at: datetime


class UsedTickets:
    """A small SQLite file of tickets and what they were used for."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path) -> AsyncGenerator["UsedTickets"]:
        """Open the file, made at the first call."""
        path.parent.mkdir(parents=True, exist_ok=True)
        async with aiosqlite.connect(path, isolation_level=None) as connection:
            await connection.execute("pragma journal_mode = wal")
            await connection.execute("pragma synchronous = normal")
            await connection.execute(_TABLES)
            yield cls(connection)

    async def claim(self, jti: str, what: str, at: datetime, until: datetime) -> bool:
        """Use a ticket; True for the first to do so, for ever after False."""
        await self._connection.execute(
            "delete from used where until < ?", ((at - KEPT).timestamp(),)
        )
        cursor = await self._connection.execute(
            "insert into used values (?, ?, ?, ?) on conflict do nothing",
            (jti, what, at.timestamp(), until.timestamp()),
        )
        async with cursor:
            return cursor.rowcount == 1

    async def use_of(self, jti: str) -> Use | None:
        """Tell what a ticket was first used for, and when."""
        query = "select what, at from used where jti = ?"
        async with self._connection.execute(query, (jti,)) as cursor:
            row = await cursor.fetchone()
        return None if row is None else Use(row[0], datetime.fromtimestamp(row[1], UTC))
