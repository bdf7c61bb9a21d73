"""The copy to look at: marked all over, and honest about what is missing."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np
import pytest

from contract.boxapi import ViewingOrder
from edge.simulator.stamp import read_stamp
from edge.viewing import make
from edge.watermark import Mark, clock_text
from tests.fakes.footage import record, stamped

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


class Sink:
    """Bytes in memory, which cannot be sought in."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes, /) -> int:
        self.data += data
        return len(data)


def order(paths: list[str], since: float, until: float, camera: str = "cam-1") -> ViewingOrder:
    return ViewingOrder(
        camera=camera,
        paths=tuple(path.removeprefix("shelf/") for path in paths),
        start=START + timedelta(seconds=since),
        end=START + timedelta(seconds=until),
        request="附2-2026-0007",
        recipient="教务处 王敏",
        zone="Asia/Shanghai",
    )


def pictures(data: bytes) -> list[tuple[float, np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]]:
    """Decode a copy; gives time and luma."""
    with av.open(io.BytesIO(data), "r") as container:
        return [
            (float(frame.time or 0), frame.to_ndarray(format="gray").astype(np.uint8))
            for frame in container.decode(video=0)
        ]


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_every_picture_of_the_span_is_there_at_its_time(tmp_path: Path, codec: str) -> None:
    told = record(tmp_path, "cam-1", START, 3, codec=codec, b_frames=2)
    sink = Sink()
    make(tmp_path / "shelf", order([told.path], 0.5, 2.0), sink)
    seen = pictures(bytes(sink.data))
    assert [round(at, 2) for at, _ in seen] == [n / 10 for n in range(15)]
    stamps = [read_stamp(luma[:360]) for _, luma in seen]
    expected = [START + timedelta(seconds=n / 10) for n in range(5, 20)]
    assert [stamp.captured_at for stamp in stamps if stamp] == expected


def test_what_was_not_recorded_is_a_card_not_a_picture_that_stands_still(tmp_path: Path) -> None:
    first = record(tmp_path, "cam-1", START, 2)
    second = record(tmp_path, "cam-1", START + timedelta(seconds=6), 2)
    sink = Sink()
    make(tmp_path / "shelf", order([first.path, second.path], 0, 12), sink)
    blank = [round(at, 1) for at, luma in pictures(bytes(sink.data)) if not read_stamp(luma[:360])]
    assert blank == [1.9, 7.9]


def test_footage_of_another_camera_is_refused(tmp_path: Path) -> None:
    told = record(tmp_path, "cam-2", START, 1)
    with pytest.raises(ValueError, match="no recording of cam-1"):
        make(tmp_path / "shelf", order([told.path], 0, 1), Sink())


def test_the_mark_is_everywhere_moves_and_hides_nothing() -> None:
    mark = Mark(640, 360, "附2-2026-0007  王敏", "申请 附2-2026-0007")
    luma = stamped(1, START)
    early, late = mark.cover(luma, 0), mark.cover(luma, 9)
    assert read_stamp(early) == read_stamp(luma)
    assert (early != late).any()
    for quarter in (np.s_[:180, :320], np.s_[:180, 320:], np.s_[180:, :320], np.s_[180:, 320:]):
        assert (early[quarter] != luma[quarter]).sum() > 500
    assert np.abs(early.astype(int) - luma).max() <= 40


def test_the_band_says_who_gets_it_and_when_it_was() -> None:
    mark = Mark(640, 360, "x", "申请 附2-2026-0007  接收人 王敏")
    shanghai = START.astimezone(tz=None)
    one, other = mark.band(clock_text(shanghai)), mark.band("2026-11-24 16:00:01")
    assert one.shape == other.shape == (mark.band_height, 640)
    half = mark.band_height // 2
    assert (one[:half] == other[:half]).all()
    assert (one[half:] != other[half:]).any()
    assert one.max() > 200
