"""The machine-readable stamp."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.simulator.stamp import (
    CAMERA,
    SECOND,
    Stamp,
    camera_bits,
    cells,
    place,
    read_second,
    read_stamp,
    second_bits,
)

Luma = NDArray[np.uint8]
SIZES = ((1280, 720), (640, 360))
NOON = 1_790_000_000


def stamped(width: int, height: int, second: int, camera: int, milliseconds: int) -> Luma:
    luma = np.full((height, width), 120, np.uint8)
    for block, bits in ((SECOND, second_bits(second)), (CAMERA, camera_bits(camera, milliseconds))):
        drawn = cells(block, bits, width)
        x, y = place(block, width)
        luma[y : y + drawn.shape[0], x : x + drawn.shape[1]] = drawn
    return luma


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SIZES), st.integers(0, 2**32 - 1), st.integers(1, 999), st.integers(0, 2047))
def test_a_stamp_is_read_as_it_was_drawn(
    size: tuple[int, int], second: int, camera: int, milliseconds: int
) -> None:
    at = datetime.fromtimestamp(second, UTC) + timedelta(milliseconds=milliseconds)
    assert read_stamp(stamped(*size, second, camera, milliseconds)) == Stamp(camera, at)


@pytest.mark.parametrize("size", SIZES)
def test_noise_and_flattened_contrast_do_not_matter(size: tuple[int, int]) -> None:
    luma = stamped(*size, NOON, 7, 480).astype(np.float64) * 0.8 + 20
    noisy = luma + np.random.default_rng(3).normal(0, 12, luma.shape)
    read = read_stamp(np.clip(noisy, 0, 255).astype(np.uint8))
    assert read is not None
    assert read.camera == 7


@pytest.mark.parametrize("level", [0, 16, 128, 235, 255])
def test_an_even_picture_bears_no_stamp(level: int) -> None:
    assert read_stamp(np.full((720, 1280), level, np.uint8)) is None


def test_random_black_and_white_bears_no_stamp() -> None:
    lot = np.random.default_rng(5)
    for _ in range(50):
        coarse = lot.choice(np.array([16, 235], np.uint8), (90, 160))
        assert read_stamp(coarse.repeat(8, axis=0).repeat(8, axis=1)) is None


@pytest.mark.parametrize("block", [SECOND, CAMERA])
def test_one_wrong_cell_is_noticed(block: object) -> None:
    luma = stamped(1280, 720, NOON, 7, 480)
    assert block in {SECOND, CAMERA}
    x, y = place(SECOND if block is SECOND else CAMERA, 1280)
    luma[y : y + 8, x + 8 : x + 16] = 251 - luma[y : y + 8, x + 8 : x + 16]
    assert read_stamp(luma) is None


def test_the_second_is_read_from_the_strip_alone() -> None:
    luma = stamped(1280, 720, NOON, 7, 480)
    luma[100:] = 0
    assert read_second(luma) == NOON
    assert read_stamp(luma) is None


def test_the_cells_lie_where_other_readers_look_for_them() -> None:
    luma = stamped(1280, 720, 0x80000001, 0b1000000001, 1)
    assert luma[12, 1084] == 235  # first bit of the second
    assert luma[12, 1092] == 16
    assert luma[700, 1148] == 235  # first bit of the camera's number
    assert luma[700, 1148 + 9 * 8] == 235  # and its last
