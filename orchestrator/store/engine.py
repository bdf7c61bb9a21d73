"""Opening the database: one writer, some readers, migrated before anybody sees it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from orchestrator.store.failures import StoreAway, StoreUnavailable, cause
from orchestrator.store.migrate import migrate
from orchestrator.store.steady import transaction, whole

_READERS = 4
_BUSY_MS = 10_000


class Store:
    """The database while it is open. One write at a time; reads see a snapshot."""

    def __init__(self, writer: AsyncEngine, reader: AsyncEngine) -> None:
        self._writer = writer
        self._reader = reader
        self._writing = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncGenerator["Store"]:
        """Open `sqlite:///file` or `postgresql://…`, brought to this version's tables.

        Raises StoreUnavailable, or StoreTooNew for a database of a later version.
        """
        parsed = make_url(url)
        store = cls(*_engines(parsed))
        try:
            try:
                _make_place(parsed)
                async with store.write() as connection:
                    await connection.run_sync(migrate)
            except (OSError, SQLAlchemyError, StoreAway) as error:
                shown = parsed.render_as_string(hide_password=True)
                raise StoreUnavailable(f"{shown}: {cause(error)}") from error
            yield store
        finally:
            await whole(store._close())

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction that writes. Keep it under 200 ms; await nothing in it but the database."""
        async with self._writing, transaction(self._writer) as connection:
            yield connection

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction that reads; it sees one state and never waits for the writer."""
        return transaction(self._reader)

    async def _close(self) -> None:
        async with self._writing:
            await self._reader.dispose()
            await self._writer.dispose()


def _make_place(url: URL) -> None:
    """Make the SQLite file for its owner alone; its journal files take after it."""
    if url.get_backend_name() == "sqlite":
        path = Path(str(url.database))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)


def _engines(url: URL) -> tuple[AsyncEngine, AsyncEngine]:
    match url.get_backend_name():
        case "sqlite":
            return _sqlite(url, writes=True), _sqlite(url, writes=False)
        case "postgresql":
            return _postgresql(url, writes=True), _postgresql(url, writes=False)
        case other:
            raise StoreUnavailable(f"no database of kind {other!r} is known")


def _engine(url: URL, size: int, **options: Any) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=size,
        max_overflow=0,
        json_serializer=lambda value: msgspec.json.encode(value).decode(),
        json_deserializer=msgspec.json.decode,
        **options,
    )


def _sqlite(url: URL, *, writes: bool) -> AsyncEngine:
    if url.database in (None, "", ":memory:"):
        raise StoreUnavailable("the SQLite database must be a file")
    engine = _engine(
        url.set(drivername="sqlite+aiosqlite"),
        1 if writes else _READERS,
        connect_args={"isolation_level": None},  # the driver begins nothing by itself
    )
    pragmas = [f"busy_timeout = {_BUSY_MS}", "foreign_keys = ON"]
    # FULL: what the ledger says was done stands on the disk before it is done.
    pragmas += ["journal_mode = WAL", "synchronous = FULL"] if writes else ["query_only = ON"]

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql(url: URL, *, writes: bool) -> AsyncEngine:
    asyncpg = url.set(drivername="postgresql+asyncpg")
    if writes:
        return _engine(asyncpg, 1, pool_pre_ping=True)
    snapshot = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return _engine(asyncpg, _READERS, pool_pre_ping=True, execution_options=snapshot)
