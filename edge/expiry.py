"""Whether a piece of footage is deleted now, kept, or deferred. Pure: the theorem stands here."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from contract.messages import DeferCause
from contract.retention import CLOCKS_AGREE, LIST_LIVES

MARGIN = 3 * CLOCKS_AGREE
"""A span's end, the clock that wrote it and the clock now may each be wrong by so much a third."""
_MOST_WORDS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A piece of footage on the shelf and until when it is kept."""

    id: str
    camera: str
    start: datetime
    end: datetime
    path: str
    root: str
    bytes: int
    volume: str
    retain_until: datetime | None
    """None: the clock that wrote its span is not confirmed yet."""
    late_since: datetime | None = None
    is_begun: bool = False
    """Its deletion was begun and not recorded."""


@dataclass(frozen=True, slots=True)
class Delete:
    """It goes now."""


@dataclass(frozen=True, slots=True)
class Keep:
    """It stays."""

    why: str


@dataclass(frozen=True, slots=True)
class Defer:
    """Its term is over, and it cannot go yet: nobody may see it any more."""

    why: DeferCause


Decision = Delete | Keep | Defer


@dataclass(frozen=True, slots=True, kw_only=True)
class Footing:
    """What the box can be sure of at one moment."""

    now: datetime
    is_trusted: bool
    """The box believes its own clock."""
    certain: datetime | None
    """The centre's word, and what passed since by the monotonic clock: it is this late at least."""
    issued_at: datetime | None
    """Of the newest hold list."""
    volume: str | None
    """The volume below the shelf, when it is the one the journal knows."""

    @property
    def is_confirmed(self) -> bool:
        """True when the clock agrees with a time the centre signed within the hour."""
        return (
            self.is_trusted
            and self.certain is not None
            and abs(self.now - self.certain) <= CLOCKS_AGREE
        )

    @property
    def has_fresh_list(self) -> bool:
        """True when the hold list is at most an hour old."""
        if self.issued_at is None or self.certain is None:
            return False
        return self.certain - self.issued_at <= LIST_LIVES


def due(term: Term, held_by: Sequence[str], footing: Footing) -> Decision:
    """Decide about one piece of footage that stands in the journal."""
    if term.retain_until is None:
        return Keep("its clock is not confirmed")
    if not footing.is_trusted:
        return Keep("the box does not believe its clock")
    over_at = term.retain_until + MARGIN
    if footing.now < over_at:
        return Keep("its term runs")
    if held_by:
        return Keep(f"held: {held_by[0]}")
    if footing.volume is None or term.volume not in ("", footing.volume):
        return Defer("wrong_volume")
    if not footing.has_fresh_list:
        return Defer("centre_unreachable")
    if not footing.is_confirmed:
        return Defer("clock_unconfirmed")
    if footing.certain is None or footing.certain < over_at:
        return Keep("its term runs")
    return Delete()


def is_over(term: Term, held_by: Sequence[str], now: datetime) -> bool:
    """True when nobody may see it any more."""
    return term.is_begun or (
        term.retain_until is not None and term.retain_until <= now and not held_by
    )


@dataclass(slots=True)
class CentreTime:
    """The times the centre signed, each with the monotonic clock when it was heard.

    A word may have travelled for long, so each says only how late it is at least. The best of the
    last hour counts.
    """

    _heard: deque[tuple[datetime, float]] = field(default_factory=lambda: deque(maxlen=_MOST_WORDS))

    def hear(self, issued_at: datetime, monotonic: float) -> None:
        """Take one in."""
        self._heard.append((issued_at, monotonic))

    def certain(self, monotonic: float) -> datetime | None:
        """Give how late it is at least; None without a word of the last hour."""
        bounds = [
            issued_at + timedelta(seconds=monotonic - heard)
            for issued_at, heard in self._heard
            if 0 <= monotonic - heard <= LIST_LIVES.total_seconds()
        ]
        return max(bounds, default=None)
