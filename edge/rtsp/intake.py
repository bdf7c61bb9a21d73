"""Bytes of a playing RTSP connection to pictures: interleaving, RTP, RTCP, no I/O."""

import re
import struct
from functools import lru_cache
from typing import NamedTuple

from edge.rtsp.depacketise import Depacketiser, Whole
from edge.rtsp.lengths import parted
from edge.rtsp.parameters import Parameters
from edge.rtsp.timeline import Timeline, us_of_90k

_PACKET = struct.Struct("!HHHHI")
_SHORTEST = 4 + 12
_DOLLAR = 0x2400
_UNMARKED = 0xFF7F
_PICTURE_LIMIT = 8 << 20
_ROW_LIMIT = 128
"""Packets that are taken at once: how to do so is kept for each number."""
_REPORT = struct.Struct("!BBHIQI")
_HEADER_LIMIT = 64 << 10
_BODY_LIMIT = 256 << 10
_DIGITS = 12


class BrokenFraming(Exception):
    """What came is neither an interleaved packet nor an RTSP message."""


class Picture(NamedTuple):
    """One access unit as it came from the camera."""

    timestamp_90k: int
    """RTP time, unwrapped; compares within one run."""
    captured_us: int
    """Wall clock of the capture, microseconds since 1970."""
    run: int
    key: bool
    data: bytes
    """NAL units behind their lengths, without parameter sets and delimiters."""
    parameters: Parameters
    clock_offset_ms: float | None = None
    """How far the camera's clock was ahead of the box's; None: unknown."""

    @property
    def nals(self) -> list[bytes]:
        """Its NAL units, each for itself."""
        return parted(self.data)


class Intake:
    """Fed whatever a read gave; gives the pictures that became whole."""

    def __init__(
        self, depacketiser: Depacketiser, timeline: Timeline, payload_type: int, channel: int
    ) -> None:
        self.lost_packets = 0
        self._depacketiser = depacketiser
        self._timeline = timeline
        self._video = _DOLLAR | channel
        self._plain = 0x8000 | payload_type
        self._rest = b""
        self._expected = -1
        self._stamp = -1
        self._whole: list[tuple[int, int, Whole, Parameters]] = []

    def feed(self, data: bytes, now_us: int) -> list[Picture]:
        """Take the bytes of one read; raises BrokenFraming."""
        at = 0
        if self._rest:
            data, at = self._completed(data, now_us)
        at = self._walk(data, at, now_us)
        self._rest = data[at:]
        if self._depacketiser.size > _PICTURE_LIMIT:
            self._depacketiser.take()
            self._depacketiser.lose()
        if not self._whole:
            return []
        whole, self._whole = self._whole, []
        timeline = self._timeline
        timeline.arrived(whole[-1][0], now_us)
        zero = {run: timeline.zero_us(run) for run in {run for _, run, _, _ in whole}}
        offset = timeline.clock_offset_ms
        return [
            Picture(stamp, zero[run] + us_of_90k(stamp), run, key, data, parameters, offset)
            for stamp, run, (data, key), parameters in whole
        ]

    def _completed(self, data: bytes, now_us: int) -> tuple[bytes, int]:
        """Take the packet that the last read cut; gives the bytes to go on with, and where.

        Only that packet is put together: copying what is read costs as much as reading it.
        """
        rest, self._rest = self._rest, b""
        if len(rest) >= 4 and rest[0] == 0x24:
            missing = 4 + (rest[2] << 8 | rest[3]) - len(rest)
            packet = rest + data[:missing]
            if missing <= len(data) and self._packets(packet, 0, now_us) == len(packet):
                return data, missing
        return rest + data, 0

    def _walk(self, data: bytes, at: int, now_us: int) -> int:
        """Go over what is whole; gives where the rest begins."""
        while True:
            at = self._packets(data, at, now_us)
            if len(data) - at < 4 or data[at] == 0x24:
                return at
            after = _message_end(data, at)
            if after < 0:
                return at
            at = after

    def _packets(self, data: bytes, at: int, now_us: int) -> int:
        """Take whole packets up to the first that is none; gives where that begins."""
        unpack, push = _PACKET.unpack_from, self._depacketiser.push
        video, plain = self._video, self._plain
        size = len(data)
        while at <= size - _SHORTEST:
            lead, length, kind, sequence, stamp = unpack(data, at)
            end = at + 4 + length
            if end > size:
                break
            if lead == video and kind & _UNMARKED == plain and length >= 12:
                if sequence != self._expected or stamp != self._stamp:
                    self._turn(sequence, stamp)
                self._expected = sequence + 1 & 0xFFFF
                goes_on = push(data, at + 16, end)
                if kind != plain:
                    self._finish()
                elif goes_on and data.startswith(data[at : at + 6], end):
                    end = self._alike(data, at, end)
            elif lead & 0xFF00 != _DOLLAR:
                break
            else:
                self._other(data, at, end, now_us)
            at = end
        return at

    def _alike(self, data: bytes, at: int, end: int) -> int:
        """Take the packets that follow `data[at:end]` and continue its NAL unit in the same size.

        Nearly all packets of a stream come this way: they differ in number and piece alone.
        Gives where the first other one begins.
        """
        collect, size = self._depacketiser, end - at
        found = _followers(size, collect.middle).match(data, at)
        count = (found.end() - end) // size if found else 0
        last = (self._expected + count - 1) & 0xFFFF
        if not count or _PACKET.unpack_from(data, end + (count - 1) * size)[3] != last:
            return end
        piece = size - 16 - len(collect.middle)
        collect.pieces += _pieces(size, piece, count).unpack_from(data, end)
        self._expected = (last + 1) & 0xFFFF
        return end + count * size

    def _other(self, data: bytes, at: int, end: int, now_us: int) -> None:
        """Take a packet that is no plain one: with padding and the like, RTCP, another channel."""
        if data[at + 1] == (self._video & 0xFF) + 1:
            self._control(data, at + 4, end, now_us)
        elif data[at + 1] == self._video & 0xFF and end - at >= _SHORTEST:
            _, _, kind, sequence, stamp = _PACKET.unpack_from(data, at)
            if (kind ^ self._plain) & 0x7F:
                return
            if sequence != self._expected or stamp != self._stamp:
                self._turn(sequence, stamp)
            self._expected = sequence + 1 & 0xFFFF
            self._depacketiser.push(data, *_payload(data, at + 4, end))
            if kind & 0x80:
                self._finish()

    def _turn(self, sequence: int, stamp: int) -> None:
        """Take note of packets that did not come, and of the picture's end where none said so."""
        is_hole = sequence != self._expected and self._expected >= 0
        if is_hole:
            self.lost_packets += (sequence - self._expected) & 0xFFFF
            self._depacketiser.lose()
        if stamp != self._stamp:
            if self._stamp >= 0:
                self._finish()
            self._stamp = stamp
            if is_hole:
                self._depacketiser.lose()

    def _finish(self) -> None:
        whole, parameters = self._depacketiser.take(), self._depacketiser.parameters
        if whole is not None and parameters is not None:
            stamp = self._timeline.unwrap(self._stamp)
            self._whole.append((stamp, self._timeline.run, whole, parameters))
        self._stamp = -1

    def _control(self, data: bytes, at: int, end: int, now_us: int) -> None:
        while end - at >= 8:
            size = 4 + 4 * (data[at + 2] << 8 | data[at + 3])
            if data[at + 1] == 200 and end - at >= 20:
                _, _, _, _, ntp, stamp = _REPORT.unpack_from(data, at)
                self._timeline.report(ntp, stamp, now_us)
            at += size


@lru_cache(maxsize=64)
def _followers(size: int, middle: bytes) -> re.Pattern[bytes]:
    """Match a packet of this size and those behind it that are fragments of the same NAL unit.

    Each repeats what stands before and behind the first one's number, its source included.
    """
    behind = size - 16
    row = (re.escape(middle), behind - len(middle), _ROW_LIMIT)
    repeated = b"(?:\\1..\\2%b.{%d}){0,%d}+" % row
    return re.compile(b"(.{6})..(.{8}).{%d}%b" % (behind, repeated), re.DOTALL)


@lru_cache(maxsize=8 * _ROW_LIMIT)
def _pieces(size: int, piece: int, count: int) -> struct.Struct:
    """Give how the pieces are taken out of so many packets in a row."""
    return struct.Struct(f"{size - piece}x{piece}s" * count)


def _payload(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Give where the payload stands in an RTP packet with padding, extension or sources."""
    first = data[at]
    begin = at + 12 + 4 * (first & 15)
    if first & 0x10 and begin + 4 <= end:
        begin += 4 + 4 * (data[begin + 2] << 8 | data[begin + 3])
    if first & 0x20:
        end -= data[end - 1]
    return (begin, end) if begin <= end else (end, end)


def _message_end(data: bytes, at: int) -> int:
    """Give where an RTSP message in between ends; -1: not whole yet. Raises BrokenFraming."""
    if not data[at : at + 1].isalpha():
        raise BrokenFraming("neither a packet nor a message")
    end = data.find(b"\r\n\r\n", at)
    if end < 0:
        if len(data) - at > _HEADER_LIMIT:
            raise BrokenFraming("a message without an end")
        return -1
    length = 0
    for line in data[at:end].split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            length = int(value) if len(value) < _DIGITS else _BODY_LIMIT + 1
            if length > _BODY_LIMIT:
                raise BrokenFraming("a message too large to be one")
    after = end + 4 + length
    return after if after <= len(data) else -1
