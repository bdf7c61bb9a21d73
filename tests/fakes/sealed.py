"""A shelf with sealed segments on it, made by the box's own books."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from contract.clock import SystemClock
from contract.spans import Span
from edge.journal import to_us
from edge.recording import adoption
from edge.recording.books import Books
from edge.recording.coverage import Coverage
from edge.recording.recorder import Cuts, Recorder
from edge.recording.rows import Rows
from edge.rtsp.intake import Picture
from edge.rtsp.lengths import joined
from tests.fakes.encoder import parameter_sets
from tests.fakes.recorder import Box

SETS = parameter_sets("h264")
START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


@asynccontextmanager
async def opened(box: Box) -> AsyncGenerator[Books]:
    clock = SystemClock()
    async with (
        Rows.open(box.config.journal, clock) as rows,
        Books.open(box.config, rows, clock, "v", lambda: True) as books,
        asyncio.TaskGroup() as group,
    ):
        done = asyncio.Event()
        parts = adoption.unfinished(box.config.shelf)
        adopting = group.create_task(books.adopt(parts, done))
        yield books
        adopting.cancel()


def record(box: Box, count: int, books: Books) -> None:
    """Write so many segments of two seconds and hand them over."""
    coverage, window = Coverage(), Span(START, START + timedelta(hours=1))
    cuts = Cuts(2, to_us(START) % 2_000_000)
    recorder = Recorder(
        ("c1", "main"), box.config.shelf, cuts, coverage, SystemClock(), books.seal, print
    )
    recorder.keep([window])
    for picture in shots(0, count * 10):
        recorder.take([picture])
    recorder.end()


def shots(first: int, until: int) -> list[Picture]:
    """Give pictures, five a second, a key picture in each second."""
    found = []
    for number in range(first, until):
        key = number % 5 == 0
        nal = (b"\x65" if key else b"\x41") + b"picture %d" % number * 20
        captured = to_us(START) + number * 200_000
        found.append(Picture(2**32 + number * 18_000, captured, 1, key, joined([nal]), SETS))
    return found
