"""People: their accounts and their log-ins."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.clock import Clock
from orchestrator.access import Role
from orchestrator.config import SignInConfig
from orchestrator.ledger import SYSTEM, Act, append
from orchestrator.passwords import Passwords
from orchestrator.people import (
    Account,
    AccountRefused,
    Device,
    Login,
    LoginRefused,
    Person,
    check_new,
    check_password,
    plain,
)
from orchestrator.store import Store
from orchestrator.store.tables import logins, user_roles, users
from orchestrator.strangers import Strangers

__all__ = ["Account", "AccountRefused", "Accounts", "Device", "Login", "LoginRefused", "Person"]

_SEEN_EVERY = timedelta(seconds=60)


class Accounts:
    """Makes accounts, logs people in and out, knows who a token is."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        rules: SignInConfig | None = None,
        passwords: Passwords | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._rules = rules or SignInConfig()
        self._passwords = passwords or Passwords()
        self._strangers = Strangers(self._rules)

    # ------------------------------------------------------------ log-ins

    async def log_in(
        self,
        user: str,
        password: str,
        device: Device = "console",
        source: str = "",
        otp: str | None = None,
    ) -> Login:
        """Begin a log-in; it ends the person's other one on that kind of device.

        Raises LoginRefused. Both outcomes stand in the ledger; so many wrong passwords lock the
        account for a while. `otp` is taken and not asked for yet.
        """
        asked = plain(user)
        async with self._store.read() as connection:
            known = (await connection.execute(_account(asked))).first()
        hashed = known.password_hash if known else None
        fits = await self._passwords.verify(hashed, password)
        now = self._clock.now()
        async with self._store.write() as connection:
            account = (await connection.execute(_account(asked))).first()
            fits = fits and account is not None and account.password_hash == hashed
            refusal = self._refusal(asked, account, fits, now)
            if refusal is None and account is not None:
                return await self._begin(connection, account, device, source, now)
            code = refusal.code if refusal else "bad_credentials"
            if code == "bad_credentials":
                await self._count_failure(connection, asked, account, now)
            # What was typed may be a password in the wrong field: only known names are written.
            who = account.user if account is not None else "unknown"
            await append(connection, Act(who, "log_in", device, "", code, source), now)
        raise refusal or LoginRefused(code)

    async def who(self, token: str) -> Person | None:
        """Give the person whose log-in this is, and note the visit; None when there is none."""
        return await self._holder(logins.c.token_sha256 == _digest(token), visits=True)

    async def holder(self, login: str) -> Person | None:
        """Give the person of a log-in by its id, while it lasts."""
        return await self._holder(logins.c.id == login, visits=False)

    async def log_out(self, token: str, source: str = "") -> None:
        """End the log-in; a token that is none changes nothing."""
        now = self._clock.now()
        async with self._store.write() as connection:
            open_ones = (logins.c.token_sha256 == _digest(token)) & logins.c.ended_at.is_(None)
            row = (
                await connection.execute(
                    select(users.c.user, logins.c.device).join_from(logins, users).where(open_ones)
                )
            ).first()
            if row is None:
                return
            await append(connection, Act(row.user, "log_out", row.device, source=source), now)
            await _end(connection, open_ones, "logged out", now)

    # ------------------------------------------------------------ accounts

    async def add_user(
        self,
        user: str,
        name: str,
        password: str,
        roles: Iterable[Role],
        by: str,
        source: str = "",
    ) -> Person:
        """Make an account; raises AccountRefused."""
        person = Person(secrets.token_hex(8), plain(user), name.strip(), frozenset(roles))
        check_new(person, password)
        hashed = await self._passwords.hash(password)
        now = self._clock.now()
        async with self._store.write() as connection:
            if (await connection.execute(_account(person.user))).first():
                raise AccountRefused("user_exists", f"there is a user {person.user} already")
            act = Act(by, "add_user", person.user, " ".join(sorted(person.roles)), source=source)
            await append(connection, act, now)
            await connection.execute(
                insert(users).values(
                    id=person.id,
                    user=person.user,
                    name=person.name,
                    password_hash=hashed,
                    created_at=now,
                )
            )
            await connection.execute(
                insert(user_roles), [{"user_id": person.id, "role": role} for role in person.roles]
            )
        return person

    async def set_password(self, user: str, password: str, by: str, source: str = "") -> None:
        """Give a new password, unlock the account and end its log-ins; raises AccountRefused."""
        check_password(password, plain(user))
        hashed = await self._passwords.hash(password)
        changes = {"password_hash": hashed, "failures": 0, "locked_until": None}
        await self._change(user, Act(by, "set_password", plain(user), source=source), changes)

    async def disable(self, user: str, by: str, reason: str, source: str = "") -> None:
        """End the account's log-ins and allow no more; raises AccountRefused."""
        changes = {"disabled_at": self._clock.now()}
        act = Act(by, "disable_user", plain(user), reason, source=source)
        await self._change(user, act, changes)

    async def accounts(self) -> list[Account]:
        """Give all accounts, by name."""
        async with self._store.read() as connection:
            rows = (await connection.execute(select(users).order_by(users.c.user))).all()
            roles = await _all_roles(connection)
        return [
            Account(
                row.id,
                row.user,
                row.name,
                roles.get(row.id, frozenset()),
                row.disabled_at is not None,
            )
            for row in rows
        ]

    # ------------------------------------------------------------ within

    def _refusal(
        self, asked: str, account: Row[Any] | None, fits: bool, now: datetime
    ) -> LoginRefused | None:
        locked_for = self._strangers.locked_for(asked, now)
        if account is not None and account.locked_until is not None:
            locked_for = account.locked_until - now
        if locked_for > timedelta():
            return LoginRefused("locked", locked_for)
        is_open = account is not None and account.disabled_at is None
        return None if fits and is_open else LoginRefused("bad_credentials")

    async def _begin(
        self,
        connection: AsyncConnection,
        account: Row[Any],
        device: Device,
        source: str,
        now: datetime,
    ) -> Login:
        token, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        login = secrets.token_hex(8)
        await append(connection, Act(account.user, "log_in", device, source=source), now)
        others = (logins.c.user_id == account.id) & (logins.c.device == device)
        await _end(connection, others & logins.c.ended_at.is_(None), "logged in elsewhere", now)
        await connection.execute(
            insert(logins).values(
                id=login,
                token_sha256=_digest(token),
                user_id=account.id,
                device=device,
                csrf=csrf,
                source=source,
                began_at=now,
                seen_at=now,
            )
        )
        await connection.execute(
            update(users).where(users.c.id == account.id).values(failures=0, locked_until=None)
        )
        roles = await _roles(connection, account.id)
        return Login(
            token, Person(account.id, account.user, account.name, roles, login, csrf), csrf
        )

    async def _count_failure(
        self, connection: AsyncConnection, asked: str, account: Row[Any] | None, now: datetime
    ) -> None:
        if account is None:
            self._strangers.fail(asked, now)
            return
        failures, locked_until = account.failures + 1, None
        if failures >= self._rules.most_failures:
            failures, locked_until = 0, now + timedelta(minutes=self._rules.lock_minutes)
            await append(connection, Act(SYSTEM, "lock_user", account.user), now)
        await connection.execute(
            update(users)
            .where(users.c.id == account.id)
            .values(failures=failures, locked_until=locked_until)
        )

    async def _holder(self, which: Any, *, visits: bool) -> Person | None:
        now = self._clock.now()
        oldest = now - timedelta(minutes=self._rules.idle_minutes)
        async with self._store.read() as connection:
            row = (
                await connection.execute(
                    select(logins, users.c.user, users.c.name)
                    .join_from(logins, users)
                    .where(which, logins.c.ended_at.is_(None), users.c.disabled_at.is_(None))
                )
            ).first()
            if row is None:
                return None
            roles = await _roles(connection, row.user_id)
        if row.seen_at < oldest:
            await self._note(logins.c.id == row.id, ended_at=now, ended_why="idle")
            return None
        if visits and now - row.seen_at >= _SEEN_EVERY:
            await self._note(logins.c.id == row.id, seen_at=now)
        return Person(row.user_id, row.user, row.name, roles, row.id, row.csrf)

    async def _note(self, which: Any, **values: Any) -> None:
        async with self._store.write() as connection:
            await connection.execute(
                update(logins).where(which, logins.c.ended_at.is_(None)).values(**values)
            )

    async def _change(self, user: str, act: Act, changes: dict[str, Any]) -> None:
        now = self._clock.now()
        async with self._store.write() as connection:
            account = (await connection.execute(_account(plain(user)))).first()
            if account is None:
                raise AccountRefused("no_such_user", f"there is no user {user}")
            await append(connection, act, now)
            await connection.execute(
                update(users).where(users.c.id == account.id).values(**changes)
            )
            mine = (logins.c.user_id == account.id) & logins.c.ended_at.is_(None)
            await _end(connection, mine, act.action, now)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _account(user: str) -> Select[Any]:
    return select(users).where(users.c.user == user)


async def _end(connection: AsyncConnection, which: Any, why: str, now: datetime) -> None:
    await connection.execute(update(logins).where(which).values(ended_at=now, ended_why=why))


async def _roles(connection: AsyncConnection, user_id: str) -> frozenset[Role]:
    found = select(user_roles.c.role).where(user_roles.c.user_id == user_id)
    return frozenset(Role(role) for role in await connection.scalars(found))


async def _all_roles(connection: AsyncConnection) -> dict[str, frozenset[Role]]:
    held: dict[str, frozenset[Role]] = {}
    for row in await connection.execute(select(user_roles)):
        held[row.user_id] = held.get(row.user_id, frozenset()) | {Role(row.role)}
    return held
