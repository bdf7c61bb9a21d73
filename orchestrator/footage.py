"""Which bytes of a segment show which time, and which of them a span lets out."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from contract.boxapi import IndexedFragment, SegmentIndex
from contract.spans import Span, union

_TICKS_PER_S = 90_000


class Bytes(NamedTuple):
    """Bytes from `start` up to before `stop`."""

    start: int
    stop: int


def time_of(index: SegmentIndex, ticks: int) -> datetime:
    """Give the instant of a time in the segment, 90 kHz."""
    return index.start + timedelta(microseconds=ticks * 100 // 9)


def ticks_at(index: SegmentIndex, when: datetime) -> int:
    """Give an instant as a time in the segment, 90 kHz; negative before its first picture."""
    return round((when - index.start).total_seconds() * _TICKS_PER_S)


def permitted(index: SegmentIndex, span: Span) -> Bytes | None:
    """Give the fragments that a span lets out: those inside, led in by a key picture.

    A picture inside the span can only be decoded from the key picture before it. None: the span
    does not touch the segment.
    """
    begin, end = ticks_at(index, span.start), ticks_at(index, span.end)
    inside = [n for n, one in enumerate(index.fragments) if one.begin < end and one.end > begin]
    if not inside:
        return None
    first = inside[0]
    while first > 0 and not _has_key_by(index.fragments[first], begin):
        first -= 1
    last = index.fragments[inside[-1]]
    return Bytes(index.fragments[first].at, last.at + last.size)


def is_permitted(index: SegmentIndex, asked: Bytes, span: Span) -> bool:
    """True when the bytes are of the initialisation section and of permitted fragments alone."""
    if asked.stop <= index.init:
        return True
    let_out = permitted(index, span)
    if let_out is None or asked.stop > let_out.stop:
        return False
    return asked.start >= let_out.start or (
        asked.start < index.init and let_out.start == index.init
    )


def shown_by(index: SegmentIndex, asked: Bytes) -> Span | None:
    """Give the time that bytes show; None: they show nothing."""
    touched = [
        one for one in index.fragments if one.at < asked.stop and one.at + one.size > asked.start
    ]
    if not touched:
        return None
    return Span(time_of(index, touched[0].begin), time_of(index, touched[-1].end))


def key_pictures_in(index: SegmentIndex, span: Span) -> Span:
    """Give the time that the key pictures of a part show, the one in force at its start included.

    A single picture shows a moment: no span that is told is empty.
    """
    begin = ticks_at(index, span.start)
    keys = [one.times[place] for one in index.fragments for place in one.keys]
    start = time_of(index, max((key for key in keys if key <= begin), default=0))
    return Span(start, max(span.end, start + timedelta(milliseconds=40)))


def few(spans: Iterable[Span], most: int) -> list[Span]:
    """Merge spans, and the nearest ones further, until there are no more than `most`."""
    found = union(spans)
    while len(found) > most:
        pauses = [later.start - earlier.end for earlier, later in pairwise(found)]
        at = pauses.index(min(pauses))
        found[at : at + 2] = [Span(found[at].start, found[at + 1].end)]
    return found


def span_words(spans: Sequence[Span]) -> str:
    """Write spans as ISO 8601 intervals, to the millisecond."""
    return " ".join(f"{_iso(span.start)}/{_iso(span.end)}" for span in spans)


def _iso(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _has_key_by(fragment: IndexedFragment, begin: int) -> bool:
    return any(fragment.times[place] <= begin for place in fragment.keys)
