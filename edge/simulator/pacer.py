"""Sending every picture when it is due, with as few wake-ups as possible."""

import asyncio
import heapq
import math

from contract.clock import Clock
from edge.simulator.channel import Channel

_GRID_S = 0.01


class Pacer:
    """Advances the channels that somebody watches, all that are due within 10 ms at one wake-up."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._queue: list[tuple[float, int, Channel]] = []
        self._watched: set[Channel] = set()
        self._wanted = asyncio.Event()

    def watch(self, channel: Channel) -> None:
        """Begin with a channel that has got a viewer."""
        if channel not in self._watched:
            self._watched.add(channel)
            self._push(channel, self._clock.now().timestamp())
            self._wanted.set()

    async def run(self) -> None:
        """Send pictures until cancelled."""
        while True:
            if not self._queue:
                self._wanted.clear()
                await self._wanted.wait()
            now = self._clock.now().timestamp()
            while self._queue and self._queue[0][0] <= now:
                self._advance(heapq.heappop(self._queue)[2], now)
            if self._queue:
                due = math.ceil(self._queue[0][0] / _GRID_S) * _GRID_S
                await self._clock.sleep(min(max(due - now, 0.001), 0.05))

    def _advance(self, channel: Channel, now: float) -> None:
        if not channel.viewers:
            self._watched.discard(channel)
            return
        channel.advance(now)
        self._push(channel, channel.due())

    def _push(self, channel: Channel, due: float) -> None:
        heapq.heappush(self._queue, (due, id(channel), channel))
