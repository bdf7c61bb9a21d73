"""What time it is by the centre's clock and the boxes': nothing is deleted by one clock alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.retention import CLOCKS_AGREE
from orchestrator.store.tables import edge_states, edges

FRESH = timedelta(seconds=45)
"""A heartbeat that is older says nothing of the clock now."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The newest heartbeat of a box that believes its own clock."""

    at: datetime
    """By the box's clock."""
    heard_at: datetime
    """By ours."""


def agreed_time(now: datetime, heard: Iterable[Heard]) -> datetime | None:
    """Give what the time is at least, as our clock and every box lately heard say it.

    None: no box was heard lately, or one contradicts us. It is never later than what a box said
    itself, so a clock of ours that jumps after the heartbeat makes nothing old.
    """
    lately = [one for one in heard if abs(now - one.heard_at) <= FRESH]
    if not lately or any(abs(one.at - one.heard_at) > CLOCKS_AGREE for one in lately):
        return None
    return min(now, *(one.at for one in lately))


async def read_agreed_time(connection: AsyncConnection, now: datetime) -> datetime | None:
    """Give the same of the enrolled boxes, as the store knows them."""
    e = edge_states.c
    query = (
        select(e.at, e.heard_at)
        .join(edges, edges.c.id == e.edge)
        .where(e.clock_trusted, edges.c.enrolled_at.is_not(None), edges.c.revoked_at.is_(None))
    )
    return agreed_time(now, [Heard(*row) for row in await connection.execute(query)])
