"""The one connection that a process of the box keeps to the recorder's feed."""

import asyncio
import logging
from asyncio import IncompleteReadError, StreamWriter
from collections.abc import Callable, Iterable
from pathlib import Path

from contract.clock import Clock
from contract.messages import Stream
from contract.retry import keep
from edge import feed
from edge.feed import AccessUnit, FeedBroken

log = logging.getLogger(__name__)


class FeedClient:
    """Says what is wanted and hands on what comes; a recorder that is away is waited for."""

    def __init__(
        self,
        path: Path,
        clock: Clock,
        take: Callable[[AccessUnit], None],
        interrupted: Callable[[], None],
    ) -> None:
        self._path = path
        self._clock = clock
        self._take = take
        self._interrupted = interrupted
        self._wanted: list[tuple[str, Stream]] = []
        self._writer: StreamWriter | None = None

    def want(self, streams: Iterable[tuple[str, Stream]]) -> None:
        """Want these streams from now on, and no others."""
        self._wanted = list(streams)
        if self._writer is not None:
            self._writer.write(feed.wish(self._wanted))

    async def run(self) -> None:
        """Stay connected until cancelled."""
        await keep(
            "feed",
            self._read,
            on=(OSError, IncompleteReadError, FeedBroken),
            clock=self._clock,
            log=log,
            first=0.1,
            longest=1.0,
        )

    async def _read(self) -> None:
        reader, self._writer = await asyncio.open_unix_connection(self._path)
        try:
            self.want(self._wanted)
            while True:
                self._take(await feed.receive(reader))
        finally:
            self._writer.close()
            self._writer = None
            self._interrupted()
