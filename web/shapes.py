"""What goes over the HTTP border: every request and every answer, as structs."""

from datetime import date
from typing import Annotated, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from contract.clock import Instant
from contract.messages import HoldKind, Id, Stream
from orchestrator.certificates.document import Certificate, Outside, Unproved
from orchestrator.sessions import ShownState

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


class Apply(Request, frozen=True, kw_only=True):
    """The reason of applying a timetable; with `override` though a disk is too small for it."""

    reason: Reason = ""
    override: bool = False


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
    category: str
    """Of the rule's first article; empty: unknown."""
    start: Instant
    end: Instant
    window_start: Instant
    window_end: Instant
    state: ShownState
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
    category: str
    """Of the rule's first article; empty: unknown."""
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


# ---------------------------------------------------------------- capacity


class ForecastDay(Answer, frozen=True, kw_only=True):
    """One day of one disk: `used` at its end, `peak` the most within it, `free` at the peak."""

    date: date
    used_bytes: int
    planned_bytes: int
    expiring_bytes: int
    peak_bytes: int
    free_bytes: int | None
    shortfall_bytes: int


class OtherBox(Answer, frozen=True, kw_only=True):
    """A box that has room for all that is too much."""

    edge: str
    free_bytes: int


class ForecastOptions(Answer, frozen=True, kw_only=True):
    """What would make it fit; each alone is enough."""

    fewer_camera_hours: float
    other_boxes: tuple[OtherBox, ...]
    later: date | None


class BoxForecast(Answer, frozen=True, kw_only=True):
    """What becomes of one box's disk; nothing is known of one that never told its size."""

    edge: str
    total_bytes: int | None
    capacity_bytes: int | None
    held_bytes: int
    days: tuple[ForecastDay, ...]
    rates: dict[str, int]
    """How many planned cameras' rates are `recorded`, `reported` or `assumed`."""
    fits: bool | None
    first_day: date | None
    shortfall_bytes: int
    options: ForecastOptions | None


class Forecast(Answer, frozen=True, kw_only=True):
    """The disks of all boxes in the coming 30 days."""

    at: Instant
    timezone: str
    boxes: tuple[BoxForecast, ...]


class TimetableCapacity(Answer, frozen=True, kw_only=True):
    """What a timetable does to the disks; `edge`: the first box that does not fit because of it."""

    fits: bool
    edge: str | None
    boxes: tuple[BoxForecast, ...]


class StagedTimetable(Answer, frozen=True, kw_only=True):
    """A file that was read but changes nothing yet."""

    id: str
    rows: tuple[Row, ...]
    diff: Difference
    columns: dict[str, str]
    capacity: TimetableCapacity | None = None


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


class DaysQuery(Request, frozen=True, kw_only=True):
    """Which days of the site, both included; at most 62."""

    camera: Id
    first: date = msgspec.field(name="from")
    last: date = msgspec.field(name="to")


class RecordedDays(Answer, frozen=True, kw_only=True):
    """Days on which there are recordings."""

    days: tuple[date, ...]


class NewPlayback(Request, frozen=True, kw_only=True):
    """What somebody wants to watch, and why."""

    cameras: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=4)]
    start: Instant = msgspec.field(name="from")
    end: Instant = msgspec.field(name="to")
    reason: Reason = ""


class Playback(Answer, frozen=True, kw_only=True):
    """A play session: these cameras, this span, until then; `alert` where it is a replay."""

    id: str
    cameras: tuple[str, ...]
    start: Instant = msgspec.field(name="from")
    end: Instant = msgspec.field(name="to")
    until: Instant
    alert: str | None = None


class Footage(Answer, frozen=True, kw_only=True):
    """A file that a play session may show; `growing` while it is being written."""

    id: str
    camera: str
    start: Instant
    end: Instant
    bytes: int
    growing: bool


class Interval(Request, frozen=True, kw_only=True):
    """Footage that was shown, and how fast."""

    camera: Id
    start: Instant = msgspec.field(name="from")
    end: Instant = msgspec.field(name="to")
    speed: Annotated[float, Meta(ge=-16, le=16)] = 1.0


class Intervals(Request, frozen=True, kw_only=True):
    """What was shown since the last report; `ended`: nothing follows, and the session ends."""

    items: Annotated[tuple[Interval, ...], Meta(max_length=200)]
    ended: bool = False


class Missing(Answer, frozen=True, kw_only=True):
    """Planned seconds that are not in the catalogue; `cause` is what the box said."""

    start: Instant
    end: Instant
    seconds: float
    cause: str


class CameraCoverage(Answer, frozen=True, kw_only=True):
    """Planned and recorded seconds of one camera, up to now or to where a file is growing."""

    camera: str
    planned_seconds: float
    recorded_seconds: float
    missing: tuple[Missing, ...]
    growing_since: Instant | None
    """From then on it is being recorded, into a file that is not sealed yet; null: it is not."""


class Edition(Answer, frozen=True, kw_only=True):
    """An edition of a session's certificate."""

    edition: int
    issued_at: Instant
    verdict: str


class Coverage(Answer, frozen=True, kw_only=True):
    """What of a session is on disk, by the catalogue as it stands `at`, and its certificate."""

    session: str
    at: Instant
    window_start: Instant
    window_end: Instant
    cameras: tuple[CameraCoverage, ...]
    state: ShownState
    certificate: Certificate | None = None
    """The newest edition, once the session is over and its boxes have told."""
    editions: tuple[Edition, ...] = ()


class CoverageRow(Answer, frozen=True, kw_only=True):
    """A session in the list of coverage; seconds of all its cameras together."""

    session: str
    room: str
    room_name: str
    building: str
    start: Instant
    end: Instant
    window_start: Instant
    window_end: Instant
    state: ShownState
    courses: tuple[Course, ...]
    edition: int | None
    """Of the newest certificate; null: there is none yet."""
    planned_seconds: float | None
    recorded_seconds: float | None
    """Seams of files of at most a second count as recorded."""


class CoverageQuery(Paging, frozen=True, kw_only=True):
    """Sessions whose windows overlap a span."""

    start: Instant | None = msgspec.field(default=None, name="from")
    end: Instant | None = msgspec.field(default=None, name="to")


class EditionQuery(Request, frozen=True, kw_only=True):
    """Which edition of a certificate; by default the newest."""

    edition: Annotated[int, Meta(ge=1)] | None = None


class PrintQuery(EditionQuery, frozen=True, kw_only=True):
    """In which language it is printed."""

    lang: Literal["zh", "en"] = "zh"


class SpanQuery(Request, frozen=True, kw_only=True):
    """A span, both ends named."""

    start: Instant = msgspec.field(name="from")
    end: Instant = msgspec.field(name="to")


class SilenceFound(Answer, frozen=True, kw_only=True):
    """Whether anything was recorded, or a camera asked for pictures, outside windows."""

    start: Instant
    end: Instant
    silent: bool
    """True: proved that nothing was."""
    cameras: int
    segments: int
    contacts: int
    lead_in_seconds: float
    exceptions: tuple[Outside, ...]
    untrusted: tuple[Outside, ...]
    unproved: tuple[Unproved, ...]


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
    "disk_low",
    "disk_full",
    "footage_changed",
    "footage_unknown",
    "write_failed",
    "wrong_volume",
    "second_away",
    "clock_untrusted",
    "archive_away",
    "session_incomplete",
    "deletion_late",
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
    cameras: int
    """How many cameras it concerns; of a flood and of nobody reachable, how many alerts."""
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


# ---------------------------------------------------------------- holds and retention


class Covered(Answer, frozen=True, kw_only=True):
    """What is on disk of a hold's footage, and what would go if it ended now."""

    segments: int
    bytes: int
    freed_segments: int
    """Of these, what nothing else holds."""
    freed_bytes: int
    over_segments: int
    """Of these again, what is past its term: deleted within the hour once the hold ends."""
    over_bytes: int
    next_at: Instant | None
    """When the first of the others is past its term."""
    last_at: Instant | None


class HoldBox(Answer, frozen=True, kw_only=True):
    """A box that has such footage."""

    edge: str
    confirmed: bool


class Hold(Answer, frozen=True, kw_only=True):
    """Footage that outlives its term."""

    id: str
    kind: HoldKind
    state: Literal["PLACED", "ACTIVE", "REVIEW_DUE", "RELEASE_PROPOSED", "RELEASED", "LAPSED"]
    cameras: tuple[str, ...]
    start: Instant
    end: Instant
    owner: str
    reason: str
    review_at: Instant
    lapses_at: Instant | None
    placed_by: str
    placed_at: Instant
    proposed_by: str | None
    proposed_at: Instant | None
    proposed_why: str | None
    released_by: str | None
    ended_at: Instant | None
    names: dict[str, str]
    """Of the accounts named here: how people know them."""
    boxes: tuple[HoldBox, ...]
    covered: Covered


class HoldsQuery(Paging, frozen=True, kw_only=True):
    """Holds in force, or ended ones too."""

    state: Literal["open", "all"] = "open"


class NewHold(Request, frozen=True, kw_only=True):
    """What is to be held; cameras, or all cameras of rooms."""

    cameras: Annotated[tuple[Id, ...], Meta(max_length=500)] = ()
    rooms: Annotated[tuple[Id, ...], Meta(max_length=200)] = ()
    start: Instant
    end: Instant
    kind: Literal["violation", "incident", "authority", "integrity"]
    owner: Annotated[str, Meta(max_length=100)] = ""
    """For whom; empty: for the one who places it."""
    reason: Annotated[str, Meta(min_length=2, max_length=500)]
    review_at: Instant


class CoverQuery(Request, frozen=True, kw_only=True):
    """What a hold would cover; ids parted by commas."""

    cameras: Annotated[str, Meta(max_length=20_000)] = ""
    rooms: Annotated[str, Meta(max_length=20_000)] = ""
    start: Instant = msgspec.field(name="from")
    end: Instant = msgspec.field(name="to")


class ExtendHold(Request, frozen=True, kw_only=True):
    """When to look at it again."""

    review_at: Instant
    reason: Annotated[str, Meta(min_length=2, max_length=500)]


class Outage(Answer, frozen=True, kw_only=True):
    """A notice of outage: these rooms' devices will be off for a span."""

    id: str
    rooms: tuple[str, ...]
    start: Instant
    end: Instant
    reason: str
    contact: str
    override: str
    """Why exams in the span were no obstacle."""
    filed_by: str
    filed_at: Instant
    withdrawn_by: str | None
    withdrawn_at: Instant | None


class Outages(Answer, frozen=True, kw_only=True):
    """Notices of outage, by start."""

    items: tuple[Outage, ...]


class NewOutage(Request, frozen=True, kw_only=True):
    """A notice to file, before the outage begins."""

    rooms: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=500)]
    start: Instant
    end: Instant
    reason: Annotated[str, Meta(min_length=2, max_length=500)]
    contact: Annotated[str, Meta(max_length=100)] = ""
    override: Annotated[str, Meta(max_length=500)] = ""
    """Why exams whose windows it touches are no obstacle; without it they refuse the notice."""


class Total(Answer, frozen=True, kw_only=True):
    """How many recordings, and how much."""

    segments: int
    bytes: int


class DuePiece(Answer, frozen=True, kw_only=True):
    """A recording at the end of its term."""

    id: str
    camera: str
    edge: str
    start: Instant
    end: Instant
    bytes: int
    retain_until: Instant
    why: str
    """Of a deferral."""
    since: Instant | None


class RetentionDue(Answer, frozen=True, kw_only=True):
    """What becomes of recordings up to an instant: at most 1,000 of each; `totals` count all."""

    at: Instant
    due: tuple[DuePiece, ...]
    held: tuple[DuePiece, ...]
    deferred: tuple[DuePiece, ...]
    totals: dict[str, Total]


class DueQuery(Request, frozen=True, kw_only=True):
    """Up to when; empty: now."""

    at: Instant | None = None


class DueDay(Answer, frozen=True, kw_only=True):
    """What reaches the end of its term on one day of the site."""

    day: str
    due: Total
    held: Total


class AheadQuery(Request, frozen=True, kw_only=True):
    """How many days ahead."""

    days: Annotated[int, Meta(ge=1, le=400)] = 31


class DueDays(Answer, frozen=True, kw_only=True):
    """Day by day."""

    items: tuple[DueDay, ...]


class DueExam(Answer, frozen=True, kw_only=True):
    """One room's footage of one exam, and when it goes."""

    session: str
    """Empty: it shows no exam that stands in the timetables."""
    courses: tuple[Course, ...]
    room: str
    room_name: str
    """Of a camera in no room any more, the camera's."""
    start: Instant
    """Of the exam; without one, of the footage."""
    end: Instant
    first_at: Instant
    """When the first of it goes; of what is held, when its term ends."""
    last_at: Instant
    due: Total
    held: Total


class DueExams(Answer, frozen=True, kw_only=True):
    """The first to go first, at most 1,000."""

    items: tuple[DueExam, ...]
    left_out: int


class DueExamsQuery(Request, frozen=True, kw_only=True):
    """A day of the site, or a hold: one of them."""

    day: Annotated[str, Meta(pattern=r"^(2\d{3}-\d{2}-\d{2})?(?![\s\S])")] = ""
    hold: Annotated[str, Meta(max_length=64)] = ""


class Deletion(Answer, frozen=True, kw_only=True):
    """The record of footage that is gone."""

    segment: str
    camera: str
    edge: str
    start: Instant
    end: Instant
    bytes: int
    root: str
    retain_until: Instant
    deleted_at: Instant
    late_s: float
    policy: str
    missing: bool
    """It was gone before its time came."""
    holds: tuple[str, ...]


class Deletions(Answer, frozen=True, kw_only=True):
    """The newest, at most 200."""

    items: tuple[Deletion, ...]


class RetentionClass(Answer, frozen=True, kw_only=True):
    """How long footage of a category of exams is kept."""

    category: str
    days: int
    set_by: str
    set_at: Instant | None


class RetentionClasses(Answer, frozen=True, kw_only=True):
    """Every category in use."""

    items: tuple[RetentionClass, ...]


class SetClass(Request, frozen=True, kw_only=True):
    """Keep footage of this category so many days; thirty at least."""

    category: Annotated[str, Meta(max_length=64)]
    days: int
    reason: Annotated[str, Meta(min_length=2, max_length=500)]


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


# ---------------------------------------------------------------- evidence packages


_Person = Annotated[str, Meta(max_length=100)]


class EvidenceSpan(Request, frozen=True, kw_only=True):
    """Cameras and a span of at most eight hours."""

    cameras: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=16)]
    start: Instant = msgspec.field(name="from")
    end: Instant = msgspec.field(name="to")


class EvidenceWish(EvidenceSpan, frozen=True, kw_only=True):
    """A package to be made."""

    reason: Reason
    request: Annotated[str, Meta(min_length=1, max_length=60)]
    recipient: Annotated[str, Meta(min_length=1, max_length=60)]
    requester: _Person = ""
    approved_by: Annotated[tuple[_Person, ...], Meta(max_length=10)] = ()
    undertaking: bool = False
    """The recipient has signed to keep it secret."""


class EvidenceHole(Answer, frozen=True, kw_only=True):
    """A part of the span of which nothing is recorded."""

    camera: str
    start: Instant = msgspec.field(name="from")
    end: Instant = msgspec.field(name="to")


class EvidenceEstimate(Answer, frozen=True, kw_only=True):
    """What a package would hold."""

    bytes: int
    segments: int
    missing: tuple[EvidenceHole, ...]


class EvidencePackage(Answer, frozen=True, kw_only=True):
    """A package and how it stands with it."""

    id: str
    state: Literal["waiting", "making", "made", "failed", "cancelled", "removed"]
    cameras: tuple[str, ...]
    start: Instant = msgspec.field(name="from")
    end: Instant = msgspec.field(name="to")
    reason: str
    request: str
    requester: str
    approved_by: tuple[str, ...]
    recipient: str
    asked_by: str
    asked_at: Instant
    expected_bytes: int
    done_bytes: int
    problem: str
    sha256: str | None
    bytes: int | None
    made_at: Instant | None
    retain_until: Instant | None
    fetched_at: Instant | None
    handed_out: bool
    """Made by command, at a path of the asker's: there is no file to fetch here."""


class EvidenceLink(Answer, frozen=True, kw_only=True):
    """Where the package can be fetched, once."""

    url: str
    expires_at: Instant


class EvidenceLinkQuery(Request, frozen=True, kw_only=True):
    """The link's token."""

    link: Annotated[str, Meta(min_length=1, max_length=100)]


class EvidenceKey(Answer, frozen=True, kw_only=True):
    """The key by which packages of this site are known."""

    kid: str
    public: str
