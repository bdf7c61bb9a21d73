"""One stream of one camera, shared by all who watch it; and one watcher of it."""

import asyncio

from contract.clock import Clock
from contract.messages import Stream
from edge.feed import AccessUnit
from edge.live.pictures import GopCache, Mailbox, MailboxClosed, Picture, Timeline
from edge.live.viewable import never_b, why_not
from edge.live.webrtc import Packet, SourceEnded

_FIRST_REPEAT_S = 0.25
_REPEAT_S = 1.0
_BURST_BYTES = 32 << 10
_BREATH_S = 0.004
_STALE_S = 2.0
_JUDGED_AFTER = 4


class Channel:
    """A camera's stream: keeps the GOP cache and hands each picture to every mailbox."""

    def __init__(self, camera: str, stream: Stream, clock: Clock) -> None:
        self.camera = camera
        self.stream: Stream = stream
        self.cache = GopCache()
        self.refusal = ""
        """Why a browser cannot show this stream; empty while it can, or nothing came yet."""
        self._clock = clock
        self._mailboxes: set[Mailbox] = set()
        self._epoch = 0
        self._run: int | None = None
        self._in_run = 0
        self._taken_at = clock.monotonic()
        self._judged = asyncio.Event()

    def take(self, unit: AccessUnit) -> None:
        """Pass on a picture from the feed."""
        if unit.run != self._run:
            self._begin_run(unit.run)
        self._judge(unit)
        if self.refusal:
            return
        self._taken_at = self._clock.monotonic()
        picture = Picture(self._epoch, unit)
        self.cache.add(picture)
        for mailbox in self._mailboxes:
            mailbox.put(picture)

    def interrupted(self) -> None:
        """The feed went away: what comes next may be another recorder's count."""
        self._run = None
        self.cache.clear()

    async def judged(self) -> None:
        """Wait until it is."""
        await self._judged.wait()

    @property
    def is_judged(self) -> bool:
        """True when the first pictures showed whether browsers can show this stream."""
        return self._judged.is_set()

    def attach(self, mailbox: Mailbox) -> None:
        """Begin to fill a mailbox: the cached GOP, then each picture."""
        mailbox.begin_with(self.recent())
        self._mailboxes.add(mailbox)
        if self.refusal:
            mailbox.close(self.refusal)

    def recent(self) -> GopCache:
        """Give the cached GOP; emptied when its newest picture is old: that must not look live."""
        if self._clock.monotonic() - self._taken_at > _STALE_S:
            self.cache.clear()
        return self.cache

    def detach(self, mailbox: Mailbox) -> None:
        """Fill it no longer."""
        self._mailboxes.discard(mailbox)

    def _begin_run(self, run: int) -> None:
        self._run = run
        self._epoch += 1
        self._in_run = 0
        self.refusal = ""
        self.cache.clear()

    def _judge(self, unit: AccessUnit) -> None:
        """B slices show only behind the key frame and what they lean on."""
        self._in_run += 1
        if not self.refusal and (refusal := why_not(unit)):
            self.refusal = refusal
            self.cache.clear()
            for mailbox in self._mailboxes:
                mailbox.close(refusal)
        if self.refusal or self._in_run >= _JUDGED_AFTER or never_b(unit):
            self._judged.set()


class Viewer:
    """One browser's view of one channel; a `PacketSource` that begins when it is first asked."""

    def __init__(self, channel: Channel, clock: Clock) -> None:
        self._channel = channel
        self._clock = clock
        self._mailbox = Mailbox()
        self._timeline = Timeline()
        self._attached = False
        self._repeat_from = 0.0
        self._burst = 0

    async def next(self) -> Packet:
        """Give the next packet; the cached GOP first. Raises SourceEnded."""
        if not self._attached:
            self._attached = True
            self._channel.attach(self._mailbox)
            self._repeat_from = self._clock.monotonic() + _FIRST_REPEAT_S
        await self._breathe()
        try:
            picture = await self._mailbox.get()
        except MailboxClosed as error:
            raise SourceEnded(str(error)) from error
        self._burst += len(picture.unit.data)
        return Packet(picture.unit.data, self._timeline.stamp(picture))

    def begin_again(self) -> None:
        """The viewer lost the picture: send the cached GOP once more.

        At most once a second, and not while the camera gives nothing.
        """
        now = self._clock.monotonic()
        if not self._attached or now < self._repeat_from:
            return
        if recent := self._channel.recent():
            self._repeat_from = now + _REPEAT_S
            self._mailbox.begin_with(recent)

    def close(self) -> None:
        """Watch no longer."""
        self._channel.detach(self._mailbox)
        self._mailbox.close("closed")

    async def _breathe(self) -> None:
        """Spread a long burst, so that the history for retransmission can hold it."""
        if not self._mailbox:
            self._burst = 0
        elif self._burst > _BURST_BYTES:
            self._burst = 0
            await self._clock.sleep(_BREATH_S)
