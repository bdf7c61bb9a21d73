"""The messages between centre and box: desired state down, facts up."""

import base64
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from contract.clock import Instant
from contract.keys import Signed, SigningKey, canonical, verify

Stream = Literal["main", "sub"]
# `$` alone would let a final line feed pass
Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}(?![\s\S])")]
"""An ASCII id that may stand in a topic, a URL and a file name."""


RetainDays = Annotated[int, Meta(ge=30, le=36500)]
"""Days that footage is kept: thirty is the floor, whatever anybody asks for."""


class Message(Struct, frozen=True, kw_only=True):
    """A message at a border. New optional fields are safe; a renamed one is a new message."""


# ---------------------------------------------------------------- down: the desired state


class Source(Message, frozen=True, kw_only=True):
    """Where a camera is and how to log in to it. Travels sealed to the box's key."""

    main: str
    """RTSP URL of the main stream, without credentials."""
    sub: str
    """RTSP URL of the sub-stream, without credentials; empty: the camera has none."""
    user: str = ""
    password: str = ""


class Camera(Message, frozen=True, kw_only=True):
    """A camera this box looks after."""

    id: Id
    room: Id
    switch: str = ""
    """The switch it hangs on; reconnects are limited per switch. Empty: unknown."""
    sealed: str
    """A `Source`, JSON, sealed to the box's X25519 key."""
    reference: str = ""
    """Hex SHA-256 of the approved reference view; empty: none is approved yet."""


class Order(Message, frozen=True, kw_only=True):
    """Record this camera in this span. One order per exam session and camera."""

    id: Id
    camera: Id
    session: Id
    start: Instant
    """First second to be recorded, lead-in included."""
    end: Instant
    """End of the lead-out."""
    record: tuple[Stream, ...] = ("main",)
    """Streams to keep on disk; the sub-stream is pulled besides, for live and eyes."""
    retain_days: RetainDays = 30
    """How long footage of this window is kept after its end; a shorter one is refused."""


class Cancelled(Message, frozen=True, kw_only=True):
    """An order is taken back. Absence alone never does that."""

    order: Id
    reason: str
    ledger: int
    """Row of the centre's ledger that records the act."""
    approved_by: tuple[str, ...]
    """Who took it back; two persons where the window is open."""


class DesiredState(Message, frozen=True, kw_only=True):
    """All that one box should be doing, at least 14 days ahead. The whole, never a patch."""

    edge: Id
    epoch: Annotated[int, Meta(ge=1)]
    revision: Annotated[int, Meta(ge=1)]
    issued_at: Instant
    cameras: tuple[Camera, ...]
    orders: tuple[Order, ...]
    cancelled: tuple[Cancelled, ...] = ()


class EpochGrant(Message, frozen=True, kw_only=True):
    """Leave to plan under a new epoch; signed with the site's offline key."""

    epoch: Annotated[int, Meta(ge=1)]
    plan_public: str
    """Base64 of the Ed25519 key that signs desired states in this epoch."""
    issued_at: Instant
    hold_public: str = ""
    """Base64 of the key that signs hold lists in this epoch; empty: the one pinned at enrolment."""


class Dispatch(Message, frozen=True, kw_only=True):
    """The payload of `edge/{id}/desired`."""

    state: Signed
    """A `DesiredState`, signed with the plan key."""
    grant: Signed
    """The `EpochGrant` of its epoch, signed with the site's offline key."""
    anchor: Signed | None = None
    """An `Anchor`: the ledger's head of this hour, signed with the centre's identity key."""


HoldKind = Literal["request", "violation", "incident", "authority", "integrity"]


class Hold(Message, frozen=True, kw_only=True):
    """Footage of these cameras that touches this span is not deleted. Who and why stay outside."""

    hold: Id
    kind: HoldKind
    cameras: tuple[Id, ...]
    start: Instant
    end: Instant


class HoldReleased(Message, frozen=True, kw_only=True):
    """A hold is over. Absence alone never ends one."""

    hold: Id
    ledger: int
    """Row of the centre's ledger that records the act."""
    approved_by: tuple[str, ...] = ()
    """Two persons; for a request hold nobody: it lapses with its request."""


class KeptLonger(Message, frozen=True, kw_only=True):
    """A window whose class was raised after it was over."""

    window: Id
    camera: Id
    start: Instant
    end: Instant
    retain_days: RetainDays


class HoldList(Message, frozen=True, kw_only=True):
    """All holds that concern one box, whole; without a fresh one the box deletes nothing."""

    edge: Id
    epoch: Annotated[int, Meta(ge=1)]
    number: Annotated[int, Meta(ge=1)]
    issued_at: Instant
    """The centre's time when it signed: deletion leans on it."""
    holds: tuple[Hold, ...] = ()
    released: tuple[HoldReleased, ...] = ()
    longer: tuple[KeptLonger, ...] = ()


class HoldNotice(Message, frozen=True, kw_only=True):
    """The payload of `edge/{id}/holds`, retained."""

    list: Signed
    """A `HoldList`, signed with the hold key of its epoch."""
    grant: Signed
    """The `EpochGrant` of its epoch, signed with the site's offline key."""


class CourseHeld(Message, frozen=True, kw_only=True):
    """A course that is examined."""

    code: str
    name: str


class RoomSession(Message, frozen=True, kw_only=True):
    """The payload of `room/{room}/session`, retained while a window is open; empty afterwards."""

    room: Id
    session: Id
    state: Literal["ARMED", "RUNNING", "ENDING"]
    start: Instant
    end: Instant
    courses: tuple[CourseHeld, ...]


# ---------------------------------------------------------------- up: status and facts

StreamState = Literal["off", "connecting", "streaming", "stalled", "refused", "lost"]


class CameraStatus(Message, frozen=True, kw_only=True):
    """What the box saw of one camera's stream last."""

    camera: Id
    stream: Stream
    state: StreamState
    cause: str = ""
    last_frame_at: Instant | None = None
    bitrate_bps: int = 0
    recording: bool = False


Pressure = Literal["none", "low", "optional", "preview", "spill", "newest"]
"""How far a box's disk has filled: nothing is given up yet below `optional`; at `optional` no new
sub-stream is recorded, at `spill` new files are made on the second volume where there is one, at
`newest` nothing new is recorded. What was recorded stays, at every step. `preview` is what boxes of
earlier versions say where later ones say `spill`."""


class EdgeStatus(Message, frozen=True, kw_only=True):
    """The payload of `edge/{id}/status`, retained; the last will has state `offline`."""

    state: Literal["online", "offline"]
    at: Instant
    boot: str
    """Changes with every start of the box's software."""
    epoch: int
    revision: int
    clock_trusted: bool = False
    free_bytes: int | None = None
    total_bytes: int | None = None
    """Size of the volume the shelf stands on."""
    pressure: Pressure = "none"
    cameras: tuple[CameraStatus, ...] = ()
    hold_epoch: int = 0
    hold_number: int = 0
    """The newest hold list it has."""


class SegmentClosed(Message, frozen=True, kw_only=True):
    """A segment stands sealed on the shelf. Fact type `segment`."""

    segment: Id
    """`{camera}.{stream}.{start as YYYYMMDDTHHMMSSmmm}`."""
    camera: Id
    stream: Stream
    start: Instant
    end: Instant
    bytes: int
    path: str
    """Relative to the box's data folder."""
    root: str
    """Hex: root of the Merkle tree over init section and fragments."""
    previous: str
    """Root of the camera stream's segment before; empty for the first."""
    fragments: int
    clock: Literal["trusted", "untrusted"]
    clock_offset_ms: float | None = None
    volume: str = ""
    adopted: bool = False
    """Found unfinished at start and closed at its last whole fragment."""
    clock_run: str = ""
    """Boot and wall minus monotonic clock when it ended; empty: unknown. The box compares them."""


GapCause = Literal[
    "refused",
    "auth",
    "no_video",
    "stalled",
    "lost",
    "box_down",
    "started_late",
    "disk",
    "clock_step",
    "outage",
    "not_commanded",
]


class GapFound(Message, frozen=True, kw_only=True):
    """Ordered seconds, more than one, that are not on disk. Fact type `gap`."""

    gap: Id
    camera: Id
    stream: Stream
    start: Instant
    end: Instant
    cause: GapCause
    detail: str = ""


class CameraChanged(Message, frozen=True, kw_only=True):
    """A camera's stream began or ceased to come. Fact type `camera`."""

    camera: Id
    stream: Stream
    state: StreamState
    cause: str = ""
    detail: str = ""


class Booted(Message, frozen=True, kw_only=True):
    """The box's software started. Fact type `boot`."""

    boot: str
    version: str
    clock_trusted: bool


class StateHeard(Message, frozen=True, kw_only=True):
    """A desired state was stored, or refused with a reason. Fact type `desired`."""

    epoch: int
    revision: int
    accepted: bool
    reason: str = ""


class LookChanged(Message, frozen=True, kw_only=True):
    """A look began, ended or was refused at the box. Fact type `look`."""

    jti: str
    user: str
    cameras: tuple[str, ...]
    state: Literal["began", "ended", "refused"]
    reason: str = ""


class ProcessLost(Message, frozen=True, kw_only=True):
    """One of the box's processes ended on its own and is started again. Fact type `process`."""

    process: Literal["recorder", "live", "eyes", "archive"]
    how: str


class ShelfTrouble(Message, frozen=True, kw_only=True):
    """The shelf is not as it should be. Fact type `shelf`."""

    kind: Literal[
        "disk_full",
        "wrong_volume",
        "quarantined",
        "remnant",
        "write_failed",
        "recovered",
        "pressure",
        "archive",
        "archive_back",
        "second_away",
        "second_back",
        "missing",
        "changed",
    ]
    """`archive`: second copies cannot be made, or one was not what was written; `archive_back`:
    they are made again. `second_away`: the second volume is not there, does not answer, or is
    another's; `second_back`: nothing is wrong with it. `recovered`: of `disk_full`, `write_failed`
    and `wrong_volume` nothing is left. `quarantined`: a file is not on record; only a person can
    say what it is. `remnant`: a file was begun here and has no whole fragment, as a power cut
    leaves it; it is set aside.
    `pressure`: the disk stands on another step of its ladder; `detail` begins with its name.
    `missing` and `changed`: a sealed segment was removed or altered, and not by the box."""
    detail: str
    segment: str = ""
    camera: str = ""
    """Of a segment that is missing or changed."""


TamperKind = Literal[
    "covered", "defocused", "moved", "dark", "black", "white", "frozen", "no_signal"
]


class TamperChanged(Message, frozen=True, kw_only=True):
    """A camera's picture is, or is no longer, what it should be. Fact type `tamper`."""

    camera: Id
    stream: Stream
    kind: TamperKind
    state: Literal["began", "ended"]
    score: float
    """0 to 1, the model's; 1 for what arithmetic decides."""
    extent: float
    """Share of the view, 0 to 1."""
    model: str
    """Fingerprint of the model file, or `exact`."""
    first_at: Instant
    """Capture time of the first frame that was fully so."""
    voted_at: Instant


class ReferenceTaken(Message, frozen=True, kw_only=True):
    """A reference view waits for a person's approval. Fact type `reference`."""

    camera: Id
    sha256: str
    taken_at: Instant
    sharpness: float


class HoldsHeard(Message, frozen=True, kw_only=True):
    """A hold list was stored, or refused with a reason. Fact type `holds`."""

    epoch: int
    number: int
    accepted: bool
    reason: str = ""
    holds: tuple[Hold, ...] = ()
    """What is held at the box now: what the list named and what an older one did."""


class Kept(Message, frozen=True, kw_only=True):
    """Until when a segment is kept."""

    segment: str
    retain_until: Instant
    start: Instant | None = None
    """With `end`: the span in truth, of a segment whose clock was not believed when it ended."""
    end: Instant | None = None


class RetentionRaised(Message, frozen=True, kw_only=True):
    """Terms that the box set or raised; none ever falls. Fact type `retention`."""

    kept: tuple[Kept, ...]


class Deleted(Message, frozen=True, kw_only=True):
    """Footage is gone from the box at the end of its term. Fact type `deleted`."""

    segment: str
    camera: str
    """Empty for what is not named as a segment."""
    start: Instant
    end: Instant
    path: str
    bytes: int
    root: str
    """As in its `SegmentClosed`; for anything else the hex SHA-256 of the file."""
    retain_until: Instant
    deleted_at: Instant
    policy: str
    late_s: float
    """Seconds after its term."""
    missing: bool = False
    """It was not there any more when its time came."""
    holds: tuple[str, ...] = ()
    """Holds that kept it beyond its term."""


DeferCause = Literal["centre_unreachable", "clock_unconfirmed", "wrong_volume", "failed"]


class Deferred(Message, frozen=True, kw_only=True):
    """Footage is past its term and cannot be deleted yet; nobody sees it. Fact type `deferred`."""

    segments: tuple[str, ...]
    why: DeferCause
    since: Instant


class DeferralEnded(Message, frozen=True, kw_only=True):
    """Footage that was late is to stay: a hold came. Fact type `deferral_ended`."""

    segments: tuple[str, ...]


class StatedGap(Message, frozen=True, kw_only=True):
    """A gap as a statement of coverage names it."""

    start: Instant
    end: Instant
    cause: str
    detail: str = ""


class CoverageStated(Message, frozen=True, kw_only=True):
    """The box's word on an order whose window is over. Fact type `coverage`.

    Told again when it changes; the newest one holds.
    """

    order: Id
    camera: Id
    session: Id
    stream: Stream
    start: Instant
    end: Instant
    recorded_us: int
    """Of the window, on disk."""
    seams_us: int
    """Holes of at most a second, none of them a gap."""
    gaps: tuple[StatedGap, ...]
    segments: int
    """How many segments touch the window."""
    roots: str
    """Hex SHA-256 over the ids and Merkle roots of these segments."""
    chain_head: str
    """Root of the last of them; empty where there is none."""
    untrusted: int = 0
    """How many of them were recorded by a clock that was not trusted."""


class ContactChanged(Message, frozen=True, kw_only=True):
    """The box began, or ceased, to ask a camera's stream for pictures. Fact type `contact`.

    Between the two there may be RTSP sessions; outside of them there is none.
    """

    camera: Id
    stream: Stream
    state: Literal["opened", "closed"]
    since: Instant
    """When it began, by the box's clock."""
    sessions: int = 0
    """How many RTSP sessions were tried by now."""
    clock: Literal["trusted", "untrusted"] = "trusted"


class RecorderBegan(Message, frozen=True, kw_only=True):
    """The recorder started: no RTSP session outlives the one before. Fact type `recorder`."""

    began: Instant
    last_alive: Instant | None = None
    """When the one before was seen alive last."""


class Archived(Message, frozen=True, kw_only=True):
    """A segment has a second copy, which was read back and is right. Fact type `archived`."""

    segment: Id
    camera: Id
    copy: Id
    """The archive's name in the box's configuration."""
    place: str
    """Name of the object within the archive."""
    bytes: int
    """Of the encrypted object."""
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}(?![\s\S])")]
    """Of the encrypted object as it was read back."""
    verified_at: Instant


class AnchorKept(Message, frozen=True, kw_only=True):
    """The ledger's head was kept in the box's chain of anchors. Fact type `anchor`."""

    row: Annotated[int, Meta(ge=1)]
    number: Annotated[int, Meta(ge=1)]
    """Of the link in the box's chain."""
    link: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    """The link's hash: the head of that chain now."""


FactData = (
    SegmentClosed
    | GapFound
    | CameraChanged
    | Booted
    | StateHeard
    | LookChanged
    | ProcessLost
    | ShelfTrouble
    | TamperChanged
    | ReferenceTaken
    | HoldsHeard
    | RetentionRaised
    | Deleted
    | Deferred
    | DeferralEnded
    | CoverageStated
    | ContactChanged
    | RecorderBegan
    | Archived
    | AnchorKept
)

FACT_TYPES: dict[str, type[Message]] = {
    "segment": SegmentClosed,
    "gap": GapFound,
    "camera": CameraChanged,
    "boot": Booted,
    "desired": StateHeard,
    "look": LookChanged,
    "process": ProcessLost,
    "shelf": ShelfTrouble,
    "tamper": TamperChanged,
    "reference": ReferenceTaken,
    "holds": HoldsHeard,
    "retention": RetentionRaised,
    "deleted": Deleted,
    "deferred": Deferred,
    "deferral_ended": DeferralEnded,
    "coverage": CoverageStated,
    "contact": ContactChanged,
    "recorder": RecorderBegan,
    "archived": Archived,
    "anchor": AnchorKept,
}


def type_of(data: Message) -> str:
    """Name a fact's data as it travels; raises KeyError for what is no fact."""
    return {kind: name for name, kind in FACT_TYPES.items()}[type(data)]


class Fact(Message, frozen=True, kw_only=True):
    """The payload of `edge/{id}/fact`: at least once, in order of `seq`, until heard."""

    edge: Id
    seq: Annotated[int, Meta(ge=1)]
    id: Id
    """The same however often it is sent."""
    type: str
    at: Instant
    data: msgspec.Raw
    sig: str = ""
    """Base64 of the box's Ed25519 signature over the canonical JSON of all the rest."""


class Heard(Message, frozen=True, kw_only=True):
    """The payload of `edge/{id}/heard`: the centre has stored every fact up to here."""

    up_to: Annotated[int, Meta(ge=0)]


def signed_part(fact: Fact) -> bytes:
    """Give the bytes over which a box signs a fact: the canonical JSON of all but `sig`."""
    rest = msgspec.structs.asdict(fact)
    rest["data"] = msgspec.json.decode(fact.data)
    del rest["sig"]
    return canonical(rest)


def sign_fact(key: SigningKey, fact: Fact) -> Fact:
    """Give the fact with the box's signature in it."""
    signature = base64.b64encode(key.sign(signed_part(fact))).decode()
    return msgspec.structs.replace(fact, sig=signature)


def verify_fact(public: bytes, fact: Fact) -> None:
    """Return when the box that owns `public` signed this fact; raise BadSignature otherwise."""
    try:
        signature = base64.b64decode(fact.sig, validate=True)
    except ValueError:
        signature = b""
    verify(public, signature, signed_part(fact))


def data_of(fact: Fact) -> Message | None:
    """Decode a fact's data; None for a type this version does not know.

    Raises msgspec.ValidationError when the data is not what its type says.
    """
    kind = FACT_TYPES.get(fact.type)
    return None if kind is None else msgspec.json.decode(fact.data, type=kind)
