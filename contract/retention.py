"""How long footage is kept: one rule, the same at the centre and at the box."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from contract.spans import Span

FLOOR_DAYS = 30
"""Thirty times twenty-four hours: the least, and for the ordinary class also the most."""
CLOCKS_AGREE = timedelta(seconds=5)
"""Two clocks that differ by less say the same."""
LIST_LIVES = timedelta(hours=1)
"""So old may a hold list be for a box to delete by it."""
REISSUE_EVERY = timedelta(minutes=20)
"""So often the centre signs a new one."""
REQUEST_GRACE = timedelta(hours=72)
"""A request's hold goes on for so long after the request ended."""
LATE_AFTER = timedelta(hours=24)
"""A deletion that is deferred for so long is an alert."""


class TooShort(ValueError):
    """A class of less than thirty days was asked for."""


@dataclass(frozen=True, slots=True)
class Window:
    """A span that was ordered, lead-out included, and the days of its class."""

    start: datetime
    end: datetime
    days: int = FLOOR_DAYS


def period(days: int) -> timedelta:
    """Give the period of a class; raises TooShort."""
    if days < FLOOR_DAYS:
        raise TooShort(f"{days} days: footage is kept {FLOOR_DAYS} days at least")
    return timedelta(days=days)


def retain_until(span: Span, windows: Iterable[Window]) -> datetime:
    """Give until when a segment of this span is kept.

    Each window it touches asks for its own end and its class's period; the latest counts. What
    touches none is kept thirty days from its own end. Raises TooShort.
    """
    asked = [one.end + period(one.days) for one in windows if touches(span, one.start, one.end)]
    return max(asked, default=span.end + period(FLOOR_DAYS))


_INSTANT = timedelta(microseconds=1)


def touches(span: Span, start: datetime, end: datetime) -> bool:
    """True when they share an instant; one without length stands at its start."""
    return start < max(span.end, span.start + _INSTANT) and span.start < end


def kept_from(confirmed: datetime, windows: Iterable[Window]) -> datetime:
    """Give until when a segment is kept of which only this is certain: it ended by `confirmed`.

    Every window that began by then may be its own, and none may be.
    """
    asked = [one.end + period(one.days) for one in windows if one.start < confirmed]
    return max([*asked, confirmed + period(FLOOR_DAYS)])


def raised(before: datetime | None, wanted: datetime) -> datetime:
    """Give a term after somebody wanted another: it may rise, it never falls."""
    return wanted if before is None else max(before, wanted)
