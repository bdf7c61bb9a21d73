"""Finding somebody who takes a case: who is asked, when again, and who next. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orchestrator.alerts.cases import Case, Change, Delivery, Step, with_delivery

AGAIN_AFTER = timedelta(seconds=10)
"""An undelivered alert is sent once more."""
MISSED_AFTER = timedelta(seconds=15)
"""Then it is shown as undelivered."""
NEXT_AFTER = timedelta(seconds=60)
"""An alert that nobody took goes to the next person."""


@dataclass(frozen=True, slots=True)
class OnDuty:
    """A phone and whose it is."""

    phone: str
    person: str
    is_present: bool = True
    """False for one that was issued and never spoke: it may not be there at all."""


def pursue(case: Case, roster: Sequence[OnDuty], now: datetime) -> Change:
    """Give what is due for a case, with those on duty in the order in which they are asked."""
    if case.kind == "nobody_reachable":  # for the console: there is no phone to send it to
        return Change(case)
    change = Change(case)
    if case.shelved_until is not None and case.shelved_until <= now:
        change = _unshelve(case)
    if not change.case.is_waiting:
        return change
    for delivery in change.case.deliveries:
        change = change.then(_remind(change.case, delivery, now))
    change = change.then(_send(change.case, _come_since(change.case, roster), now))
    asked = next_asked(change.case, roster)
    if _is_asked(change.case, now) and not _is_there_first(asked, change.case, roster):
        return change
    if asked:
        return change.then(_send(change.case, asked, now))
    return change.then(_ask_again(change.case, roster, now))


def is_stuck(case: Case, now: datetime) -> bool:
    """True when nobody is being asked any more, and nobody took it."""
    return case.kind != "nobody_reachable" and case.is_waiting and not _is_asked(case, now)


def next_asked(case: Case, roster: Sequence[OnDuty]) -> list[OnDuty]:
    """Give the phones of the first person on duty who was not asked yet; none when all were."""
    asked = {delivery.person for delivery in case.deliveries}
    persons = [one.person for one in roster if one.person not in asked]
    return [one for one in roster if persons and one.person == persons[0]]


def back(case: Case, phone: str, now: datetime) -> Change:
    """A phone is connected again: send what it did not confirm and its person did not decline."""
    delivery = case.to(phone)
    if delivery is None or not case.is_waiting:
        return Change(case)
    if delivery.delivered_at is not None or delivery.declined_at is not None:
        return Change(case)
    return _resend(case, delivery, now)


def _come_since(case: Case, roster: Sequence[OnDuty]) -> list[OnDuty]:
    """Give the phones with which a person who was asked, and did not decline, has come since."""
    asked = {one.person for one in case.deliveries}
    asked -= {one.person for one in case.deliveries if one.declined_at is not None}
    return [one for one in roster if one.person in asked and case.to(one.phone) is None]


def _is_there_first(asked: Sequence[OnDuty], case: Case, roster: Sequence[OnDuty]) -> bool:
    """True when somebody came who is there, and only phones that may not be there were asked."""
    silent = {one.phone for one in roster if not one.is_present}
    in_vain = all(one.delivered_at is None and one.phone in silent for one in case.deliveries)
    return in_vain and any(one.is_present for one in asked)


def _is_asked(case: Case, now: datetime) -> bool:
    """True while the minute of a person runs who did not decline; another phone adds none to it."""
    began: dict[str, datetime] = {}
    for one in case.deliveries:
        if one.declined_at is None:
            began[one.person] = min(one.sent_at, began.get(one.person, one.sent_at))
    return any(now - sent_at < NEXT_AFTER for sent_at in began.values())


def _unshelve(case: Case) -> Change:
    raised = replace(
        case, state="raised", shelved_until=None, round=case.round + 1, deliveries=(), reason=""
    )
    return Change(raised, (Step("unshelved"),))


def _remind(case: Case, delivery: Delivery, now: datetime) -> Change:
    change = Change(case)
    if delivery.delivered_at is not None or delivery.declined_at is not None:
        return change
    waited = now - delivery.sent_at
    if delivery.tries == 1 and waited >= AGAIN_AFTER:
        change = _resend(case, delivery, now)
    if delivery.missed_at is None and waited >= MISSED_AFTER:
        current = change.case.to(delivery.phone) or delivery
        missed = with_delivery(change.case, replace(current, missed_at=now))
        step = Step("undelivered", delivery.phone, delivery.person)
        change = change.then(Change(missed, (step,)))
    return change


def _send(case: Case, asked: Sequence[OnDuty], now: datetime) -> Change:
    change = Change(case)
    for one in asked:
        delivery = Delivery(phone=one.phone, person=one.person, sent_at=now, tried_at=now)
        sent = with_delivery(change.case, delivery)
        change = change.then(Change(sent, (Step("sent", one.phone, one.person),)))
    return change


def _resend(case: Case, delivery: Delivery, now: datetime) -> Change:
    tried = replace(delivery, tried_at=now, tries=delivery.tries + 1)
    step = Step("resent", delivery.phone, delivery.person)
    return Change(with_delivery(case, tried), (step,))


def _ask_again(case: Case, roster: Sequence[OnDuty], now: datetime) -> Change:
    """Everybody was asked in vain: remind, once a minute, those who are there."""
    there = {one.phone for one in roster}
    change = Change(case)
    for delivery in case.deliveries:
        is_due = now - delivery.tried_at >= NEXT_AFTER and delivery.declined_at is None
        if is_due and delivery.phone in there:
            change = change.then(_resend(change.case, delivery, now))
    return change
