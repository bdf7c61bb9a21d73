"""Who is on duty: the phones that are connected, and whose they are."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.clock import Clock
from contract.duty import Presence
from orchestrator.access import Action, Role, may
from orchestrator.alerts.escalation import OnDuty
from orchestrator.events import Events
from orchestrator.store import Store
from orchestrator.store.tables import duty, phones, user_roles, users

CONFIRM_WITHIN = timedelta(seconds=40)
"""After a break of ours a phone that is there says so by then: two keep-alives."""


@dataclass(frozen=True, slots=True)
class Phone:
    """A duty phone as people see it."""

    phone: str
    post: str
    person: str
    """Whose it is, a user's id."""
    name: str
    user: str
    present: bool
    since: datetime | None


class Duty:
    """Keeps who is present."""

    def __init__(self, store: Store, events: Events, clock: Clock) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self._unconfirmed: set[str] = set()
        self._confirm_by: datetime | None = None

    async def hear(self, phone: str, payload: bytes) -> bool:
        """Note what a phone, or its last will, says; True when it has come, perhaps again."""
        present = _is_online(payload)
        if present is None:
            return False
        self._unconfirmed.discard(phone)
        await self._note(phone, present)
        return present

    async def doubt(self) -> None:
        """Our connection broke: whoever is there must say so again, for wills may be lost."""
        self._unconfirmed = {one.phone for one in await self.phones() if one.present}
        self._confirm_by = self._clock.now() + CONFIRM_WITHIN

    async def expire(self) -> None:
        """Note as gone who did not confirm in time."""
        if self._confirm_by is None or self._clock.now() < self._confirm_by:
            return
        self._confirm_by = None
        for phone in self._unconfirmed:
            await self._note(phone, False)
        self._unconfirmed.clear()

    async def phones(self) -> list[Phone]:
        """Give the duty phones in order of signing in."""
        async with self._store.read() as connection:
            return await _phones(connection)

    async def _note(self, phone: str, present: bool) -> None:
        """Keep a change; what an unknown phone says is passed over."""
        now = self._clock.now()
        there = (duty.c.phone == phone) & duty.c.ended_at.is_(None)
        async with self._store.write() as connection:
            known = select(phones.c.id).where(phones.c.id == phone, phones.c.ended_at.is_(None))
            if (await connection.scalars(known)).first() is None:
                return
            is_there = (await connection.execute(select(duty).where(there))).first() is not None
            never = (
                await connection.scalar(select(func.count()).where(duty.c.phone == phone))
            ) == 0
            if is_there == present and not never:
                return
            if present:
                again = (duty.c.phone == phone) & (duty.c.began_at == now)
                done = await connection.execute(update(duty).where(again).values(ended_at=None))
                if not done.rowcount:
                    await connection.execute(insert(duty).values(phone=phone, began_at=now))
            elif is_there:
                await connection.execute(update(duty).where(there).values(ended_at=now))
            else:  # its first word is that it is gone
                await connection.execute(
                    insert(duty).values(phone=phone, began_at=now, ended_at=now)
                )
        self._events.publish("duty", phone, {"present": present}, now)


async def roster(connection: AsyncConnection) -> list[OnDuty]:
    """Give who may be asked: the connected phones in order of signing in.

    After them come those that were issued and never spoke: not every application tells presence.
    """
    held = await _roles(connection)
    found = [
        one
        for one in await _phones(connection)
        if may(held.get(one.person, frozenset()), Action.handle_alerts)
    ]
    issued = set(await connection.scalars(select(phones.c.id).where(phones.c.login.is_(None))))
    silent = [one for one in found if one.since is None and one.phone in issued]
    present = [OnDuty(one.phone, one.person) for one in found if one.present]
    return present + [OnDuty(one.phone, one.person, is_present=False) for one in silent]


async def _phones(connection: AsyncConnection) -> list[Phone]:
    newest = (
        select(duty.c.phone, func.max(duty.c.began_at).label("began_at"))
        .group_by(duty.c.phone)
        .subquery()
    )
    same = (duty.c.phone == newest.c.phone) & (duty.c.began_at == newest.c.began_at)
    query = (
        select(
            phones.c.id,
            phones.c.post,
            phones.c.user_id,
            users.c.name,
            users.c.user,
            duty.c.began_at,
            duty.c.ended_at,
        )
        .join(users, users.c.id == phones.c.user_id)
        .outerjoin(newest, newest.c.phone == phones.c.id)
        .outerjoin(duty, same)
        .where(phones.c.ended_at.is_(None), users.c.disabled_at.is_(None))
        .order_by(phones.c.made_at, phones.c.id)
    )
    return [
        Phone(
            row.id,
            row.post,
            row.user_id,
            row.name,
            row.user,
            row.began_at is not None and row.ended_at is None,
            row.ended_at or row.began_at,
        )
        for row in await connection.execute(query)
    ]


async def _roles(connection: AsyncConnection) -> dict[str, frozenset[Role]]:
    held: dict[str, frozenset[Role]] = {}
    for row in await connection.execute(select(user_roles)):
        held[row.user_id] = held.get(row.user_id, frozenset()) | {Role(row.role)}
    return held


def _is_online(payload: bytes) -> bool | None:
    """Read a presence, in JSON or as a bare word; None for anything else, also for nothing."""
    if payload in (b"online", b"offline"):
        return payload == b"online"
    try:
        return msgspec.json.decode(payload, type=Presence).state == "online"
    except msgspec.MsgspecError:
        return None
