"""Play sessions and what was watched in them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make their tables."""
    op.create_table(
        "playbacks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("cameras", sa.JSON(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("alert", sa.Text(), nullable=True),
        sa.Column("ledger", sa.BigInteger(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.Column("view_until", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_why", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_why IS NULL)", name=op.f("ck_playbacks_ended")
        ),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_playbacks_span")),
        sa.ForeignKeyConstraint(["alert"], ["alerts.id"], name=op.f("fk_playbacks_alert")),
        sa.ForeignKeyConstraint(["ledger"], ["ledger.id"], name=op.f("fk_playbacks_ledger")),
        sa.ForeignKeyConstraint(["login"], ["logins.id"], name=op.f("fk_playbacks_login")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_playbacks_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playbacks")),
    )
    op.create_index(
        "ix_playbacks_open",
        "playbacks",
        ["user_id"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "playback_spans",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("playback", sa.Text(), nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("speed", sa.Float(), nullable=True),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("ledger", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("ends_at >= starts_at", name=op.f("ck_playback_spans_span")),
        sa.ForeignKeyConstraint(["ledger"], ["ledger.id"], name=op.f("fk_playback_spans_ledger")),
        sa.ForeignKeyConstraint(
            ["playback"], ["playbacks.id"], name=op.f("fk_playback_spans_playback")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playback_spans")),
    )
    op.create_index(
        "ix_playback_spans_playback", "playback_spans", ["playback", "camera"], unique=False
    )
