"""Duty phones: a log-in at the broker for one device, as long as its person is logged in here."""

import logging
import secrets
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import insert, or_, select, update

from contract import topics
from contract.bus import Bus, BusDown
from contract.clock import Clock
from contract.keys import SealKey, seal
from contract.retry import keep
from orchestrator import logins
from orchestrator.accounts import Person
from orchestrator.ledger import SYSTEM, Act, append
from orchestrator.logins import Guest, new_password, user_of_phone
from orchestrator.store import Store, StoreAway
from orchestrator.store.tables import duty, phones, users
from orchestrator.store.tables import logins as log_ins

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class PhoneLogin:
    """A duty phone's log-in; the password is given once."""

    phone: str
    user: str
    password: str = field(repr=False)


class PhoneBook(Protocol):
    """Which phones may log in at the broker."""

    async def add_phone(self, phone: str, password: str) -> None:
        """Let a phone in."""
        ...

    async def remove_phone(self, phone: str) -> None:
        """Throw a phone out."""
        ...


class Phones:
    """Makes and ends the log-ins of duty phones. `run` ends those whose person left."""

    def __init__(
        self, store: Store, book: PhoneBook, bus: Bus, seal_key: SealKey, clock: Clock
    ) -> None:
        self._store = store
        self._book = book
        self._bus = bus
        self._seal_key = seal_key
        self._clock = clock

    async def make(self, person: Person, post: str = "", source: str = "") -> PhoneLogin:
        """Make the device of this log-in a duty phone; asked again, it gets a new password."""
        return await self._make(person.id, person.user, person.login, post, source)

    async def issue(self, person: Person, post: str = "", by: str = SYSTEM) -> PhoneLogin:
        """Give a person a log-in for an MQTT application, good until it is revoked."""
        return await self._make(person.id, by, None, post, "")

    async def _make(
        self, person: str, by: str, login: str | None, post: str, source: str
    ) -> PhoneLogin:
        password = new_password()
        sealed = seal(self._seal_key.public, password.encode())
        now = self._clock.now()
        mine = (phones.c.login == login) & phones.c.ended_at.is_(None)
        async with self._store.write() as connection:
            known = None
            if login is not None:
                known = (await connection.scalars(select(phones.c.id).where(mine))).first()
            phone = known or f"p{secrets.token_hex(5)}"
            await append(connection, Act(by, "make_phone", phone, post, source=source), now)
            if known:
                await connection.execute(
                    update(phones).where(phones.c.id == phone).values(post=post, sealed=sealed)
                )
            else:
                await connection.execute(
                    insert(phones).values(
                        id=phone,
                        user_id=person,
                        login=login,
                        post=post,
                        sealed=sealed,
                        made_at=now,
                    )
                )
        await self._book.add_phone(phone, password)
        return PhoneLogin(phone, user_of_phone(phone), password)

    async def end_of(self, login: str) -> None:
        """End the phone of a log-in that ended."""
        mine = phones.c.ended_at.is_(None) & (phones.c.login == login)
        async with self._store.read() as connection:
            ended = list(await connection.scalars(select(phones.c.id).where(mine)))
        for phone in ended:
            await self._end(phone)

    async def sweep(self) -> None:
        """End every phone whose log-in ended, or whose person's account was disabled."""
        over = (
            select(phones.c.id)
            .join(users, users.c.id == phones.c.user_id)
            .outerjoin(log_ins, log_ins.c.id == phones.c.login)
            .where(
                phones.c.ended_at.is_(None),
                or_(log_ins.c.ended_at.is_not(None), users.c.disabled_at.is_not(None)),
            )
        )
        async with self._store.read() as connection:
            ended = list(await connection.scalars(over))
        for phone in ended:
            await self._end(phone)

    async def run(self) -> None:
        """Sweep every two seconds, until cancelled."""

        async def forever() -> None:
            while True:
                await self.sweep()
                await self._clock.sleep(_LOOK_EVERY_S)

        await keep("phones", forever, on=(StoreAway,), clock=self._clock, log=log)

    async def _end(self, phone: str) -> None:
        """Cut it off first: what it says afterwards nobody hears."""
        await self._book.remove_phone(phone)
        now = self._clock.now()
        async with self._store.write() as connection:
            mine = (phones.c.id == phone) & phones.c.ended_at.is_(None)
            await connection.execute(update(phones).where(mine).values(ended_at=now))
            there = (duty.c.phone == phone) & duty.c.ended_at.is_(None)
            await connection.execute(update(duty).where(there).values(ended_at=now))
        try:
            await self._bus.publish(topics.duty_presence(phone), b"", retain=True)
        except BusDown:
            return  # the broker forgets it, or keeps a word that nobody reads


async def phone_guests(store: Store, seal_key: SealKey) -> list[Guest]:
    """Give the log-ins of the phones that are not ended, for a broker that starts."""
    query = select(phones.c.id, phones.c.sealed).where(phones.c.ended_at.is_(None))
    async with store.read() as connection:
        rows = (await connection.execute(query)).all()
    return [logins.phone(row.id, seal_key.open(row.sealed).decode()) for row in rows]
