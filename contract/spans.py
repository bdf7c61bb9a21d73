"""Spans of time, half open, and what their union is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From `start` up to, not including, `end`; both aware."""

    start: datetime
    end: datetime

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end

    @property
    def seconds(self) -> float:
        """Its length in seconds."""
        return (self.end - self.start).total_seconds()


def union(spans: Iterable[Span]) -> list[Span]:
    """Merge spans that overlap or touch; gives them apart, in order. Empty spans vanish."""
    some = [span for span in spans if span.start < span.end]
    if len(some) < 2:
        return some
    merged: list[Span] = []
    for span in sorted(some):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def subtract(whole: Span, parts: Iterable[Span]) -> list[Span]:
    """Give what of `whole` none of `parts` covers, in order."""
    left: list[Span] = []
    at = whole.start
    for part in union(parts):
        if part.end <= at or part.start >= whole.end:
            continue
        if part.start > at:
            left.append(Span(at, part.start))
        at = max(at, part.end)
    if at < whole.end:
        left.append(Span(at, whole.end))
    return left
