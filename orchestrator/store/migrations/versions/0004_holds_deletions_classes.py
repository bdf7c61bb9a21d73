"""Holds, deletions and the classes of retention."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make their tables."""
    op.create_table(
        "retention_classes",
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("days >= 30", name=op.f("ck_retention_classes_days")),
        sa.PrimaryKeyConstraint("category", name=op.f("pk_retention_classes")),
    )
    op.create_table(
        "deferrals",
        sa.Column("edge", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["edge"], ["edges.id"], name=op.f("fk_deferrals_edge")),
        sa.PrimaryKeyConstraint("edge", "segment", name=op.f("pk_deferrals")),
    )
    op.create_index(
        "ix_deferrals_open",
        "deferrals",
        ["edge", "since"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "deletions",
        sa.Column("edge", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("retain_until", sa.BigInteger(), nullable=False),
        sa.Column("late_s", sa.Float(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("missing", sa.Boolean(), nullable=False),
        sa.Column("holds", sa.JSON(), nullable=False),
        sa.CheckConstraint("late_s >= 0", name=op.f("ck_deletions_late_s")),
        sa.ForeignKeyConstraint(["edge"], ["edges.id"], name=op.f("fk_deletions_edge")),
        sa.PrimaryKeyConstraint("edge", "segment", "deleted_at", name=op.f("pk_deletions")),
    )
    op.create_index("ix_deletions_deleted_at", "deletions", ["deleted_at"], unique=False)
    op.create_index("ix_deletions_segment", "deletions", ["segment"], unique=False)
    op.create_table(
        "hold_lists",
        sa.Column("edge", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.CheckConstraint("epoch >= 1 AND number >= 1", name=op.f("ck_hold_lists_numbers")),
        sa.ForeignKeyConstraint(["edge"], ["edges.id"], name=op.f("fk_hold_lists_edge")),
        sa.PrimaryKeyConstraint("edge", name=op.f("pk_hold_lists")),
    )
    op.create_table(
        "holds",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("review_at", sa.BigInteger(), nullable=False),
        sa.Column("lapses_at", sa.BigInteger(), nullable=True),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.BigInteger(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=True),
        sa.Column("proposed_at", sa.BigInteger(), nullable=True),
        sa.Column("proposed_why", sa.Text(), nullable=True),
        sa.Column("released_by", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ledger", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (state NOT IN ('RELEASED', 'LAPSED'))",
            name=op.f("ck_holds_ended"),
        ),
        sa.CheckConstraint(
            "kind IN ('request', 'violation', 'incident', 'authority', 'integrity')",
            name=op.f("ck_holds_kind"),
        ),
        sa.CheckConstraint("lapses_at IS NULL OR kind = 'request'", name=op.f("ck_holds_lapses")),
        sa.CheckConstraint(
            "state <> 'RELEASED' OR (released_by IS NOT NULL AND released_by <> proposed_by)",
            name=op.f("ck_holds_two_persons"),
        ),
        sa.CheckConstraint(
            "state IN ('PLACED', 'ACTIVE', 'REVIEW_DUE', 'RELEASE_PROPOSED', 'RELEASED', 'LAPSED')",
            name=op.f("ck_holds_state"),
        ),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_holds_span")),
        sa.ForeignKeyConstraint(["ledger"], ["ledger.id"], name=op.f("fk_holds_ledger")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
    )
    op.create_index("ix_holds_state", "holds", ["state"], unique=False)
    op.create_table(
        "hold_boxes",
        sa.Column("hold", sa.Text(), nullable=False),
        sa.Column("edge", sa.Text(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("gone_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["edge"], ["edges.id"], name=op.f("fk_hold_boxes_edge")),
        sa.ForeignKeyConstraint(["hold"], ["holds.id"], name=op.f("fk_hold_boxes_hold")),
        sa.PrimaryKeyConstraint("hold", "edge", name=op.f("pk_hold_boxes")),
    )
    op.create_table(
        "hold_cameras",
        sa.Column("hold", sa.Text(), nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["hold"], ["holds.id"], name=op.f("fk_hold_cameras_hold")),
        sa.PrimaryKeyConstraint("hold", "camera", name=op.f("pk_hold_cameras")),
    )
    op.create_index("ix_hold_cameras_camera", "hold_cameras", ["camera"], unique=False)
