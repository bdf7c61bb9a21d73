"""How Alembic reaches the database: on the connection, in the transaction of its caller."""

from typing import Any, Literal

from alembic import context
from sqlalchemy.types import TypeDecorator

from orchestrator.store.columns import metadata


def plain_type(kind: str, thing: Any, _: object) -> str | Literal[False]:
    """Write a column's stored type into a migration, which must not change with our classes."""
    if kind == "type" and isinstance(thing, TypeDecorator):
        return f"sa.{thing.impl!r}"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_item=plain_type,
)
with context.begin_transaction():
    context.run_migrations()
