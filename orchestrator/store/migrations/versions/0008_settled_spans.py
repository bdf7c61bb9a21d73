"""Spans that a box corrected after its clock was confirmed, and what waits for that."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make their table, and the index of what waits."""
    op.create_table(
        "settled_spans",
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("said_start", sa.BigInteger(), nullable=False),
        sa.Column("said_end", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["segment"], ["segments.id"], name=op.f("fk_settled_spans_segment")
        ),
        sa.PrimaryKeyConstraint("segment", name=op.f("pk_settled_spans")),
    )
    untrusted = sa.text("clock = 'untrusted'")
    op.create_index(
        "ix_segments_untrusted",
        "segments",
        ["camera"],
        unique=False,
        sqlite_where=untrusted,
        postgresql_where=untrusted,
    )
