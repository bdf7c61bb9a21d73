"""Whether a recording may still be seen: past its term it may not, even while it lies there."""

from contract.clock import Clock
from edge import holds as in_force
from edge.config import EdgeConfig
from edge.expiry import is_over
from edge.holds import holding
from edge.journal import Journal
from edge.terms import Terms


class Viewing:
    """Asks the journal and the holds in force, each time."""

    def __init__(self, config: EdgeConfig, journal: Journal, clock: Clock) -> None:
        self._config = config
        self._journal = journal
        self._clock = clock
        self._terms: Terms | None = None

    async def is_over(self, path: str) -> bool:
        """True for a path below the shelf that nobody may see any more; raises JournalBusy."""
        if self._terms is None:
            self._terms = await Terms.open(self._journal)
        term = await self._terms.by_path(f"shelf/{path}")
        if term is None:
            return False
        held = in_force.load(self._config.holds).holds
        keepers = holding(held, term.camera, term.start, term.end)
        return is_over(term, keepers, self._clock.now())
