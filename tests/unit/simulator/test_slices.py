"""Slices of two encoders in one picture."""

from collections.abc import Iterator, Sequence

import av
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from edge.simulator.formats import GUARD_HEIGHT, Format
from edge.simulator.reel import Reel
from edge.simulator.slices import (
    I_SLICE,
    P_SLICE,
    UnexpectedSyntax,
    nal_type,
    read_header,
    repeating_slice,
    rewrite,
    syntax_of,
)
from edge.simulator.take import SceneTake
from edge.simulator.x264 import Encoder, ParameterSets, encode, parameter_sets, picture

FORM = Format(640, 160, 25, 600)
FRAMES = 50


def scenes() -> Iterator[NDArray[np.uint8]]:
    """A flat bright scene with something that moves in it, as three stacked planes."""
    lot = np.random.default_rng(2)
    for index in range(FRAMES):
        planes = np.full((FORM.scene_height * 3 // 2, FORM.width), 128, np.uint8)
        planes[: FORM.scene_height] = np.linspace(180, 210, FORM.width, dtype=np.uint8)
        planes[60:120, index * 8 : index * 8 + 60] = 70
        planes[GUARD_HEIGHT : FORM.scene_height] += lot.integers(
            0, 3, (FORM.scene_height - GUARD_HEIGHT, FORM.width), np.uint8
        )
        yield planes


@pytest.fixture(scope="module")
def reel() -> Reel:
    take = SceneTake(FORM, None, FORM.fps)
    for planes in scenes():
        take.film(planes)
    return take.reel()


@pytest.fixture(scope="module")
def sets(reel: Reel) -> ParameterSets:
    return ParameterSets(reel.sps, reel.pps)


def strip(sets: ParameterSets, level: int) -> bytes:
    planes = np.full((FORM.strip_height * 3 // 2, FORM.width), 128, np.uint8)
    planes[: FORM.strip_height] = level
    nals = Encoder(FORM.strip()).encode(picture(planes))
    coded = next(nal for nal in nals if nal_type(nal) == 5)
    return rewrite(coded, sets.syntax, idr_pic_id=0)


def decode(units: Sequence[Sequence[bytes]]) -> list[NDArray[np.uint8]]:
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    packets = [av.Packet(b"".join(b"\0\0\1" + nal for nal in unit)) for unit in units]
    frames = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    return [frame.to_ndarray()[: FORM.height].astype(np.uint8) for frame in frames]


def composed(reel: Reel, sets: ParameterSets, level: int) -> list[list[bytes]]:
    above = FORM.macroblocks(FORM.strip_height + GUARD_HEIGHT)
    key = strip(sets, level)
    units = []
    for index, slices in enumerate(reel.pictures):
        place = index % reel.gop
        top = [repeating_slice(sets.syntax, place, 0, above)] if place else [*_sets(reel), key]
        units.append([*top, *slices])
    return units


def _sets(reel: Reel) -> list[bytes]:
    return [reel.sps, reel.pps]


def test_strip_and_scene_meet_in_one_picture(reel: Reel, sets: ParameterSets) -> None:
    seen = decode(composed(reel, sets, 60))
    assert len(seen) == FRAMES
    for index, (luma, planes) in enumerate(zip(seen, scenes(), strict=True)):
        assert np.abs(luma[: FORM.strip_height].astype(int) - 60).max() < 6, index
        below = luma[FORM.strip_height :].astype(int) - planes[: FORM.scene_height]
        assert np.abs(below).mean() < 4, index


def test_what_the_strip_shows_never_leaks_into_the_scene(reel: Reel, sets: ParameterSets) -> None:
    dark, bright = (decode(composed(reel, sets, level)) for level in (16, 235))
    for one, other in zip(dark, bright, strict=True):
        assert np.array_equal(one[FORM.strip_height :], other[FORM.strip_height :])


def test_rewriting_there_and_back_changes_no_byte(sets: ParameterSets) -> None:
    _, coded = encode(FORM.whole(), (picture(_whole(planes)) for planes in scenes()))
    for nal in coded:
        there = rewrite(nal, sets.syntax, first_macroblock=1234)
        assert read_header(there, sets.syntax)[0].first_macroblock == 1234
        assert rewrite(there, sets.syntax, first_macroblock=0) == nal


def _whole(planes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    whole = np.full((FORM.height * 3 // 2, FORM.width), 128, np.uint8)
    whole[: FORM.scene_height] = planes[: FORM.scene_height]
    return whole


def test_a_key_slice_can_become_a_slice_of_another_picture(sets: ParameterSets) -> None:
    changed = rewrite(
        strip(sets, 90), sets.syntax, idr_pic_id=None, slice_type=I_SLICE, frame_num=9
    )
    header, _ = read_header(changed, sets.syntax)
    assert nal_type(changed) == 1
    assert (header.slice_type, header.frame_num, header.idr_pic_id) == (I_SLICE, 9, None)


def test_a_repeating_slice_is_a_few_bytes_and_counts_its_pictures(sets: ParameterSets) -> None:
    nal = repeating_slice(sets.syntax, 21, 80, 320)
    header, _ = read_header(nal, sets.syntax)
    assert len(nal) < 10
    assert (header.first_macroblock, header.slice_type, header.frame_num) == (80, P_SLICE, 5)


def test_all_encoders_of_a_picture_agree_on_the_syntax() -> None:
    recipes = (FORM.whole(), FORM.scene(), FORM.scene(gop=250), FORM.guard(), FORM.strip())
    assert len({parameter_sets(recipe).syntax for recipe in recipes}) == 1


def test_a_stream_of_another_profile_is_not_touched() -> None:
    main_profile = bytes.fromhex("674d401fda014016e840000003004000000ca3c60ca8")
    with pytest.raises(UnexpectedSyntax):
        syntax_of(main_profile, bytes.fromhex("68ce3c80"))
