"""A slice's NAL unit in fragments, taken out of its packets in one step when all of them are there.

Nearly all of a stream are such: interleaved packets (RFC 2326 §10.12) of one size that differ in
number and piece alone, and a last one.
"""

import re
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from edge.rtsp.depacketise import FORMS, KEY, SLICE, kind_of, unit_header

_ROW_LIMIT = 511
"""Packets that are taken at once at most: how to do so is kept for each number."""


class Fragmented(NamedTuple):
    """How the packets of such a NAL unit look, from what its first one says."""

    match: Callable[[bytes, int], re.Match[bytes] | None]
    """Finds them from the first one on: ends where the piece of the last one begins."""
    header: bytes
    """Of the NAL unit."""
    kind: int
    before: int
    """Bytes of a packet before its piece."""
    piece: int
    """Bytes of every piece but the last one."""


@lru_cache(maxsize=64)
def fragmented(codec: str, head: bytes, opening: bytes) -> Fragmented | None:
    """Give it for a first packet that begins so, and its payload; None: it is no such packet.

    `head`: the 6 bytes before its number. All but the last one repeat them, and all of them the
    time stamp and the source behind the number.
    """
    form, flags = FORMS[codec], opening[-1]
    size, before = 4 + int.from_bytes(head[2:4], "big"), 16 + len(opening)
    if flags & 0xC0 != 0x80 or size <= before:
        return None
    header = unit_header(form, opening)
    kind = kind_of(form, header[0])
    if kind not in {SLICE, KEY}:
        return None
    first, middle, last = (
        re.escape(opening[:-1] + (flags & 0x3F | bit).to_bytes()) for bit in (0x80, 0, 0x40)
    )
    alike, lead, rest = re.escape(head), re.escape(head[:2]), size - before
    others = b"(?:%b..\\1%b.{%d}){0,%d}+" % (alike, middle, rest, _ROW_LIMIT)
    ends = b"%b..\\x80...\\1%b" % (lead, last)
    pattern = b"%b..(.{8})%b.{%d}%b%b" % (alike, first, rest, others, ends)
    return Fragmented(re.compile(pattern, re.DOTALL).match, header, kind, before, rest)


@lru_cache(maxsize=256)
def cutter(before: int, piece: int, count: int) -> struct.Struct:
    """Give how the pieces are taken out of so many packets in a row."""
    return struct.Struct(f"{before}x{piece}s" * count)
