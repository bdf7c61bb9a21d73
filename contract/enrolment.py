"""How a box joins: a one-time code, keys made on the box, and what each side pins."""

import hashlib
import hmac
import re
from dataclasses import dataclass

import msgspec

from contract.clock import Instant
from contract.keys import (
    BadSignature,
    SigningKey,
    canonical,
    fingerprint,
    from_base64,
    to_base64,
    verify,
)
from contract.messages import Id, Message

_PREFIX = "XK1"
_FORM = re.compile(r"XK1:([A-Za-z0-9][A-Za-z0-9_.-]{0,63}):([0-9a-f]{32}):([0-9a-f]{32})")


class BadCode(Exception):
    """An enrolment code is not of our form."""


@dataclass(frozen=True, slots=True)
class Code:
    """A one-time code: which box, a secret, and whom to believe."""

    edge: str
    secret: str
    """Hex, 16 bytes."""
    centre: str
    """The first 32 hex digits of the centre's key fingerprint."""

    def __str__(self) -> str:
        return f"{_PREFIX}:{self.edge}:{self.secret}:{self.centre}"

    @classmethod
    def parse(cls, text: str) -> "Code":
        """Read a code as a person pasted it; raises BadCode."""
        match = _FORM.fullmatch(text.strip())
        if match is None:
            raise BadCode("an enrolment code looks like XK1:box:…:…")
        return cls(match[1], match[2], match[3])


class Enrol(Message, frozen=True, kw_only=True):
    """A box asks to join. The secret itself never travels."""

    edge: Id
    sign_public: str
    """Base64, Ed25519."""
    seal_public: str
    """Base64, X25519."""
    certificate: str
    """PEM, self-signed with the box's Ed25519 key; the centre pins it."""
    url: str
    """Where the centre reaches the box, `https://host:port`."""
    mac: str = ""
    """Hex HMAC-SHA256 of the rest under the code's secret."""
    sig: str = ""
    """Base64 of the box's signature over the rest: it owns the key."""


class BrokerLogin(Message, frozen=True, kw_only=True):
    """How the box reaches the broker. Travels sealed to the box."""

    host: str
    port: int
    user: str
    password: str
    certificate: str = ""
    """PEM to pin for TLS; empty: plain TCP (one machine only)."""
    named: bool = False
    """TLS that checks the host's name, by the authorities of `certificate` or of the system."""


class Enrolled(Message, frozen=True, kw_only=True):
    """The centre's answer, signed with its identity key: what the box pins."""

    edge: Id
    identity_public: str
    """Base64, Ed25519: its fingerprint stands in the code."""
    site_public: str
    """Base64: the site's offline key, which alone may open a new epoch."""
    ticket_public: str
    """Base64: signs tickets and renewals."""
    hold_public: str
    """Base64: signs hold lists."""
    certificate: str
    """PEM of the centre's client certificate; the box pins it."""
    broker: str
    """A `BrokerLogin`, JSON, sealed."""
    at: Instant


def _rest(request: Enrol) -> bytes:
    return canonical(msgspec.structs.replace(request, mac="", sig=""))


def ask(code: Code, key: SigningKey, request: Enrol) -> Enrol:
    """Give the request with its MAC and signature filled in."""
    rest = _rest(request)
    mac = hmac.new(bytes.fromhex(code.secret), rest, hashlib.sha256).hexdigest()
    return msgspec.structs.replace(request, mac=mac, sig=to_base64(key.sign(rest)))


def check_request(request: Enrol, secret: str) -> None:
    """Return when the code's secret and the box's key made the request; else BadSignature."""
    rest = _rest(request)
    mac = hmac.new(bytes.fromhex(secret), rest, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(mac.encode(), request.mac.encode()):
        raise BadSignature("the code's secret does not fit")
    verify(from_base64(request.sign_public), from_base64(request.sig), rest)


def check_centre(answer: Enrolled, code: Code) -> bytes:
    """Give the centre's identity key when it is the one the code names; else BadSignature."""
    public = from_base64(answer.identity_public)
    if not hmac.compare_digest(fingerprint(public)[:32].encode(), code.centre.encode()):
        raise BadSignature("this is not the centre that made the code")
    return public
