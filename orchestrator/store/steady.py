"""Database work that a cancelled caller cannot leave half done."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import CursorResult, Executable
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from orchestrator.store.failures import away_said

T = TypeVar("T")


async def whole(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end in a task of its own; a cancellation is passed on only then.

    A statement that is dropped half-way leaves the driver's thread with SQLite's write lock, and
    makes SQLAlchemy throw the connection away. Statements are short, so waiting costs little.
    """
    task = asyncio.create_task(work, name="database")
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # the cancellation says more than what the work met
        raise


class SteadyConnection(AsyncConnection):
    """A connection each of whose statements ends before its caller hears of a cancellation.

    All of it raises StoreAway when the database is cut off or busy.
    """

    async def execute(
        self, statement: Executable, parameters: Any = None, *, execution_options: Any = None
    ) -> CursorResult[Any]:
        """Run a statement; gives its buffered result."""
        with away_said():
            return await whole(
                super().execute(statement, parameters, execution_options=execution_options)
            )

    async def exec_driver_sql(
        self, statement: str, parameters: Any = None, execution_options: Any = None
    ) -> CursorResult[Any]:
        """Run the driver's own SQL; gives its buffered result."""
        with away_said():
            return await whole(super().exec_driver_sql(statement, parameters, execution_options))

    async def run_sync(self, fn: Callable[..., T], *arg: Any, **kw: Any) -> T:
        """Run a function of the synchronous connection."""
        return await whole(super().run_sync(fn, *arg, **kw))


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncGenerator[AsyncConnection]:
    """Commit when the body ends, roll back when it raises or is cancelled.

    Cancelled does not mean not committed: a cancellation may come while the commit is under way.
    """
    connection = SteadyConnection(engine)
    try:
        with away_said():
            await whole(_begin(connection))
        yield connection
        with away_said():
            await whole(connection.commit())
    finally:
        with away_said():
            await whole(_close(connection))


async def _begin(connection: AsyncConnection) -> None:
    await connection.start()
    await connection.begin()


async def _close(connection: AsyncConnection) -> None:
    if connection.sync_connection is not None:
        await connection.close()
