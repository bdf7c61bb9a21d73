"""Certificates of coverage, and the indexes by which they are made."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SQLITE = (
    """CREATE TRIGGER certificates_no_update BEFORE UPDATE ON certificates
        BEGIN SELECT RAISE(ABORT, 'certificates are append-only'); END""",
    """CREATE TRIGGER certificates_no_delete BEFORE DELETE ON certificates
        BEGIN SELECT RAISE(ABORT, 'certificates are append-only'); END""",
    """CREATE TRIGGER certificates_no_replace BEFORE INSERT ON certificates
        WHEN EXISTS (SELECT 1 FROM certificates
          WHERE session = NEW.session AND edition >= NEW.edition)
        BEGIN SELECT RAISE(ABORT, 'certificates are append-only'); END""",
)
_POSTGRESQL = (
    """CREATE FUNCTION certificates_are_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'certificates are append-only'; END $$""",
    """CREATE TRIGGER certificates_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON certificates
        FOR EACH STATEMENT EXECUTE FUNCTION certificates_are_append_only()""",
)


def upgrade() -> None:
    """Make the table, its guards and the indexes."""
    op.create_table(
        "certificates",
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("edition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("planned_us", sa.BigInteger(), nullable=False),
        sa.Column("recorded_us", sa.BigInteger(), nullable=False),
        sa.Column("seams_us", sa.BigInteger(), nullable=False),
        sa.Column("content_sha256", sa.Text(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("public", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sig", sa.Text(), nullable=False),
        sa.Column("statements", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "verdict IN ('VERIFIED', 'INCOMPLETE')", name=op.f("ck_certificates_verdict")
        ),
        sa.CheckConstraint("edition >= 1", name=op.f("ck_certificates_edition")),
        sa.CheckConstraint(
            "recorded_us + seams_us <= planned_us", name=op.f("ck_certificates_sums")
        ),
        sa.PrimaryKeyConstraint("session", "edition", name=op.f("pk_certificates")),
    )
    guards = _POSTGRESQL if op.get_bind().dialect.name == "postgresql" else _SQLITE
    for statement in guards:
        op.execute(statement)
    op.create_index("ix_facts_type", "facts", ["type", "at"], unique=False)
    op.create_index("ix_facts_heard_at", "facts", ["heard_at"], unique=False)
