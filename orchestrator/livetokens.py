"""Bearers for players that have no cookie: one camera, one minute to begin, one log-in."""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime

from contract.clock import Clock, Instant
from contract.keys import BadSignature, SigningKey, open_signed, sign
from contract.messages import Id, Message
from contract.ticket import START_WITHIN
from orchestrator.accounts import Person

_KIND = "live token"


class LiveClaim(Message, frozen=True, kw_only=True):
    """What a live token says. The person and the roles are those of the log-in, asked each time."""

    kind: str
    login: str
    camera: Id
    start_by: Instant


@dataclass(frozen=True, slots=True)
class LiveToken:
    """A token and until when it begins a look."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenHolder(Person):
    """A person who came with a live token instead of a log-in's cookie."""

    camera: str
    start_by: datetime

    @classmethod
    def of(cls, person: Person, claim: LiveClaim) -> "TokenHolder":
        """Bind a person to what the token says."""
        return cls(
            person.id,
            person.user,
            person.name,
            person.roles,
            person.login,
            camera=claim.camera,
            start_by=claim.start_by,
        )


class LiveTokens:
    """Makes and reads live tokens."""

    def __init__(self, key: SigningKey, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def issue(self, login: str, camera: str) -> LiveToken:
        """Make a token."""
        start_by = self._clock.now() + START_WITHIN
        claim = LiveClaim(kind=_KIND, login=login, camera=camera, start_by=start_by)
        return LiveToken(base64.urlsafe_b64encode(sign(self._key, claim)).decode(), start_by)

    def read(self, token: str) -> LiveClaim | None:
        """Give what a token of ours says, in time or not; None for any other text."""
        try:
            raw = base64.urlsafe_b64decode(token.encode())
            claim = open_signed(raw, {self._key.kid: self._key.public}, LiveClaim)
        except (BadSignature, binascii.Error, ValueError):
            return None
        return claim if claim.kind == _KIND else None
