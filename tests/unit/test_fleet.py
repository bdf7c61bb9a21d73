import asyncio
import errno
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from contract.keys import SealKey
from contract.messages import Message, ShelfTrouble, Source
from edge.feedserver import FeedServer
from edge.recording.books import Books
from edge.recording.fleet import Fleet
from edge.recording.second import Second
from edge.recording.segment import ShelfBroken
from tests.fakes.broker import background
from tests.fakes.clock import ManualClock
from tests.fakes.recorder import Box


async def test_each_kind_of_trouble_is_told_once_until_the_disk_takes_bytes_again(
    tmp_path: Path,
) -> None:
    box, clock = Box.make(tmp_path), ManualClock()
    box.config.shelf.mkdir(parents=True)
    box.has_camera("cam", Source(main="rtsp://127.0.0.1/cam", sub=""))
    box.save()
    told: list[Message] = []
    books = cast("Books", SimpleNamespace(tell=told.append, seal=None, on_unsealed=None))
    key = SealKey.load_or_make(box.config.keys / "seal.key")
    broken, full = (ShelfBroken(OSError(number, "x")) for number in (errno.EIO, errno.ENOSPC))
    second = Second(box.config, "v1", told.append, clock)
    async with asyncio.TaskGroup() as group:
        fleet = Fleet(box.config, clock, books, FeedServer(), group, key, second, lambda: None)
        async with background(fleet.run()):
            for error in (broken, full, broken, full):
                fleet.shelf_broke(("cam", "main"), error)
            await clock.advance(2)
            fleet.streams["cam", "main"].recorder.written_at = clock.monotonic()
            await clock.advance(2)
            fleet.shelf_broke(("cam", "main"), full)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
    kinds = [one.kind for one in told if isinstance(one, ShelfTrouble)]
    assert kinds == ["write_failed", "disk_full", "recovered", "disk_full"]


async def test_a_stream_whose_camera_left_the_orders_is_forgotten_a_minute_later(
    tmp_path: Path,
) -> None:
    box, clock = Box.make(tmp_path), ManualClock()
    box.config.shelf.mkdir(parents=True)
    for camera in ("stays", "leaves"):
        box.has_camera(camera, Source(main=f"rtsp://127.0.0.1/{camera}", sub=""))
    box.save()
    told: list[Message] = []
    books = cast("Books", SimpleNamespace(tell=told.append, seal=None, on_unsealed=None))
    key = SealKey.load_or_make(box.config.keys / "seal.key")
    second = Second(box.config, "v1", told.append, clock)
    async with asyncio.TaskGroup() as group:
        fleet = Fleet(box.config, clock, books, FeedServer(), group, key, second, lambda: None)
        async with background(fleet.run()):
            for camera in ("stays", "leaves"):
                fleet.shelf_broke((camera, "main"), ShelfBroken(OSError(errno.EIO, "broken")))
            del box.cameras["leaves"]
            box.save()
            await asyncio.sleep(0)
            await clock.advance(50)
            assert len(fleet.failures(("leaves", "main"))) == 1  # a gap may be judged yet
            await clock.advance(20)
            assert fleet.failures(("leaves", "main")) == []
            assert {one.camera for one in fleet.statuses()} == {"stays"}
            assert len(fleet.failures(("stays", "main"))) == 1
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
