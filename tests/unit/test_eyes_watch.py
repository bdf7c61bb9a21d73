"""One camera's watch, from encoded pictures to facts, by arithmetic alone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from contract.messages import Message, ReferenceTaken, TamperChanged
from edge.eyes.bursts import Bursts
from edge.eyes.golden import keep_view
from edge.eyes.telling import Telling
from edge.eyes.views import Model, Views
from edge.eyes.watch import Watch
from edge.feed import AccessUnit
from edge.journal import from_us
from edge.references import References
from tests.fakes.clock import ManualClock
from tests.fakes.waiting import until

FPS = 15
EPOCH_US = 1_800_000_000_000_000


def drawn(black: Sequence[bool], gop: int) -> list[AccessUnit]:
    """Encode a noisy room that goes black, a key picture every so many."""
    lot = np.random.default_rng(7)
    room = lot.integers(40, 216, (9, 16, 3)).repeat(20, axis=0).repeat(20, axis=1)
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt = 320, 180, "yuv420p"
    codec.time_base, codec.framerate = Fraction(1, FPS), Fraction(FPS)
    codec.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "g": str(gop),
        "keyint_min": str(gop),
        "x264-params": "scenecut=0:repeat-headers=1",
    }
    packets = []
    for number, is_black in enumerate(black):
        noise = lot.integers(-6, 7, room.shape)
        rgb = np.zeros_like(room) if is_black else np.clip(room + noise, 0, 255)
        frame = av.VideoFrame.from_ndarray(rgb.astype(np.uint8), format="rgb24")
        frame.pts = number
        packets += codec.encode(frame)
    packets += codec.encode(None)
    return [unit(number, bytes(packet), gop) for number, packet in enumerate(packets)]


def unit(number: int, data: bytes, gop: int) -> AccessUnit:
    captured_us = EPOCH_US + number * 1_000_000 // FPS
    stamp = number * 90_000 // FPS
    return AccessUnit("cam", "sub", "h264", number % gop == 0, False, stamp, 1, captured_us, data)


class FakeBook:
    """A journal in memory."""

    def __init__(self) -> None:
        self.facts: list[Message] = []
        self.words: dict[str, str] = {}

    async def add_fact(self, data: Message, at: object, id: str, note: tuple[str, str]) -> None:
        assert at
        assert id
        self.facts.append(data)
        self.words |= [note]

    async def meta(self, key: str) -> str | None:
        return self.words.get(key)


@dataclass
class Bench:
    """A watch that runs, and what it told."""

    watch: Watch
    book: FakeBook
    clock: ManualClock
    bursts: Bursts

    def show(self, units: Sequence[AccessUnit]) -> None:
        for unit in units:
            self.watch.take(unit)

    async def show_one_by_one(self, units: Sequence[AccessUnit]) -> None:
        """Show pictures as a camera does, each seen before the next comes."""
        for unit in units:
            self.watch.take(unit)
            await self.clock.advance(1 / FPS)
            await asyncio.sleep(0.005)

    @property
    def tampers(self) -> list[TamperChanged]:
        return [fact for fact in self.book.facts if isinstance(fact, TamperChanged)]


@asynccontextmanager
async def watching(folder: Path, reference: str = "") -> AsyncIterator[Bench]:
    book, clock, bursts = FakeBook(), ManualClock(), Bursts(at_once=1)
    telling = Telling(book, clock)
    views = Views(References.below(folder), Model(None, "arithmetic"))
    with ThreadPoolExecutor(1) as threads, contextlib.suppress(asyncio.CancelledError):
        watch = Watch("cam", reference, views, telling, bursts, threads, clock)
        tasks = [asyncio.create_task(work) for work in (watch.run(), telling.run())]
        await asyncio.sleep(0.05)
        try:
            yield Bench(watch, book, clock, bursts)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def test_the_first_wrong_key_picture_is_enough_where_those_before_were_wrong_too(
    tmp_path: Path,
) -> None:
    units = drawn([False] * 17 + [True] * 14, gop=15)
    async with watching(tmp_path) as bench:
        await bench.show_one_by_one(units[:30])
        assert bench.tampers == []
        bench.show(units[30:])
        await until(lambda: bench.tampers, 5)
        (began,) = bench.tampers
        assert (began.kind, began.state, began.model) == ("black", "began", "exact")
        wrong_at = from_us(units[17].captured_us)
        assert timedelta() <= began.first_at - wrong_at < timedelta(seconds=0.2)


async def test_a_cover_between_distant_key_pictures_is_seen(tmp_path: Path) -> None:
    units = drawn([False] * 45 + [True] * 45, gop=300)
    async with watching(tmp_path) as bench:
        await bench.show_one_by_one(units)
        await until(lambda: bench.tampers, 5)
        assert bench.tampers[0].first_at - from_us(units[45].captured_us) < timedelta(seconds=0.3)


async def test_what_lasted_for_two_pictures_is_nothing_to_tell(tmp_path: Path) -> None:
    units = drawn([False] * 15 + [True] * 2 + [False] * 43, gop=15)
    async with watching(tmp_path) as bench:
        await bench.show_one_by_one(units)
        assert bench.tampers == []


async def test_beyond_the_limit_key_pictures_vote_alone(tmp_path: Path) -> None:
    units = drawn([False] * 15 + [True] * 75, gop=15)
    async with watching(tmp_path) as bench:
        with bench.bursts.room_for("another"):
            await bench.show_one_by_one(units[:60])
            assert bench.tampers == []
            await bench.show_one_by_one(units[60:])
            await until(lambda: bench.tampers, 5)
        assert bench.tampers[0].first_at == from_us(units[15].captured_us)


async def test_a_slow_reader_looks_at_the_newest_and_counts_what_it_missed(tmp_path: Path) -> None:
    units = drawn([False] * 60, gop=15)
    async with watching(tmp_path) as bench:
        await bench.show_one_by_one(units[:1])
        bench.show(units[1:])
        await until(lambda: bench.watch.dropped == 2, 5)


async def test_broken_pictures_end_nothing(tmp_path: Path) -> None:
    units = drawn([False] * 15 + [True] * 30, gop=15)
    async with watching(tmp_path) as bench:
        await bench.show_one_by_one([unit(-15, b"\0\0\0\1\x65nothing", 15)])
        await bench.show_one_by_one(units)
        await until(lambda: bench.tampers, 5)


async def test_a_view_is_taken_where_none_is_approved_and_thresholds_where_one_is(
    tmp_path: Path,
) -> None:
    units = drawn([False] * 60, gop=3)
    references = References.below(tmp_path)
    async with watching(tmp_path) as bench:
        await bench.show_one_by_one(units)
        await until(lambda: bench.book.facts, 5)
        (taken,) = bench.book.facts
        assert isinstance(taken, ReferenceTaken)
        bench.watch.reference = taken.sha256
        await bench.show_one_by_one(units)
        thresholds = references.folder("cam") / "thresholds.json"
        await until(thresholds.exists, 5)
        assert f"{taken.sha256}/arithmetic".encode() in thresholds.read_bytes()


async def test_a_view_that_is_not_on_this_box_is_taken_anew(tmp_path: Path) -> None:
    async with watching(tmp_path, reference="0" * 64) as bench:
        await bench.show_one_by_one(drawn([False] * 60, gop=3))
        await until(lambda: bench.book.facts, 30)


def test_two_views_of_a_camera_lie_side_by_side(tmp_path: Path) -> None:
    references = References.below(tmp_path)
    one, two = (np.full((4, 4, 3), level, np.uint8) for level in (1, 2))
    kept = {keep_view(references, "cam", one), keep_view(references, "cam", two)}
    assert {file.stem for file in references.folder("cam").glob("*.png")} == kept
