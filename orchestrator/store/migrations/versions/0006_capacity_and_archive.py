"""How large a box's volume is, and second copies in the archive."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make their tables."""
    op.create_table(
        "edge_volumes",
        sa.Column("edge", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("total_bytes", sa.BigInteger(), nullable=False),
        sa.Column("pressure", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "pressure IN ('none', 'low', 'optional', 'preview', 'newest')",
            name=op.f("ck_edge_volumes_pressure"),
        ),
        sa.ForeignKeyConstraint(["edge"], ["edges.id"], name=op.f("fk_edge_volumes_edge")),
        sa.PrimaryKeyConstraint("edge", name=op.f("pk_edge_volumes")),
    )
    op.create_table(
        "archive_copies",
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("copy", sa.Text(), nullable=False),
        sa.Column("edge", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("verified_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column("deleted_why", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "length(sha256) = 64 AND bytes > 0", name=op.f("ck_archive_copies_object")
        ),
        sa.CheckConstraint(
            "(deleted_at IS NULL) = (deleted_why IS NULL)", name=op.f("ck_archive_copies_deleted")
        ),
        sa.ForeignKeyConstraint(["edge"], ["edges.id"], name=op.f("fk_archive_copies_edge")),
        sa.PrimaryKeyConstraint("segment", "copy", name=op.f("pk_archive_copies")),
    )
    op.create_index(
        "ix_archive_copies_standing",
        "archive_copies",
        ["segment"],
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
