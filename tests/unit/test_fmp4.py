"""Recorded files as a decoder that is not ours reads them."""

import io
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.fmp4 import duration_of, walk
from edge.recording.boxes import init_section
from edge.recording.fragments import Fragmenter
from edge.rtsp.intake import Picture
from tests.fakes.encoder import parameter_sets, pictures
from tests.fakes.oracle import decode
from tests.fakes.pictures import moved


def written(shots: list[Picture], every: int) -> list[bytes]:
    """Give init section and fragments, one after each `every` pictures."""
    fragmenter = Fragmenter(shots[0].timestamp_90k)
    parts = [init_section(shots[0].parameters)]
    for number, picture in enumerate(shots, 1):
        fragmenter.add([picture])
        fragment = fragmenter.take(last=number == len(shots)) if number % every == 0 else None
        if fragment:
            parts.append(b"".join(fragment.pieces))
    last = fragmenter.take(last=True)
    return parts + ([b"".join(last.pieces)] if last else [])


@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize("every", [1, 7, 100])
def test_a_file_decodes_whole_and_in_time(codec: str, every: int, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"".join(written(pictures(codec, 30), every)))
    seen = decode(path)
    assert (seen.codec.replace("hevc", "h265"), seen.width, seen.height) == (codec, 320, 180)
    assert seen.times == pytest.approx([number / 25 for number in range(30)])
    assert seen.corrupt == 0


@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize("every", [2, 5, 100])
def test_pictures_shown_out_of_order_are_shown_in_order(
    codec: str, every: int, tmp_path: Path
) -> None:
    shots = pictures(codec, 40, gop=20, b_frames=2)
    stamps = [picture.timestamp_90k for picture in shots]
    assert stamps != sorted(stamps)
    path = tmp_path / "b.mp4"
    path.write_bytes(b"".join(written(shots, every)))
    seen = decode(path)
    assert len(seen.times) == 40
    assert seen.longest_pause < 0.1
    assert seen.corrupt == 0


def test_a_file_cut_anywhere_plays_up_to_its_last_whole_fragment(tmp_path: Path) -> None:
    parts = written(pictures("h264", 20), 4)
    path = tmp_path / "c.mp4"
    path.write_bytes(b"".join(parts[:4]))
    assert len(decode(path).times) == 12


def test_fragments_say_how_long_they_are() -> None:
    moofs = []
    for part in written(pictures("h264", 20), 4)[1:]:
        (moof, _) = walk(io.BytesIO(part), len(part))
        moofs.append(part[: moof.size])
    spans = [duration_of(moof) for moof in moofs]
    assert spans == [(14_400 * n, 14_400 * (n + 1)) for n in range(5)]


def test_a_pause_of_the_camera_is_a_pause_in_the_file() -> None:
    shots = pictures("h264", 10)
    late = [moved(picture, by_90k=270_000) for picture in shots]
    fragmenter = Fragmenter(shots[0].timestamp_90k)
    for picture in shots[:5]:
        fragmenter.add([picture])
    before = fragmenter.take()
    for picture in late[5:]:
        fragmenter.add([picture])
    after = fragmenter.take()
    assert before is not None
    assert after is not None
    assert (before.end, after.begin) == (18_000, 288_000)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.integers(1, 6))
def test_decoding_times_never_fall_whatever_the_camera_stamps(steps: list[int], every: int) -> None:
    shot = PICTURE
    fragmenter = Fragmenter(shot.timestamp_90k)
    spans = []
    for number, step in enumerate(steps):
        fragmenter.add([moved(shot, by_90k=3600 * step)])
        if number % every == 0:
            spans.append(fragmenter.take())
    spans.append(fragmenter.take(last=True))
    ends = [(fragment.begin, fragment.end) for fragment in spans if fragment]
    assert all(begin < end for begin, end in ends)
    assert all(earlier[1] <= later[0] + 1 for earlier, later in pairwise(ends))


PICTURE = pictures("h264", 1)[0]


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_boxes_are_walked_and_a_torn_one_ends_the_walk(codec: str) -> None:
    data = init_section(parameter_sets(codec))
    found = [box.name for box in walk(io.BytesIO(data), len(data))]
    assert found == [b"ftyp", b"moov"]
    assert [box.name for box in walk(io.BytesIO(data), len(data) - 1)] == [b"ftyp"]


@given(st.binary(max_size=200))
def test_what_is_no_fragment_of_ours_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a fragment of ours"):
        duration_of(data)


@given(steps=st.lists(st.sampled_from([1, 1, 2, 3, -1]), min_size=1, max_size=12), data=st.data())
def test_a_read_with_several_pictures_is_written_as_if_they_came_one_by_one(
    steps: list[int], data: st.DataObject
) -> None:
    shot, at, shots = pictures("h264", 1)[0], 0, []
    for step in steps:
        at += step
        shots.append(moved(shot, by_90k=3600 * at))
    cut = data.draw(st.integers(1, len(shots)))
    single, together = (Fragmenter(shot.timestamp_90k) for _ in range(2))
    for some in (shots[:cut], shots[cut:]):
        for one in some:
            single.add([one])
        together.add(some)
        assert together.pending_90k == single.pending_90k
        assert together.take() == single.take()
    assert together.take(last=True) == single.take(last=True)
