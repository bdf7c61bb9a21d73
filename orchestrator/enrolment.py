"""How boxes join and leave: one-time codes, pinned keys, a log-in at the broker."""

import logging
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509 import load_pem_x509_certificate
from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.clock import Clock
from contract.enrolment import BrokerLogin, Code, Enrol, Enrolled, check_request
from contract.keys import BadSignature, fingerprint, from_base64, seal, sign, to_base64
from contract.messages import Id
from orchestrator.events import Events
from orchestrator.keyring import Keyring
from orchestrator.ledger import Act, append
from orchestrator.logins import new_password, user_of
from orchestrator.store import Store
from orchestrator.store.tables import edges, invites

log = logging.getLogger(__name__)

VALID_FOR = timedelta(minutes=15)
MOST_FAILURES = 5


class EnrolRefused(Exception):
    """A box was not let in, or not named; `code` says why.

    Codes: `bad_code` (unknown, used, expired or wrong), `bad_request`, `bad_id`, `no_such`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Invitation:
    """A one-time code and when it ends."""

    code: Code
    expires_at: datetime

    def __str__(self) -> str:
        return str(self.code)


@dataclass(frozen=True, slots=True)
class EdgeRow:
    """A box as the store has it."""

    id: str
    url: str | None
    enrolled_at: datetime | None
    revoked_at: datetime | None
    revoked_why: str | None

    @property
    def is_trusted(self) -> bool:
        """True when it is enrolled and not revoked."""
        return self.enrolled_at is not None and self.revoked_at is None


class Logins(Protocol):
    """Who may log in at the broker."""

    async def add_edge(self, edge: str, password: str) -> None:
        """Let a box in."""
        ...

    async def remove_edge(self, edge: str) -> None:
        """Throw a box out."""
        ...


class LeftToTheCentre:
    """Changes nothing at the broker: the centre that runs follows the store."""

    async def add_edge(self, edge: str, password: str) -> None:
        """Leave it."""

    async def remove_edge(self, edge: str) -> None:
        """Leave it."""


@dataclass(frozen=True, slots=True)
class BrokerDoor:
    """Where boxes, and applications on phones, reach the broker."""

    host: str
    port: int
    certificate: str = ""
    named: bool = False

    @property
    def url(self) -> str:
        """Its address by TLS; empty where there is none."""
        return f"mqtts://{self.host}:{self.port}" if self.named or self.certificate else ""


class Enrolment:
    """Invites, enrols and revokes boxes."""

    def __init__(
        self,
        store: Store,
        keyring: Keyring,
        events: Events,
        clock: Clock,
        logins: Logins,
        door: BrokerDoor,
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._events = events
        self._clock = clock
        self._logins = logins
        self._door = door

    async def invite(self, edge: str, by: str, source: str = "") -> Invitation:
        """Make a code for a box, valid 15 min, once; an earlier one is worth nothing then."""
        try:
            msgspec.convert(edge, Id)
        except msgspec.ValidationError as error:
            raise EnrolRefused("bad_id", f"{edge!r} cannot be the id of a box") from error
        now = self._clock.now()
        secret = secrets.token_hex(16)
        async with self._store.write() as connection:
            await append(connection, Act(by, "invite_edge", edge, source=source), now)
            if (await _edge(connection, edge)) is None:
                await connection.execute(insert(edges).values(id=edge))
            await _close_invites(connection, edge, now)
            await connection.execute(
                insert(invites).values(
                    id=secrets.token_hex(8),
                    edge=edge,
                    secret=secret,
                    invited_by=by,
                    invited_at=now,
                    expires_at=now + VALID_FOR,
                )
            )
        centre = fingerprint(self._keyring.identity.public)[:32]
        return Invitation(Code(edge, secret, centre), now + VALID_FOR)

    async def enrol(self, request: Enrol, source: str = "") -> bytes:
        """Let a box in; gives the signed `Enrolled`. Raises EnrolRefused.

        Five tries with another secret end an invitation.
        """
        problem = _problem(request)
        now = self._clock.now()
        password = new_password()
        async with self._store.write() as connection:
            invite = await _open_invite(connection, request.edge, now)
            refusal = problem or await self._refusal(connection, invite, request, now)
            act = Act(f"edge:{request.edge}", "enrol_edge", request.edge, request.url, "ok", source)
            if refusal is None:
                await append(connection, act, now)
                await _close_invites(connection, request.edge, now)
                await connection.execute(
                    update(edges)
                    .where(edges.c.id == request.edge)
                    .values(**self._pinned(request, password, now))
                )
            else:
                # what a stranger sent is not written down, but that somebody tried is
                refused = replace(act, actor="unknown", reason="", result=refusal.code)
                await append(connection, refused, now)
        if refusal is not None:
            raise refusal
        await self._logins.add_edge(request.edge, password)
        self._events.publish("edge", request.edge, {"enrolled": True})
        log.info("box %s is enrolled, at %s", request.edge, request.url)
        return self._answer(request, password, now)

    async def revoke(self, edge: str, by: str, reason: str, source: str = "") -> None:
        """Refuse a box everywhere from now on; raises EnrolRefused when there is none."""
        now = self._clock.now()
        async with self._store.write() as connection:
            found = await _edge(connection, edge)
            if found is None:
                raise EnrolRefused("no_such", f"there is no box {edge}")
            await append(connection, Act(by, "revoke_edge", edge, reason, source=source), now)
            await _close_invites(connection, edge, now)
            if found.revoked_at is None:
                await connection.execute(
                    update(edges)
                    .where(edges.c.id == edge)
                    .values(revoked_at=now, revoked_why=reason, broker_sealed=None)
                )
        await self._logins.remove_edge(edge)
        self._events.publish("edge", edge, {"revoked": True})

    async def edges(self) -> list[EdgeRow]:
        """Give all boxes, by id."""
        async with self._store.read() as connection:
            rows = await connection.execute(select(*_SHOWN).order_by(edges.c.id))
            return [EdgeRow(*row) for row in rows]

    async def _refusal(
        self, connection: AsyncConnection, invite: Row[Any] | None, request: Enrol, now: datetime
    ) -> EnrolRefused | None:
        refused = EnrolRefused("bad_code", "the code is unknown, used up or too old")
        if invite is None:
            return refused
        try:
            check_request(request, invite.secret)
        except BadSignature:
            failures = invite.failures + 1
            ended = now if failures >= MOST_FAILURES else None
            await connection.execute(
                update(invites)
                .where(invites.c.id == invite.id)
                .values(failures=failures, used_at=ended)
            )
            return refused
        return None

    def _pinned(self, request: Enrol, password: str, now: datetime) -> dict[str, Any]:
        return {
            "sign_public": from_base64(request.sign_public),
            "seal_public": from_base64(request.seal_public),
            "certificate": request.certificate,
            "url": request.url,
            "broker_sealed": seal(self._keyring.seal.public, password.encode()),
            "enrolled_at": now,
            "revoked_at": None,
            "revoked_why": None,
        }

    def _answer(self, request: Enrol, password: str, now: datetime) -> bytes:
        login = BrokerLogin(
            host=self._door.host,
            port=self._door.port,
            user=user_of(request.edge),
            password=password,
            certificate=self._door.certificate,
            named=self._door.named,
        )
        ring = self._keyring
        answer = Enrolled(
            edge=request.edge,
            identity_public=to_base64(ring.identity.public),
            site_public=to_base64(ring.site_public),
            ticket_public=to_base64(ring.ticket.public),
            hold_public=to_base64(ring.hold.public),
            certificate=ring.certificate,
            broker=seal(from_base64(request.seal_public), msgspec.json.encode(login)),
            at=now,
        )
        return sign(ring.identity, answer)


async def passwords(store: Store, keyring: Keyring) -> dict[str, str]:
    """Give the broker passwords of the boxes that may log in there."""
    query = select(edges.c.id, edges.c.broker_sealed).where(
        edges.c.broker_sealed.is_not(None), edges.c.revoked_at.is_(None)
    )
    async with store.read() as connection:
        rows = (await connection.execute(query)).all()
    return {row.id: keyring.seal.open(row.broker_sealed).decode() for row in rows}


_SHOWN = (edges.c.id, edges.c.url, edges.c.enrolled_at, edges.c.revoked_at, edges.c.revoked_why)


def _problem(request: Enrol) -> EnrolRefused | None:
    """Say what makes a request unusable, however good its code is."""
    try:
        if len(from_base64(request.seal_public)) != 32:
            return EnrolRefused("bad_request", "seal_public is no X25519 key")
        key = load_pem_x509_certificate(request.certificate.encode()).public_key()
        if not isinstance(key, Ed25519PublicKey):
            return EnrolRefused("bad_request", "the certificate is not of an Ed25519 key")
        if key.public_bytes_raw() != from_base64(request.sign_public):
            return EnrolRefused("bad_request", "the certificate is of another key")
        parts = urlsplit(request.url)
        if parts.scheme != "https" or not parts.hostname or not parts.port or parts.path.strip("/"):
            return EnrolRefused("bad_request", "url must look like https://host:port")
    except (BadSignature, ValueError) as error:
        return EnrolRefused("bad_request", str(error))
    return None


async def _edge(connection: AsyncConnection, edge: str) -> Row[Any] | None:
    return (await connection.execute(select(edges).where(edges.c.id == edge))).first()


async def _open_invite(connection: AsyncConnection, edge: str, now: datetime) -> Row[Any] | None:
    query = select(invites).where(
        invites.c.edge == edge, invites.c.used_at.is_(None), invites.c.expires_at > now
    )
    return (await connection.execute(query.order_by(invites.c.invited_at.desc()))).first()


async def _close_invites(connection: AsyncConnection, edge: str, now: datetime) -> None:
    await connection.execute(
        update(invites)
        .where(invites.c.edge == edge, invites.c.used_at.is_(None))
        .values(used_at=now)
    )
