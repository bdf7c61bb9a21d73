"""Cases: what becomes of an alert, from raising to solving. Pure: values in, values out."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal

from contract.duty import AlertState, Priority
from orchestrator.alerts.classes import CLASSES, Kind

Key = tuple[Kind, str]
"""Class and subject: there is one open case for each."""

RETURNED = "condition ended"
"""Why a case that nobody took was solved."""

SWALLOWED: Mapping[Kind, tuple[Kind, ...]] = MappingProxyType(
    {
        "camera_down": ("box_lost",),
        "switch_down": ("box_lost",),
        "recording_stopped": ("box_lost", "disk_full", "write_failed", "wrong_volume"),
    }
)
"""What is explained by which trouble of its box."""


_NAMED: Mapping[Kind, str] = MappingProxyType(
    {"disk_full": "full disk", "write_failed": "failing disk", "wrong_volume": "wrong disk"}
)

StepKind = Literal[
    "raised",
    "repeated",
    "returned",
    "sent",
    "resent",
    "undelivered",
    "delivered",
    "read",
    "declined",
    "taken",
    "solved",
    "shelved",
    "unshelved",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Something that is wrong now, or was for a moment."""

    kind: Kind
    subject: str
    first_at: datetime
    edge: str | None = None
    room: str | None = None
    camera: str | None = None
    session: str | None = None
    cameras: int = 1
    """How many cameras it concerns."""
    score: float | None = None
    model: str = ""
    occurrence: str = ""
    """The box's word it comes from, while it is not counted yet."""
    over: bool = False
    """It has ended already."""
    part_of: Key | None = None
    """The trouble that explains this one."""

    @property
    def key(self) -> Key:
        """Whose case it is."""
        return self.kind, self.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How a case fares with one phone."""

    phone: str
    person: str
    sent_at: datetime
    tried_at: datetime
    tries: int = 1
    missed_at: datetime | None = None
    delivered_at: datetime | None = None
    read_at: datetime | None = None
    declined_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One problem and who deals with it."""

    id: str
    kind: Kind
    subject: str
    state: AlertState
    active: bool
    room: str | None
    camera: str | None
    edge: str | None
    session: str | None
    raised_at: datetime
    first_at: datetime
    count: int = 1
    cameras: int = 1
    score: float | None = None
    model: str = ""
    taken_by: str | None = None
    taken_at: datetime | None = None
    solved_by: str | None = None
    solved_at: datetime | None = None
    reason: str = ""
    shelved_until: datetime | None = None
    round: int = 1
    deliveries: tuple[Delivery, ...] = ()
    """Of this round."""

    @property
    def key(self) -> Key:
        """What makes it the same problem when it comes again."""
        return self.kind, self.subject

    @property
    def priority(self) -> Priority:
        """How much it matters."""
        return CLASSES[self.kind].priority

    @property
    def is_open(self) -> bool:
        """True until it is solved."""
        return self.state != "solved"

    @property
    def is_waiting(self) -> bool:
        """True while somebody must be found who takes it."""
        return self.state in ("raised", "delivered")

    def to(self, phone: str) -> Delivery | None:
        """Give how it fares with a phone."""
        return next((one for one in self.deliveries if one.phone == phone), None)


@dataclass(frozen=True, slots=True)
class Step:
    """What happened to a case."""

    kind: StepKind
    phone: str = ""
    person: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A case as it is now, and the steps that made it so."""

    case: Case
    steps: tuple[Step, ...] = ()
    occurrences: tuple[str, ...] = ()
    """Words of boxes that are counted with this."""

    def then(self, further: "Change") -> "Change":
        """Add a further change of the same case."""
        return Change(
            further.case, self.steps + further.steps, self.occurrences + further.occurrences
        )


# ------------------------------------------------------------ conditions


def reconcile(
    cases: Iterable[Case],
    conditions: Sequence[Condition],
    undecided: Iterable[Key],
    now: datetime,
    new_id: Callable[[], str],
    quiet: Mapping[Key, datetime] = MappingProxyType({}),
) -> list[Change]:
    """Give what the conditions, which are all there are, change in the open cases.

    What is `undecided` neither begins nor ends. A lost box or switch and a full disk swallow what
    they explain.
    What a person solved is `quiet` until then, unless it begins anew.
    """
    by_key: dict[Key, list[Condition]] = {}
    for condition in conditions:
        by_key.setdefault(condition.key, []).append(condition)
    open_cases = {case.key: case for case in cases if case.is_open}
    unsure = set(undecided)
    causes = by_key.keys() | (open_cases.keys() & unsure)
    swallowed: dict[Key, tuple[str, ...]] = {}
    changes: list[Change] = []
    for key, case in open_cases.items():
        found = by_key.pop(key, [])
        cause = _cause(case.kind, case.edge, found, causes)
        if cause is not None and case.is_waiting:
            swallowed[cause] = swallowed.get(cause, ()) + _occurrences(found)
            changes.append(_end(case, now, _part_of(cause)))
        elif found:
            changes += _met(case, found, now)
        elif case.active and key not in unsure:
            changes.append(_returned(case, now))
    for (kind, subject), found in by_key.items():
        cause = _cause(kind, found[0].edge, found, causes)
        if cause is not None:
            swallowed[cause] = swallowed.get(cause, ()) + _occurrences(found)
            continue
        if now < quiet.get((kind, subject), now) and not _occurrences(found):
            continue
        changes.append(_raised(found, now, new_id()))
    return _counted(changes, open_cases, swallowed)


def _cause(
    kind: Kind, edge: str | None, found: Iterable[Condition], causes: Collection[Key]
) -> Key | None:
    """Give what explains a trouble, of all that is wrong."""
    of_box: list[Key] = [(cause, edge or "") for cause in SWALLOWED.get(kind, ())]
    for key in of_box:
        if key in causes:
            return key
    return next((one.part_of for one in found if one.part_of in causes), None)


def _part_of(cause: Key) -> str:
    kind, subject = cause
    return f"part of the {_NAMED.get(kind, 'loss')} of {subject}"


def _counted(
    changes: list[Change], open_cases: Mapping[Key, Case], swallowed: Mapping[Key, tuple[str, ...]]
) -> list[Change]:
    """Count what boxes said of the swallowed under what swallowed it; else it came up later."""
    by_key = {change.case.key: change for change in changes}
    for key, words in swallowed.items():
        change = by_key.get(key) or (Change(open_cases[key]) if key in open_cases else None)
        if change is not None and words:
            by_key[key] = Change(change.case, change.steps, change.occurrences + words)
    return list(by_key.values())


def _raised(found: Sequence[Condition], now: datetime, id: str) -> Change:
    first = found[0]
    case = Case(
        id=id,
        kind=first.kind,
        subject=first.subject,
        state="raised",
        active=True,
        room=first.room,
        camera=first.camera,
        edge=first.edge,
        session=first.session,
        raised_at=now,
        first_at=min(one.first_at for one in found),
        count=len([one for one in found if one.occurrence]) or 1,
        cameras=first.cameras,
        score=first.score,
        model=first.model,
    )
    change = Change(case, (Step("raised"),), _occurrences(found))
    if all(one.over for one in found):
        return change.then(_returned(case, now))
    return change


def _met(case: Case, found: Sequence[Condition], now: datetime) -> list[Change]:
    fresh = _occurrences(found)
    again = len(fresh) or int(not case.active)
    over = all(one.over for one in found)
    cameras = max(one.cameras for one in found)
    after = replace(case, active=True, count=case.count + again, cameras=cameras)
    if after == case and not over:
        return []
    change = Change(after, (Step("repeated"),) if again else (), fresh)
    return [change.then(_returned(after, now)) if over else change]


def _returned(case: Case, now: datetime) -> Change:
    """The condition is gone: a taken case stays with whoever took it, any other is solved."""
    if case.state == "taken":
        return Change(replace(case, active=False), (Step("returned"),))
    return _end(case, now, RETURNED)


def _end(case: Case, now: datetime, reason: str) -> Change:
    solved = replace(
        case, state="solved", active=False, solved_at=now, reason=reason, shelved_until=None
    )
    return Change(solved, (Step("solved", detail=reason),))


def _occurrences(found: Iterable[Condition]) -> tuple[str, ...]:
    return tuple(one.occurrence for one in found if one.occurrence)


def quiet_until(case: Case) -> datetime | None:
    """Give how long a case that a person solved is not raised again while nothing changes."""
    if case.solved_at is None or case.solved_by is None:
        return None
    return case.solved_at + CLASSES[case.kind].act_within


# ------------------------------------------------------------ what people do


class CaseRefused(Exception):
    """A person's act does not fit the case; `code` is `taken` or `solved`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def take(case: Case, person: str, now: datetime, phone: str = "") -> Change:
    """Let a person deal with it. The first one has it; raises CaseRefused for another."""
    if not case.is_open:
        raise CaseRefused("solved")
    if case.state == "taken":
        if case.taken_by != person:
            raise CaseRefused("taken")
        return Change(case)
    taken = replace(case, state="taken", taken_by=person, taken_at=now, shelved_until=None)
    return Change(taken, (Step("taken", phone, person),))


def solve(case: Case, person: str, reason: str, now: datetime, phone: str = "") -> Change:
    """Close it. Again by the same person changes nothing; raises CaseRefused for another."""
    if not case.is_open:
        if case.solved_by != person:
            raise CaseRefused("solved")
        return Change(case)
    solved = replace(
        case,
        state="solved",
        active=False,
        solved_by=person,
        solved_at=now,
        reason=reason,
        shelved_until=None,
    )
    return Change(solved, (Step("solved", phone, person, reason),))


def shelve(case: Case, person: str, length: timedelta, reason: str, now: datetime) -> Change:
    """Put it aside for a while; raises CaseRefused for a solved one."""
    if not case.is_open:
        raise CaseRefused("solved")
    until = now + length
    shelved = replace(
        case, state="shelved", shelved_until=until, reason=reason, taken_by=None, taken_at=None
    )
    return Change(shelved, (Step("shelved", "", person, reason),))


def decline(case: Case, person: str, now: datetime, phone: str = "") -> Change:
    """Note that a person does not go: none of their phones is asked further. It counts once."""
    mine = [one for one in case.deliveries if one.person == person and one.declined_at is None]
    if not case.is_waiting or not mine:
        return Change(case)
    declined = case
    for delivery in mine:
        declined = with_delivery(declined, replace(delivery, declined_at=now))
    return Change(declined, (Step("declined", phone, person),))


def receipt(case: Case, phone: str, state: Literal["delivered", "read"], now: datetime) -> Change:
    """Note that a phone has it, or that it was read there; each counts once, in any order."""
    delivery = case.to(phone)
    if delivery is None or not case.is_open:
        return Change(case)
    reached = replace(delivery, delivered_at=delivery.delivered_at or now)
    steps = [Step("delivered", phone, delivery.person)] if delivery.delivered_at is None else []
    if state == "read" and delivery.read_at is None:
        reached = replace(reached, read_at=now)
        steps.append(Step("read", phone, delivery.person))
    state_now = "delivered" if case.state == "raised" else case.state
    return Change(with_delivery(replace(case, state=state_now), reached), tuple(steps))


def with_delivery(case: Case, delivery: Delivery) -> Case:
    """Give the case with this delivery in the place of the phone's former one, or added."""
    if case.to(delivery.phone) is None:
        return replace(case, deliveries=(*case.deliveries, delivery))
    renewed = tuple(delivery if one.phone == delivery.phone else one for one in case.deliveries)
    return replace(case, deliveries=renewed)
