"""The recorder's process: orders in, segments, gaps and the feed out. It needs nobody else."""

import asyncio
import gc
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from contract.clock import Clock
from contract.keys import SealKey
from contract.messages import RecorderBegan, ShelfTrouble
from edge.clocktrust import ClockTrust
from edge.compiled import is_outdated
from edge.config import EdgeConfig
from edge.feedserver import FeedServer
from edge.journal import Journal
from edge.recording import adoption
from edge.recording.books import Books
from edge.recording.fleet import Fleet
from edge.recording.gapwatch import GapWatch
from edge.recording.rows import Rows
from edge.recording.second import Second
from edge.recording.statements import Statements
from edge.recording.volume import WrongVolume, confirm, identify

log = logging.getLogger(__name__)

_STATUS_S = 1.0
_FIGURES_S = 5.0
"""A file renamed into place costs the disk more than a second of a camera's footage."""
_SYNC_S = 2.0
_SECOND_WITHIN_S = 6.0
"""A second volume that answers later is adopted from later."""
_TROUBLE = "wrong_volume"
"""Not empty in the journal: a wrong volume was told of, and not yet that it is right again."""
_PICTURES_BETWEEN_COLLECTIONS = 20_000
"""Pictures come and go by the thousand and are in no cycle: Python's 700 is for other programs."""


async def run(config: EdgeConfig, clock: Clock) -> None:
    """Record what is ordered until cancelled; then what is open is sealed.

    Raises WrongVolume when the shelf is not the one this box has recorded to.
    """
    gc.freeze()  # what was imported is never garbage: it need not be looked through again
    gc.set_threshold(_PICTURES_BETWEEN_COLLECTIONS)
    if is_outdated():
        log.error("the compiled recorder is older than its source: run make setup")
    trust = ClockTrust(config.data / "clock.json", clock)
    status = config.run / "recorder.json"
    last_alive = _last_alive(status)
    config.run.mkdir(parents=True, exist_ok=True)
    async with Rows.open(config.journal, clock) as rows:
        began = RecorderBegan(began=clock.now(), last_alive=last_alive)
        rows.put(lambda journal: journal.add_fact(began, began.began))
        volume = await _identified(config, rows, clock)

        def tell(trouble: ShelfTrouble) -> None:
            at = clock.now()
            rows.put(lambda journal: journal.add_fact(trouble, at))

        second = Second(config, volume, tell, clock)
        parts = await asyncio.to_thread(adoption.unfinished, config.shelf)
        with _goodbye(status):
            async with (
                Books.open(config, rows, clock, volume, trust.trusted, second) as books,
                FeedServer.open(config.run / "feed.sock") as feed,
                asyncio.TaskGroup() as group,
            ):
                adopted = asyncio.Event()
                key = SealKey.load_or_make(config.keys / "seal.key")
                fleet = Fleet(config, clock, books, feed, group, key, second, trust.earliest)
                watch = GapWatch(fleet, rows, books, clock, last_alive)
                group.create_task(rows.failed(), name="rows")
                group.create_task(books.failed(), name="books")
                second.on_found = books.take_over
                group.create_task(_adopt(books, second, parts, adopted), name="adoption")
                group.create_task(second.run(), name="second volume")
                group.create_task(fleet.run(), name="fleet")
                group.create_task(_watch_gaps(adopted, watch), name="gaps")
                statements = Statements(fleet.file, rows, clock)
                group.create_task(_state(adopted, statements), name="statements")
                group.create_task(_sync(fleet, clock), name="sync")
                group.create_task(_say(fleet, status, clock), name="status")


async def _identified(config: EdgeConfig, rows: Rows, clock: Clock) -> str:
    """Give the volume's id; the journal is held against it as soon as it can be."""

    async def hold_against(journal: Journal) -> None:
        try:
            await confirm(config.data, volume, journal)
        except WrongVolume as error:
            await _complain(journal, _wrong(error), clock.now())
            raise
        if await journal.meta(_TROUBLE):
            right = ShelfTrouble(kind="recovered", detail="the volume is the right one")
            await journal.add_fact(right, clock.now())
            await journal.set_meta(_TROUBLE, "")

    try:
        volume = await identify(config.data, config.shelf, rows, clock)
    except WrongVolume as error:
        fact = _wrong(error)
        rows.put(lambda journal: _complain(journal, fact, clock.now()))
        raise
    rows.put(hold_against)
    rows.on_begun_anew.append(lambda: rows.put(hold_against))
    return volume


async def _complain(journal: Journal, fact: ShelfTrouble, at: datetime) -> None:
    """Tell of a wrong volume, and remember that it was told."""
    await journal.set_meta(_TROUBLE, "1")
    await journal.add_fact(fact, at)


def _wrong(error: WrongVolume) -> ShelfTrouble:
    log.error("%s", error)
    return ShelfTrouble(kind="wrong_volume", detail=str(error))


async def _adopt(books: Books, second: Second, parts: list[Path], adopted: asyncio.Event) -> None:
    """What lies on a second volume that is there from the start belongs to what was left."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_SECOND_WITHIN_S):
            await second.looked.wait()
    await books.adopt(parts, adopted)


async def _watch_gaps(adopted: asyncio.Event, watch: GapWatch) -> None:
    """What an earlier run left must be on record before anything is called missing."""
    await adopted.wait()
    await watch.run()


async def _state(adopted: asyncio.Event, statements: Statements) -> None:
    """Nor is anything stated before."""
    await adopted.wait()
    await statements.run()


async def _sync(fleet: Fleet, clock: Clock) -> None:
    """Have the kernel write growing files out, so that a power cut costs seconds."""
    while True:
        await clock.sleep(_SYNC_S)
        growing = []
        for segment in fleet.growing():
            try:
                growing.append((segment, segment.written, _again(segment.fd)))
            except OSError as refused:  # the volume may only be read from now
                fleet.not_synced(segment, refused)
        errors = await asyncio.to_thread(_sync_all, [copy for _, _, copy in growing])
        for (segment, written, _), error in zip(growing, errors, strict=True):
            if error is None:
                segment.synced(written)
            else:
                fleet.not_synced(segment, error)


def _again(fd: int) -> int:
    """Open a file once more: what the disk did not take is told to each who opened it, once.

    A duplicate would share that one time with the seal, which then would know of nothing.
    """
    return os.open(f"/proc/self/fd/{fd}", os.O_WRONLY)


def _sync_all(copies: list[int]) -> list[OSError | None]:
    """Begin with all of them, then wait for each: the disk's journal is written once, not for each.

    Telling the kernel that we need the pages no more is what has it begin to write them.
    """
    return [_sync_one(fd) for fd in copies]


def _sync_one(fd: int) -> OSError | None:
    try:
        os.fdatasync(fd)
    except OSError as error:
        return error
    finally:
        os.close(fd)
    return None


async def _say(fleet: Fleet, path: Path, clock: Clock) -> None:
    """Write what is seen of the cameras; the file's age tells, to a second, when we last lived.

    A change is written within a second, figures that change always every few seconds.
    """
    said = None
    written_at = float("-inf")
    while True:
        statuses, now = fleet.statuses(), clock.monotonic()
        seen = [(one.camera, one.stream, one.state, one.cause, one.recording) for one in statuses]
        is_old = seen != said or now - written_at >= _FIGURES_S
        if is_old or not _touch(path):
            _replace(path, msgspec.json.encode(statuses))
            said, written_at = seen, now
        await clock.sleep(_STATUS_S)


def _touch(path: Path) -> bool:
    """Give a file the age of now; false: it cannot be done."""
    try:
        os.utime(path)
    except OSError:
        return False
    return True


@contextmanager
def _goodbye(path: Path) -> Iterator[None]:
    """Leave a status behind that says nothing is recorded."""
    try:
        yield
    finally:
        _replace(path, msgspec.json.encode([]))


def _replace(path: Path, data: bytes) -> None:
    """Rename a new content into place; on a full disk write it over the old one."""
    beside = path.with_suffix(".new")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    except OSError:
        with suppress(OSError), path.open("r+b") as file:
            file.write(data)
            file.truncate()


def _last_alive(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None
