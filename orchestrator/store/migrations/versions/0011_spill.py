"""A step of the filling disk's ladder is named for what happens there."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rename the step, and the word in its constraint; the next status says it anew anyway."""
    with op.batch_alter_table("edge_volumes", schema=None) as table:
        table.drop_constraint(op.f("ck_edge_volumes_pressure"), type_="check")
    op.execute(sa.text("UPDATE edge_volumes SET pressure = 'spill' WHERE pressure = 'preview'"))
    with op.batch_alter_table("edge_volumes", schema=None) as table:
        table.create_check_constraint(
            op.f("ck_edge_volumes_pressure"),
            "pressure IN ('none', 'low', 'optional', 'spill', 'newest')",
        )
