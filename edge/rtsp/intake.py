"""Bytes of a playing RTSP connection to pictures: interleaving, RTP, RTCP, no I/O."""

import struct
from typing import NamedTuple

from edge.rtsp.depacketise import FRAGMENT, SLICE, Depacketiser
from edge.rtsp.fragmented import Fragmented, cutter, fragmented
from edge.rtsp.lengths import LENGTH, parted
from edge.rtsp.parameters import Parameters
from edge.rtsp.timeline import Timeline, us_of_90k

_PACKET = struct.Struct("!HHHHI")
_SHORTEST = 4 + 12
_DOLLAR = 0x2400
_UNMARKED = 0xFF7F
_PICTURE_LIMIT = 8 << 20
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


_Whole = tuple[int, int, bool, bytes, Parameters]
"""A picture without its instant: time stamp, run, whether it is a key picture, data, parameters."""


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
        self._whole: list[_Whole] = []
        self._usual: Fragmented | None = None

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
        return self._dated(whole, now_us)

    def _dated(self, whole: list[_Whole], now_us: int) -> list[Picture]:
        """Give the pictures their instants, as the last of them lets us know."""
        timeline = self._timeline
        timeline.arrived(whole[-1][0], now_us)
        offset = timeline.clock_offset_ms
        zeros_us = {run: timeline.zero_us(run) for run in {one[1] for one in whole}}
        return [
            Picture(stamp, zeros_us[run] + us_of_90k(stamp), run, key, data, parameters, offset)
            for stamp, run, key, data, parameters in whole
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
        """Take whole packets up to the first that is none; gives where that begins.

        What nearly all of them are is done here, in few steps: it decides what recording costs.
        """
        unpack, collect = _PACKET.unpack_from, self._depacketiser
        kinds, pieces = collect.kinds, collect.pieces
        video, plain = self._video, self._plain
        size = len(data)
        while at <= size - _SHORTEST:
            lead, length, flags, sequence, stamp = unpack(data, at)
            end = at + 4 + length
            if end > size:
                break
            if lead != video or flags & _UNMARKED != plain or length <= 12:
                if lead & 0xFF00 != _DOLLAR:
                    break
                self._other(data, at, end, now_us)
                at = end
                continue
            if sequence != self._expected or (stamp != self._stamp and self._stamp >= 0):
                self._turn(sequence, stamp)
            self._stamp = stamp
            begin = at + 16
            kind = kinds[data[begin]]
            if kind == FRAGMENT and flags == plain and not collect.opened:
                after = self._unit(data, at, sequence)
                if after:
                    at = after
                    continue
            self._expected = sequence + 1 & 0xFFFF
            if kind == SLICE and length > 13:
                pieces += (LENGTH(end - begin), data[begin:end])
                collect.seen |= kind
            else:
                collect.push(data, begin, end)
            if flags != plain:
                self._finish()
            at = end
        return at

    def _unit(self, data: bytes, at: int, sequence: int) -> int:
        """Take the NAL unit that begins with the packet at `at`, if all of it is there.

        Gives where it ends; 0: it is not so, nothing was taken.
        """
        collect, form = self._depacketiser, self._usual
        found = form.match(data, at) if form else None
        if form is None or found is None:
            begin = at + 16
            opening = data[begin : begin + collect.before_piece]
            form = fragmented(collect.codec, data[at : at + 6], opening)
            found = form.match(data, at) if form else None
            if form is None or found is None:
                return 0
            self._usual = form
        _, header, kind, before, piece = form
        begin = found.end()
        last = begin - before
        _, length, flags, number, _ = _PACKET.unpack_from(data, last)
        after: int = last + 4 + length
        count = (last - at) // (before + piece)
        is_ours = flags & _UNMARKED == self._plain and number == sequence + count & 0xFFFF
        if not is_ours or not begin < after <= len(data):
            return 0
        pieces = collect.pieces
        pieces += (LENGTH(len(header) + count * piece + after - begin), header)
        pieces += cutter(before, piece, count).unpack_from(data, at)
        pieces.append(data[begin:after])
        collect.seen |= kind
        self._expected = number + 1 & 0xFFFF
        if flags != self._plain:
            self._finish()
        return after

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
            timeline = self._timeline
            stamp = timeline.unwrap(self._stamp)
            self._whole.append((stamp, timeline.run, whole[1], whole[0], parameters))
        self._stamp = -1

    def _control(self, data: bytes, at: int, end: int, now_us: int) -> None:
        while end - at >= 8:
            size = 4 + 4 * (data[at + 2] << 8 | data[at + 3])
            if data[at + 1] == 200 and end - at >= 20:
                _, _, _, _, ntp, stamp = _REPORT.unpack_from(data, at)
                self._timeline.report(ntp, stamp, now_us)
            at += size


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
