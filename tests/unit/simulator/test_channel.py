"""Sending pictures to viewers."""

import asyncio
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from edge.simulator.channel import Channel, Viewer
from edge.simulator.faults import Fault, FaultBook, FaultKind
from edge.simulator.pacer import Pacer
from edge.simulator.projector import Picture
from edge.simulator.x264 import ParameterSets
from tests.fakes.clock import ManualClock
from tests.unit.simulator.sinks import PlainSink

FPS = 5
SECOND = 1_790_000_000


class Slides:
    """A show of numbered pictures, a key frame every second."""

    sets = ParameterSets(b"\x67", b"\x68")
    key_interval = FPS
    wrong = 0

    def jump(self, second: float) -> int:
        """As the test says."""
        return self.wrong

    def picture(self, number: int) -> Picture:
        """One small unit that holds its number."""
        is_key = number % FPS == 0
        return Picture(((b"\x65" if is_key else b"\x41") + number.to_bytes(8),), is_key)


@pytest.fixture
def faults() -> FaultBook:
    return FaultBook()


@pytest.fixture
def show() -> Slides:
    return Slides()


@pytest.fixture
def channel(show: Slides, faults: FaultBook) -> Channel:
    return Channel(show, FPS, 0.1, faults, random=lambda bits: (1 << bits) - 1)


def join(channel: Channel, rtp: int = 0) -> PlainSink:
    sink = PlainSink()
    channel.viewers.add(Viewer(sink, rtp))
    return sink


def numbers(sink: PlainSink) -> list[int]:
    """Which pictures arrived, as numbers within the test."""
    return [int.from_bytes(data[-8:]) - SECOND * FPS for data in sink.sent]


def rtp(data: bytes) -> tuple[int, int]:
    """Sequence number and time stamp of the one packet at the end."""
    sequence, timestamp = struct.unpack("!HL", data[-19:-13])
    return sequence, timestamp


def run(channel: Channel, begin: float, end: float) -> None:
    """Let time pass in steps of 10 ms, from SECOND."""
    for step in range(round(begin * 100), round(end * 100)):
        channel.advance(SECOND + step / 100)


def test_a_viewer_begins_with_a_key_frame_and_gets_every_picture(channel: Channel) -> None:
    run(channel, 0, 0.5)
    sink = join(channel)
    run(channel, 0.5, 2.1)
    assert numbers(sink) == [5, 6, 7, 8, 9]


def test_pictures_leave_when_they_are_due(channel: Channel) -> None:
    channel.advance(SECOND)
    assert channel.due() == pytest.approx(SECOND + 0.1)
    channel.advance(SECOND + 0.1)
    assert channel.due() == pytest.approx(SECOND + 0.3)


def test_sequence_and_time_run_on_and_wrap(channel: Channel) -> None:
    sink = join(channel)
    run(channel, 0, 1)
    heads = [rtp(data) for data in sink.sent]
    assert [sequence for sequence, _ in heads] == [0xFFFF, 0, 1, 2, 3]
    assert {(b - a) % (1 << 32) for (_, a), (_, b) in pairwise(heads)} == {18_000}


def test_a_report_comes_first_and_ties_both_clocks(channel: Channel) -> None:
    sink = join(channel, rtp=2)
    run(channel, 0, 0.2)
    head = struct.unpack("!BBHBBHLLLL", sink.sent[0][:24])
    assert head[:2] == (36, 3)
    assert head[4] == 200
    assert head[7] + head[8] / (1 << 32) == pytest.approx(SECOND + 2_208_988_800 + 0.1, abs=1e-6)
    assert head[9] == rtp(sink.sent[0])[1]


def test_reports_come_again_every_few_seconds(channel: Channel) -> None:
    sink = join(channel)
    run(channel, 0, 9)
    with_report = [data for data in sink.sent if data[5] == 200]
    assert 2 <= len(with_report) <= 4


def test_a_jump_of_the_clock_is_reported_at_once(channel: Channel, show: Slides) -> None:
    sink = join(channel)
    run(channel, 0, 1)
    show.wrong = 3600
    sink.sent.clear()
    run(channel, 1, 1.2)
    assert sink.sent[0][5] == 200


def test_a_slow_viewer_loses_whole_pictures_up_to_a_key_frame(channel: Channel) -> None:
    sink, other = join(channel), join(channel)
    run(channel, 0, 1)
    sink.unsent = 2 << 20
    run(channel, 1, 1.3)
    sink.unsent = 0
    run(channel, 1.3, 2.5)
    assert numbers(sink) == [0, 1, 2, 3, 4, 10, 11]
    assert numbers(other) == list(range(12))


def test_a_stalled_camera_sends_nothing_and_comes_back_with_a_key_frame(
    channel: Channel, faults: FaultBook
) -> None:
    sink = join(channel)
    faults.add(Fault(FaultKind.STALL, 1, SECOND + 1, SECOND + 2))
    run(channel, 0, 3.1)
    assert numbers(sink) == [0, 1, 2, 3, 4, 10, 11, 12, 13, 14]
    sequences = [rtp(data)[0] for data in sink.sent]
    assert {(b - a) % 65536 for a, b in pairwise(sequences)} == {1}


def test_after_a_long_pause_it_goes_on_where_the_next_second_begins(channel: Channel) -> None:
    sink = join(channel)
    run(channel, 0, 1)
    run(channel, 100.5, 101.6)
    assert numbers(sink)[5:] == [505, 506, 507]


def test_a_restart_begins_another_run(faults: FaultBook) -> None:
    drawn = iter(range(1, 20))
    channel = Channel(Slides(), FPS, 0.1, faults, random=lambda _: next(drawn))
    sink = join(channel)
    run(channel, 0, 0.2)
    before = rtp(sink.sent[0])
    channel.restart()
    run(channel, 0.2, 0.4)
    after = rtp(sink.sent[1])
    assert after[0] != before[0] + 1


@asynccontextmanager
async def running(pacer: Pacer) -> AsyncGenerator[None]:
    task = asyncio.create_task(pacer.run(), name="pacer")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_pacer_sends_in_time_and_forgets_who_is_not_watched(channel: Channel) -> None:
    clock = ManualClock()
    pacer = Pacer(clock)
    sink = join(channel)
    async with running(pacer):
        pacer.watch(channel)
        await clock.advance(0)
        await clock.advance(3)
        count = len(sink.sent)
        assert 10 <= count <= 16
        channel.viewers.clear()
        await clock.advance(1)
        assert len(sink.sent) == count
        again = join(channel)
        pacer.watch(channel)
        await clock.advance(0)
        await clock.advance(2)
        assert len(again.sent) >= 5
