"""What all tests may ask for."""

import asyncio
import inspect
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from orchestrator.store import Store
from tests.fakes.database import Cluster, postgresql


@pytest.fixture(autouse=True)
def _no_task_is_left(request: pytest.FixtureRequest) -> None:
    """Hold every test that runs in a loop to ending what it started."""
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        request.getfixturevalue("ends_its_tasks")


@pytest.fixture
async def ends_its_tasks() -> AsyncGenerator[None]:
    """Fail when a task is still there after everything else was closed."""
    yield
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, f"left running: {sorted(task.get_name() for task in left)}"


@pytest.fixture(scope="session")
def cluster() -> Generator[Cluster]:
    """A PostgreSQL server, started when the first test asks for it."""
    with postgresql() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind, by URL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'centre.sqlite'}"
    running: Cluster = request.getfixturevalue("cluster")
    return running.new_database()


@pytest.fixture
async def store(database: str) -> AsyncGenerator[Store]:
    """An open store on each kind of database."""
    async with Store.open(database) as opened:
        yield opened
