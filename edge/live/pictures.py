"""From the feed to one viewer: the GOP cache, the viewer's mailbox, the viewer's time stamps."""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from edge.feed import AccessUnit


@dataclass(frozen=True, slots=True)
class Picture:
    """An access unit on its way to viewers."""

    epoch: int
    """Time stamps of two epochs do not compare."""
    unit: AccessUnit


class GopCache:
    """The pictures since the last key frame, so that whoever comes sees something at once."""

    def __init__(self, most: int = 250) -> None:
        self._most = most
        self._pictures: list[Picture] = []

    def __iter__(self) -> Iterator[Picture]:
        return iter(tuple(self._pictures))

    def __len__(self) -> int:
        return len(self._pictures)

    def add(self, picture: Picture) -> None:
        """Keep a picture; a GOP longer than `most` is not kept at all: it would flood a viewer."""
        if picture.unit.key:
            self._pictures = [picture]
        elif self._pictures and len(self._pictures) < self._most:
            self._pictures.append(picture)
        else:
            self._pictures = []

    def clear(self) -> None:
        """Forget all."""
        self._pictures = []


class MailboxClosed(Exception):
    """No picture will come any more; the message says why."""


class Mailbox:
    """One viewer's unread pictures: bounded; when full it drops up to the next key frame."""

    def __init__(self, most: int = 300, most_bytes: int = 4 << 20) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._unread: deque[Picture] = deque()
        self._bytes = 0
        self._wants_key = True
        self._epoch: int | None = None
        self._closed: str | None = None
        self._something = asyncio.Event()
        self.dropped = 0
        """Pictures this viewer never got because it was too slow."""

    def __len__(self) -> int:
        return len(self._unread)

    def put(self, picture: Picture) -> None:
        """Add a picture, unless it leans on one that was dropped."""
        if picture.epoch != self._epoch:
            self._epoch, self._wants_key = picture.epoch, True
        if self._wants_key and not picture.unit.key:
            self.dropped += 1
            return
        size = len(picture.unit.data)
        if len(self._unread) >= self._most or self._bytes + size > self._most_bytes:
            self.dropped += len(self._unread)
            self._empty()
            if not picture.unit.key:
                self._wants_key = True
                self.dropped += 1
                return
        self._wants_key = False
        self._unread.append(picture)
        self._bytes += size
        self._something.set()

    def begin_with(self, pictures: Iterable[Picture]) -> None:
        """Throw away what is unread and begin with these, a key frame first."""
        self._empty()
        self._wants_key = True
        for picture in pictures:
            self.put(picture)

    def close(self, reason: str) -> None:
        """Let the reader know that nothing more will come."""
        self._closed = reason
        self._something.set()

    async def get(self) -> Picture:
        """Take the oldest unread picture; waits for one. Raises MailboxClosed at the end."""
        while not self._unread:
            if self._closed is not None:
                raise MailboxClosed(self._closed)
            self._something.clear()
            await self._something.wait()
        picture = self._unread.popleft()
        self._bytes -= len(picture.unit.data)
        return picture

    def _empty(self) -> None:
        self._unread.clear()
        self._bytes = 0


class Timeline:
    """One viewer's RTP time stamps: strictly rising, across camera reconnects and repeats.

    Pictures sent again (the GOP cache after a lost one) are squeezed in front of the next live
    picture, so that the viewer's clock keeps fitting the camera's.
    """

    SQUEEZED = 30
    """A third of a millisecond: 100 repeats take less than one picture's time at 25 a second."""
    ONE_PICTURE = 3600
    LONGEST_US = 600_000_000
    BACK_US = 10_000_000

    def __init__(self) -> None:
        self._epoch: int | None = None
        self._origin = 0
        self._last = -1
        self._live_stamp = 0
        self._live_captured_us = 0

    def stamp(self, picture: Picture) -> int:
        """Give the time stamp, 90 kHz from this viewer's own zero, under which it is sent."""
        unit = picture.unit
        if picture.epoch != self._epoch:
            self._origin = self._begins_at(unit.captured_us) - unit.timestamp_90k
            self._epoch = picture.epoch
        stamp = self._origin + unit.timestamp_90k
        if stamp > self._last:
            self._live_stamp, self._live_captured_us = stamp, unit.captured_us
        else:
            stamp = self._last + self.SQUEEZED
        self._last = stamp
        return stamp

    def _begins_at(self, captured_us: int) -> int:
        if self._epoch is None:
            return 0
        passed = captured_us - self._live_captured_us
        if -self.BACK_US < passed < self.LONGEST_US:
            return self._live_stamp + passed * 9 // 100
        return self._last + self.ONE_PICTURE
