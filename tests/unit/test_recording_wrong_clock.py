"""Cameras whose own clock is wrong: what is kept, and when it is said to have been."""

import os
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract.spans import Span
from edge.journal import from_us, to_us
from edge.recording.arming import LINGER
from edge.recording.coverage import Coverage
from edge.recording.gaps import SETTLE, missing
from edge.recording.recorder import Cuts, Recorder
from edge.recording.sealing import fact_of
from edge.recording.segment import Finished
from edge.rtsp.depacketise import Depacketiser
from edge.rtsp.intake import Intake
from edge.rtsp.timeline import Timeline
from tests.fakes.clock import ManualClock
from tests.fakes.encoder import parameter_sets
from tests.fakes.rtsp import interleaved

SETS = parameter_sets("h264")
IDR, SLICE = b"\x65" + b"i" * 40, b"\x41" + b"p" * 40
START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
WINDOW = Span(START + timedelta(seconds=5), START + timedelta(seconds=25))


def report(ntp_us: int, stamp: int) -> bytes:
    ntp = (ntp_us * 2**32 // 1_000_000) + (2_208_988_800 << 32)
    return struct.pack("!cBHBBHIQIII", b"$", 1, 28, 0x80, 200, 6, 1, ntp, stamp, 0, 0)


@pytest.mark.parametrize("ahead_s", [-4, -2, 0, 2])
def test_a_window_is_whole_to_its_end_whatever_the_cameras_clock_says(
    tmp_path: Path, ahead_s: int
) -> None:
    coverage, finished = Coverage(), list[Finished]()
    recorder = Recorder(
        ("c1", "main"), tmp_path, Cuts(60, 0), coverage, ManualClock(), finished.append, print
    )
    recorder.keep([WINDOW])
    intake = Intake(Depacketiser("h264", [SETS.sps, *SETS.pps]), Timeline(1), 96, 0)
    pulled = round((WINDOW.end + LINGER - START).total_seconds() * 25)
    for number in range(pulled):
        now_us, stamp = to_us(START) + number * 40_000, number * 3600
        data = interleaved(IDR if number % 25 == 0 else SLICE, number, stamp)
        if number % 125 == 0:
            data += report(now_us + ahead_s * 1_000_000, stamp)
        recorder.take(intake.feed(data, now_us))
    recorder.end()
    for one in finished:
        os.close(one.fd)
    assert missing(WINDOW, coverage.spans(), WINDOW.end + SETTLE) == []
    (segment,) = finished
    assert abs(from_us(segment.name.start_us) - WINDOW.start) <= timedelta(seconds=1)
    assert abs(from_us(segment.end_us) - WINDOW.end) < timedelta(milliseconds=100)
    fact = fact_of(segment, segment.part, tmp_path, "", clock_trusted=True)
    assert fact.clock_offset_ms == pytest.approx(1000 * ahead_s, abs=5)
