"""Four of five: when single looks at a camera's picture become a fact."""

from collections import Counter, deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from contract.messages import TamperKind

OF = 5
ENOUGH = 4
TOGETHER = timedelta(seconds=8)
"""Looks further apart than this are not votes on the same thing."""
EXACT: frozenset[TamperKind] = frozenset({"black", "white", "frozen", "no_signal"})
"""What arithmetic decides, with or without a reference view."""
PATIENCE: dict[TamperKind, timedelta] = {"dark": timedelta(seconds=90)}
"""How long a view must be so before it is told: rooms go dark for a film or by a wrong switch."""

_KINDS: dict[str, TamperKind] = {kind: kind for kind in get_args(TamperKind)}


@dataclass(frozen=True, slots=True)
class Look:
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
    """The last looks at one camera and what was voted so far."""

    def __init__(self, current: Tamper | None = None) -> None:
        self.current = current
        self._looks: deque[Look] = deque(maxlen=OF)
        self._wrong_since: datetime | None = None

    @property
    def last_at(self) -> datetime | None:
        """When the newest picture that voted was taken."""
        return self._looks[-1].captured_at if self._looks else None

    @property
    def is_settled(self) -> bool:
        """True when four of the last five say what was voted before."""
        wrong = sum(look.kind is not None for look in self._looks)
        agreeing = wrong if self.current is not None else len(self._looks) - wrong
        return len(self._looks) == OF and agreeing >= ENOUGH

    def begin_anew(self) -> None:
        """Forget the looks: the camera's time began anew."""
        self._looks.clear()
        self._wrong_since = None

    def is_suspicious(self, look: Look) -> bool:
        """True when more looks, soon, could change what is voted."""
        kind = look.kind
        if self.current is None:
            return kind is not None and not (_is_waited_for(look) and self._is_sure_of(look))
        return kind is None or _replaces(kind, self.current.kind)

    def add(self, look: Look) -> tuple[Change, ...]:
        """Take a vote, no older than the one before; gives what it decides."""
        self._remember(look)
        if self.current is None:
            return self._begun()
        return self._ended(self.current)

    def _remember(self, look: Look) -> None:
        before = self._looks[-1] if self._looks else None
        if before is not None and look.captured_at - before.captured_at > TOGETHER:
            self._looks.clear()
            self._wrong_since = before = None
        if look.kind is not None:
            if self._wrong_since is None or _is_waited_for(before) != _is_waited_for(look):
                self._wrong_since = look.captured_at
        elif before is None or before.kind is None:
            self._wrong_since = None
        self._looks.append(look)

    def _begun(self) -> tuple[Change, ...]:
        wrong = [look for look in self._looks if look.kind is not None]
        if len(wrong) < ENOUGH or self._wrong_since is None:
            return ()
        kind = _commonest(wrong)
        if wrong[-1].captured_at - self._wrong_since < PATIENCE.get(kind, timedelta()):
            return ()
        return (self._begin(kind, self._wrong_since),)

    def _ended(self, current: Tamper) -> tuple[Change, ...]:
        clear = [look for look in self._looks if look.kind is None]
        if len(clear) >= ENOUGH:
            self.current = None
            return (Change(current, "ended", 0.0, 0.0),)
        wrong = [look for look in self._looks if look.kind is not None]
        kind = _commonest(wrong) if wrong else current.kind
        others = [look for look in wrong if look.kind == kind]
        if len(others) < ENOUGH or not _replaces(kind, current.kind):
            return ()
        ended = Change(current, "ended", 0.0, 0.0)
        return ended, self._begin(kind, others[0].captured_at)

    def _begin(self, kind: TamperKind, first_at: datetime) -> Change:
        self.current = Tamper(kind, first_at)
        agreeing = [look for look in self._looks if look.kind == kind]
        return Change(
            self.current,
            "began",
            sum(look.score for look in agreeing) / len(agreeing),
            max(look.extent for look in agreeing),
        )

    def _is_sure_of(self, look: Look) -> bool:
        return sum(old.kind == look.kind for old in self._looks) >= ENOUGH


def _is_waited_for(look: Look | None) -> bool:
    """True for what is told only when it lasts."""
    return look is not None and look.kind in PATIENCE


def _commonest(looks: list[Look]) -> TamperKind:
    """Give what most say is wrong; of two, what was said last."""
    said = Counter(look.kind for look in reversed(looks) if look.kind is not None)
    return said.most_common(1)[0][0]


def _replaces(kind: TamperKind, current: TamperKind) -> bool:
    """True when the one is no other name for the other: a model may waver, arithmetic does not."""
    return kind != current and (kind in EXACT or current in EXACT)
