"""RTP and RTCP packets, framed for one TCP connection (RFC 6184, RFC 2326 §10.12)."""

import struct
from collections.abc import Sequence

_LARGEST = 1400
_PAYLOAD_TYPE = 96
_MARKER = 0x80
_FRAGMENT = 28
_AGGREGATE = 24
_RTP = struct.Struct("!BBHBBHLL")
_REPORT = struct.Struct("!BBHBBHLQLLL")
_NTP_EPOCH = 2_208_988_800


def payloads(nals: Sequence[bytes]) -> list[bytes]:
    """Cut one picture into RTP payloads: small units together, large ones in fragments."""
    cut: list[bytes] = []
    small: list[bytes] = []
    size = 1
    for nal in nals:
        if size + 2 + len(nal) > _LARGEST and small:
            cut.append(_together(small))
            small, size = [], 1
        if len(nal) > _LARGEST - 3:
            cut += _fragments(nal)
        else:
            small.append(nal)
            size += 2 + len(nal)
    if small:
        cut.append(_together(small))
    return cut


def _together(nals: list[bytes]) -> bytes:
    if len(nals) == 1:
        return nals[0]
    importance = max(nal[0] & 0x60 for nal in nals)
    parts = [bytes([importance | _AGGREGATE])]
    for nal in nals:
        parts += (len(nal).to_bytes(2), nal)
    return b"".join(parts)


def _fragments(nal: bytes) -> list[bytes]:
    indicator, kind, step = nal[0] & 0xE0 | _FRAGMENT, nal[0] & 31, _LARGEST - 2
    last = (len(nal) - 2) // step
    return [
        bytes((indicator, (0x80 if i == 0 else 0) | (0x40 if i == last else 0) | kind))
        + nal[1 + i * step : 1 + (i + 1) * step]
        for i in range(last + 1)
    ]


def interleaved(
    cut: Sequence[bytes], channel: int, sequence: int, timestamp: int, source: int
) -> bytes:
    """Frame one picture's payloads as RTP packets, the last one marked."""
    parts = []
    last = len(cut) - 1
    for index, payload in enumerate(cut):
        kind = _PAYLOAD_TYPE | _MARKER if index == last else _PAYLOAD_TYPE
        number = (sequence + index) & 0xFFFF
        parts.append(
            _RTP.pack(0x24, channel, 12 + len(payload), 0x80, kind, number, timestamp, source)
        )
        parts.append(payload)
    return b"".join(parts)


def sender_report(
    channel: int, source: int, wall: float, timestamp: int, packets: int, octets: int
) -> bytes:
    """Frame an RTCP sender report: at this wall-clock second the RTP clock showed `timestamp`."""
    ntp = int((wall + _NTP_EPOCH) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF
    counts = packets & 0xFFFFFFFF, octets & 0xFFFFFFFF
    return _REPORT.pack(0x24, channel, 28, 0x80, 200, 6, source, ntp, timestamp, *counts)
