"""The tables of the centre. Ids are text and given by the code; instants are UTC."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from orchestrator.store.columns import InstantType, metadata, one_of

# ---------------------------------------------------------------- people

users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user", Text, nullable=False, unique=True),  # what is typed at log-in, lower case
    Column("name", Text, nullable=False),  # the person's name, for people
    Column("password_hash", Text, nullable=False),  # Argon2id, with its parameters
    Column("created_at", InstantType, nullable=False),
    Column("disabled_at", InstantType),  # since then no log-in; a person is never deleted
    Column("failures", Integer, nullable=False, default=0),  # wrong passwords in a row
    Column("locked_until", InstantType),
    CheckConstraint("failures >= 0", name="failures"),
)

user_roles = Table(
    "user_roles",
    metadata,
    Column("user_id", ForeignKey("users.id"), primary_key=True),
    Column("role", Text, primary_key=True),
    one_of("role", ("exam_office", "patrol", "operator", "sys_admin", "auditor")),
)

logins = Table(
    "logins",
    metadata,
    Column("id", Text, primary_key=True),  # may be shown; stands in tickets
    Column("token_sha256", Text, nullable=False, unique=True),  # the token itself is nowhere
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("device", Text, nullable=False),
    Column("csrf", Text, nullable=False),
    Column("source", Text, nullable=False),  # address it came from
    Column("began_at", InstantType, nullable=False),
    Column("seen_at", InstantType, nullable=False),
    Column("ended_at", InstantType),
    Column("ended_why", Text),
    one_of("device", ("console", "phone", "office")),
    CheckConstraint("(ended_at IS NULL) = (ended_why IS NULL)", name="ended"),
)
Index(  # one log-in per person and kind of device
    "ix_logins_open",
    logins.c.user_id,
    logins.c.device,
    unique=True,
    sqlite_where=logins.c.ended_at.is_(None),
    postgresql_where=logins.c.ended_at.is_(None),
)

# ---------------------------------------------------------------- what was done

ledger = Table(  # append-only: triggers refuse every change (triggers.py)
    "ledger",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),  # 1, 2, 3 … without holes
    Column("at", InstantType, nullable=False),
    Column("actor", Text, nullable=False),  # a user's name, or `system`
    Column("action", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("result", Text, nullable=False),  # `ok`, or the code of the refusal
    Column("source", Text, nullable=False),  # address the person came from
    Column("previous", Text, nullable=False),  # hash of the row before; of the first: zeros
    Column("hash", Text, nullable=False, unique=True),  # hex SHA-256 over all the others
    CheckConstraint("id >= 1", name="id"),
    CheckConstraint("length(hash) = 64 AND length(previous) = 64", name="hash"),
)

# ---------------------------------------------------------------- the site

rooms = Table(
    "rooms",
    metadata,
    Column("id", Text, primary_key=True),  # the room's code, ASCII
    Column("name", Text, nullable=False, unique=True),
    Column("aliases", JSON, nullable=False, default=list),  # other names in timetables, list
    Column("building", Text, nullable=False, default=""),
    Column("campus", Text, nullable=False, default=""),
    Column("capacity", Integer),
    CheckConstraint("capacity > 0", name="capacity"),
)

edges = Table(  # a box: named first, enrolled later
    "edges",
    metadata,
    Column("id", Text, primary_key=True),
    Column("sign_public", LargeBinary),  # Ed25519, 32 bytes: signs its facts
    Column("seal_public", LargeBinary),  # X25519, 32 bytes: camera credentials are sealed to it
    Column("certificate", Text),  # PEM, pinned
    Column("url", Text),  # where the centre reaches it, mutual TLS
    Column("broker_sealed", Text),  # its password at the broker, sealed to the centre's own key
    Column("enrolled_at", InstantType),
    Column("revoked_at", InstantType),
    Column("revoked_why", Text),
    CheckConstraint(
        "enrolled_at IS NULL OR (sign_public IS NOT NULL AND seal_public IS NOT NULL)",
        name="enrolled_with_keys",
    ),
    CheckConstraint(
        "enrolled_at IS NULL OR (certificate IS NOT NULL AND url IS NOT NULL)",
        name="enrolled_with_address",
    ),
    CheckConstraint("(revoked_at IS NULL) = (revoked_why IS NULL)", name="revoked"),
)

invites = Table(
    "invites",
    metadata,
    Column("id", Text, primary_key=True),
    Column("edge", ForeignKey("edges.id"), nullable=False),
    Column("secret", Text, nullable=False),  # hex; worth nothing once used or expired
    Column("invited_by", Text, nullable=False),
    Column("invited_at", InstantType, nullable=False),
    Column("expires_at", InstantType, nullable=False),
    Column("used_at", InstantType),
    Column("failures", Integer, nullable=False, default=0),  # tries with another secret
    CheckConstraint("expires_at > invited_at", name="expires_at"),
    CheckConstraint("failures >= 0", name="failures"),
)
Index("ix_invites_edge", invites.c.edge)

cameras = Table(
    "cameras",
    metadata,
    Column("id", Text, primary_key=True),
    Column("room", ForeignKey("rooms.id"), nullable=False, index=True),
    Column("edge", ForeignKey("edges.id"), nullable=False, index=True),
    Column("switch", Text, nullable=False, default=""),  # the switch it hangs on, if known
    Column("sealed", Text, nullable=False),  # a `Source` sealed to the centre's own key
    Column("added_at", InstantType, nullable=False),
)

# ---------------------------------------------------------------- timetables and sessions

timetables = Table(  # an uploaded file: staged, then applied or forgotten
    "timetables",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),  # of the file
    Column("sha256", Text, nullable=False),  # the file itself may name candidates
    Column("columns", JSON, nullable=False),  # field -> header it was read from
    Column("uploaded_by", Text, nullable=False),
    Column("uploaded_at", InstantType, nullable=False),
    Column("staged_at", InstantType),  # set when all rows and sessions stand
    Column("applied_at", InstantType),
    Column("applied_by", Text),
    CheckConstraint("applied_at IS NULL OR staged_at IS NOT NULL", name="applied"),
    CheckConstraint("(applied_at IS NULL) = (applied_by IS NULL)", name="applied_by"),
)

timetable_rows = Table(
    "timetable_rows",
    metadata,
    Column("timetable", ForeignKey("timetables.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),  # order in the file, from 0
    Column("sheet", Text, nullable=False),
    Column("row", Integer, nullable=False),  # as the file shows it, from 1
    Column("verdict", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("message_zh", Text, nullable=False),
    Column("message_en", Text, nullable=False),
    one_of("verdict", ("ok", "warn", "reject")),
)


def _session_columns() -> tuple[Column[Any], ...]:
    return (
        Column("provenance", Text, nullable=False),  # what makes it the same when read again
        Column("room", ForeignKey("rooms.id"), nullable=False),
        Column("starts_at", InstantType, nullable=False),
        Column("ends_at", InstantType, nullable=False),
        Column("campus", Text, nullable=False, default=""),
        Column("category", Text, nullable=False, default=""),
        Column("headcount", Integer),
        Column("courses", JSON, nullable=False),  # list of {code, name}
        Column("invigilators", JSON, nullable=False),  # list of names
    )


staged_sessions = Table(  # what a timetable says, before it is applied
    "staged_sessions",
    metadata,
    Column("timetable", ForeignKey("timetables.id"), primary_key=True),
    Column("id", Text, primary_key=True),  # of the session it becomes
    *_session_columns(),
    CheckConstraint("ends_at > starts_at", name="span"),
)

exam_sessions = Table(
    "exam_sessions",
    metadata,
    Column("id", Text, primary_key=True),
    *_session_columns(),
    Column("timetable", ForeignKey("timetables.id")),  # the file that last said so
    UniqueConstraint("provenance"),
    Column("cancelled_at", InstantType),  # its windows are named under `cancelled`
    CheckConstraint("ends_at > starts_at", name="span"),
)
Index("ix_exam_sessions_room", exam_sessions.c.room, exam_sessions.c.starts_at)
Index("ix_exam_sessions_starts_at", exam_sessions.c.starts_at)

# ---------------------------------------------------------------- down to the boxes

dispatches = Table(  # every desired state that was ever signed
    "dispatches",
    metadata,
    Column("edge", ForeignKey("edges.id"), primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("issued_at", InstantType, nullable=False),
    Column("digest", Text, nullable=False),  # hex SHA-256 of what it wants, without instants
    Column("payload", LargeBinary, nullable=False),  # the `Dispatch` as published
    CheckConstraint("epoch >= 1 AND revision >= 1", name="numbers"),
)

cancellations = Table(  # orders taken back; named in desired states until `ends_at`
    "cancellations",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("edge", ForeignKey("edges.id"), nullable=False, index=True),
    Column("session", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("ledger", ForeignKey("ledger.id"), nullable=False),
    Column("approved_by", JSON, nullable=False),  # list of users; two where the window was open
    Column("at", InstantType, nullable=False),
    Column("ends_at", InstantType, nullable=False),  # end of the order's span
    CheckConstraint("reason <> ''", name="reason"),
)

# ---------------------------------------------------------------- up from the boxes
# What a box says is stored as it came: no foreign key but the box, so that nothing is refused.

facts = Table(
    "facts",
    metadata,
    Column("edge", ForeignKey("edges.id"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("at", InstantType, nullable=False),
    Column("heard_at", InstantType, nullable=False),
    Column("body", LargeBinary, nullable=False),  # the signed `Fact` as it came
)
Index("ix_facts_seq", facts.c.edge, facts.c.seq)
Index("ix_facts_type", facts.c.type, facts.c.at)
Index("ix_facts_heard_at", facts.c.heard_at)

fact_marks = Table(
    "fact_marks",
    metadata,
    Column("edge", ForeignKey("edges.id"), primary_key=True),
    Column("up_to", BigInteger, nullable=False),  # every fact up to here is stored
    Column("since", InstantType, nullable=False),  # when the box began to number from 1
    CheckConstraint("up_to >= 0", name="up_to"),
)

segments = Table(
    "segments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("edge", ForeignKey("edges.id"), nullable=False),
    Column("camera", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("starts_at", InstantType, nullable=False),
    Column("ends_at", InstantType, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("path", Text, nullable=False),  # relative to the box's data folder
    Column("root", Text, nullable=False),  # hex, Merkle root
    Column("previous", Text, nullable=False),  # root of the stream's segment before
    Column("fragments", Integer, nullable=False),
    Column("clock", Text, nullable=False),
    Column("clock_offset_ms", Float),
    Column("volume", Text, nullable=False),
    Column("adopted", Boolean, nullable=False),  # found unfinished after a crash
    Column("retain_until", InstantType, nullable=False),  # may be raised, never lowered
    one_of("stream", ("main", "sub")),
    one_of("clock", ("trusted", "untrusted")),
    CheckConstraint("ends_at >= starts_at AND bytes >= 0", name="span"),
)
Index("ix_segments_camera", segments.c.camera, segments.c.starts_at)
Index(
    "ix_segments_untrusted",
    segments.c.camera,
    sqlite_where=text("clock = 'untrusted'"),
    postgresql_where=text("clock = 'untrusted'"),
)

settled_spans = Table(  # of segments whose clock was not believed: what was said, and corrected
    "settled_spans",
    metadata,
    Column("segment", ForeignKey("segments.id"), primary_key=True),
    Column("said_start", InstantType, nullable=False),
    Column("said_end", InstantType, nullable=False),
    Column("settled_at", InstantType, nullable=False),
)

gaps = Table(
    "gaps",
    metadata,
    Column("id", Text, primary_key=True),
    Column("edge", ForeignKey("edges.id"), nullable=False),
    Column("camera", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("starts_at", InstantType, nullable=False),
    Column("ends_at", InstantType, nullable=False),
    Column("cause", Text, nullable=False),
    Column("detail", Text, nullable=False),
    one_of("stream", ("main", "sub")),
    CheckConstraint("ends_at >= starts_at", name="span"),
)
Index("ix_gaps_camera", gaps.c.camera, gaps.c.starts_at)

camera_states = Table(  # the last that was heard of each stream
    "camera_states",
    metadata,
    Column("camera", Text, primary_key=True),
    Column("stream", Text, primary_key=True),
    Column("edge", ForeignKey("edges.id"), nullable=False),
    Column("at", InstantType, nullable=False),
    Column("state", Text, nullable=False),
    Column("cause", Text, nullable=False, default=""),
    Column("last_frame_at", InstantType),
    Column("bitrate_bps", BigInteger, nullable=False, default=0),
    Column("recording", Boolean, nullable=False, default=False),
    one_of("stream", ("main", "sub")),
)

edge_states = Table(  # the last that was heard of each box
    "edge_states",
    metadata,
    Column("edge", ForeignKey("edges.id"), primary_key=True),
    Column("at", InstantType, nullable=False),  # by the box's clock
    Column("heard_at", InstantType, nullable=False),  # by ours
    Column("state", Text, nullable=False),
    Column("boot", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("clock_trusted", Boolean, nullable=False),
    Column("free_bytes", BigInteger),
    one_of("state", ("online", "offline")),
)

# ---------------------------------------------------------------- proof

certificates = Table(  # append-only (triggers.py): what changes is another edition
    "certificates",
    metadata,
    Column("session", Text, primary_key=True),
    Column("edition", Integer, primary_key=True, autoincrement=False),  # 1, 2, 3 …
    Column("issued_at", InstantType, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("planned_us", BigInteger, nullable=False),  # of all cameras together
    Column("recorded_us", BigInteger, nullable=False),
    Column("seams_us", BigInteger, nullable=False),  # holes of at most a second, no gaps
    Column("content_sha256", Text, nullable=False),  # of what depends on no issue
    Column("kid", Text, nullable=False),
    Column("public", Text, nullable=False),  # base64, of the key that signed it
    Column("body", Text, nullable=False),  # canonical JSON, exactly as it was signed
    Column("sig", Text, nullable=False),
    Column("statements", JSON, nullable=False),  # list of {fact, public}: the boxes' own words
    one_of("verdict", ("VERIFIED", "INCOMPLETE")),
    CheckConstraint("edition >= 1", name="edition"),
    CheckConstraint("recorded_us + seams_us <= planned_us", name="sums"),
)
Index(  # asked every second; most sessions are verified
    "ix_certificates_incomplete",
    certificates.c.session,
    sqlite_where=text("verdict = 'INCOMPLETE'"),
    postgresql_where=text("verdict = 'INCOMPLETE'"),
)

# ---------------------------------------------------------------- room for recordings

edge_volumes = Table(  # the volume each box records to, as last heard
    "edge_volumes",
    metadata,
    Column("edge", ForeignKey("edges.id"), primary_key=True),
    Column("at", InstantType, nullable=False),  # by the box's clock
    Column("total_bytes", BigInteger, nullable=False),
    Column("pressure", Text, nullable=False),  # step of the ladder it stands on
    one_of("pressure", ("none", "low", "optional", "spill", "newest")),
)

archive_copies = Table(  # second copies of segments, read back and found right by their boxes
    "archive_copies",
    metadata,
    Column("segment", Text, primary_key=True),
    Column("copy", Text, primary_key=True),
    Column("edge", ForeignKey("edges.id"), nullable=False),
    Column("place", Text, nullable=False),  # name of the object within the archive
    Column("bytes", BigInteger, nullable=False),  # of the encrypted object
    Column("sha256", Text, nullable=False),  # hex, of the encrypted object
    Column("verified_at", InstantType, nullable=False),
    Column("deleted_at", InstantType),  # a record stays of what is gone
    Column("deleted_why", Text),
    CheckConstraint("length(sha256) = 64 AND bytes > 0", name="object"),
    CheckConstraint("(deleted_at IS NULL) = (deleted_why IS NULL)", name="deleted"),
)
Index(
    "ix_archive_copies_standing",
    archive_copies.c.segment,
    sqlite_where=archive_copies.c.deleted_at.is_(None),
    postgresql_where=archive_copies.c.deleted_at.is_(None),
)

# ---------------------------------------------------------------- references

reference_views = Table(  # what boxes took and told; the pictures stay at the boxes
    "reference_views",
    metadata,
    Column("camera", Text, primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("edge", ForeignKey("edges.id"), nullable=False),
    Column("taken_at", InstantType, nullable=False),
    Column("sharpness", Float, nullable=False),
)

approved_references = Table(  # the view each camera is compared with; a person found it good
    "approved_references",
    metadata,
    Column("camera", ForeignKey("cameras.id"), primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("approved_by", ForeignKey("users.id"), nullable=False),
    Column("approved_at", InstantType, nullable=False),
    CheckConstraint("length(sha256) = 64", name="sha256"),
)

# ---------------------------------------------------------------- duty phones and alerts

phones = Table(  # devices that are told of alerts, each with a log-in of its own at the broker
    "phones",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("login", ForeignKey("logins.id")),  # it ends with this; empty: issued until revoked
    Column("post", Text, nullable=False),
    Column("sealed", Text, nullable=False),  # broker password, sealed to the centre's own key
    Column("made_at", InstantType, nullable=False),  # signing in to duty: the order of asking
    Column("ended_at", InstantType),
)
Index(  # one phone a log-in
    "ix_phones_login",
    phones.c.login,
    unique=True,
    sqlite_where=phones.c.ended_at.is_(None),
    postgresql_where=phones.c.ended_at.is_(None),
)

duty = Table(  # when each phone was connected
    "duty",
    metadata,
    Column("phone", ForeignKey("phones.id"), primary_key=True),
    Column("began_at", InstantType, primary_key=True),
    Column("ended_at", InstantType),
    CheckConstraint("ended_at >= began_at", name="span"),
)
Index(
    "ix_duty_present",
    duty.c.phone,
    unique=True,
    sqlite_where=duty.c.ended_at.is_(None),
    postgresql_where=duty.c.ended_at.is_(None),
)

alerts = Table(  # one row per problem, from raising to solving
    "alerts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # `class` outside
    Column("subject", Text, nullable=False),  # the camera, the box, or `duty`
    Column("state", Text, nullable=False),
    Column("active", Boolean, nullable=False),  # the condition still holds
    Column("room", Text),
    Column("camera", Text),
    Column("edge", Text),
    Column("session", Text),
    Column("raised_at", InstantType, nullable=False),
    Column("first_at", InstantType, nullable=False),
    Column("count", Integer, nullable=False),
    Column("cameras", Integer, nullable=False),  # how many it concerns
    Column("score", Float),
    Column("model", Text, nullable=False),
    Column("taken_by", ForeignKey("users.id")),
    Column("taken_at", InstantType),
    Column("solved_by", ForeignKey("users.id")),  # empty: it ended by itself
    Column("solved_at", InstantType),
    Column("reason", Text, nullable=False),
    Column("shelved_until", InstantType),
    Column("round", Integer, nullable=False),  # one more each time it comes off the shelf
    one_of("state", ("raised", "delivered", "taken", "solved", "shelved")),
    CheckConstraint("(state = 'solved') = (solved_at IS NOT NULL)", name="solved"),
    CheckConstraint("(state = 'shelved') = (shelved_until IS NOT NULL)", name="shelved"),
    CheckConstraint("(taken_by IS NULL) = (taken_at IS NULL)", name="taken"),
    CheckConstraint("count >= 1", name="count"),
)
Index(  # one open case per class and subject
    "ix_alerts_open",
    alerts.c.kind,
    alerts.c.subject,
    unique=True,
    sqlite_where=alerts.c.solved_at.is_(None),
    postgresql_where=alerts.c.solved_at.is_(None),
)
Index("ix_alerts_raised_at", alerts.c.raised_at)
Index("ix_alerts_subject", alerts.c.kind, alerts.c.subject)

alert_events = Table(  # what became of an alert, step by step
    "alert_events",
    metadata,
    Column("alert", ForeignKey("alerts.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),  # 1, 2, 3 …
    Column("at", InstantType, nullable=False),
    Column("step", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("person", Text, nullable=False),  # a user's id, or empty
    Column("detail", Text, nullable=False),
)

deliveries = Table(  # how an alert fared with each phone it was sent to
    "deliveries",
    metadata,
    Column("alert", ForeignKey("alerts.id"), primary_key=True),
    Column("round", Integer, primary_key=True, autoincrement=False),
    Column("phone", ForeignKey("phones.id"), primary_key=True),
    Column("person", ForeignKey("users.id"), nullable=False),
    Column("sent_at", InstantType, nullable=False),
    Column("tried_at", InstantType, nullable=False),  # the newest attempt
    Column("tries", Integer, nullable=False),
    Column("missed_at", InstantType),  # no receipt within 15 s
    Column("delivered_at", InstantType),
    Column("read_at", InstantType),
    Column("declined_at", InstantType),
)

tampers = Table(  # each time a picture, or footage, was not what it should be, as its box told
    "tampers",
    metadata,
    Column("id", Text, primary_key=True),  # camera, kind and first frame
    Column("camera", Text, nullable=False),  # empty: it is about the box
    Column("edge", ForeignKey("edges.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("score", Float, nullable=False),
    Column("extent", Float, nullable=False),
    Column("model", Text, nullable=False),
    Column("first_at", InstantType, nullable=False),
    Column("voted_at", InstantType, nullable=False),
    Column("ended_at", InstantType),
    Column("alert", Text),  # the case it was counted under; empty: too short to be one
)
Index("ix_tampers_camera", tampers.c.camera, tampers.c.kind)
Index(
    "ix_tampers_open",
    tampers.c.id,
    sqlite_where=text("ended_at IS NULL OR alert IS NULL"),
    postgresql_where=text("ended_at IS NULL OR alert IS NULL"),
)

# ---------------------------------------------------------------- looks

looks = Table(  # live pictures that somebody saw or sees
    "looks",
    metadata,
    Column("id", Text, primary_key=True),  # the ticket's jti
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("login", ForeignKey("logins.id"), nullable=False),
    Column("edge", ForeignKey("edges.id"), nullable=False),
    Column("cameras", JSON, nullable=False),  # list of {id, stream}
    Column("ledger", ForeignKey("ledger.id"), nullable=False),  # committed before the ticket
    Column("began_at", InstantType, nullable=False),
    Column("view_until", InstantType, nullable=False),
    Column("ended_at", InstantType),
    Column("ended_why", Text),
    CheckConstraint("(ended_at IS NULL) = (ended_why IS NULL)", name="ended"),
)
Index(
    "ix_looks_open",
    looks.c.login,
    sqlite_where=text("ended_at IS NULL"),
    postgresql_where=text("ended_at IS NULL"),
)

# ---------------------------------------------------------------- holds and the end of terms

HOLD_STATES = (
    "PLACED",
    "ACTIVE",
    "REVIEW_DUE",
    "RELEASE_PROPOSED",
    "RELEASED",
    "LAPSED",
)

holds = Table(  # footage that outlives its term
    "holds",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),  # PLACED until every box concerned confirmed it
    Column("starts_at", InstantType, nullable=False),
    Column("ends_at", InstantType, nullable=False),
    Column("owner", Text, nullable=False),  # for whom: a user, a unit, a request
    Column("reason", Text, nullable=False),
    Column("review_at", InstantType, nullable=False),
    Column("lapses_at", InstantType),  # of a request's hold, once its request ended
    Column("placed_by", Text, nullable=False),
    Column("placed_at", InstantType, nullable=False),
    Column("proposed_by", Text),  # wants it released
    Column("proposed_at", InstantType),
    Column("proposed_why", Text),
    Column("released_by", Text),  # agreed; another person
    Column("ended_at", InstantType),
    Column("ledger", ForeignKey("ledger.id")),  # the act that ended it
    one_of("kind", ("request", "violation", "incident", "authority", "integrity")),
    one_of("state", HOLD_STATES),
    CheckConstraint("ends_at > starts_at", name="span"),
    CheckConstraint("(ended_at IS NULL) = (state NOT IN ('RELEASED', 'LAPSED'))", name="ended"),
    CheckConstraint("lapses_at IS NULL OR kind = 'request'", name="lapses"),
    CheckConstraint(
        "state <> 'RELEASED' OR (released_by IS NOT NULL AND released_by <> proposed_by)",
        name="two_persons",
    ),
)
Index("ix_holds_state", holds.c.state)

hold_cameras = Table(
    "hold_cameras",
    metadata,
    Column("hold", ForeignKey("holds.id"), primary_key=True),
    Column("camera", Text, primary_key=True),
)
Index("ix_hold_cameras_camera", hold_cameras.c.camera)

hold_boxes = Table(  # the boxes that have such footage, or will
    "hold_boxes",
    metadata,
    Column("hold", ForeignKey("holds.id"), primary_key=True),
    Column("edge", ForeignKey("edges.id"), primary_key=True),
    Column("confirmed_at", InstantType),  # the box said that it holds it
    Column("gone_at", InstantType),  # …and that it does no more
)

hold_lists = Table(  # the newest that was signed for each box
    "hold_lists",
    metadata,
    Column("edge", ForeignKey("edges.id"), primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("issued_at", InstantType, nullable=False),
    Column("digest", Text, nullable=False),  # of what it says, without number and instant
    CheckConstraint("epoch >= 1 AND number >= 1", name="numbers"),
)

box_troubles = Table(  # what is wrong with a box's shelf, as it said last
    "box_troubles",
    metadata,
    Column("edge", ForeignKey("edges.id"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("detail", Text, nullable=False),
    Column("since", InstantType, nullable=False),
    Column("ended_at", InstantType),
)

outages = Table(  # notices of outage, filed before they begin
    "outages",
    metadata,
    Column("id", Text, primary_key=True),
    Column("starts_at", InstantType, nullable=False),
    Column("ends_at", InstantType, nullable=False),
    Column("reason", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("override", Text, nullable=False),  # why exams in the span are no obstacle
    Column("filed_by", Text, nullable=False),
    Column("filed_at", InstantType, nullable=False),
    Column("withdrawn_by", Text),
    Column("withdrawn_at", InstantType),
    CheckConstraint("ends_at > starts_at", name="span"),
)
Index("ix_outages_starts_at", outages.c.starts_at)

outage_rooms = Table(
    "outage_rooms",
    metadata,
    Column("outage", ForeignKey("outages.id"), primary_key=True),
    Column("room", Text, primary_key=True),
)
Index("ix_outage_rooms_room", outage_rooms.c.room)

deletions = Table(  # what is gone; as boxes told it, so without foreign key but the box
    "deletions",
    metadata,
    Column("edge", ForeignKey("edges.id"), primary_key=True),
    Column("segment", Text, primary_key=True),
    Column("deleted_at", InstantType, primary_key=True),
    Column("camera", Text, nullable=False),
    Column("starts_at", InstantType, nullable=False),
    Column("ends_at", InstantType, nullable=False),
    Column("path", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("root", Text, nullable=False),
    Column("retain_until", InstantType, nullable=False),
    Column("late_s", Float, nullable=False),
    Column("policy", Text, nullable=False),
    Column("missing", Boolean, nullable=False),  # it was gone before its time came
    Column("holds", JSON, nullable=False),  # ids of holds that kept it beyond its term
    CheckConstraint("late_s >= 0", name="late_s"),
)
Index("ix_deletions_segment", deletions.c.segment)
Index("ix_deletions_deleted_at", deletions.c.deleted_at)

deferrals = Table(  # past its term, and not deleted yet
    "deferrals",
    metadata,
    Column("edge", ForeignKey("edges.id"), primary_key=True),
    Column("segment", Text, primary_key=True),
    Column("why", Text, nullable=False),
    Column("since", InstantType, nullable=False),
    Column("ended_at", InstantType),
)
Index(
    "ix_deferrals_open",
    deferrals.c.edge,
    deferrals.c.since,
    sqlite_where=text("ended_at IS NULL"),
    postgresql_where=text("ended_at IS NULL"),
)

retention_classes = Table(  # days by category of exam; a category without a row: thirty
    "retention_classes",
    metadata,
    Column("category", Text, primary_key=True),
    Column("days", Integer, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", InstantType, nullable=False),
    CheckConstraint("days >= 30", name="days"),
)

# ---------------------------------------------------------------- playback

playbacks = Table(  # footage that somebody watched or watches
    "playbacks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("user", Text, nullable=False),  # as the ledger names the person
    Column("login", ForeignKey("logins.id"), nullable=False),
    Column("cameras", JSON, nullable=False),  # list of ids
    Column("starts_at", InstantType, nullable=False),  # of the footage that may be watched
    Column("ends_at", InstantType, nullable=False),
    Column("reason", Text, nullable=False),
    Column("alert", ForeignKey("alerts.id")),  # a replay, for as long as this is open
    Column("ledger", ForeignKey("ledger.id"), nullable=False),  # committed before a ticket
    Column("began_at", InstantType, nullable=False),
    Column("seen_at", InstantType, nullable=False),  # newest request
    Column("told_at", InstantType),  # when the ledger last heard what was watched
    Column("view_until", InstantType, nullable=False),
    Column("ended_at", InstantType),
    Column("ended_why", Text),
    CheckConstraint("(ended_at IS NULL) = (ended_why IS NULL)", name="ended"),
    CheckConstraint("ends_at > starts_at", name="span"),
)
Index(
    "ix_playbacks_open",
    playbacks.c.user_id,
    sqlite_where=text("ended_at IS NULL"),
    postgresql_where=text("ended_at IS NULL"),
)

# ---------------------------------------------------------------- evidence packages

exports = Table(  # every package that was asked for; the file itself lives a day
    "exports",
    metadata,
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("cameras", JSON, nullable=False),  # list of ids
    Column("starts_at", InstantType, nullable=False),
    Column("ends_at", InstantType, nullable=False),
    Column("reason", Text, nullable=False),
    Column("request", Text, nullable=False),  # number of the application
    Column("requester", Text, nullable=False),
    Column("approved_by", JSON, nullable=False),  # list of names
    Column("recipient", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("login", Text, nullable=False),  # stands in the tickets
    Column("asked_at", InstantType, nullable=False),
    Column("expected_bytes", BigInteger, nullable=False),
    Column("handed_out", Boolean, nullable=False),  # written to a path of the asker's, by command
    Column("problem", Text, nullable=False),  # code of the refusal that ended it
    Column("sha256", Text),
    Column("bytes", BigInteger),
    Column("made_at", InstantType),
    Column("retain_until", InstantType),  # then the file is removed
    Column("link_sha256", Text),  # of the newest link; worth nothing once used
    Column("link_until", InstantType),
    Column("fetched_at", InstantType),  # the last time
    one_of("state", ("waiting", "making", "made", "failed", "cancelled", "removed")),
    CheckConstraint("ends_at > starts_at", name="span"),
    CheckConstraint("reason <> '' AND request <> '' AND recipient <> ''", name="why"),
    CheckConstraint("(sha256 IS NULL) = (made_at IS NULL)", name="made"),
    CheckConstraint("(state = 'failed') = (problem <> '')", name="problem"),
)
Index("ix_exports_asked_at", exports.c.asked_at)

playback_spans = Table(  # what was sent, and what the page said of it, merged
    "playback_spans",
    metadata,
    Column("id", Text, primary_key=True),
    Column("playback", ForeignKey("playbacks.id"), nullable=False),
    Column("camera", Text, nullable=False),
    Column("starts_at", InstantType, nullable=False),
    Column("ends_at", InstantType, nullable=False),
    Column("speed", Float),  # as the page says; empty: these bytes were sent
    Column("first_at", InstantType, nullable=False),
    Column("last_at", InstantType, nullable=False),
    Column("ledger", ForeignKey("ledger.id")),  # the row that tells of it
    CheckConstraint("ends_at >= starts_at", name="span"),
)
Index("ix_playback_spans_playback", playback_spans.c.playback, playback_spans.c.camera)
