"""A segment read without decoding it, against a decoder that is not ours."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from contract.segmentindex import NotASegment, codec_of, index_of, key_pictures, whole_bytes
from edge.live.playback import readable
from edge.rtsp.intake import Picture
from tests.fakes.encoder import pictures
from tests.fakes.oracle import decode
from tests.unit.test_fmp4 import written

START = datetime(2026, 11, 22, 8, tzinfo=UTC)
PATH = "cam1/2026-11-22/20261122T080000000.mp4"


def laid(folder: Path, shots: list[Picture], path: str = PATH, every: int = 6) -> Path:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"".join(written(shots, every)))
    file.chmod(0o440)
    return file


def from_first(times: Sequence[float]) -> list[float]:
    """Where pictures are reordered, the oracle's demuxer moves all of them by the same time."""
    return [time - times[0] for time in times]


@pytest.mark.parametrize(("codec", "b_frames"), [("h264", 0), ("h264", 2), ("h265", 0)])
def test_the_index_says_when_each_picture_is_shown(
    codec: str, b_frames: int, tmp_path: Path
) -> None:
    file = laid(tmp_path, pictures(codec, 40, gop=10, b_frames=b_frames))
    with file.open("rb") as opened:
        index = index_of(opened, START)
    seen = decode(file)
    shown = sorted(time for one in index.fragments for time in one.times)
    assert [time / 90_000 for time in shown] == pytest.approx(from_first(seen.times), abs=1e-3)
    assert (index.start, index.growing) == (START, False)
    assert index.bytes == file.stat().st_size


def test_fragments_and_the_section_before_them_are_the_whole_file(tmp_path: Path) -> None:
    file = laid(tmp_path, pictures("h264", 40))
    with file.open("rb") as opened:
        index = index_of(opened, START)
    assert index.fragments[0].at == index.init
    assert all(a.at + a.size == b.at and a.end == b.begin for a, b in pairwise(index.fragments))
    assert index.fragments[-1].at + index.fragments[-1].size == index.bytes
    keys = [one.times[place] for one in index.fragments for place in one.keys]
    assert keys == [number * 5 * 3600 for number in range(8)], "a key picture every five"


def test_what_is_being_written_counts_up_to_its_last_whole_fragment(tmp_path: Path) -> None:
    growing = PATH.replace(".mp4", ".part")
    file = laid(tmp_path, pictures("h264", 20), growing)
    whole = file.stat().st_size
    file.chmod(0o640)
    with file.open("ab") as opened:
        opened.write(file.read_bytes()[-500:])
    assert whole_bytes(file) == whole
    assert readable(tmp_path, growing).size == whole
    with file.open("rb") as opened:
        assert index_of(opened, START, growing=True).growing


def test_one_that_was_sealed_meanwhile_is_found(tmp_path: Path) -> None:
    file = laid(tmp_path, pictures("h264", 20))
    assert readable(tmp_path, PATH.replace(".mp4", ".part")) == (file, file.stat().st_size)


@pytest.mark.parametrize("b_frames", [0, 2])
def test_key_pictures_alone_are_decoded_each_at_its_time(b_frames: int, tmp_path: Path) -> None:
    file = laid(tmp_path, pictures("h264", 60, gop=15, b_frames=b_frames))
    alone = tmp_path / "keys.mp4"
    with file.open("rb") as opened:
        alone.write_bytes(b"".join(key_pictures(opened, 0, 10**9)))
    seen = decode(alone)
    assert seen.corrupt == 0
    assert from_first(seen.times) == pytest.approx([0, 0.6, 1.2, 1.8], abs=1e-3)


def test_of_a_part_only_its_key_pictures_come_and_the_one_in_force_before(tmp_path: Path) -> None:
    file = laid(tmp_path, pictures("h264", 60, gop=15))
    alone = tmp_path / "keys.mp4"
    second = 90_000
    with file.open("rb") as opened:
        alone.write_bytes(b"".join(key_pictures(opened, second, second)))
    assert decode(alone).times == pytest.approx([0.6])


def test_what_is_no_segment_is_said_to_be_none(tmp_path: Path) -> None:
    for content in (b"", b"\0" * 100, b"\0\0\0\x10ftypiso6\0\0\0\0"):
        with pytest.raises(NotASegment):
            index_of(io.BytesIO(content), START)


def test_codecs_are_named_as_browsers_name_them(tmp_path: Path) -> None:
    for codec, begins in (("h264", "avc1."), ("h265", "hvc1.1.")):
        file = laid(tmp_path, pictures(codec, 5), f"cam1/{codec}.mp4")
        assert codec_of(file.read_bytes()).startswith(begins)
