"""An alert as people see it: with names instead of ids."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.duty import AlertState, Priority
from orchestrator.alerts.cases import Case, Delivery
from orchestrator.alerts.classes import CLASSES, Kind
from orchestrator.alerts.words import said
from orchestrator.store.tables import rooms, users

DeliveryState = Literal["sent", "undelivered", "delivered", "read", "taken", "declined"]


@dataclass(frozen=True, slots=True)
class Names:
    """What rooms and people are called, by id."""

    rooms: Mapping[str, str]
    users: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """How an alert fared with a phone."""

    phone: str
    person: str
    state: DeliveryState
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    """An alert with everything a page shows."""

    id: str
    kind: Kind
    priority: Priority
    state: AlertState
    active: bool
    room: str | None
    room_name: str | None
    camera: str | None
    edge: str | None
    switch: str | None
    """Where it is a switch that is down."""
    session: str | None
    raised_at: datetime
    first_at: datetime
    count: int
    cameras: int
    """How many cameras it concerns; of a flood and of nobody reachable, how many alerts."""
    score: float | None
    model: str
    text_zh: str
    text_en: str
    do_zh: str
    do_en: str
    act_within_s: int
    taken_by: str | None
    taken_at: datetime | None
    solved_by: str | None
    solved_at: datetime | None
    reason: str
    shelved_until: datetime | None
    delivery: tuple[DeliveryView, ...]

    def as_event(self) -> dict[str, Any]:
        """Give it as it stands in an event: the same words as over HTTP."""
        shown = asdict(self)
        return {"class": shown.pop("kind"), **shown}


async def read_names(connection: AsyncConnection) -> Names:
    """Read what rooms and people are called."""
    called = {
        row.id: row.name for row in await connection.execute(select(rooms.c.id, rooms.c.name))
    }
    people = {
        row.id: row.name for row in await connection.execute(select(users.c.id, users.c.name))
    }
    return Names(called, people)


def view(case: Case, names: Names) -> AlertView:
    """Give a case as people see it."""
    kind = CLASSES[case.kind]
    room_name = names.rooms.get(case.room or "")
    words = said(case, room_name)
    alike = {field.name for field in fields(Case)} & {field.name for field in fields(AlertView)}
    alike -= {"taken_by", "solved_by"}
    return AlertView(
        **{name: getattr(case, name) for name in alike},
        switch=case.subject if case.kind == "switch_down" else None,
        priority=case.priority,
        room_name=room_name,
        text_zh=words.zh,
        text_en=words.en,
        do_zh=kind.action.zh,
        do_en=kind.action.en,
        act_within_s=int(kind.act_within.total_seconds()),
        taken_by=names.users.get(case.taken_by or ""),
        solved_by=names.users.get(case.solved_by or ""),
        delivery=tuple(_delivery(one, case, names) for one in case.deliveries),
    )


def _delivery(delivery: Delivery, case: Case, names: Names) -> DeliveryView:
    state, at = _fared(delivery, case)
    return DeliveryView(delivery.phone, names.users.get(delivery.person, ""), state, at)


def _fared(delivery: Delivery, case: Case) -> tuple[DeliveryState, datetime]:
    if case.taken_at is not None and case.taken_by == delivery.person:
        return "taken", case.taken_at
    if delivery.declined_at is not None:
        return "declined", delivery.declined_at
    if delivery.read_at is not None:
        return "read", delivery.read_at
    if delivery.delivered_at is not None:
        return "delivered", delivery.delivered_at
    if delivery.missed_at is not None:
        return "undelivered", delivery.missed_at
    return "sent", delivery.sent_at
