"""The one connection to the recorder's feed: wants what viewers want, hands out what comes."""

import asyncio
import logging
from asyncio import IncompleteReadError, StreamWriter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contract.clock import Clock
from contract.messages import Stream
from contract.retry import keep
from edge import feed
from edge.feed import FeedBroken
from edge.live.channel import Channel

log = logging.getLogger(__name__)

_Pair = tuple[str, Stream]


class FeedClient:
    """One `Channel` for each stream that somebody watches, fed from `run/feed.sock`."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._channels: dict[_Pair, Channel] = {}
        self._watchers: dict[_Pair, int] = {}
        self._writer: StreamWriter | None = None

    async def run(self) -> None:
        """Stay connected until cancelled; a recorder that is away is waited for."""
        await keep(
            "feed",
            self._read,
            on=(OSError, IncompleteReadError, FeedBroken),
            clock=self._clock,
            log=log,
            first=0.1,
            longest=1.0,
        )

    @contextmanager
    def watch(self, camera: str, stream: Stream) -> Iterator[Channel]:
        """Give the channel of a stream; the recorder is asked for it while anybody watches."""
        pair = (camera, stream)
        if pair not in self._channels:
            self._channels[pair] = Channel(camera, stream, self._clock)
            self._watchers[pair] = 0
            self._say()
        self._watchers[pair] += 1
        try:
            yield self._channels[pair]
        finally:
            self._watchers[pair] -= 1
            if not self._watchers[pair]:
                del self._channels[pair], self._watchers[pair]
                self._say()

    def _say(self) -> None:
        if self._writer is not None:
            self._writer.write(feed.wish(list(self._channels)))

    async def _read(self) -> None:
        reader, self._writer = await asyncio.open_unix_connection(self._path)
        try:
            self._say()
            while True:
                unit = await feed.receive(reader)
                channel = self._channels.get((unit.camera, unit.stream))
                if channel is not None:
                    channel.take(unit)
        finally:
            self._writer.close()
            self._writer = None
            for channel in self._channels.values():
                channel.interrupted()
