"""Following what another process wrote: a box that was revoked at the command line."""

import logging
from collections.abc import Awaitable, Callable

from sqlalchemy import select

from contract.clock import Clock
from contract.retry import keep
from orchestrator.store import Store, StoreAway
from orchestrator.store.tables import edges

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 2.0


async def follow_revocations(
    store: Store, clock: Clock, throw_out: Callable[[str], Awaitable[None]]
) -> None:
    """Throw out each box soon after its revocation, whoever wrote it, until cancelled."""
    done: set[str] = set()
    revoked = select(edges.c.id).where(edges.c.revoked_at.is_not(None))

    async def forever() -> None:
        while True:
            async with store.read() as connection:
                now = set(await connection.scalars(revoked))
            done.intersection_update(now)  # a box may be let in again
            for edge in sorted(now - done):
                await throw_out(edge)
                done.add(edge)
            await clock.sleep(_LOOK_EVERY_S)

    await keep("revocations", forever, on=(StoreAway,), clock=clock, log=log)
