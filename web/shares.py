"""How many of a thing one person may have open."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from web.problems import Problem


class Shares:
    """Counts what is open per person."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[str] = Counter()

    @contextmanager
    def one_of(self, person: str) -> Iterator[None]:
        """Hold one while the block lasts; raises Problem beyond the most."""
        if self._open[person] >= self._most:
            raise Problem("rate_limited", f"at most {self._most} at once", retry_after_s=5)
        self._open[person] += 1
        try:
            yield
        finally:
            self._open[person] -= 1
            if not self._open[person]:
                del self._open[person]
