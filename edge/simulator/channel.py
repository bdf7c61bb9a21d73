"""One stream of one camera on its way to those who watch it."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from edge.simulator.faults import FaultBook, FaultKind
from edge.simulator.packets import interleaved, payloads, sender_report
from edge.simulator.projector import Picture
from edge.simulator.x264 import ParameterSets

REPORT_EVERY_S = 4
_MOST_UNSENT = 1 << 20
_LATEST_S = 2.0
_RTP_CLOCK = 90_000


class Sink(Protocol):
    """What of an asyncio transport is used: writing never waits."""

    def write(self, data: bytes) -> None:
        """Send, or keep to be sent."""
        ...

    def is_closing(self) -> bool:
        """True once nothing more goes out."""
        ...

    def get_write_buffer_size(self) -> int:
        """Bytes that were written and not yet sent."""
        ...


class Show(Protocol):
    """What a stream shows: a Projector."""

    @property
    def sets(self) -> ParameterSets:
        """The parameter sets of what is shown now."""
        ...

    @property
    def key_interval(self) -> int:
        """Frames from one key frame to the next."""
        ...

    def jump(self, second: float) -> int:
        """By how many seconds the camera's clock is wrong."""
        ...

    def picture(self, number: int) -> Picture:
        """Give one picture."""
        ...


@dataclass(eq=False, slots=True)
class Viewer:
    """One who plays the stream over a TCP connection."""

    sink: Sink
    rtp: int = 0
    """Interleaved channel of the packets; reports go on the next one."""
    started: bool = field(default=False, init=False)
    dropping: bool = field(default=False, init=False)


class Channel:
    """Sends each picture when it is due, and sender reports; a slow viewer loses whole pictures."""

    def __init__(
        self,
        show: Show,
        fps: int,
        phase: float,
        faults: FaultBook,
        random: Callable[[int], int] = secrets.randbits,
    ) -> None:
        self.show = show
        self.viewers: set[Viewer] = set()
        self._fps = fps
        self._phase = phase
        self._faults = faults
        self._random = random
        self._next = 0
        self._jump = 0
        self.restart()

    def restart(self) -> None:
        """Begin a new RTP run, as after power-on."""
        self._source, self._origin = self._random(32), self._random(32)
        self._sequence = self._random(16)
        self._packets = self._octets = 0

    def due(self) -> float:
        """When the next picture is to be sent, seconds since 1970."""
        return self._phase + self._next / self._fps

    def advance(self, now: float) -> None:
        """Send all that is due by now; after a long pause go on where a second begins."""
        if abs(now - self.due()) > _LATEST_S:
            self._next = -int((self._phase - now) // 1) * self._fps
            self._let_in_again()
        while self.due() <= now:
            self._send(self._next)
            self._next += 1

    def _let_in_again(self) -> None:
        for viewer in self.viewers:
            viewer.started = False

    def _send(self, number: int) -> None:
        picture = self.show.picture(number)
        second = number // self._fps
        if self._faults.find(FaultKind.STALL, second):
            return self._let_in_again()
        jump = self.show.jump(second)
        report = number % (REPORT_EVERY_S * self._fps) == 0 or jump != self._jump
        self._jump = jump
        wall = number / self._fps + self._phase + jump
        cut = payloads(picture.nals)
        waits = self.show.key_interval <= self._fps
        ready: dict[tuple[int, bool], bytes] = {}
        for viewer in self.viewers:
            first = not viewer.started
            if (first and waits and not picture.is_key) or not self._keeps_up(viewer, picture):
                continue
            viewer.started = True
            way = viewer.rtp, first or report
            if way not in ready:
                ready[way] = self._packed(cut, number, picture, wall, way)
            viewer.sink.write(ready[way])
        self._sequence = (self._sequence + len(cut)) & 0xFFFF
        self._packets += len(cut)
        self._octets += sum(map(len, cut))
        return None

    def _packed(
        self,
        cut: list[bytes],
        number: int,
        picture: Picture,
        wall: float,
        way: tuple[int, bool],
    ) -> bytes:
        channel, with_report = way
        shown = self._timestamp(number + picture.delay)
        packets = interleaved(cut, channel, self._sequence, shown, self._source)
        if not with_report:
            return packets
        counts = self._packets, self._octets
        said = sender_report(channel + 1, self._source, wall, self._timestamp(number), *counts)
        return said + packets

    def _timestamp(self, number: int) -> int:
        return (self._origin + number * _RTP_CLOCK // self._fps) & 0xFFFFFFFF

    @staticmethod
    def _keeps_up(viewer: Viewer, picture: Picture) -> bool:
        if viewer.sink.is_closing():
            return False
        if viewer.sink.get_write_buffer_size() > _MOST_UNSENT:
            viewer.dropping = True
        elif picture.is_key:
            viewer.dropping = False
        return not viewer.dropping
