"""Four of five: when single votes on a camera's picture become a fact."""

from collections import Counter, deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from contract.messages import TamperKind

OF = 5
ENOUGH = 4
TOGETHER = timedelta(seconds=8)
"""Votes further apart than this are not on the same thing."""
EXACT: frozenset[TamperKind] = frozenset({"black", "white", "frozen", "no_signal"})
"""What arithmetic decides, with or without a reference view."""
PATIENCE: dict[TamperKind, timedelta] = {"dark": timedelta(seconds=90)}
"""How long a view must be so before it is told: rooms go dark for a film or by a wrong switch."""

_KINDS: dict[str, TamperKind] = {kind: kind for kind in get_args(TamperKind)}


@dataclass(frozen=True, slots=True)
class Vote:
    """What one picture of a camera was judged to be."""

    captured_at: datetime
    verdict: str
    score: float
    extent: float

    @property
    def kind(self) -> TamperKind | None:
        """What is wrong, if it is something that is told."""
        return _KINDS.get(self.verdict)


@dataclass(frozen=True, slots=True)
class Tamper:
    """What is wrong with a camera's picture, and since when."""

    kind: TamperKind
    first_at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """Something began or ended, by vote."""

    tamper: Tamper
    state: Literal["began", "ended"]
    score: float
    extent: float


class Voting:
    """The last votes on one camera and what was voted so far."""

    def __init__(self, current: Tamper | None = None) -> None:
        self.current = current
        self._votes: deque[Vote] = deque(maxlen=OF)
        self._wrong_since: datetime | None = None

    @property
    def last_at(self) -> datetime | None:
        """When the newest picture that voted was taken."""
        return self._votes[-1].captured_at if self._votes else None

    @property
    def is_settled(self) -> bool:
        """True when four of the last five say what was voted before."""
        wrong = sum(vote.kind is not None for vote in self._votes)
        agreeing = wrong if self.current is not None else len(self._votes) - wrong
        return len(self._votes) == OF and agreeing >= ENOUGH

    def begin_anew(self) -> None:
        """Forget the votes: the camera's time began anew."""
        self._votes.clear()
        self._wrong_since = None

    def is_suspicious(self, vote: Vote) -> bool:
        """True when more votes, soon, could change what is voted."""
        kind = vote.kind
        if self.current is None:
            return kind is not None and not (_is_waited_for(vote) and self._is_sure_of(vote))
        return kind is None or _replaces(kind, self.current.kind)

    def add(self, vote: Vote) -> tuple[Change, ...]:
        """Take a vote, no older than the one before; gives what it decides."""
        self._remember(vote)
        if self.current is None:
            return self._begun()
        return self._ended(self.current)

    def _remember(self, vote: Vote) -> None:
        before = self._votes[-1] if self._votes else None
        if before is not None and vote.captured_at - before.captured_at > TOGETHER:
            self._votes.clear()
            self._wrong_since = before = None
        if vote.kind is not None:
            if self._wrong_since is None or _is_waited_for(before) != _is_waited_for(vote):
                self._wrong_since = vote.captured_at
        elif before is None or before.kind is None:
            self._wrong_since = None
        self._votes.append(vote)

    def _begun(self) -> tuple[Change, ...]:
        wrong = [vote for vote in self._votes if vote.kind is not None]
        if len(wrong) < ENOUGH or self._wrong_since is None:
            return ()
        kind = _commonest(wrong)
        if wrong[-1].captured_at - self._wrong_since < PATIENCE.get(kind, timedelta()):
            return ()
        return (self._begin(kind, self._wrong_since),)

    def _ended(self, current: Tamper) -> tuple[Change, ...]:
        clear = [vote for vote in self._votes if vote.kind is None]
        if len(clear) >= ENOUGH:
            self.current = None
            return (Change(current, "ended", 0.0, 0.0),)
        wrong = [vote for vote in self._votes if vote.kind is not None]
        kind = _commonest(wrong) if wrong else current.kind
        others = [vote for vote in wrong if vote.kind == kind]
        if len(others) < ENOUGH or not _replaces(kind, current.kind):
            return ()
        ended = Change(current, "ended", 0.0, 0.0)
        return ended, self._begin(kind, others[0].captured_at)

    def _begin(self, kind: TamperKind, first_at: datetime) -> Change:
        self.current = Tamper(kind, first_at)
        agreeing = [vote for vote in self._votes if vote.kind == kind]
        return Change(
            self.current,
            "began",
            sum(vote.score for vote in agreeing) / len(agreeing),
            max(vote.extent for vote in agreeing),
        )

    def _is_sure_of(self, vote: Vote) -> bool:
        return sum(old.kind == vote.kind for old in self._votes) >= ENOUGH


def _is_waited_for(vote: Vote | None) -> bool:
    """True for what is told only when it lasts."""
    return vote is not None and vote.kind in PATIENCE


def _commonest(votes: list[Vote]) -> TamperKind:
    """Give what most say is wrong; of two, what was said last."""
    said = Counter(vote.kind for vote in reversed(votes) if vote.kind is not None)
    return said.most_common(1)[0][0]


def _replaces(kind: TamperKind, current: TamperKind) -> bool:
    """True when the one is no other name for the other: a model may waver, arithmetic does not."""
    return kind != current and (kind in EXACT or current in EXACT)
