"""The live process's share of the feed: wants what viewers want, hands out what comes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contract.clock import Clock
from contract.messages import Stream
from edge import feedclient
from edge.feed import AccessUnit
from edge.live.channel import Channel

_Pair = tuple[str, Stream]


class FeedClient:
    """One `Channel` for each stream that somebody watches, fed from `run/feed.sock`."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._clock = clock
        self._channels: dict[_Pair, Channel] = {}
        self._watchers: dict[_Pair, int] = {}
        self._connection = feedclient.FeedClient(path, clock, self._take, self._interrupted)

    async def run(self) -> None:
        """Stay connected until cancelled; a recorder that is away is waited for."""
        await self._connection.run()

    @contextmanager
    def watch(self, camera: str, stream: Stream) -> Iterator[Channel]:
        """Give the channel of a stream; the recorder is asked for it while anybody watches."""
        pair = (camera, stream)
        if pair not in self._channels:
            self._channels[pair] = Channel(camera, stream, self._clock)
            self._watchers[pair] = 0
            self._connection.want(self._channels)
        self._watchers[pair] += 1
        try:
            yield self._channels[pair]
        finally:
            self._watchers[pair] -= 1
            if not self._watchers[pair]:
                del self._channels[pair], self._watchers[pair]
                self._connection.want(self._channels)

    def _take(self, unit: AccessUnit) -> None:
        channel = self._channels.get((unit.camera, unit.stream))
        if channel is not None:
            channel.take(unit)

    def _interrupted(self) -> None:
        for channel in self._channels.values():
            channel.interrupted()
