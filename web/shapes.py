"""What goes over the HTTP border: every request and every answer, as structs."""

from typing import Annotated, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from contract.clock import Instant
from contract.messages import Id, Stream

T = TypeVar("T")

Text = Annotated[str, Meta(min_length=1, max_length=200)]
Reason = Annotated[str, Meta(max_length=500)]
Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\s\x00-\x1f]+$")]
Secret = Annotated[str, Meta(min_length=1, max_length=1024)]


class Request(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A body or a query; what we do not know is refused, not ignored."""


class Answer(Struct, frozen=True, kw_only=True):
    """A body we send."""


class Page(Answer, Generic[T], frozen=True, kw_only=True):
    """A part of a list; `next` is the `after` of the following part, null at the end."""

    items: tuple[T, ...]
    next: str | None = None


class Paging(Request, frozen=True, kw_only=True):
    """Which part of a list."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    after: Annotated[str, Meta(max_length=200)] = ""


# ---------------------------------------------------------------- accounts


class LoginRequest(Request, frozen=True, kw_only=True):
    """Name and password."""

    user: Name
    password: Secret
    otp: Annotated[str, Meta(max_length=16)] = ""
    device: Literal["console", "phone"] = "console"
    """A person has one log-in on each kind of device."""


class LoggedIn(Answer, frozen=True, kw_only=True):
    """Who is logged in; `csrf` goes into X-CSRF-Token."""

    user: str
    roles: tuple[str, ...]
    csrf: str


class SiteInfo(Answer, frozen=True, kw_only=True):
    """The site all of this belongs to."""

    name: str
    timezone: str


class Me(Answer, frozen=True, kw_only=True):
    """The one who asks."""

    user: str
    name: str
    roles: tuple[str, ...]
    csrf: str
    site: SiteInfo
    now: Instant


class User(Answer, frozen=True, kw_only=True):
    """An account."""

    user: str
    name: str
    roles: tuple[str, ...]
    disabled: bool = False


class NewUser(Request, frozen=True, kw_only=True):
    """An account to be made."""

    user: Name
    name: Text
    password: Secret
    roles: Annotated[
        tuple[Literal["exam_office", "patrol", "operator", "sys_admin", "auditor"], ...],
        Meta(min_length=1, max_length=5),
    ]


# ---------------------------------------------------------------- the site


class Room(Answer, frozen=True, kw_only=True):
    """An exam room."""

    id: str
    name: str
    building: str
    campus: str
    capacity: int | None
    cameras: tuple[str, ...]


class Camera(Answer, frozen=True, kw_only=True):
    """A camera and what its box saw of it last; no address, no credentials."""

    id: str
    room: str
    room_name: str
    edge: str
    switch: str
    """What it hangs on; empty: unknown."""
    state: str
    cause: str
    last_frame_at: Instant | None
    recording: bool
    bitrate_bps: int
    live: bool
    """A look is allowed now."""


class Edge(Answer, frozen=True, kw_only=True):
    """A box beside the cameras."""

    id: str
    state: str
    at: Instant | None
    epoch: int
    revision: int
    clock_trusted: bool
    free_bytes: int | None
    enrolled_at: Instant | None
    revoked_at: Instant | None
    cameras: tuple[str, ...]


class Invitation(Answer, frozen=True, kw_only=True):
    """A one-time code for a box; it is shown once."""

    code: str
    expires_at: Instant


class Why(Request, frozen=True, kw_only=True):
    """The reason of an act; it stands in the ledger."""

    reason: Reason = ""


class Because(Request, frozen=True, kw_only=True):
    """The reason of an act that needs one."""

    reason: Annotated[str, Meta(min_length=2, max_length=500)]


# ---------------------------------------------------------------- sessions and timetables


class Course(Answer, frozen=True, kw_only=True):
    """What is examined."""

    code: str
    name: str


class Session(Answer, frozen=True, kw_only=True):
    """One exam in one room."""

    id: str
    room: str
    room_name: str
    campus: str
    start: Instant
    end: Instant
    window_start: Instant
    window_end: Instant
    state: Literal["PLANNED", "ARMED", "RUNNING", "ENDING", "ENDED", "CANCELLED"]
    courses: tuple[Course, ...]
    headcount: int | None
    invigilators: tuple[str, ...]


class SessionsQuery(Paging, frozen=True, kw_only=True):
    """Sessions that overlap a span, in one room or all."""

    start: Instant | None = msgspec.field(default=None, name="from")
    end: Instant | None = msgspec.field(default=None, name="to")
    room: Id | None = None


class Row(Answer, frozen=True, kw_only=True):
    """What a row of the file says; `row` counts from 1 as the file shows it."""

    sheet: str
    row: int
    verdict: Literal["ok", "warn", "reject"]
    code: str
    message_zh: str
    message_en: str


class PlannedSession(Answer, frozen=True, kw_only=True):
    """A session as a timetable has it."""

    id: str
    room: str
    room_name: str
    campus: str
    start: Instant
    end: Instant
    courses: tuple[Course, ...]
    headcount: int | None
    invigilators: tuple[str, ...]


class Change(Answer, frozen=True, kw_only=True):
    """A session that the timetable alters."""

    before: PlannedSession
    after: PlannedSession


class Difference(Answer, frozen=True, kw_only=True):
    """What applying a timetable would do."""

    added: tuple[PlannedSession, ...]
    removed: tuple[PlannedSession, ...]
    changed: tuple[Change, ...]
    unchanged: int


class StagedTimetable(Answer, frozen=True, kw_only=True):
    """A file that was read but changes nothing yet."""

    id: str
    rows: tuple[Row, ...]
    diff: Difference
    columns: dict[str, str]


class Applied(Answer, frozen=True, kw_only=True):
    """How many sessions a timetable added, removed and changed."""

    added: int
    removed: int
    changed: int


# ---------------------------------------------------------------- recordings and coverage


class Recording(Answer, frozen=True, kw_only=True):
    """A segment in the catalogue."""

    id: str
    camera: str
    start: Instant
    end: Instant
    bytes: int
    root: str
    retain_until: Instant
    held: bool


class RecordingsQuery(Paging, frozen=True, kw_only=True):
    """Segments that overlap a span, of one camera or all."""

    camera: Id | None = None
    start: Instant | None = msgspec.field(default=None, name="from")
    end: Instant | None = msgspec.field(default=None, name="to")


class Missing(Answer, frozen=True, kw_only=True):
    """Planned seconds that are not in the catalogue; `cause` is what the box said."""

    start: Instant
    end: Instant
    seconds: float
    cause: str


class CameraCoverage(Answer, frozen=True, kw_only=True):
    """Planned and recorded seconds of one camera, up to now."""

    camera: str
    planned_seconds: float
    recorded_seconds: float
    missing: tuple[Missing, ...]


class Coverage(Answer, frozen=True, kw_only=True):
    """What of a session is on disk, by the catalogue as it stands `at`."""

    session: str
    at: Instant
    window_start: Instant
    window_end: Instant
    cameras: tuple[CameraCoverage, ...]


# ---------------------------------------------------------------- live


class WantedTrack(Request, frozen=True, kw_only=True):
    """One camera's stream."""

    id: Id
    stream: Stream = "sub"


Sdp = Annotated[str, Meta(min_length=1, max_length=200_000)]


class LiveRequest(Request, frozen=True, kw_only=True):
    """A page's offer for several cameras of one box."""

    edge: Id
    cameras: Annotated[tuple[WantedTrack, ...], Meta(min_length=1, max_length=16)]
    sdp: Sdp


class LiveTrack(Answer, frozen=True, kw_only=True):
    """Which media section carries which camera."""

    mid: str
    camera: str


class NoPicture(Answer, frozen=True, kw_only=True):
    """A camera that this look cannot show; `code` is the box's: h265 or b_frames."""

    camera: str
    code: str


class Live(Answer, frozen=True, kw_only=True):
    """The box's answer; the look's address is in Location."""

    sdp: str
    tracks: tuple[LiveTrack, ...]
    refused: tuple[NoPicture, ...] = ()


class LiveTokenRequest(Request, frozen=True, kw_only=True):
    """Which camera another player is to show."""

    camera: Id


class LiveToken(Answer, frozen=True, kw_only=True):
    """A bearer for WHEP on one camera."""

    token: str
    expires_at: Instant


# ---------------------------------------------------------------- alerts, duty, references

AlertClass = Literal[
    "covered",
    "defocused",
    "moved",
    "dark",
    "black",
    "white",
    "frozen",
    "camera_down",
    "recording_stopped",
    "switch_down",
    "box_lost",
    "flood",
    "nobody_reachable",
]


class Delivery(Answer, frozen=True, kw_only=True):
    """How an alert fared with one duty phone."""

    phone: str
    person: str
    """The name of whose phone it is."""
    state: Literal["sent", "undelivered", "delivered", "read", "taken", "declined"]
    """`undelivered`: 15 s went by without a receipt."""
    at: Instant


class Alert(Answer, frozen=True, kw_only=True, rename={"kind": "class"}):
    """One problem at one camera, box or post; repeats are counted."""

    id: str
    kind: AlertClass
    priority: Literal["high", "medium", "low"]
    state: Literal["raised", "delivered", "taken", "solved", "shelved"]
    active: bool
    """The condition still holds; false where it returned to normal before it was solved."""
    room: str | None
    room_name: str | None
    camera: str | None
    edge: str | None
    switch: str | None
    """Where it is a switch that is down."""
    session: str | None
    raised_at: Instant
    first_at: Instant
    """When the condition began: for a picture, the capture time of the first such frame."""
    count: int
    score: float | None
    model: str
    text_zh: str
    text_en: str
    do_zh: str
    """What to do."""
    do_en: str
    act_within_s: int
    taken_by: str | None
    taken_at: Instant | None
    solved_by: str | None
    solved_at: Instant | None
    reason: str
    shelved_until: Instant | None
    delivery: tuple[Delivery, ...]


class AlertsQuery(Paging, frozen=True, kw_only=True):
    """Open alerts, or closed ones too."""

    state: Literal["open", "closed", "all"] = "open"


class Solve(Request, frozen=True, kw_only=True):
    """How it ended."""

    reason: Annotated[str, Meta(min_length=2, max_length=500)]


class Shelve(Request, frozen=True, kw_only=True):
    """Put an alert aside for a while."""

    minutes: Annotated[int, Meta(ge=1, le=120)]
    reason: Annotated[str, Meta(min_length=2, max_length=500)]


class OnDuty(Answer, frozen=True, kw_only=True):
    """A duty phone."""

    phone: str
    post: str
    person: str
    present: bool
    since: Instant | None
    """Since when it is connected, or since when it is not."""


class NewPhone(Request, frozen=True, kw_only=True):
    """Make this device a duty phone."""

    post: Annotated[str, Meta(max_length=64)] = ""


class Phone(Answer, frozen=True, kw_only=True):
    """A duty phone's log-in at the broker; it ends with the log-in here. Shown once."""

    phone: str
    user: str
    password: str
    url: str
    """WebSocket address of the broker, subprotocol `mqtt`."""
    broker: str
    """Address for MQTT applications, `mqtts://host:port`; empty where there is only `url`."""
    subscribe: str
    """Topic of the alerts, JSON."""
    text: str
    """Topic of the same as plain text."""
    ack: str
    presence: str
    """Publish `{"state":"online"}` here, retained; the last will says `offline`."""


class Reference(Answer, frozen=True, kw_only=True):
    """A camera's reference view; `sha256` names the picture that waits or was approved."""

    camera: str
    room: str
    room_name: str
    state: Literal["none", "candidate", "approved"]
    sha256: str | None
    taken_at: Instant | None
    approved: str | None
    """The approved picture, where another one waits."""
    approved_by: str | None
    approved_at: Instant | None


class ReferencePicture(Request, frozen=True, kw_only=True):
    """Which picture; empty: the one the list names."""

    sha256: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$")] = ""


class Approve(Request, frozen=True, kw_only=True):
    """Which picture a person looked at and found good."""

    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


# ---------------------------------------------------------------- ledger and health


class LedgerRow(Answer, frozen=True, kw_only=True):
    """An act, in the chain."""

    id: int
    at: Instant
    actor: str
    action: str
    object: str
    reason: str
    result: str
    source: str
    hash: str


class Health(Answer, frozen=True, kw_only=True):
    """Alive, or what is wanting."""

    status: Literal["ok", "not_ready"]
    checks: dict[str, str] = {}
