"""What should be on disk and is not, and why."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from contract.messages import GapCause
from contract.spans import Span, subtract

TOLERATED = timedelta(seconds=1)
"""A shorter gap is none: it is the joint between two files."""
SETTLE = timedelta(seconds=3)
"""What was captured this long ago has been written, if it ever came."""
_BEFORE = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Failure:
    """What a camera's session, or the shelf, failed with."""

    at: datetime
    cause: GapCause
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Gap:
    """A span that is not on disk, explained."""

    span: Span
    cause: GapCause
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Absence:
    """Nobody was there to record: the box was down, or did not know of the order yet."""

    span: Span
    cause: GapCause
    detail: str = ""


def missing(window: Span, accounted: Collection[Span], now: datetime) -> list[Span]:
    """Give the gaps of a window that are over: followed by footage, or by the window's end."""
    until = min(window.end, now - SETTLE)
    if until <= window.start:
        return []
    if any(span.start <= window.start and until <= span.end for span in accounted):
        return []  # as nearly always
    return [
        span
        for span in subtract(Span(window.start, until), accounted)
        if span.end - span.start > TOLERATED and (span.end < until or until == window.end)
    ]


def absence(window: Span, last_alive: datetime | None, began: datetime) -> Absence:
    """Say how a box that was down in `[last_alive, began)` counts against a window."""
    late = last_alive is None or last_alive <= window.start
    start = min(began, window.start) if late or last_alive is None else last_alive
    if late:
        return Absence(Span(start, began), "started_late", "the box started after the window began")
    return Absence(Span(start, began), "box_down", "the recorder did not run")


def explain(span: Span, absences: Iterable[Absence], failures: Iterable[Failure]) -> list[Gap]:
    """Give the reasons of a gap, in order; most have one.

    An absence explains all of it, except a beginning or an end for which a failure is known.
    """
    failed = sorted(failures, key=lambda failure: failure.at)
    away = [one for one in absences if one.span.start < span.end and one.span.end > span.start]
    if not away:
        return [_blamed(span, failed)]
    first = max(span.start, min(one.span.start for one in away))
    last = min(span.end, max(one.span.end for one in away))
    start, end = span.start, span.end
    gaps = []
    if first - span.start > TOLERATED and _of(Span(span.start, first), failed):
        gaps.append(_blamed(Span(span.start, first), failed))
        start = first
    tail = None
    if span.end - last > TOLERATED and any(last <= failure.at < span.end for failure in failed):
        tail = _blamed(Span(last, span.end), failed)
        end = last
    main = max(away, key=lambda one: one.span.end - one.span.start)
    gaps.append(Gap(Span(start, end), main.cause, main.detail))
    return [*gaps, tail] if tail else gaps


def _blamed(span: Span, failed: list[Failure]) -> Gap:
    known = _of(span, failed)
    if not known:
        return Gap(span, "stalled", "no picture came")
    return Gap(span, known[-1].cause, known[-1].detail)


def _of(span: Span, failed: list[Failure]) -> list[Failure]:
    return [failure for failure in failed if span.start - _BEFORE <= failure.at <= span.end]
