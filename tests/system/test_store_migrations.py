"""All migrations together are the tables."""

import re
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

import orchestrator.store.triggers  # noqa: F401  # the tables are made with their triggers
from orchestrator.store import Store
from orchestrator.store.columns import metadata
from orchestrator.store.migrate import migrate
from tests.fakes.database import Cluster


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, metadata))


def _sqlite_catalogue(connection: Connection) -> dict[str, list[str]]:
    """Every table, index and trigger as SQL, whatever the order of its lines."""
    rows = connection.execute(
        text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name <> :ours"),
        {"ours": "alembic_version"},
    )
    return {row.name: sorted(_plain(line) for line in row.sql.splitlines()) for row in rows}


def _plain(line: str) -> str:
    """A table that was altered is made anew, its name in quotation marks."""
    return re.sub(r'^(CREATE TABLE) "(\w+)"', r"\1 \2", line.strip(", \t"))


def test_on_sqlite(tmp_path: Path) -> None:
    migrated = create_engine(f"sqlite:///{tmp_path}/migrated.sqlite")
    created = create_engine(f"sqlite:///{tmp_path}/created.sqlite")
    with migrated.begin() as connection:
        migrate(connection)
        assert _differences(connection) == []
        found = _sqlite_catalogue(connection)
    with created.begin() as connection:
        metadata.create_all(connection)
        assert _sqlite_catalogue(connection) == found
    migrated.dispose()
    created.dispose()


async def test_on_postgresql(cluster: Cluster) -> None:
    migrated, created = cluster.new_database(), cluster.new_database()
    async with Store.open(migrated) as store, store.write() as connection:
        assert await connection.run_sync(_differences) == []
    engine = create_async_engine(created.replace("postgresql:", "postgresql+asyncpg:"))
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await engine.dispose()
    assert _schema(cluster, migrated) == _schema(cluster, created)


def _schema(cluster: Cluster, url: str) -> list[str]:
    """What PostgreSQL itself says the schema is: CHECKs, partial indexes and triggers too."""
    name = make_url(url).database or ""
    dump = cluster.run("pg_dump", "--schema-only", "--exclude-table=alembic_version", "-d", name)
    return sorted(line for line in dump.splitlines() if line and not line.startswith(("--", "\\")))


@pytest.mark.parametrize("kind", ["CHECK", "WHERE", "TRIGGER"])
async def test_the_comparison_sees(cluster: Cluster, kind: str) -> None:
    url = cluster.new_database()
    async with Store.open(url):
        pass
    assert any(kind in line for line in _schema(cluster, url))
