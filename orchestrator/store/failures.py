"""What becomes of a database, in words of our own."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

import asyncpg
from asyncpg import PostgresError
from sqlalchemy.exc import DBAPIError, InterfaceError

_SQLITE_AWAY = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
)
_POSTGRESQL_AWAY = ("08", "53", "57")
"""Classes of SQLSTATE: connection, resources, operator's intervention."""


class StoreUnavailable(Exception):
    """The database cannot be opened."""


class StoreTooNew(StoreUnavailable):
    """The database was made by a later version; nothing was changed."""


class StoreAway(StoreUnavailable):
    """The database was open, and is cut off or busy for now."""


def cause(error: Exception) -> object:
    """Give what the driver said."""
    return error.orig if isinstance(error, DBAPIError) and error.orig else error


@contextmanager
def away_said() -> Generator[None]:
    """Say StoreAway for all the ways in which drivers tell of a database that is away or busy."""
    try:
        yield
    except (DBAPIError, PostgresError, asyncpg.InterfaceError, OSError) as error:
        if is_away(error):
            raise StoreAway(f"{type(error).__name__}: {cause(error)}") from error
        raise


def is_away(error: Exception) -> bool:
    """True when the same statement may succeed later; False when it is the statement's fault."""
    if isinstance(error, OSError | asyncpg.InterfaceError | InterfaceError):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    said = cause(error)
    if isinstance(said, sqlite3.Error):
        return getattr(said, "sqlite_errorcode", 0) & 0xFF in _SQLITE_AWAY
    return str(getattr(said, "sqlstate", None))[:2] in _POSTGRESQL_AWAY
