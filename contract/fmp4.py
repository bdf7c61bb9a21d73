"""How a segment's file looks (fragmented MP4, ISO/IEC 14496-12): its boxes and its fragments."""

import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import BinaryIO, Final, NamedTuple

TIMESCALE: Final = 90_000
KEY: Final = 0x02000000
OTHER: Final = 0x01010000
"""A picture's flags: depends on no other, depends on others."""
_PLAIN: Final = 0x000701  # data offset; duration, size and flags of each sample
_REORDERED: Final = 0x000F01  # and composition offset


class Found(NamedTuple):
    """A box in a file."""

    name: bytes
    at: int
    size: int


def walk(file: BinaryIO, size: int) -> Iterator[Found]:
    """Give the whole boxes at the top level; ends before the first that is cut short."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return
        length, name = struct.unpack("!I4s", head)
        if length < 8 or at + length > size:
            return
        yield Found(name, at, length)
        at += length


def moof(
    sequence: int, begin: int, count: int, fields: list[int], size: int, *, reordered: bool
) -> bytes:
    """Write a `moof` of one run, and the head of the `mdat` behind it.

    `begin`: decoding time of its first picture, 90 kHz; `fields`: duration, size and flags of each
    picture (and its composition offset where they are `reordered`); `size`: bytes of all pictures.
    """
    run_size = 20 + 4 * len(fields)
    moof_size = 8 + 16 + 8 + 16 + 20 + run_size
    version_and_flags = 1 << 24 | _REORDERED if reordered else _PLAIN
    return _boxes(len(fields)).pack(
        *(moof_size, b"moof"),
        *(16, b"mfhd", 0, sequence),
        *(moof_size - 24, b"traf"),
        *(16, b"tfhd", 0x020000, 1),
        *(20, b"tfdt", 1 << 24, begin),
        *(run_size, b"trun", version_and_flags, count, moof_size + 8),
        *fields,
        *(8 + size, b"mdat"),
    )


@lru_cache(maxsize=256)
def _boxes(fields: int) -> struct.Struct:
    """Give the form of a `moof` whose run has so many fields, and of the head of its `mdat`."""
    return struct.Struct(f"!I4s I4sII I4s I4sII I4sIQ I4sIIi {fields}I I4s")


class Sample(NamedTuple):
    """One picture of a fragment: times in 90 kHz, and its bytes."""

    decoded: int
    duration: int
    shown: int
    size: int
    key: bool


def samples_of(data: bytes) -> list[Sample]:
    """Read the pictures of a fragment of ours; raises ValueError for what is none."""
    begin, columns, fields = _run_of(data)
    found = []
    for at in range(0, len(fields), columns):
        duration, size, flags, *offset = fields[at : at + columns]
        later = offset[0] - (offset[0] >> 31 << 32) if offset else 0
        found.append(Sample(begin, duration, begin + later, size, flags == KEY))
        begin += duration
    if not found:
        raise ValueError("not a fragment of ours")
    return found


def one_picture(sequence: int, decoded: int, end: int, shown: int, data: bytes) -> bytes:
    """Write a fragment of a single key picture that stands until `end`."""
    reordered = shown != decoded
    fields = [end - decoded, len(data), KEY]
    if reordered:
        fields.append((shown - decoded) & 0xFFFFFFFF)
    return moof(sequence, decoded, 1, fields, len(data), reordered=reordered) + data


def duration_of(data: bytes) -> tuple[int, int]:
    """Read where a fragment of ours begins and ends; raises ValueError for what is none."""
    begin, columns, fields = _run_of(data)
    return begin, begin + sum(fields[::columns])


def _run_of(data: bytes) -> tuple[int, int, tuple[int, ...]]:
    if len(data) < 88 or data[52:56] != b"tfdt" or data[72:76] != b"trun":
        raise ValueError("not a fragment of ours")
    begin = int.from_bytes(data[60:68], "big")
    columns = 4 if int.from_bytes(data[77:80], "big") == _REORDERED else 3
    count = int.from_bytes(data[80:84], "big")
    if len(data) != 88 + 4 * columns * count:
        raise ValueError("not a fragment of ours")
    return begin, columns, struct.unpack(f"!{columns * count}I", data[88:])
