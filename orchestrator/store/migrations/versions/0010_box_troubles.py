"""What is wrong with a box's shelf, as the box said last; sessions with gaps found quickly."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make its table, and what is asked every second an index."""
    op.create_table(
        "box_troubles",
        sa.Column("edge", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["edge"], ["edges.id"], name=op.f("fk_box_troubles_edge")),
        sa.PrimaryKeyConstraint("edge", "kind", name=op.f("pk_box_troubles")),
    )
    op.create_index("ix_alerts_subject", "alerts", ["kind", "subject"], unique=False)
    op.create_index(
        "ix_certificates_incomplete",
        "certificates",
        ["session"],
        unique=False,
        sqlite_where=sa.text("verdict = 'INCOMPLETE'"),
        postgresql_where=sa.text("verdict = 'INCOMPLETE'"),
    )
