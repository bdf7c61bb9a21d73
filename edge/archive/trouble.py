"""What was told of the archive and is not over: it outlives the process, and the archive."""

from contract.clock import Clock
from contract.messages import ShelfTrouble
from edge.journal import Journal

TOLD = "archive_trouble"
"""In the journal: what is the trouble; empty: none."""


async def forget_trouble(journal: Journal, clock: Clock) -> None:
    """Tell that the trouble with an archive is over, because the box has none any more."""
    if await journal.meta(TOLD):
        fact = ShelfTrouble(kind="archive_back", detail="no archive is configured any more")
        await journal.add_fact(fact, clock.now())
        await journal.set_meta(TOLD, "")
