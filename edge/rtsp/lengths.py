"""NAL units behind their lengths, as files hold them: so a picture is one piece from the start."""

import struct
from collections.abc import Iterable

LENGTH = struct.Struct("!I").pack
"""Four bytes, as `avcC` and `hvcC` of our files announce."""


def joined(nals: Iterable[bytes]) -> bytes:
    """Put NAL units behind their lengths."""
    return b"".join([LENGTH(len(nal)) + nal for nal in nals])


def parted(data: bytes) -> list[bytes]:
    """Give the NAL units back."""
    nals = []
    at = 0
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "big")
        nals.append(data[at + 4 : end])
        at = end
    return nals
