"""Bytes of a playing RTSP connection to pictures: interleaving, RTP, RTCP, no I/O."""

import struct
from typing import Final

from edge.rtsp.depacketise import FRAGMENT, SLICE, Depacketiser
from edge.rtsp.lengths import LENGTH, parted
from edge.rtsp.parameters import Parameters
from edge.rtsp.timeline import Timeline, us_of_90k

_PACKET = struct.Struct("!BBHI")
_HEADER: Final = 12
_SHORTEST: Final = 4 + _HEADER
_DOLLAR: Final = 0x24
_PLAIN: Final = 0x80
"""RTP's version, and neither padding nor extension nor other sources."""
_PICTURE_LIMIT: Final = 8 << 20
_REPORT = struct.Struct("!BBHIQI")
_HEADER_LIMIT: Final = 64 << 10
_BODY_LIMIT: Final = 256 << 10
_DIGITS: Final = 12


class BrokenFraming(Exception):
    """What came is neither an interleaved packet nor an RTSP message."""


class Picture:
    """One access unit as it came from the camera.

    Written out, and no tuple: compiled, its numbers then stand in it and are no objects.
    """

    def __init__(
        self,
        timestamp_90k: int,
        captured_us: int,
        run: int,
        key: bool,
        data: bytes,
        parameters: Parameters,
        clock_offset_ms: float | None = None,
    ) -> None:
        self.timestamp_90k = timestamp_90k
        """RTP time, unwrapped; compares within one run."""
        self.captured_us = captured_us
        """Wall clock of the capture, microseconds since 1970."""
        self.run = run
        self.key = key
        self.data = data
        """NAL units behind their lengths, without parameter sets and delimiters."""
        self.parameters = parameters
        self.clock_offset_ms = clock_offset_ms
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
        self._channel = channel
        self._payload_type = payload_type
        self._rest = b""
        self._expected = -1
        self._stamp = -1
        self._whole: list[Picture] = []

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
        self._date(whole, now_us)
        return whole

    def _date(self, whole: list[Picture], now_us: int) -> None:
        """Give the pictures their instants, as the last of them lets us know."""
        timeline = self._timeline
        timeline.arrived(whole[-1].timestamp_90k, now_us)
        offset = timeline.clock_offset_ms
        run = whole[0].run
        zero_us = timeline.zero_us(run)
        for picture in whole:
            if picture.run != run:
                run = picture.run
                zero_us = timeline.zero_us(run)
            picture.captured_us = zero_us + us_of_90k(picture.timestamp_90k)
            picture.clock_offset_ms = offset

    def _completed(self, data: bytes, now_us: int) -> tuple[bytes, int]:
        """Take the packet that the last read cut; gives the bytes to go on with, and where.

        Only that packet is put together: copying what is read costs as much as reading it.
        """
        rest, self._rest = self._rest, b""
        if len(rest) >= 4 and rest[0] == _DOLLAR:
            missing = 4 + (rest[2] << 8 | rest[3]) - len(rest)
            packet = rest + data[:missing]
            if missing <= len(data) and self._packets(packet, 0, now_us) == len(packet):
                return data, missing
        return rest + data, 0

    def _walk(self, data: bytes, at: int, now_us: int) -> int:
        """Go over what is whole; gives where the rest begins."""
        while True:
            at = self._packets(data, at, now_us)
            if len(data) - at < 4 or data[at] == _DOLLAR:
                return at
            after = _message_end(data, at)
            if after < 0:
                return at
            at = after

    def _packets(self, data: bytes, at: int, now_us: int) -> int:
        """Take whole packets up to the first that is none; gives where that begins.

        What nearly all of them are is done here, byte by byte: compiled, that is the quickest.
        """
        collect = self._depacketiser
        kinds, pieces = collect.kinds, collect.pieces
        channel, payload_type = self._channel, self._payload_type
        size = len(data)
        while at <= size - _SHORTEST:
            length = data[at + 2] << 8 | data[at + 3]
            end = at + 4 + length
            if end > size or data[at] != _DOLLAR:
                break
            flags = data[at + 5]
            is_plain = data[at + 1] == channel and data[at + 4] == _PLAIN and length > _HEADER
            if not is_plain or flags & 0x7F != payload_type:
                self._other(data, at, end, now_us)
                at = end
                continue
            sequence = data[at + 6] << 8 | data[at + 7]
            stamp = data[at + 8] << 24 | data[at + 9] << 16 | data[at + 10] << 8 | data[at + 11]
            if sequence != self._expected or (stamp != self._stamp and self._stamp >= 0):
                self._turn(sequence, stamp)
            self._stamp = stamp
            self._expected = sequence + 1 & 0xFFFF
            begin = at + 4 + _HEADER
            kind = kinds[data[begin]]
            if kind == FRAGMENT:
                collect.push_fragment(data, begin, end)
            elif kind == SLICE and length > _HEADER + 1:
                pieces += (LENGTH(end - begin), data[begin:end])
                collect.seen |= kind
            else:
                collect.push(data, begin, end)
            if flags & 0x80:
                self._finish()
            at = end
        return at

    def _other(self, data: bytes, at: int, end: int, now_us: int) -> None:
        """Take a packet that is no plain one: with padding and the like, RTCP, another channel."""
        if data[at + 1] == self._channel + 1:
            self._control(data, at + 4, end, now_us)
        elif data[at + 1] == self._channel and end - at >= _SHORTEST:
            _, kind, sequence, stamp = _PACKET.unpack_from(data, at + 4)
            if (kind ^ self._payload_type) & 0x7F:
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
            self._whole.append(Picture(stamp, 0, timeline.run, whole[1], whole[0], parameters))
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
