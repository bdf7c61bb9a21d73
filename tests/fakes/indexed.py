"""Segments that show nothing, with an index as a box writes it."""

from datetime import datetime

from contract.boxapi import IndexedFragment, SegmentIndex

INIT = 100
FRAGMENT = 1000
"""Bytes of half a second; every fourth begins with a key picture."""
_HALF_S = 45_000
_PICTURE = 9000


def indexed(start: datetime, seconds: float = 60, *, growing: bool = False) -> SegmentIndex:
    """Give the index of a segment with five pictures in each half second."""
    fragments = tuple(
        IndexedFragment(
            at=INIT + number * FRAGMENT,
            size=FRAGMENT,
            begin=number * _HALF_S,
            end=(number + 1) * _HALF_S,
            times=tuple(number * _HALF_S + place * _PICTURE for place in range(5)),
            keys=(0,) if number % 4 == 0 else (),
        )
        for number in range(int(seconds * 2))
    )
    return SegmentIndex(
        start=start,
        codec="avc1.64001f",
        init=INIT,
        bytes=INIT + len(fragments) * FRAGMENT,
        growing=growing,
        fragments=fragments,
    )


def content(index: SegmentIndex) -> bytes:
    """Give bytes that tell where they stood."""
    return bytes(number * 7 % 251 for number in range(index.bytes))
