"""Which seconds of a camera's stream are on disk, as far as this process knows."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from contract.spans import Span, subtract, union
from edge.journal import from_us, to_us

_JOIN: Final = timedelta(seconds=1)
"""A pause of at most this is no gap, so spans join over it."""
_JOIN_US: Final = _JOIN // timedelta(microseconds=1)


def joined(spans: Iterable[Span]) -> list[Span]:
    """Merge spans that a pause of at most a second parts."""
    merged: list[Span] = []
    for span in union(spans):
        if merged and span.start - merged[-1].end <= _JOIN:
            merged[-1] = Span(merged[-1].start, span.end)
        else:
            merged.append(span)
    return merged


class Coverage:
    """Grows at its end with every fragment."""

    def __init__(self, known: Iterable[Span] = ()) -> None:
        self._known = joined(known)
        self._open: tuple[int, int] | None = None

    def add(self, start_us: int, end_us: int) -> None:
        """Note a written span."""
        if self._open is not None:
            first, last = self._open
            if first <= start_us <= last + _JOIN_US:
                self._open = (first, max(last, end_us))
                return
        self._settle()
        self._open = (start_us, end_us)

    def know(self, spans: Iterable[Span]) -> None:
        """Note what is accounted for otherwise: earlier files, gaps that were told."""
        self._known = joined([*self._known, *spans])

    def lose(self, span: Span) -> None:
        """Note that what was written is gone."""
        self._settle()
        self._open = None
        self._known = [rest for known in self._known for rest in subtract(known, [span])]

    def reaches(self, start: datetime, end: datetime) -> bool:
        """True when what grows has covered all of this, alone or with what came just before.

        Asked all the time, and nearly always true; where it is false `spans` tells more.
        """
        if self._open is None or to_us(end) > self._open[1]:
            return False
        first = from_us(self._open[0])
        if self._known and timedelta() <= first - self._known[-1].end <= _JOIN:
            first = self._known[-1].start
        return first <= start

    def spans(self) -> list[Span]:
        """Give all that is accounted for, apart and in order."""
        return joined([*self._known, *self._opened()])

    def forget_before(self, instant: datetime) -> None:
        """Drop what ended before."""
        self._known = [span for span in self._known if span.end > instant]

    def _settle(self) -> None:
        self._known = self.spans()

    def _opened(self) -> list[Span]:
        if self._open is None:
            return []
        return [Span(from_us(self._open[0]), from_us(self._open[1]))]
