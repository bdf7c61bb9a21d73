"""Pictures to fragments: `moof` and `mdat` as one piece that is written whole or not at all."""

from typing import Final, NamedTuple

from contract.fmp4 import KEY, OTHER, TIMESCALE, moof
from edge.rtsp.intake import Picture

_USUAL: Final = TIMESCALE // 25
_LONGEST: Final = TIMESCALE  # one second: what a picture stands for at most when none follows


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

    def add(self, pictures: list[Picture]) -> None:
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
    count, reordered = len(pictures), shown != decoded
    fields: list[int] = []
    total = 0
    for number in range(count):
        picture, at = pictures[number], decoded[number]
        size = len(picture.data)
        fields.append((decoded[number + 1] if number + 1 < count else end) - at)
        fields.append(size)
        fields.append(KEY if picture.key else OTHER)
        if reordered:
            fields.append((shown[number] - at) & 0xFFFFFFFF)
        total += size
    return moof(sequence, decoded[0], count, fields, total, reordered=reordered)
