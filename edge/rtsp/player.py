"""A playing stream: read in big pieces when only recorded, at once when somebody watches."""

import asyncio
import socket
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, Protocol

from contract.clock import Clock
from contract.messages import GapCause
from edge.rtsp.intake import BrokenFraming, Intake, Picture
from edge.rtsp.timeline import Timeline

SWEEP_S: Final = 0.45
"""The cost of recording is wake-ups, not bytes: one for all streams reads what has gathered."""
_FRESH_S: Final = 0.2
"""What was read this recently is left for the next sweep."""
_READ_SIZE: Final = 256 << 10
# The kernel wakes us in between only for more than one read takes: a key picture is no reason.
_GATHER_S: Final = 2 * SWEEP_S
_GATHER_LIMIT: Final = 240_000
_SETTLE_S: Final = 3.0
_STALLED_S: Final = 4.0
_NO_PICTURE_S: Final = 5.0
_NO_KEY_S: Final = 20.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Loss(NamedTuple):
    """Why a stream ended."""

    cause: GapCause
    detail: str


class Receiver(Protocol):
    """Who gets the pictures."""

    def playing(self, player: "Player") -> None:
        """The stream was started; nothing has come yet."""
        ...

    def receive(self, pictures: list[Picture]) -> None:
        """Take what one read gave; nothing: a while passed without any."""
        ...


class Player:
    """Reads a playing connection until it is lost."""

    def __init__(
        self,
        link: socket.socket,
        intake: Intake,
        timeline: Timeline,
        receiver: Receiver,
        clock: Clock,
    ) -> None:
        self.bitrate_bps = 0
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[Loss] = self._loop.create_future()
        self._link = link
        self._intake = intake
        self._timeline = timeline
        self._receiver = receiver
        self._clock = clock
        self._watched = True
        self._low_water = 1
        self._began = self._read_at = self._picture_at = clock.monotonic()
        self._measured_at = self._began
        self._bytes = 0
        self._has_picture = False
        self._has_key = False

    @property
    def run(self) -> int:
        """The stretch within which its time stamps compare now."""
        return self._timeline.run

    def begin(self, early: bytes) -> None:
        """Hand on what came early, then read whenever enough waits."""
        self._receiver.playing(self)
        self._loop.add_reader(self._link.fileno(), self._on_readable)
        if early:
            self._guarded(early)

    def close(self) -> None:
        """Read no more."""
        self._loop.remove_reader(self._link.fileno())
        self.lost.cancel()

    def watch(self, watched: bool) -> None:
        """Choose between each packet at once and big pieces."""
        self._watched = watched
        self._set_low_water()

    def step(self) -> None:
        """Begin a new run: the box's wall clock stepped."""
        self._timeline.restart()

    def say(self, message: bytes) -> None:
        """Send a small message when there is room for it."""
        with suppress(OSError):
            self._link.send(message)

    def sweep(self) -> None:
        """Read what waits below the mark, and notice what stays away."""
        now = self._clock.monotonic()
        if now - self._read_at >= _FRESH_S:
            self._on_readable()
            if now - self._read_at >= SWEEP_S:
                self._guarded(b"")
        if now - self._measured_at >= 1.0:
            self._measure(now)
        self._judge(now)

    def _judge(self, now: float) -> None:
        if not self._has_picture:
            if now - self._began > _NO_PICTURE_S:
                self.give_up("no_video", f"no picture within {_NO_PICTURE_S:g} s")
        elif now - self._picture_at > _STALLED_S:
            self.give_up("stalled", f"no picture for {_STALLED_S:g} s")
        elif not self._has_key and now - self._began > _NO_KEY_S:
            self.give_up("no_video", f"no key picture within {_NO_KEY_S:g} s")

    def _measure(self, now: float) -> None:
        rate = self._bytes / (now - self._measured_at)
        mean = rate if not self.bitrate_bps else 0.7 * self.bitrate_bps / 8 + 0.3 * rate
        self.bitrate_bps = round(mean * 8)
        self._bytes, self._measured_at = 0, now
        self._set_low_water()

    def _set_low_water(self) -> None:
        settled = self._clock.monotonic() - self._began > _SETTLE_S
        wanted = 1
        if settled and not self._watched:
            wanted = max(1, min(_GATHER_LIMIT, int(self.bitrate_bps / 8 * _GATHER_S)))
        if wanted == 1 or abs(wanted - self._low_water) > self._low_water // 8:
            if wanted != self._low_water:
                self._link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, wanted)
            self._low_water = wanted

    def _on_readable(self) -> None:
        try:
            data = self._link.recv(_READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self.give_up("lost", f"the connection broke: {error.strerror or error}")
            return
        if not data:
            self.give_up("lost", "the camera ended the connection")
            return
        self._guarded(data)

    def _guarded(self, data: bytes) -> None:
        """Errors of the receiver end the session's task, not the loop's callback."""
        try:
            self._hand_on(data)
        except BrokenFraming as error:
            self.give_up("lost", str(error))
        except Exception as error:
            self._loop.remove_reader(self._link.fileno())
            if not self.lost.done():
                self.lost.set_exception(error)

    def _hand_on(self, data: bytes) -> None:
        pictures: list[Picture] = []
        if data:
            now_us = (self._clock.now() - _EPOCH) // _MICROSECOND
            pictures = self._intake.feed(data, now_us)
            self._read_at = self._clock.monotonic()
            self._bytes += len(data)
        if pictures:
            self._picture_at = self._read_at
            self._has_picture = True
            self._has_key = self._has_key or any(picture.key for picture in pictures)
        if pictures or not data:
            self._receiver.receive(pictures)

    def give_up(self, cause: GapCause, detail: str) -> None:
        """End the session, for this reason; the first one stands."""
        self._loop.remove_reader(self._link.fileno())
        if not self.lost.done():
            self.lost.set_result(Loss(cause, detail))
