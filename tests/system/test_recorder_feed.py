"""The feed of a running recorder: readers see pictures, and cost no recorded second."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from contract.messages import SegmentClosed
from edge.feed import receive, wish
from edge.journal import Journal
from tests.fakes.cameras import Farm, running_cameras
from tests.fakes.recorder import Box, running_recorder
from tests.fakes.waiting import until


@pytest.fixture
async def farm() -> AsyncIterator[Farm]:
    async with running_cameras(1) as cameras:
        yield cameras


@asynccontextmanager
async def recording(folder: Path, farm: Farm) -> AsyncIterator[Box]:
    box = Box.make(folder, segment_seconds=4)
    box.has_farm(farm)
    now = datetime.now(UTC)
    box.order(now, now + timedelta(hours=1))
    async with running_recorder(box):
        await until(lambda: len(box.statuses()) == 2)
        await until(lambda: box.statuses()["cam-01", "main"].recording, 30)
        await until(lambda: box.statuses()["cam-01", "sub"].state == "streaming", 30)
        yield box


async def connect(box: Box) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_unix_connection(box.config.run / "feed.sock", limit=8 << 20)


async def test_a_reader_gets_the_cached_gop_and_then_each_picture_at_once(
    tmp_path: Path, farm: Farm
) -> None:
    async with recording(tmp_path, farm) as box:
        reader, writer = await connect(box)
        writer.write(wish([("cam-01", "main"), ("cam-01", "sub")]))
        seen = [await receive(reader) for _ in range(120)]
        ages = []
        for unit in seen[-20:]:
            assert not unit.cached
        for _ in range(20):
            unit = await receive(reader)
            ages.append(datetime.now(UTC) - unit.captured_at)
        writer.close()
        await writer.wait_closed()
    for stream in ("main", "sub"):
        units = [unit for unit in seen if unit.stream == stream]
        assert units[0].key
        assert units[0].cached
        assert units[0].data.startswith(b"\0\0\0\1\x67")
        stamps = [unit.timestamp_90k for unit in units]
        assert stamps == sorted(set(stamps))
        cached = [unit.cached for unit in units]
        assert cached == sorted(cached, reverse=True)
    assert sorted(ages)[10] < timedelta(seconds=0.25)


async def test_readers_that_stop_or_vanish_cost_no_second(tmp_path: Path, farm: Farm) -> None:
    async with recording(tmp_path, farm) as box:
        with socket.socket(socket.AF_UNIX) as stopped, socket.socket(socket.AF_UNIX) as gone:
            for link in (stopped, gone):
                link.connect(str(box.config.run / "feed.sock"))
                link.sendall(wish([("cam-01", "main")]))
            gone.close()
            count = len(box.files())
            await until(lambda: len(box.files()) >= count + 5, 40)
    assert max(await pauses_s(box)) < 0.1


async def test_a_hundred_viewers_cost_no_second(tmp_path: Path, farm: Farm) -> None:
    """Each at a connection of its own, where the live process needs one for all of them."""
    seen = [0] * 100

    async def watch(viewer: int, reader: asyncio.StreamReader) -> None:
        while viewer % 10:  # every tenth looks away: it reads nothing
            await receive(reader)
            seen[viewer] += 1

    async with recording(tmp_path, farm) as box, asyncio.TaskGroup() as group:
        links = [await connect(box) for _ in seen]
        watching = [group.create_task(watch(n, links[n][0])) for n in range(len(links))]
        for _, writer in links:
            writer.write(wish([("cam-01", "main")]))
        count = len(box.files())
        await until(lambda: len(box.files()) >= count + 5, 60)
        assert min(seen[n] for n in range(len(seen)) if n % 10) > 100, "they saw it all along"
        for task in watching:
            task.cancel()
        for _, writer in links:
            writer.close()
    assert max(await pauses_s(box)) < 0.1


async def pauses_s(box: Box) -> list[float]:
    """Give the time between each two segments, by the box's own record."""
    async with Journal.open(box.config.journal) as journal:
        rows = await journal.facts_after(0, 1000)
    kept = [
        msgspec.json.decode(data, type=SegmentClosed)
        for _, _, kind, _, data in rows
        if kind == "segment"
    ]
    return [abs((later.start - earlier.end).total_seconds()) for earlier, later in pairwise(kept)]


async def test_a_wish_that_is_none_ends_that_reader_alone(tmp_path: Path, farm: Farm) -> None:
    async with recording(tmp_path, farm) as box:
        bad, bad_writer = await connect(box)
        good, good_writer = await connect(box)
        good_writer.write(wish([("cam-01", "sub")]))
        bad_writer.write(b"no wish\n")
        assert await bad.read() == b""
        assert (await receive(good)).stream == "sub"
        for writer in (bad_writer, good_writer):
            writer.close()
            await writer.wait_closed()
