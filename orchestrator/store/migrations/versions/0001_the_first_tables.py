"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and the triggers that guard the ledger."""
    op.create_table(
        "edges",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sign_public", sa.LargeBinary(), nullable=True),
        sa.Column("seal_public", sa.LargeBinary(), nullable=True),
        sa.Column("certificate", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("broker_sealed", sa.Text(), nullable=True),
        sa.Column("enrolled_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_why", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(revoked_at IS NULL) = (revoked_why IS NULL)", name=op.f("ck_edges_revoked")
        ),
        sa.CheckConstraint(
            "enrolled_at IS NULL OR (certificate IS NOT NULL AND url IS NOT NULL)",
            name=op.f("ck_edges_enrolled_with_address"),
        ),
        sa.CheckConstraint(
            "enrolled_at IS NULL OR (sign_public IS NOT NULL AND seal_public IS NOT NULL)",
            name=op.f("ck_edges_enrolled_with_keys"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edges")),
    )
    op.create_table(
        "ledger",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.CheckConstraint("id >= 1", name=op.f("ck_ledger_id")),
        sa.CheckConstraint(
            "length(hash) = 64 AND length(previous) = 64", name=op.f("ck_ledger_hash")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger")),
        sa.UniqueConstraint("hash", name=op.f("uq_ledger_hash")),
    )
    op.create_table(
        "rooms",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("aliases", sa.JSON(), nullable=False),
        sa.Column("building", sa.Text(), nullable=False),
        sa.Column("campus", sa.Text(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.CheckConstraint("capacity > 0", name=op.f("ck_rooms_capacity")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rooms")),
        sa.UniqueConstraint("name", name=op.f("uq_rooms_name")),
    )
    op.create_table(
        "timetables",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("uploaded_by", sa.Text(), nullable=False),
        sa.Column("uploaded_at", sa.BigInteger(), nullable=False),
        sa.Column("staged_at", sa.BigInteger(), nullable=True),
        sa.Column("applied_at", sa.BigInteger(), nullable=True),
        sa.Column("applied_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(applied_at IS NULL) = (applied_by IS NULL)", name=op.f("ck_timetables_applied_by")
        ),
        sa.CheckConstraint(
            "applied_at IS NULL OR staged_at IS NOT NULL", name=op.f("ck_timetables_applied")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timetables")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("failures >= 0", name=op.f("ck_users_failures")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("user", name=op.f("uq_users_user")),
    )
    op.create_table(
        "camera_states",
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("edge", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("last_frame_at", sa.BigInteger(), nullable=True),
        sa.Column("bitrate_bps", sa.BigInteger(), nullable=False),
        sa.Column("recording", sa.Boolean(), nullable=False),
        sa.CheckConstraint("stream IN ('main', 'sub')", name=op.f("ck_camera_states_stream")),
        sa.ForeignKeyConstraint(["edge"], ["edges.id"], name=op.f("fk_camera_states_edge")),
        sa.PrimaryKeyConstraint("camera", "stream", name=op.f("pk_camera_states")),
    )
    op.create_table(
        "cameras",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("room", sa.Text(), nullable=False),
        sa.Column("edge", sa.Text(), nullable=False),
        sa.Column("switch", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["edge"], ["edges.id"], name=op.f("fk_cameras_edge")),
        sa.ForeignKeyConstraint(["room"], ["rooms.id"], name=op.f("fk_cameras_room")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cameras")),
    )
    op.create_index(op.f("ix_cameras_edge"), "cameras", ["edge"], unique=False)
    op.create_index(op.f("ix_cameras_room"), "cameras", ["room"], unique=False)
    op.create_table(
        "cancellations",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("edge", sa.Text(), nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ledger", sa.BigInteger(), nullable=False),
        sa.Column("approved_by", sa.JSON(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_cancellations_reason")),
        sa.ForeignKeyConstraint(["edge"], ["edges.id"], name=op.f("fk_cancellations_edge")),
        sa.ForeignKeyConstraint(["ledger"], ["ledger.id"], name=op.f("fk_cancellations_ledger")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_cancellations")),
    )
    op.create_index(op.f("ix_cancellations_edge"), "cancellations", ["edge"], unique=False)
    op.create_table(
        "dispatches",
        sa.Column("edge", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("epoch >= 1 AND revision >= 1", name=op.f("ck_dispatches_numbers")),
        sa.ForeignKeyConstraint(["edge"], ["edges.id"], name=op.f("fk_dispatches_edge")),
        sa.PrimaryKeyConstraint("edge", "epoch", "revision", name=op.f("pk_dispatches")),
    )
    op.create_table(
        "edge_states",
        sa.Column("edge", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("heard_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("clock_trusted", sa.Boolean(), nullable=False),
        sa.Column("free_bytes", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state IN ('online', 'offline')", name=op.f("ck_edge_states_state")),
        sa.ForeignKeyConstraint(["edge"], ["edges.id"], name=op.f("fk_edge_states_edge")),
        sa.PrimaryKeyConstraint("edge", name=op.f("pk_edge_states")),
    )
    op.create_table(
        "exam_sessions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("provenance", sa.Text(), nullable=False),
        sa.Column("room", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("campus", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("headcount", sa.Integer(), nullable=True),
        sa.Column("courses", sa.JSON(), nullable=False),
        sa.Column("invigilators", sa.JSON(), nullable=False),
        sa.Column("timetable", sa.Text(), nullable=True),
        sa.Column("cancelled_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_exam_sessions_span")),
        sa.ForeignKeyConstraint(["room"], ["rooms.id"], name=op.f("fk_exam_sessions_room")),
        sa.ForeignKeyConstraint(
            ["timetable"], ["timetables.id"], name=op.f("fk_exam_sessions_timetable")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exam_sessions")),
        sa.UniqueConstraint("provenance", name=op.f("uq_exam_sessions_provenance")),
    )
    op.create_index("ix_exam_sessions_room", "exam_sessions", ["room", "starts_at"], unique=False)
    op.create_index("ix_exam_sessions_starts_at", "exam_sessions", ["starts_at"], unique=False)
    op.create_table(
        "fact_marks",
        sa.Column("edge", sa.Text(), nullable=False),
        sa.Column("up_to", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("up_to >= 0", name=op.f("ck_fact_marks_up_to")),
        sa.ForeignKeyConstraint(["edge"], ["edges.id"], name=op.f("fk_fact_marks_edge")),
        sa.PrimaryKeyConstraint("edge", name=op.f("pk_fact_marks")),
    )
    op.create_table(
        "facts",
        sa.Column("edge", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("heard_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["edge"], ["edges.id"], name=op.f("fk_facts_edge")),
        sa.PrimaryKeyConstraint("edge", "id", name=op.f("pk_facts")),
    )
    op.create_index("ix_facts_seq", "facts", ["edge", "seq"], unique=False)
    op.create_table(
        "gaps",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("edge", sa.Text(), nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.CheckConstraint("stream IN ('main', 'sub')", name=op.f("ck_gaps_stream")),
        sa.CheckConstraint("ends_at >= starts_at", name=op.f("ck_gaps_span")),
        sa.ForeignKeyConstraint(["edge"], ["edges.id"], name=op.f("fk_gaps_edge")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gaps")),
    )
    op.create_index("ix_gaps_camera", "gaps", ["camera", "starts_at"], unique=False)
    op.create_table(
        "invites",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("edge", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("invited_by", sa.Text(), nullable=False),
        sa.Column("invited_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.CheckConstraint("expires_at > invited_at", name=op.f("ck_invites_expires_at")),
        sa.CheckConstraint("failures >= 0", name=op.f("ck_invites_failures")),
        sa.ForeignKeyConstraint(["edge"], ["edges.id"], name=op.f("fk_invites_edge")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invites")),
    )
    op.create_index("ix_invites_edge", "invites", ["edge"], unique=False)
    op.create_table(
        "logins",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("token_sha256", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("csrf", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_why", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "device IN ('console', 'phone', 'office')", name=op.f("ck_logins_device")
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_why IS NULL)", name=op.f("ck_logins_ended")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_logins_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logins")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_logins_token_sha256")),
    )
    op.create_index(
        "ix_logins_open",
        "logins",
        ["user_id", "device"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "segments",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("edge", sa.Text(), nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("fragments", sa.Integer(), nullable=False),
        sa.Column("clock", sa.Text(), nullable=False),
        sa.Column("clock_offset_ms", sa.Float(), nullable=True),
        sa.Column("volume", sa.Text(), nullable=False),
        sa.Column("adopted", sa.Boolean(), nullable=False),
        sa.Column("retain_until", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("clock IN ('trusted', 'untrusted')", name=op.f("ck_segments_clock")),
        sa.CheckConstraint("stream IN ('main', 'sub')", name=op.f("ck_segments_stream")),
        sa.CheckConstraint("ends_at >= starts_at AND bytes >= 0", name=op.f("ck_segments_span")),
        sa.ForeignKeyConstraint(["edge"], ["edges.id"], name=op.f("fk_segments_edge")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segments")),
    )
    op.create_index("ix_segments_camera", "segments", ["camera", "starts_at"], unique=False)
    op.create_table(
        "staged_sessions",
        sa.Column("timetable", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("provenance", sa.Text(), nullable=False),
        sa.Column("room", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("campus", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("headcount", sa.Integer(), nullable=True),
        sa.Column("courses", sa.JSON(), nullable=False),
        sa.Column("invigilators", sa.JSON(), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_staged_sessions_span")),
        sa.ForeignKeyConstraint(["room"], ["rooms.id"], name=op.f("fk_staged_sessions_room")),
        sa.ForeignKeyConstraint(
            ["timetable"], ["timetables.id"], name=op.f("fk_staged_sessions_timetable")
        ),
        sa.PrimaryKeyConstraint("timetable", "id", name=op.f("pk_staged_sessions")),
    )
    op.create_table(
        "timetable_rows",
        sa.Column("timetable", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sheet", sa.Text(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("message_zh", sa.Text(), nullable=False),
        sa.Column("message_en", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "verdict IN ('ok', 'warn', 'reject')", name=op.f("ck_timetable_rows_verdict")
        ),
        sa.ForeignKeyConstraint(
            ["timetable"], ["timetables.id"], name=op.f("fk_timetable_rows_timetable")
        ),
        sa.PrimaryKeyConstraint("timetable", "number", name=op.f("pk_timetable_rows")),
    )
    op.create_table(
        "user_roles",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "role IN ('exam_office', 'patrol', 'operator', 'sys_admin', 'auditor')",
            name=op.f("ck_user_roles_role"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_roles_user_id")),
        sa.PrimaryKeyConstraint("user_id", "role", name=op.f("pk_user_roles")),
    )
    op.create_table(
        "looks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("edge", sa.Text(), nullable=False),
        sa.Column("cameras", sa.JSON(), nullable=False),
        sa.Column("ledger", sa.BigInteger(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("view_until", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_why", sa.Text(), nullable=True),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_why IS NULL)", name=op.f("ck_looks_ended")),
        sa.ForeignKeyConstraint(["edge"], ["edges.id"], name=op.f("fk_looks_edge")),
        sa.ForeignKeyConstraint(["ledger"], ["ledger.id"], name=op.f("fk_looks_ledger")),
        sa.ForeignKeyConstraint(["login"], ["logins.id"], name=op.f("fk_looks_login")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_looks_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_looks")),
    )
    op.create_index(
        "ix_looks_open",
        "looks",
        ["login"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    for statement in TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)


TRIGGERS = {
    "sqlite": (
        """CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
        """CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
        """CREATE TRIGGER ledger_no_replace BEFORE INSERT ON ledger
        WHEN NEW.id <= (SELECT max(id) FROM ledger)
          OR EXISTS (SELECT 1 FROM ledger WHERE hash = NEW.hash)
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
    ),
    "postgresql": (
        """CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$""",
        """CREATE TRIGGER ledger_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
        FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()""",
        """CREATE FUNCTION ledger_goes_on() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN
            IF NEW.id <= (SELECT max(id) FROM ledger) THEN
                RAISE EXCEPTION 'the ledger is append-only';
            END IF;
            RETURN NEW;
        END $$""",
        """CREATE TRIGGER ledger_no_insert_before BEFORE INSERT ON ledger
        FOR EACH ROW EXECUTE FUNCTION ledger_goes_on()""",
    ),
}
