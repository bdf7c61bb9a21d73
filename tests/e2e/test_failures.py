"""What breaks beside the recorder costs no second; what breaks the recorder is told."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from sqlalchemy.ext.asyncio import create_async_engine

from contract.spans import Span
from orchestrator.certificates.building import build
from orchestrator.certificates.document import Content
from orchestrator.certificates.reading import Site, read_facts
from orchestrator.exams import Lead
from orchestrator.planning import Session
from tests.e2e import shelf
from tests.e2e.conftest import Demo, log_in, start_demo
from tests.fakes.waiting import until, until_async

DOWN_S = 4.0
"""How long what was killed stays away: well over the second that counts as a gap."""
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Demo]:
    """A demo of two rooms that a test may break; nothing of it outlives the module."""
    running = await start_demo(tmp_path_factory.mktemp("failures"), rooms=2)
    family = [running.process.pid, *(p.pid for p in _descendants(running.process.pid))]
    try:
        yield running
    finally:
        left = [*filter(None, map(_process, family)), *_working_on(running.folder)]
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        await running.process.wait()
        psutil.wait_procs(left, timeout=10)  # reaps what this process started itself


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None


def _descendants(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def _working_on(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if any(str(folder) in word for word in process.info["cmdline"] or ()):
            found.append(process)
    return found


def found(demo: Demo, *words: str) -> psutil.Process | None:
    """The one process of the demo whose command line has these words, if it is there now."""
    for process in _working_on(demo.folder):
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if all(word in process.cmdline() for word in words):
                return process
    return None


def the(demo: Demo, *words: str) -> psutil.Process:
    """The same, which must be there."""
    process = found(demo, *words)
    assert process is not None, words
    return process


async def replaced(demo: Demo, old: psutil.Process, *words: str) -> None:
    """Wait until another process does the work of the old one."""

    def is_new() -> bool:
        process = found(demo, *words)
        return process is not None and process.pid != old.pid

    await until(is_new, 40, f"{words[0]} started again")


def box(demo: Demo, edge: str) -> dict[str, Any]:
    found: dict[str, Any] = next(entry for entry in demo.ready["edges"] if entry["id"] == edge)
    return found


def config_of(demo: Demo, edge: str) -> str:
    return str(Path(box(demo, edge)["data"]).parent / "edge.toml")


def folder_of(demo: Demo, edge: str) -> Path:
    return Path(box(demo, edge)["data"])


def camera_of(demo: Demo, edge: str) -> str:
    return str(next(c["id"] for c in demo.ready["cameras"] if c["edge"] == edge))


async def holes(demo: Demo, edge: str, since: datetime, until_: datetime) -> list[Span]:
    """What the pictures on a box's shelf lack; everything up to now must be there."""
    camera, data = camera_of(demo, edge), folder_of(demo, edge)
    # The last fragment and the socket's low-water mark: pictures reach the file within 2 s.
    await asyncio.sleep(max(0.0, (until_ - datetime.now(UTC)).total_seconds() + 2.5))
    taken = await asyncio.to_thread(shelf.instants, data, camera, since)
    return shelf.holes(taken, since, until_)


@asynccontextmanager
async def stopped(*processes: psutil.Process) -> AsyncIterator[None]:
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


async def all_heard(demo: Demo, edge: str) -> None:
    """Wait until the centre has stored every fact of a box."""
    data = folder_of(demo, edge)
    await until(lambda: shelf.unheard(data) == 0, 60, "every fact heard")


def _now() -> datetime:
    return datetime.now(UTC)


async def growing(demo: Demo, edge: str) -> None:
    """Wait until the camera's newest file grows."""
    camera, data = camera_of(demo, edge), folder_of(demo, edge)

    def size() -> int:
        return sum(path.stat().st_size for path in shelf.files(data, camera))

    first = size()
    await until(lambda: size() > first + 100_000, 40, f"{camera} is recorded")


async def watched(site: Demo, browser: Browser) -> Page:
    """Open the wall as a patrol and wait until both pictures move."""
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    await log_in(page, site, "patrol")
    await page.goto(f"{site.url}/wall")
    await both_move(page)
    return page


async def both_move(page: Page) -> None:
    """Wait until both tiles say so and their pictures go on."""
    tiles = page.locator('[data-testid="tile"][data-state="ok"]')
    await expect(tiles).to_have_count(2, timeout=60_000)
    frames = "[...document.querySelectorAll('video')].map((v) => v.currentTime)"
    first = await page.evaluate(frames)
    await page.wait_for_timeout(1500)
    later = await page.evaluate(frames)
    assert all(two > one for one, two in zip(first, later, strict=True)), (first, later)


async def test_a_stopped_live_process_costs_viewers_a_moment_and_no_second(
    site: Demo, browser: Browser
) -> None:
    page = await watched(site, browser)
    since = _now()
    live = the(site, "live", config_of(site, "box-1"))
    live.suspend()
    stale = page.locator('[data-testid="tile"]:not([data-state="ok"])')
    await expect(stale).to_have_count(1, timeout=10_000)
    await replaced(site, live, "live", config_of(site, "box-1"))
    await both_move(page)
    assert await holes(site, "box-1", since, _now()) == []
    await page.close()


async def test_a_crashed_live_process_costs_viewers_a_moment_and_no_second(
    site: Demo, browser: Browser
) -> None:
    page = await watched(site, browser)
    since = _now()
    live = the(site, "live", config_of(site, "box-1"))
    live.send_signal(signal.SIGSEGV)
    await replaced(site, live, "live", config_of(site, "box-1"))
    await both_move(page)
    assert await holes(site, "box-1", since, _now()) == []
    await page.close()


async def test_thirty_seconds_without_centre_and_broker_cost_nothing(site: Demo) -> None:
    since = _now()
    broker = the(site, "-c")
    assert "mosquitto" in broker.name()
    async with stopped(psutil.Process(site.process.pid), broker):
        await asyncio.sleep(30)
    back = _now()
    for edge in ("box-1", "box-2"):
        assert await holes(site, edge, since, back) == []
        await all_heard(site, edge)


async def test_a_minute_with_the_centres_database_locked_costs_nothing(site: Demo) -> None:
    since = _now()
    database = site.folder / "data" / "centre" / "centre.sqlite"
    with closing(sqlite3.connect(database, isolation_level=None, timeout=30)) as other:
        other.execute("begin immediate")
        await asyncio.sleep(60)
        other.execute("rollback")
    back = _now()
    for edge in ("box-1", "box-2"):
        assert await holes(site, edge, since, back) == []
        await all_heard(site, edge)


async def test_after_all_this_the_centre_accounts_for_every_second(site: Demo) -> None:
    """What stood or crashed beside the recorders is a gap in no certificate."""
    began = (site.folder / "ready.json").stat().st_mtime
    span = Span(datetime.fromtimestamp(began, UTC), _now())
    found: list[Content] = []

    async def is_sealed() -> bool:
        found[:] = [await accounted(site, room["room"], span) for room in site.ready["sessions"]]
        return all(not content.missing_us for content in found)

    await until_async(is_sealed, 100, "that the last minute is sealed and told")
    for content in found:
        assert content.recorded_us + content.seams_us == content.planned_us > 0
        assert [part.gaps for camera in content.cameras for part in camera.streams] == [()]


async def accounted(demo: Demo, room: str, span: Span) -> Content:
    """Sum up what the demo's centre knows of a span as the certificate of its session would."""
    found = next(one for one in demo.ready["sessions"] if one["room"] == room)
    session = Session(id=found["id"], room=room, start=span.start, end=span.end)
    whole = Lead(before=timedelta(), after=timedelta())
    place = demo.folder / "data" / "centre" / "centre.sqlite"
    engine = create_async_engine(f"sqlite+aiosqlite:///file:{place}?mode=ro&uri=true")
    try:
        async with engine.connect() as connection:
            (facts,) = await read_facts(connection, Site("", "", whole), [session])
    finally:
        await engine.dispose()
    return build(facts)


async def test_a_recorder_killed_with_9_is_back_and_says_what_it_missed(site: Demo) -> None:
    data, camera = folder_of(site, "box-1"), camera_of(site, "box-1")
    await growing(site, "box-1")
    before = set(shelf.files(data, camera))
    told = len(shelf.told_gaps(data, camera))
    recorder = the(site, "recorder", config_of(site, "box-1"))
    killed_at = _now()
    async with stopped(psutil.Process(box(site, "box-1")["pid"])):  # nobody starts it again yet
        recorder.send_signal(signal.SIGKILL)
        await asyncio.sleep(DOWN_S)
    await replaced(site, recorder, "recorder", config_of(site, "box-1"))
    await growing(site, "box-1")
    await until(lambda: len(shelf.told_gaps(data, camera)) > told, 30, "the gap told")
    gap = shelf.told_gaps(data, camera)[-1]
    assert gap.cause == "box_down"
    assert abs(gap.start - killed_at) < timedelta(seconds=1.5)
    assert gap.end - gap.start > timedelta(seconds=DOWN_S - 2)
    assert gap.end - gap.start < timedelta(seconds=20)
    [missing] = await holes(site, "box-1", killed_at - timedelta(seconds=2), _now())
    assert abs((gap.end - gap.start).total_seconds() - missing.seconds) < 2.5
    interrupted = max(before, key=lambda path: path.name)
    sealed = interrupted.with_suffix(".mp4")
    assert sealed.exists(), "what was killed was taken up"
    assert list(shelf.stamps(sealed)), "and plays"


async def test_a_box_killed_with_9_goes_on_when_started_again(site: Demo) -> None:
    data, camera = folder_of(site, "box-2"), camera_of(site, "box-2")
    told = len(shelf.told_gaps(data, camera))
    await growing(site, "box-2")
    interrupted = max(shelf.files(data, camera), key=lambda path: path.name)
    killed_at = _now()
    family = [psutil.Process(box(site, "box-2")["pid"])]
    family += family[0].children(recursive=True)
    for process in family:
        process.send_signal(signal.SIGKILL)
    await asyncio.sleep(DOWN_S)
    assert all(not p.is_running() or p.status() == "zombie" for p in family)
    _run_box(site, "box-2")
    await growing(site, "box-2")
    await until(lambda: len(shelf.told_gaps(data, camera)) > told, 30, "the gap told")
    gap = shelf.told_gaps(data, camera)[-1]
    assert gap.cause == "box_down"
    assert abs(gap.start - killed_at) < timedelta(seconds=1.5)
    assert gap.end - gap.start > timedelta(seconds=DOWN_S - 2)
    [missing] = await holes(site, "box-2", killed_at - timedelta(seconds=2), _now())
    assert abs((gap.end - gap.start).total_seconds() - missing.seconds) < 2.5
    sealed = interrupted.with_suffix(".mp4")
    assert list(shelf.stamps(sealed)), "what was killed was taken up and plays"
    await all_heard(site, "box-2")
    assert found(site, "run", config_of(site, "box-2"))


def _run_box(demo: Demo, edge: str) -> None:
    """Start a box as an init system would; the module's end kills it."""
    command = [sys.executable, "-m", "edge", "run", "--config", config_of(demo, edge)]
    with (demo.folder / f"{edge}-again.log").open("wb") as log:
        os.posix_spawn(
            command[0],
            command,
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, log.fileno(), 1),
                (os.POSIX_SPAWN_DUP2, log.fileno(), 2),
            ],
        )


async def test_every_fact_is_in_the_catalogue_once(site: Demo) -> None:
    for edge in ("box-1", "box-2"):
        await all_heard(site, edge)
    kept: dict[str, list[str]] = {}
    with closing(sqlite3.connect(site.folder / "data" / "centre" / "centre.sqlite")) as centre:
        for table in ("segments", "gaps"):
            kept[table] = [row[0] for row in centre.execute(f"select id from {table}")]
    for edge in ("box-1", "box-2"):
        with closing(sqlite3.connect(folder_of(site, edge) / "journal.sqlite")) as journal:
            for table, known in kept.items():
                told = [row[0] for row in journal.execute(f"select id from {table}")]
                assert set(told) <= set(known)
                assert told, table
    for table, known in kept.items():
        assert len(known) == len(set(known)), table


async def test_a_centre_with_an_empty_database_stops_no_recording(site: Demo) -> None:
    data = folder_of(site, "box-1")
    orders = (data / "orders.json").read_bytes()
    since = _now()
    for process in (psutil.Process(site.process.pid), the(site, "-c")):
        process.kill()
    await site.process.wait()
    centre = site.folder / "data" / "centre"
    for path in centre.glob("centre.sqlite*"):
        path.unlink()
    config = str(site.folder / "data" / "xunkao.toml")
    with (site.folder / "centre-again.log").open("wb") as log:
        again = subprocess.Popen(
            [sys.executable, "-m", "orchestrator", "serve", "--config", config],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )
    try:
        await until(_listening(site.folder / "centre-again.log"), 30, "the centre listens")
        await asyncio.sleep(10)
        assert again.poll() is None
        assert await holes(site, "box-1", since, _now()) == []
        assert (data / "orders.json").read_bytes() == orders
    finally:
        again.terminate()
        assert await asyncio.to_thread(again.wait, 30) == 0


def _listening(log: Path) -> Callable[[], bool]:
    return lambda: b"listening on" in log.read_bytes()
