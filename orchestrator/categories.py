"""Categories of exams, and how long the footage of each is kept."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.retention import FLOOR_DAYS
from orchestrator.store.tables import exam_sessions, retention_classes

_AT_ONCE = 1000


async def classes(connection: AsyncConnection) -> dict[str, int]:
    """Give the categories of exams that are kept longer than thirty days, with their days."""
    c = retention_classes.c
    rows = await connection.execute(select(c.category, c.days).where(c.days > FLOOR_DAYS))
    return {row.category: row.days for row in rows}


async def categories(connection: AsyncConnection, sessions: Iterable[str]) -> dict[str, str]:
    """Give the category of each of these sessions."""
    s = exam_sessions.c
    wanted, found = list(sessions), dict[str, str]()
    for first in range(0, len(wanted), _AT_ONCE):  # a statement takes so many parameters
        part = wanted[first : first + _AT_ONCE]
        rows = await connection.execute(select(s.id, s.category).where(s.id.in_(part)))
        found |= {row.id: row.category for row in rows}
    return found
