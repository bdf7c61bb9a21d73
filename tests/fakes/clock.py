"""A clock that a test moves."""

import asyncio
import heapq
from datetime import UTC, datetime, timedelta


class ManualClock:
    """Stands still until `advance`; wakes sleepers in order."""

    def __init__(self, now: datetime = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)) -> None:
        self._now = now
        self._monotonic = 1000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> datetime:
        """The wall clock."""
        return self._now

    def monotonic(self) -> float:
        """The monotonic clock."""
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was advanced that far."""
        woken = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self._monotonic + seconds, self._count, woken))
        await woken

    def step(self, by: timedelta) -> None:
        """Step the wall clock alone, as a wrong NTP answer does."""
        self._now += by

    async def advance(self, seconds: float) -> None:
        """Let time pass, waking sleepers at their times and letting them run."""
        end = self._monotonic + seconds
        while self._sleepers and self._sleepers[0][0] <= end:
            at, _, woken = heapq.heappop(self._sleepers)
            self._now += timedelta(seconds=at - self._monotonic)
            self._monotonic = at
            if not woken.done():
                woken.set_result(None)
            for _ in range(10):
                await asyncio.sleep(0)
        self._now += timedelta(seconds=end - self._monotonic)
        self._monotonic = end
        for _ in range(10):
            await asyncio.sleep(0)
