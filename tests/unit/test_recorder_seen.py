"""What is believed of the recorder's file: only what it goes on saying."""

import os
from pathlib import Path

import msgspec
import pytest

from contract.messages import Camera, CameraStatus
from edge.orders import OrdersInForce
from edge.recorderseen import FRESH_S, RecorderSeen
from tests.fakes.clock import ManualClock

ORDERS = OrdersInForce(cameras=tuple(Camera(id=one, room="r", sealed="") for one in ("c1", "c2")))
OFF = [("c1", "main"), ("c1", "sub"), ("c2", "main"), ("c2", "sub")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "recorder.json"


def say(file: Path, *cameras: str) -> None:
    """Write it as the recorder does: renamed into place."""
    beside = file.with_suffix(".new")
    said = [
        CameraStatus(camera=one, stream="main", state="streaming", recording=True)
        for one in cameras
    ]
    beside.write_bytes(msgspec.json.encode(said))
    beside.replace(file)


def recorded(seen: RecorderSeen) -> list[str]:
    return [one.camera for one in seen.cameras(ORDERS) if one.recording]


def test_what_an_earlier_run_left_is_not_believed(file: Path) -> None:
    say(file, "c1", "c2")
    seen = RecorderSeen(file, ManualClock()).cameras(ORDERS)
    assert [(one.camera, one.stream) for one in seen] == OFF
    assert {one.state for one in seen} == {"off"}


async def test_what_it_says_is_believed_for_five_seconds(file: Path) -> None:
    clock = ManualClock()
    seen = RecorderSeen(file, clock)
    say(file, "c1", "c2")
    assert recorded(seen) == ["c1", "c2"]
    await clock.advance(FRESH_S)
    assert recorded(seen) == ["c1", "c2"]
    os.utime(file)  # nothing changed, and it lives
    assert recorded(seen) == ["c1", "c2"]
    await clock.advance(FRESH_S + 0.1)
    assert recorded(seen) == []
    say(file, "c1")
    assert recorded(seen) == ["c1"]


def test_a_camera_that_it_does_not_mention_is_off(file: Path) -> None:
    seen = RecorderSeen(file, ManualClock())
    say(file, "c1")
    assert [(one.camera, one.stream) for one in seen.cameras(ORDERS)] == OFF
    assert recorded(seen) == ["c1"]
    say(file)  # its goodbye
    assert recorded(seen) == []


def test_no_file_and_no_sense_are_off_too(file: Path) -> None:
    seen = RecorderSeen(file, ManualClock())
    assert len(seen.cameras(ORDERS)) == len(OFF)
    file.write_text("{")
    assert len(seen.cameras(ORDERS)) == len(OFF)
