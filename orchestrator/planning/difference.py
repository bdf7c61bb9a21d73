"""What a new timetable changes of the sessions that stand."""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

from orchestrator.planning.plan import Session


@dataclass(frozen=True, slots=True)
class Change:
    """A session that stays itself and says something else; `after` keeps the id."""

    before: Session
    after: Session


@dataclass(frozen=True, slots=True)
class Difference:
    """All that applying a timetable does."""

    added: tuple[Session, ...]
    removed: tuple[Session, ...]
    changed: tuple[Change, ...]
    unchanged: tuple[Session, ...]


def diff(
    current: Iterable[Session],
    new: Iterable[Session],
    removable: Collection[str] | None = None,
) -> Difference:
    """Compare what a file says with what stands; order of rows does not matter.

    The same room at the same times is the same session. Else an exam (course and teaching class)
    that is held in the same room at the same start, and else one that left one place and turned
    up in one other, has changed its times or room. What then is left over was added or removed.
    Moved or removed can only be what is `removable` (ids; None: all). A file that says nothing of a
    session's category takes none away: its footage would be kept shorter.
    """
    standing = [session for session in current if not session.cancelled]
    matching = _Matching(standing, list(new))
    matching.by(lambda session: [(session.room, session.start, session.end)])
    matching.by(lambda s: [(s.room, s.start, exam) for exam in sorted(s.exams)])
    matching.old = [s for s in matching.old if removable is None or s.id in removable]
    matching.by(lambda session: [tuple(sorted(session.exams))])
    matching.by(lambda session: sorted(session.exams))
    changed, unchanged = [], []
    for before, after in matching.pairs:
        category = after.category or before.category
        kept = replace(after, id=before.id, category=category)
        if _says_the_same(before, kept):
            unchanged.append(before)
        else:
            changed.append(Change(before, kept))
    return Difference(
        added=_in_order(matching.new),
        removed=_in_order(matching.old),
        changed=tuple(sorted(changed, key=lambda c: (c.after.start, c.after.room, c.after.id))),
        unchanged=_in_order(unchanged),
    )


class _Matching:
    """Pairs old and new sessions step by step; what a step left over, the next one tries."""

    def __init__(self, old: list[Session], new: list[Session]) -> None:
        self.old = old
        self.new = new
        self.pairs: list[tuple[Session, Session]] = []

    def by(self, keys: Callable[[Session], Sequence[Hashable]]) -> None:
        """Pair an old and a new session where a key names just these two."""
        old, new = _by_key(self.old, keys), _by_key(self.new, keys)
        taken_old: set[int] = set()
        taken_new: set[int] = set()
        for key in sorted(old.keys() & new.keys(), key=str):
            if len(old[key]) != 1 or len(new[key]) != 1:
                continue
            (before,), (after,) = old[key], new[key]
            if before in taken_old or after in taken_new:
                continue
            taken_old.add(before)
            taken_new.add(after)
            self.pairs.append((self.old[before], self.new[after]))
        self.old = [s for index, s in enumerate(self.old) if index not in taken_old]
        self.new = [s for index, s in enumerate(self.new) if index not in taken_new]


def _by_key(
    sessions: list[Session], keys: Callable[[Session], Sequence[Hashable]]
) -> dict[Hashable, list[int]]:
    found: dict[Hashable, list[int]] = defaultdict(list)
    for index, session in enumerate(sessions):
        for key in keys(session):
            found[key].append(index)
    return found


def _says_the_same(before: Session, after: Session) -> bool:
    return _said(before) == _said(after)


def _said(session: Session) -> tuple[object, ...]:
    """Give what a session says, the order of courses and names left aside."""
    return (
        session.room,
        session.start,
        session.end,
        frozenset(session.courses),
        session.headcount,
        frozenset(session.invigilators),
        session.campus,
        session.category,
    )


def _in_order(sessions: Iterable[Session]) -> tuple[Session, ...]:
    return tuple(sorted(sessions, key=lambda s: (s.start, s.room, s.id)))
