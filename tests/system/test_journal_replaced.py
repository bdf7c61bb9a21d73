"""A journal that was begun anew reaches every process of the box that has the old one open."""

import asyncio
import os
import re
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contract.clock import SystemClock
from contract.keys import SealKey
from contract.messages import ShelfTrouble
from edge.config import EdgeConfig
from edge.journal import Journal, JournalBusy, set_aside
from edge.live.record import Record
from tests.fakes.archive import box_of, mounted
from tests.fakes.broker import background
from tests.fakes.feed import FakeFeed, drawn_h264
from tests.fakes.live_centre import live_box, make_ticket
from tests.fakes.viewer import FakeViewer
from tests.fakes.waiting import until, until_async

NOW = datetime.now(UTC)
FACT = ShelfTrouble(kind="recovered", detail="")


async def begin_anew(config: EdgeConfig) -> None:
    """Do what the recorder does with a damaged journal."""
    set_aside(config.journal, NOW)
    async with Journal.open(config.journal):
        pass


async def told(config: EdgeConfig) -> list[str]:
    async with Journal.open(config.journal) as journal:
        return [str(data) for _, _, _, _, data in await journal.facts_after(0, 100)]


def is_made(config: EdgeConfig) -> bool:
    """True when another process has opened the journal: the last of its tables is there."""
    if not config.journal.exists():
        return False
    with closing(sqlite3.connect(config.journal)) as found:
        tables = found.execute("select name from sqlite_master").fetchall()
    return ("meta",) in tables


def takes(record: Record) -> Callable[[], Awaitable[object]]:
    """Give whether a fact can be told."""

    async def tell() -> bool:
        try:
            await record.add_fact(FACT, NOW)
        except JournalBusy:
            return False
        return True

    return tell


@pytest.mark.parametrize("name", ["eyes", "archive"])
async def test_who_remembers_in_the_journal_begins_anew_with_it(tmp_path: Path, name: str) -> None:
    archive, _ = mounted(tmp_path / "archive", SealKey.make(), 1_000_000)
    config, path = box_of(tmp_path, archive)
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "edge", name, "--config", str(path)),
        stdin=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ,
    )
    await until(lambda: is_made(config), 60, "its journal")
    await begin_anew(config)
    async with asyncio.timeout(30):
        _, said = await child.communicate()
    assert child.returncode == 4
    assert b"the journal was begun anew" in said
    assert b"Traceback" not in said


async def test_a_look_survives_and_the_next_stands_in_the_new_journal(tmp_path: Path) -> None:
    feed = FakeFeed({("cam1", "sub"): drawn_h264(80)})
    config = EdgeConfig(edge="box1", data=tmp_path, url="https://127.0.0.1:1")
    record = Record(config, SystemClock())
    async with (
        background(record.run()),
        feed.listen(tmp_path / "run" / "feed.sock"),
        FakeViewer.open(1) as viewer,
        FakeViewer.open(1) as other,
    ):
        await record.opened.wait()
        async with live_box(tmp_path, "cam1", facts=record) as box:
            sdp = await viewer.offer()
            await box.answer(make_ticket(sdp, "cam1"), sdp)
            await begin_anew(config)
            await until_async(takes(record), what="the new journal")
            sdp = await other.offer()
            await box.answer(make_ticket(sdp, "cam1"), sdp)
        states = re.findall(r'"state":"(\w+)"', str(await told(config)))
        assert sorted(states) == ["began", "ended", "ended"]
        assert not await record.is_over("no/such/file.mp4")


async def test_without_a_journal_nothing_is_told_or_shown(tmp_path: Path) -> None:
    config = EdgeConfig(edge="box1", data=tmp_path, url="https://127.0.0.1:1")
    record = Record(config, SystemClock())
    config.journal.write_bytes(b"this is no database" * 500)
    async with background(record.run()):
        with pytest.raises(JournalBusy):
            await record.add_fact(FACT, NOW)
        with pytest.raises(JournalBusy):
            await record.is_over("a.mp4")
        assert not record.opened.is_set()
        set_aside(config.journal, NOW)
        await until(record.opened.is_set, what="a journal")
        assert not await record.is_over("a.mp4")
