"""Pictures to fragments: `moof` and `mdat` as one piece that is written whole or not at all."""

import struct
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from operator import sub
from typing import NamedTuple

from edge.recording.boxes import TIMESCALE
from edge.rtsp.intake import Picture

_KEY = 0x02000000
_OTHER = 0x01010000
_PLAIN = 0x000701  # data offset; duration, size and flags of each sample
_REORDERED = 0x000F01  # and composition offset
_USUAL = TIMESCALE // 25
_LONGEST = TIMESCALE  # one second: what a picture stands for at most when none follows


class Fragment(NamedTuple):
    """A fragment and the media time it covers, in 90 kHz from the segment's first picture."""

    pieces: tuple[bytes, ...]
    """Its bytes: pictures are large, and written and hashed as they are."""
    begin: int
    end: int


class Fragmenter:
    """Collects pictures of one segment and gives them as fragments, in order."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._pending: list[Picture] = []
        self._sequence = 0
        self._end = 0
        """Decoding time from which the next fragment may begin."""
        self._usual = _USUAL
        self._newest = first - 1
        self._reorders = False
        self._anchor = 0

    @property
    def pending_90k(self) -> int:
        """How much time has been collected since the last fragment."""
        if not self._pending:
            return 0
        return self._newest - self._pending[0].timestamp_90k + self._usual

    def reaches(self, length_90k: int, following: Picture) -> int:
        """Give the time stamp of the picture with which so much time will be collected."""
        first = self._pending[0] if self._pending else following
        return first.timestamp_90k + length_90k - self._usual

    def add(self, *pictures: Picture) -> None:
        """Collect pictures, in order of decoding."""
        newest, usual, number = self._newest, self._usual, len(self._pending)
        for picture in pictures:
            step = picture.timestamp_90k - newest
            if step > 0:
                if step <= _LONGEST and not self._reorders:
                    usual = step
                newest += step
                self._anchor = number
            else:
                self._reorders = True
            number += 1
        self._newest, self._usual = newest, usual
        self._pending += pictures

    def take(self, *, last: bool = False) -> Fragment | None:
        """Give what can be written now; `last`: nothing more will come.

        With pictures that are shown out of order (B), a fragment ends before the newest one that
        all others precede: what comes later is shown later.
        """
        count = self._anchor if self._reorders and not last else len(self._pending)
        if count == 0:
            return None
        pictures, self._pending = self._pending[:count], self._pending[count:]
        self._anchor = 0
        following = self._pending[0].timestamp_90k if self._pending else None
        return self._write(pictures, following)

    def _write(self, pictures: list[Picture], following: int | None) -> Fragment:
        first = self._first
        shown = [picture.timestamp_90k - first for picture in pictures]
        decoded = shown
        if self._reorders or shown[0] < self._end:
            decoded = _in_order(shown, self._end)
        end = decoded[-1] + self._usual if following is None else following - first
        self._end = max(end, decoded[-1] + 1)
        self._sequence += 1
        head = _head(self._sequence, pictures, shown, decoded, self._end)
        pieces = (head, *[picture.data for picture in pictures])
        return Fragment(pieces, decoded[0], self._end)


def _in_order(shown: list[int], floor: int) -> list[int]:
    """Give times to decode at: none before the floor, none twice."""
    decoded = sorted(shown)
    for number, at in enumerate(decoded):
        decoded[number] = floor = max(at, floor)
        floor += 1
    return decoded


def _head(
    sequence: int, pictures: list[Picture], shown: list[int], decoded: list[int], end: int
) -> bytes:
    durations = map(sub, [*decoded[1:], end], decoded)
    sizes = [len(picture.data) for picture in pictures]
    flags = [_KEY if picture.key else _OTHER for picture in pictures]
    columns: list[Iterable[int]] = [durations, sizes, flags]
    reordered = shown != decoded
    if reordered:
        columns.append((at - then) & 0xFFFFFFFF for at, then in zip(shown, decoded, strict=True))
    fields = list(chain.from_iterable(zip(*columns, strict=True)))
    return _moof(sequence, decoded[0], len(pictures), fields, sum(sizes), reordered=reordered)


def _moof(
    sequence: int, begin: int, count: int, fields: list[int], size: int, *, reordered: bool
) -> bytes:
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


def samples_of(moof: bytes) -> list[Sample]:
    """Read the pictures of a fragment of ours; raises ValueError for what is none."""
    begin, columns, fields = _run_of(moof)
    found = []
    for at in range(0, len(fields), columns):
        duration, size, flags, *offset = fields[at : at + columns]
        later = offset[0] - (offset[0] >> 31 << 32) if offset else 0
        found.append(Sample(begin, duration, begin + later, size, flags == _KEY))
        begin += duration
    if not found:
        raise ValueError("not a fragment of ours")
    return found


def one_picture(sequence: int, decoded: int, end: int, shown: int, data: bytes) -> bytes:
    """Write a fragment of a single key picture that stands until `end`."""
    reordered = shown != decoded
    fields = [end - decoded, len(data), _KEY]
    if reordered:
        fields.append((shown - decoded) & 0xFFFFFFFF)
    return _moof(sequence, decoded, 1, fields, len(data), reordered=reordered) + data


def duration_of(moof: bytes) -> tuple[int, int]:
    """Read where a fragment of ours begins and ends; raises ValueError for what is none."""
    begin, columns, fields = _run_of(moof)
    return begin, begin + sum(fields[::columns])


def _run_of(moof: bytes) -> tuple[int, int, tuple[int, ...]]:
    if len(moof) < 88 or moof[52:56] != b"tfdt" or moof[72:76] != b"trun":
        raise ValueError("not a fragment of ours")
    begin = int.from_bytes(moof[60:68], "big")
    columns = 4 if int.from_bytes(moof[77:80], "big") == _REORDERED else 3
    count = int.from_bytes(moof[80:84], "big")
    if len(moof) != 88 + 4 * columns * count:
        raise ValueError("not a fragment of ours")
    return begin, columns, struct.unpack(f"!{columns * count}I", moof[88:])
