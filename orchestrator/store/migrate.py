"""Bringing a database to this version's tables."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from orchestrator.store.failures import StoreTooNew

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x78756E6B616F  # any number of our own: "xunkao"


def alembic_config(connection: Connection) -> Config:
    """Give Alembic's configuration for work on this connection."""
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def migrate(connection: Connection) -> None:
    """Run the migrations that are missing, inside the caller's transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    config = alembic_config(connection)
    scripts = ScriptDirectory.from_config(config)
    present = set(MigrationContext.configure(connection).get_current_heads())
    unknown = present - {script.revision for script in scripts.walk_revisions()}
    if unknown:
        raise StoreTooNew(
            f"the database is at version {', '.join(sorted(unknown))}, which this program does"
            " not know: install the program that made it, or a later one"
        )
    if present != set(scripts.get_heads()):
        command.upgrade(config, "head")
