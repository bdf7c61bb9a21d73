"""How many bytes of footage a second one person is sent: beyond it the sender waits."""

from collections import OrderedDict
from dataclasses import dataclass

from contract.clock import Clock

BYTES_PER_S = 12_000_000
"""Four cameras of 4 Mbit/s at four times the speed are 8 MB/s; the rest is for reading ahead."""
BURST_BYTES = 48_000_000
"""Half a minute of four such cameras: what a page fetches after a jump comes at once."""
_MOST_PEOPLE = 10_000


@dataclass(slots=True)
class _Left:
    bytes: float
    at: float


class Pace:
    """One bucket of bytes per person."""

    def __init__(
        self, clock: Clock, bytes_per_s: float = BYTES_PER_S, burst_bytes: float = BURST_BYTES
    ) -> None:
        self._clock = clock
        self._rate = bytes_per_s
        self._burst = burst_bytes
        self._left: OrderedDict[str, _Left] = OrderedDict()

    async def take(self, person: str, size: int) -> None:
        """Return when these bytes may go; whoever overdraws the bucket waits until it is even."""
        now = self._clock.monotonic()
        left = self._left.setdefault(person, _Left(self._burst, now))
        self._left.move_to_end(person)
        if len(self._left) > _MOST_PEOPLE:
            self._left.popitem(last=False)
        left.bytes = min(self._burst, left.bytes + (now - left.at) * self._rate) - size
        left.at = now
        if left.bytes < 0:
            await self._clock.sleep(-left.bytes / self._rate)
