"""H.265 is recorded as it comes, sound is not, and kill -9 leaves a clean file."""

import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av

from contract.fmp4 import walk
from contract.messages import Source
from edge.recording.adoption import adopt, name_of
from tests.fakes.h265_camera import h265_camera
from tests.fakes.oracle import decode
from tests.fakes.recorder import Box, running_recorder
from tests.fakes.waiting import until


def is_begun(part: Path) -> bool:
    """True once two fragments are there."""
    with part.open("rb") as file:
        return sum(box.name == b"mdat" for box in walk(file, part.stat().st_size)) >= 2


async def test_h265_with_sound_is_recorded_as_pictures_alone_and_survives_kill_9(
    tmp_path: Path,
) -> None:
    box = Box.make(tmp_path, segment_seconds=4)
    async with h265_camera() as camera:
        box.has_camera("h265", Source(main=camera.url, sub=""))
        now = datetime.now(UTC)
        box.order(now, now + timedelta(hours=1))
        async with running_recorder(box) as recorder:
            await until(lambda: len(box.files()) >= 2, 40, "two segments are sealed")
            await until(lambda: [part for part in box.files("*.part") if is_begun(part)], 20)
            recorder.send_signal(signal.SIGKILL)
            killed = datetime.now(UTC)
            await recorder.wait()
    for path in box.files():
        seen = decode(path)
        assert (seen.codec, seen.width, seen.height, seen.corrupt) == ("hevc", 640, 360, 0)
        assert seen.longest_pause < 0.1
        with av.open(path) as container:
            assert [stream.type for stream in container.streams] == ["video"]
    (part,) = box.files("*.part")
    name = name_of(part, box.config.shelf)
    assert name is not None
    kept = adopt(part, name)
    assert killed.timestamp() - kept.end_us / 1e6 < 1.0
    assert (decode(part).codec, decode(part).corrupt) == ("hevc", 0)
