"""What of a planned span is on disk and what is not: exact arithmetic that box and centre share."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from contract.spans import Span, subtract

SEAM = timedelta(seconds=1)
"""A hole of at most this is the seam of two files; a gap is longer."""
UNTOLD = "not_told"
"""The cause of a gap of which its box has said nothing."""

_US = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, order=True)
class Hole:
    """A span that is not on disk, with its cause."""

    span: Span
    cause: str
    detail: str = ""

    @property
    def us(self) -> int:
        """Its length in microseconds."""
        return length_us(self.span)


@dataclass(frozen=True, slots=True)
class Account:
    """A planned span to the microsecond: recorded, seams and gaps together are what was planned."""

    planned_us: int
    recorded_us: int
    """On disk."""
    seams_us: int
    """Holes of at most a second."""
    gaps: tuple[Hole, ...]
    """Longer holes, in order, cut where their cause changes; each longer than a second."""

    @property
    def missing_us(self) -> int:
        """The length of all gaps."""
        return sum(gap.us for gap in self.gaps)


def length_us(span: Span) -> int:
    """Give a span's length in microseconds, exactly."""
    return (span.end - span.start) // _US


def account(planned: Span, recorded: Iterable[Span], told: Sequence[Hole]) -> Account:
    """Compare what was planned with what is there. Where two causes were told, the first holds."""
    holes = subtract(planned, recorded)
    seams = [hole for hole in holes if hole.end - hole.start <= SEAM]
    gaps = [part for hole in holes if hole not in seams for part in _explained(hole, told)]
    planned_us = length_us(planned)
    return Account(
        planned_us=planned_us,
        recorded_us=planned_us - sum(map(length_us, holes)),
        seams_us=sum(map(length_us, seams)),
        gaps=tuple(gaps),
    )


def roots_digest(segments: Iterable[tuple[str, str]]) -> str:
    """Name a set of segments (id, root) by one hex SHA-256, in whatever order they come."""
    lines = sorted(f"{segment} {root}\n" for segment, root in segments)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _explained(hole: Span, told: Sequence[Hole]) -> list[Hole]:
    """Cut a hole where causes begin and end; its parts are all of it, and none is a sliver."""
    parts: list[Hole] = []
    left = [hole]
    for one in told:
        for span in left:
            common = Span(max(span.start, one.span.start), min(span.end, one.span.end))
            if common.start < common.end:
                parts.append(Hole(common, one.cause, one.detail))
        left = [rest for span in left for rest in subtract(span, [one.span])]
    parts += [Hole(span, UNTOLD) for span in left]
    return _joined(sorted(parts))


def _joined(parts: list[Hole]) -> list[Hole]:
    """Join neighbours of one cause, and slivers to what stands beside them."""
    joined: list[Hole] = []
    for part in parts:
        last = joined[-1] if joined else None
        if last is not None and (
            (last.cause, last.detail) == (part.cause, part.detail)
            or last.span.end - last.span.start <= SEAM
        ):
            longer = max(last, part, key=lambda one: one.us)
            joined[-1] = replace(longer, span=Span(last.span.start, part.span.end))
        else:
            joined.append(part)
    if len(joined) > 1 and joined[-1].span.end - joined[-1].span.start <= SEAM:
        sliver = joined.pop()
        joined[-1] = replace(joined[-1], span=Span(joined[-1].span.start, sliver.span.end))
    return joined
