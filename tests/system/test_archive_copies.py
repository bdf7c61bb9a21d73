"""Second copies on a real S3 server and on a mounted path: kill -9, corruption, absence."""

import asyncio
import hashlib
import os
import shutil
import signal
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import obstore
import pytest

from contract.archive import ArchiveBroken, decrypt
from contract.clock import SystemClock
from contract.keys import SealKey
from contract.messages import Message, Order, ShelfTrouble
from contract.objects import MARK, Objects, StoreAway
from contract.segmentroot import root_of
from edge import orders as in_force
from edge.archive.outgoing import keep_only
from edge.archive.process import Archivist
from edge.archive.sealing import Unreadable
from edge.archive.sending import NotWhatWasSent
from edge.archive.trouble import TOLD, forget_trouble
from edge.config import EdgeConfig, load
from edge.journal import Journal, JournalBusy
from edge.orders import OrdersInForce
from tests.fakes.archive import (
    NINE,
    box_of,
    mounted,
    running_s3,
    s3,
    s3_archive,
    shelve,
    told_copies,
)
from tests.fakes.broker import background
from tests.fakes.waiting import until_async
from tests.guard.sealed_guard import by_hand

KEY = SealKey.make()
FAST = 1_000_000_000


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running_s3() as address:
        yield address


@asynccontextmanager
async def archivist(config: EdgeConfig) -> AsyncGenerator[Archivist]:
    assert config.archive is not None
    async with Journal.open(config.journal) as journal:
        yield Archivist(config, config.archive, SystemClock(), journal)


async def copy_all(config: EdgeConfig) -> int:
    async with archivist(config) as working:
        return await working.once()


def names(store: obstore.store.S3Store | obstore.store.LocalStore) -> list[str]:
    found = [meta["path"] for batch in obstore.list(store) for meta in batch]
    return sorted(name for name in found if name.endswith(".xka"))


async def test_what_is_sealed_is_copied_once_and_can_be_read_with_the_sites_key_alone(
    server: str, tmp_path: Path
) -> None:
    config, path = box_of(tmp_path, s3_archive(tmp_path, server, KEY, FAST))
    assert load(path).archive == config.archive
    segments = await shelve(config, 3)
    assert await copy_all(config) == 3
    told = await told_copies(config)
    assert [one.segment for one in told] == [segment.segment for segment in segments]
    for segment, one in zip(segments, told, strict=True):
        copy = bytes(obstore.get(s3(server), one.place).bytes())
        assert (len(copy), hashlib.sha256(copy).hexdigest()) == (one.bytes, one.sha256)
        body = b"".join(decrypt(KEY, [copy]))
        assert body == (config.data / segment.path).read_bytes()
        assert root_of([body]) == segment.root
        assert body[100:200] not in copy
        with pytest.raises(ArchiveBroken):
            b"".join(decrypt(SealKey.make(), [copy]))
    assert await copy_all(config) == 0
    assert list(config.outgoing.iterdir()) == []


async def test_a_large_segment_goes_in_parts(server: str, tmp_path: Path) -> None:
    config, _ = box_of(tmp_path, s3_archive(tmp_path, server, KEY, FAST))
    (segment,) = await shelve(config, 1, 20_000_000, "cam-large")
    assert await copy_all(config) == 1
    (one,) = await told_copies(config)
    copy = bytes(obstore.get(s3(server), one.place).bytes())
    assert b"".join(decrypt(KEY, [copy])) == (config.data / segment.path).read_bytes()


async def test_a_session_that_runs_is_not_copied(tmp_path: Path) -> None:
    archive, store = mounted(tmp_path / "archive", KEY, FAST)
    config, _ = box_of(tmp_path, archive)
    await shelve(config, 2, camera="cam-01")
    await shelve(config, 1, camera="cam-02")
    now = SystemClock().now()
    running = Order(
        id="o", camera="cam-01", session="s", start=NINE, end=now + timedelta(minutes=1)
    )
    in_force.save(config.orders, OrdersInForce(epoch=1, revision=1, orders=(running,)))
    assert await copy_all(config) == 1
    assert len(names(store)) == 1
    over = msgspec.structs.replace(running, end=now - timedelta(minutes=1))
    in_force.save(config.orders, OrdersInForce(epoch=1, revision=2, orders=(over,)))
    assert await copy_all(config) == 2


async def test_killed_in_the_middle_it_goes_on_and_nothing_is_copied_twice(
    server: str, tmp_path: Path
) -> None:
    config, path = box_of(tmp_path, s3_archive(tmp_path, server, KEY, 300_000))
    segments = await shelve(config, 4, camera="cam-kill")

    async def run() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "edge", "archive", "--config", str(path)),
            stdin=asyncio.subprocess.PIPE,
            env=os.environ,
        )

    async def copied(count: int) -> bool:
        return len(await told_copies(config)) >= count

    first = await run()
    await until_async(lambda: copied(1), 60, "a first copy")
    first.send_signal(signal.SIGKILL)
    await first.wait()
    before = {one.segment: one for one in await told_copies(config)}
    assert len(before) < 4
    second = await run()
    await until_async(lambda: copied(4), 60, "all copies")
    second.terminate()
    await second.wait()
    told = await told_copies(config)
    assert sorted(one.segment for one in told) == sorted(one.segment for one in segments)
    assert all(one == before.get(one.segment, one) for one in told)
    places = [name for name in names(s3(server)) if "cam-kill" in name]
    assert sorted(one.place for one in told) == places
    for one in told:
        copy = bytes(obstore.get(s3(server), one.place).bytes())
        assert hashlib.sha256(copy).hexdigest() == one.sha256


async def test_what_was_sealed_before_a_crash_is_not_sent_again(tmp_path: Path) -> None:
    archive, store = mounted(tmp_path / "archive", KEY, FAST)
    config, _ = box_of(tmp_path, archive)
    await shelve(config, 1)
    await copy_all(config)
    (one,) = await told_copies(config)
    place = tmp_path / "archive" / one.place
    sent_at = place.stat().st_mtime_ns
    # As it stands when the box dies between sending and reading back.
    file = config.outgoing / f"{one.segment}.xka"
    shutil.copy(place, file)
    async with Journal.open(config.journal) as journal:
        await journal.write("update copies set state = ?", ("sealed",))
    assert await copy_all(config) == 1
    assert place.stat().st_mtime_ns == sent_at
    assert len(await told_copies(config)) == 1
    assert names(store) == [one.place]


async def test_what_waits_to_be_sent_goes_with_its_footage(tmp_path: Path) -> None:
    archive, _ = mounted(tmp_path / "archive", KEY, FAST)
    config, _ = box_of(tmp_path, archive)
    segment, _ = await shelve(config, 2)
    (tmp_path / "archive" / MARK).unlink()  # the archive is away: both are sealed, none is sent
    with pytest.raises(StoreAway):
        await copy_all(config)
    half = config.outgoing / "cam-01.main.half.new"
    half.touch()
    (waiting,) = config.outgoing.glob("*.xka")
    assert waiting.stem == segment.segment
    with pytest.raises(StoreAway):
        await copy_all(config)
    assert list(config.outgoing.iterdir()) == [waiting]
    with by_hand():
        (config.data / segment.path).unlink()
    with pytest.raises(StoreAway):
        await copy_all(config)
    assert not waiting.exists()


async def test_a_copy_that_came_back_changed_does_not_count_until_it_was_sent_again(
    tmp_path: Path,
) -> None:
    archive, _ = mounted(tmp_path / "archive", KEY, FAST)
    config, _ = box_of(tmp_path, archive)
    await shelve(config, 1)
    await copy_all(config)
    (one,) = await told_copies(config)
    place = tmp_path / "archive" / one.place
    good = place.read_bytes()
    (config.outgoing / f"{one.segment}.xka").write_bytes(good)
    async with Journal.open(config.journal) as journal:
        await journal.write("update copies set state = ?", ("sealed",))
    place.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))  # the same length: only its hash tells
    assert await copy_all(config) == 1
    assert place.read_bytes() == good


async def troubles(config: EdgeConfig) -> list[ShelfTrouble]:
    """Give what the box would tell of its shelf."""
    async with Journal.open(config.journal) as journal:
        rows = await journal.facts_after(0, 100)
    return [msgspec.json.decode(r[4], type=ShelfTrouble) for r in rows if r[2] == "shelf"]


async def test_a_store_that_is_away_is_told_once_and_everything_is_copied_afterwards(
    tmp_path: Path,
) -> None:
    archive, store = mounted(tmp_path / "archive", KEY, FAST)
    config, _ = box_of(tmp_path, archive)
    (tmp_path / "archive").rename(tmp_path / "unplugged")
    (tmp_path / "archive").mkdir()  # an empty mount point is no archive
    await shelve(config, 2)
    async with archivist(config) as working:
        task = asyncio.create_task(working.run())
        try:

            async def told(count: int) -> bool:
                return len(await troubles(config)) >= count

            await until_async(lambda: told(1), 20, "that the store is away")
            assert list((tmp_path / "archive").iterdir()) == []
            (tmp_path / "archive").rmdir()
            (tmp_path / "unplugged").rename(tmp_path / "archive")
            await until_async(lambda: told(2), 30, "that it is back")

            async def both() -> bool:
                return len(await told_copies(config)) == 2

            await until_async(both, 30, "both copies")
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    first, second = await troubles(config)
    assert (first.kind, second.kind) == ("archive", "archive_back")
    assert first.detail.startswith("away: ")
    assert "is the archive mounted?" in first.detail
    assert len(names(store)) == 2


async def test_a_trouble_ends_with_the_archive_or_with_the_first_copy_after_a_restart(
    tmp_path: Path,
) -> None:
    archive, _ = mounted(tmp_path / "archive", KEY, FAST)
    config, _ = box_of(tmp_path, archive)
    (tmp_path / "archive").rename(tmp_path / "unplugged")
    await shelve(config, 1)

    async def kinds() -> list[str]:
        return [one.kind for one in await troubles(config)]

    async def told(count: int) -> bool:
        return len(await kinds()) >= count

    async with archivist(config) as working, background(working.run()):
        await until_async(lambda: told(1), 20, "that the store is away")
    (tmp_path / "unplugged").rename(tmp_path / "archive")
    async with archivist(config) as working, background(working.run()):
        await until_async(lambda: told(2), 30, "that it is back")
    assert await kinds() == ["archive", "archive_back"]
    async with Journal.open(config.journal) as journal:
        await forget_trouble(journal, SystemClock())
        assert len(await kinds()) == 2, "it is over already"
        await journal.set_meta(TOLD, "away")
        for _ in range(2):
            await forget_trouble(journal, SystemClock())
    assert await kinds() == ["archive", "archive_back", "archive_back"]


def test_without_an_archive_nothing_stays_on_its_way_there(tmp_path: Path) -> None:
    archive, _ = mounted(tmp_path / "archive", KEY, FAST)
    config, _ = box_of(tmp_path, archive)
    keep_only(config, ())
    config.outgoing.mkdir(parents=True)
    for name in ("cam-1.main.1.xka", "cam-1.main.2.new"):
        (config.outgoing / name).write_bytes(b"sealed")
    keep_only(config, ())
    assert list(config.outgoing.iterdir()) == []


async def test_a_journal_that_is_busy_delays_what_is_told_and_swallows_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, _ = mounted(tmp_path / "archive", KEY, FAST)
    config, _ = box_of(tmp_path, archive)
    (tmp_path / "archive").rename(tmp_path / "unplugged")
    await shelve(config, 2)
    busy = {"meta": 1, "archive": 1, "archive_back": 1}
    meta, add_fact = Journal.meta, Journal.add_fact

    def is_busy(what: str) -> bool:
        busy[what] = busy.get(what, 0) - 1
        return busy[what] >= 0

    async def busy_meta(self: Journal, key: str) -> str | None:
        if is_busy("meta"):
            raise JournalBusy("locked")
        return await meta(self, key)

    async def busy_fact(self: Journal, data: Message, at: datetime) -> None:
        if isinstance(data, ShelfTrouble) and is_busy(data.kind):
            raise JournalBusy("locked")
        await add_fact(self, data, at)

    monkeypatch.setattr(Journal, "meta", busy_meta)
    monkeypatch.setattr(Journal, "add_fact", busy_fact)
    monkeypatch.setattr("edge.archive.process._FIRST_PAUSE_S", 0.01)

    async def told(count: int) -> bool:
        return len(await troubles(config)) >= count

    async with archivist(config) as working, background(working.run()):
        await until_async(lambda: told(1), 20, "that the store is away")
        (tmp_path / "unplugged").rename(tmp_path / "archive")
        await until_async(lambda: told(2), 30, "that it is back")
    assert [one.kind for one in await troubles(config)] == ["archive", "archive_back"]


async def test_footage_that_was_changed_is_not_copied_and_is_told(tmp_path: Path) -> None:
    archive, store = mounted(tmp_path / "archive", KEY, FAST)
    config, _ = box_of(tmp_path, archive)
    changed, _ = await shelve(config, 2, changed=0, gone=1)
    await copy_all(config)
    assert names(store) == []
    (trouble,) = await troubles(config)
    assert changed.segment in trouble.detail


async def test_a_credential_that_is_missing_is_said_by_name(server: str, tmp_path: Path) -> None:
    archive = s3_archive(tmp_path, server, KEY, FAST)
    assert archive.credential_file is not None
    archive.credential_file.unlink()
    with pytest.raises(StoreAway, match="archive-credential"):
        Objects.of(archive)


async def test_footage_the_disk_does_not_give_stops_nothing_and_is_told(tmp_path: Path) -> None:
    archive, store = mounted(tmp_path / "archive", KEY, FAST)
    config, _ = box_of(tmp_path, archive)
    broken, _ = await shelve(config, 2, gone=0)
    (config.data / broken.path).symlink_to("/proc/self/mem")  # reading it is EIO
    async with archivist(config) as working:
        for _ in range(2):
            with pytest.raises(Unreadable, match="Input/output"):
                await working.once()
        await working.once()
        assert await working.once() == 0
    assert len(names(store)) == 1
    (told,) = await troubles(config)
    assert broken.path in told.detail
    assert told.detail.startswith("damaged:")


class LaterClock(SystemClock):
    """The system's, some time later."""

    later_s = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.later_s


async def test_a_copy_that_comes_back_changed_each_time_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, _ = mounted(tmp_path / "archive", KEY, FAST)
    config, _ = box_of(tmp_path, archive)
    first, second = await shelve(config, 2)
    read, clock = Objects.read, LaterClock()

    async def broken(self: Objects, place: str) -> AsyncGenerator[bytes]:
        if first.segment in place:
            yield b"not what was sent"
        else:
            async for piece in read(self, place):
                yield piece

    monkeypatch.setattr(Objects, "read", broken)
    async with Journal.open(config.journal) as journal:
        working = Archivist(config, archive, clock, journal)
        for _ in range(2):
            with pytest.raises(NotWhatWasSent):
                await working.once()
        assert await working.once() == 1
        assert [one.segment for one in await told_copies(config)] == [second.segment]
        (told,) = await troubles(config)
        assert first.segment in told.detail
        monkeypatch.setattr(Objects, "read", read)
        assert await working.once() == 0
        clock.later_s = 3600.0
        assert await working.once() == 1


async def test_a_sealed_object_that_cannot_be_read_is_made_anew(tmp_path: Path) -> None:
    archive, store = mounted(tmp_path / "archive", KEY, FAST)
    config, _ = box_of(tmp_path, archive)
    await shelve(config, 1)
    await copy_all(config)
    (one,) = await told_copies(config)
    async with Journal.open(config.journal) as journal:
        await journal.write("update copies set state = ?", ("sealed",))
    (config.outgoing / f"{one.segment}.xka").symlink_to("/proc/self/mem")
    assert await copy_all(config) == 1
    assert len(names(store)) == 1
