"""Not faster than so many bytes a second, on the whole."""

from contract.clock import Clock

_AHEAD_S = 0.5


class Pace:
    """Spends bytes; waits when it is ahead of its rate. What was not spent is not saved up."""

    def __init__(self, bytes_per_s: int, clock: Clock) -> None:
        self._bytes_per_s = bytes_per_s
        self._clock = clock
        self._free_at = clock.monotonic()

    async def spend(self, count: int) -> None:
        """Account for bytes that are about to move."""
        now = self._clock.monotonic()
        self._free_at = max(self._free_at, now - _AHEAD_S) + count / self._bytes_per_s
        if self._free_at > now:
            await self._clock.sleep(self._free_at - now)
