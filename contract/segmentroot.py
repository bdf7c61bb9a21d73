"""The Merkle root of a segment's bytes: over init section and fragments (RFC 6962 trees)."""

import struct
from collections.abc import Iterable, Iterator

from contract import merkle
from contract.merkle import leaf

_HEAD = struct.Struct("!I4s")
_LARGEST_PART = 64 << 20
"""No fragment of half a second is larger; what says so is not a segment."""


class NotASegment(Exception):
    """The bytes are not a whole segment: init section, then fragments."""


def root_of(body: Iterable[bytes]) -> str:
    """Give the root in hex; raises NotASegment."""
    leaves = [leaf(part) for part in _parts(_boxes(body))]
    if len(leaves) < 2:
        raise NotASegment("there is no fragment")
    return merkle.root_of(leaves).hex()


def _parts(boxes: Iterator[tuple[bytes, bytes]]) -> Iterator[bytes]:
    """Put `ftyp` and `moov`, then each `moof` and `mdat`, together."""
    wanted = (b"ftyp", b"moov")
    while (found := next(boxes, None)) is not None:
        following = next(boxes, None)
        if following is None or (found[0], following[0]) != wanted:
            raise NotASegment("its boxes are not in order")
        yield found[1] + following[1]
        wanted = (b"moof", b"mdat")


def _boxes(body: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    held = bytearray()
    for piece in body:
        held += piece
        while len(held) >= _HEAD.size:
            size, kind = _HEAD.unpack_from(held)
            if not _HEAD.size <= size <= _LARGEST_PART:
                raise NotASegment("a box has an impossible size")
            if len(held) < size:
                break
            yield kind, bytes(held[:size])
            del held[:size]
    if held:
        raise NotASegment("it ends within a box")
