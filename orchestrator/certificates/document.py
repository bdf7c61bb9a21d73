"""What a certificate says, field by field, and how it is signed."""

import hashlib
from typing import Literal

import msgspec

from contract.clock import Instant
from contract.keys import BadSignature, Signed, SigningKey, canonical, sign
from contract.messages import Message, Stream

FORMAT: Literal["xunkao-certificate/1"] = "xunkao-certificate/1"

Verdict = Literal["VERIFIED", "INCOMPLETE"]
ReasonCode = Literal["gap", "not_told", "differs", "chain_broken", "clock_untrusted", "no_camera"]


class Gap(Message, frozen=True, kw_only=True):
    """Planned seconds, more than one, that are not on disk."""

    start: Instant
    end: Instant
    us: int
    cause: str
    detail: str = ""


class Listed(Message, frozen=True, kw_only=True):
    """A segment by which seconds are proved."""

    id: str
    edge: str
    start: Instant
    end: Instant
    bytes: int
    root: str
    previous: str
    clock: Literal["trusted", "untrusted"]
    adopted: bool = False


class Copy(Message, frozen=True, kw_only=True):
    """Where these segments are kept."""

    where: Literal["box", "archive"]
    name: str
    """The box, or the archive."""
    segments: int
    at: Instant | None
    """When the last of them was there."""
    verified_at: Instant | None = None
    """When all of them were read back and found whole; empty: not yet."""


class Stated(Message, frozen=True, kw_only=True):
    """A box's signed word, and whether the catalogue agrees with it."""

    edge: str
    fact: str
    at: Instant
    kid: str
    """The box's key."""
    sha256: str
    """Of the signed fact as it came."""
    differs: tuple[str, ...] = ()
    """In what the catalogue says otherwise; empty: it agrees."""


class StreamPart(Message, frozen=True, kw_only=True):
    """One planned stream of a camera."""

    stream: Stream
    order: str
    planned_us: int
    recorded_us: int
    seams_us: int
    gaps: tuple[Gap, ...]
    segments: tuple[Listed, ...]
    chain_head: str
    """Root of the last segment; empty where there is none."""
    chain_broken: tuple[str, ...]
    """Segments that name a predecessor nobody knows."""
    untrusted: int
    """Segments recorded by a clock that was not trusted."""
    worst_offset_ms: float | None
    """The largest difference between the camera's clock and the box's."""
    copies: tuple[Copy, ...]
    statements: tuple[Stated, ...]


class CameraPart(Message, frozen=True, kw_only=True):
    """One camera of the room."""

    camera: str
    edge: str
    streams: tuple[StreamPart, ...]


class Sat(Message, frozen=True, kw_only=True):
    """A course that was examined."""

    code: str
    name: str


class Sitting(Message, frozen=True, kw_only=True):
    """The exam session."""

    id: str
    room: str
    room_name: str
    building: str
    campus: str
    start: Instant
    end: Instant
    window_start: Instant
    window_end: Instant
    courses: tuple[Sat, ...]
    headcount: int | None


class Reason(Message, frozen=True, kw_only=True, order=True):
    """Why a session is not verified."""

    code: ReasonCode
    camera: str = ""
    stream: str = ""


class Outside(Message, frozen=True, kw_only=True, order=True):
    """Something that was done outside every window, or by a clock nobody trusts."""

    kind: Literal["recording", "contact"]
    start: Instant
    end: Instant
    camera: str
    stream: str
    edge: str
    id: str = ""
    """The segment."""


class Unproved(Message, frozen=True, kw_only=True, order=True):
    """A span of which a box has told nothing yet, so that nothing is proved."""

    edge: str
    start: Instant
    end: Instant
    why: Literal["not_heard", "no_record"]


class Silence(Message, frozen=True, kw_only=True):
    """Whether anything was recorded, or any camera asked for pictures, outside windows."""

    start: Instant
    end: Instant
    silent: bool
    """True: proved that nothing was."""
    cameras: int
    segments: int
    """How many segments lie in the span, all of them looked at."""
    contacts: int
    """How many times a camera was asked for pictures."""
    lead_in_us: int
    """The longest piece before a window that a first picture needed."""
    exceptions: tuple[Outside, ...] = ()
    untrusted: tuple[Outside, ...] = ()
    """By a clock that was not trusted: listed apart, not judged."""
    unproved: tuple[Unproved, ...] = ()


class Content(Message, frozen=True, kw_only=True):
    """All of a certificate that depends on nothing but what was planned and told."""

    site: str
    timezone: str
    session: Sitting
    verdict: Verdict
    reasons: tuple[Reason, ...]
    planned_us: int
    recorded_us: int
    seams_us: int
    missing_us: int
    cameras: tuple[CameraPart, ...]
    silence: Silence
    """Of the room's cameras, in the 24 hours up to the window's end."""


class LedgerHead(Message, frozen=True, kw_only=True):
    """The newest row of the ledger: the one that records the issue."""

    id: int
    hash: str


class Certificate(Message, frozen=True, kw_only=True):
    """What the centre signs."""

    format: Literal["xunkao-certificate/1"]
    edition: int
    issued_at: Instant
    ledger: LedgerHead
    content: Content


class BoxWord(Message, frozen=True, kw_only=True):
    """A fact as a box sent it, and the key it is signed with."""

    fact: str
    """The signed fact, JSON, as it came."""
    public: str
    """Base64 of the box's Ed25519 key; its name stands in the signed certificate."""


class SignedCertificate(Message, frozen=True, kw_only=True):
    """A certificate with everything that is needed to check it."""

    certificate: Signed
    public: str
    """Base64 of the centre's key for certificates."""
    statements: tuple[BoxWord, ...]


def sha256_of(text: str) -> str:
    """Give the hex SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def content_sha256(content: Content) -> str:
    """Name what a certificate says: another one is another edition."""
    return hashlib.sha256(canonical(content)).hexdigest()


def signed(key: SigningKey, certificate: Certificate) -> Signed:
    """Sign a certificate."""
    return msgspec.json.decode(sign(key, certificate), type=Signed)


def read(body: str) -> Certificate:
    """Decode a certificate's body; raises BadSignature for what is none."""
    try:
        return msgspec.json.decode(body, type=Certificate)
    except msgspec.MsgspecError as error:
        raise BadSignature(f"not a certificate: {error}") from error
