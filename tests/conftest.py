"""What all tests may ask for, and what none may do."""

import asyncio
import inspect
import os
import tempfile
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from orchestrator.store import Store
from tests.fakes.database import Cluster, postgresql
from tests.guard import sealed_guard

sealed_guard.stand(refusing=False)


def pytest_configure(config: pytest.Config) -> None:
    """Have the guard stand in every process that is started from a test, too."""
    if config.getoption("tx", None) and not hasattr(config, "workerinput"):
        return  # the workers run the tests
    number, report = tempfile.mkstemp(prefix="xunkao-guard-")
    os.close(number)
    os.environ[sealed_guard.REPORT] = report
    here = str(Path(sealed_guard.__file__).parent)
    others = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    paths = [here, *(path for path in others if path and path != here)]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    report = os.environ.pop(sealed_guard.REPORT, None)
    if report is not None:
        Path(report).unlink(missing_ok=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Refuse from a test's first fixture to its last."""
    with sealed_guard.in_a_test():
        return (yield)


@pytest.fixture(autouse=True)
def sealed_segments_stay() -> Generator[None]:
    """Fail a test in which anybody, in any process, laid hands on a sealed segment."""
    report = Path(os.environ[sealed_guard.REPORT])
    before = report.stat().st_size
    yield
    assert report.read_text()[before:] == ""


@pytest.fixture(autouse=True)
def _no_task_is_left(request: pytest.FixtureRequest) -> None:
    """Hold every test that runs in a loop to ending what it started."""
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        request.getfixturevalue("ends_its_tasks")


def _is_of_aiortc(task: "asyncio.Task[object]") -> bool:
    """Its connections forget the task that connects when they are closed before it is done."""
    return "RTCPeerConnection.__connect" in repr(task.get_coro())


@pytest.fixture
async def ends_its_tasks() -> AsyncGenerator[None]:
    """Fail when a task is still there after everything else was closed."""
    yield
    ours = {task for task in asyncio.all_tasks() if not _is_of_aiortc(task)}
    left = ours - {asyncio.current_task()}
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
