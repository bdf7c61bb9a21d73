"""What arithmetic alone tells about a picture."""

import numpy as np
import pytest

from tests.fakes.rooms import DrawnRoom, Picture
from vision.exact import FROZEN_AFTER_S, Stillness, has_cast, has_glare, measure

SIZE = (360, 640, 3)


def flat(red: int, green: int, blue: int) -> Picture:
    return np.broadcast_to(np.array((red, green, blue), np.uint8), SIZE).copy()


def noisy(picture: Picture, sigma: float) -> Picture:
    noise = np.random.default_rng(1).normal(0, sigma, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def bars() -> Picture:
    colours = [
        (192, 192, 192),
        (192, 192, 0),
        (0, 192, 192),
        (0, 192, 0),
        (192, 0, 192),
        (192, 0, 0),
        (0, 0, 192),
    ]
    columns = np.arange(640) * 7 // 640
    return np.broadcast_to(np.array(colours, np.uint8)[columns], SIZE).copy()


def mosaic(picture: Picture) -> Picture:
    means = picture[:352].reshape(22, 16, 40, 16, 3).mean(axis=(1, 3)).astype(np.uint8)
    return np.kron(means, np.ones((16, 16, 1), np.uint8))


@pytest.mark.parametrize("number", range(1, 9))
def test_an_ordinary_room_is_nothing_obvious(number: int) -> None:
    measured = measure(DrawnRoom(number).picture())
    assert measured.obvious() is None
    assert not measured.is_dark
    assert not measured.is_glaring
    assert not measured.is_pale


@pytest.mark.parametrize("picture", [flat(0, 0, 0), noisy(flat(16, 16, 16), 2)])
def test_nothing_but_black_is_black(picture: Picture) -> None:
    assert measure(picture).obvious() == "black"


def test_black_with_a_clock_burned_in_is_black() -> None:
    picture = flat(4, 4, 4)
    picture[8:26, 400:620:3] = 250
    assert measure(picture).obvious() == "black"


def test_nothing_but_white_is_white() -> None:
    assert measure(noisy(flat(255, 255, 255), 2)).obvious() == "white"


@pytest.mark.parametrize("picture", [flat(0, 0, 255), flat(10, 10, 200), flat(0, 135, 0), bars()])
def test_what_a_device_paints_is_no_signal(picture: Picture) -> None:
    assert measure(picture).obvious() == "no_signal"


def test_a_grey_cloth_is_not_no_signal() -> None:
    assert measure(noisy(flat(70, 66, 64), 3)).obvious() is None


def test_snow_is_snow() -> None:
    static = np.random.default_rng(2).integers(0, 256, SIZE[:2], np.uint8)
    assert measure(np.repeat(static[..., None], 3, axis=2)).obvious() == "snow"


def test_a_dim_grainy_room_is_not_snow() -> None:
    assert measure(noisy(DrawnRoom(2).picture(light=0.2), 6)).obvious() is None


def test_a_mosaic_is_blocks() -> None:
    assert measure(mosaic(DrawnRoom(3).picture())).obvious() == "blocks"


def test_hardly_any_light_is_dark() -> None:
    assert measure(DrawnRoom(4).picture(light=0.08)).is_dark


def test_a_lamp_into_the_lens_is_glare() -> None:
    picture = DrawnRoom(5).picture()
    picture[:200] = 255
    assert measure(picture).is_glaring


def test_glare_is_more_white_than_usual() -> None:
    bright = DrawnRoom(5).picture()
    bright[:120] = 255
    usual, now = measure(DrawnRoom(5).picture()), measure(bright)
    assert has_glare(now, usual)
    assert not has_glare(now, now)


def test_fog_is_pale() -> None:
    picture = (DrawnRoom(6).picture() * 0.05 + 130).astype(np.uint8)
    assert measure(picture).is_pale


def test_a_colour_over_everything_is_a_cast_and_lamp_light_is_none() -> None:
    room = DrawnRoom(7)
    usual = measure(room.picture())
    green = np.clip(room.picture() * np.array((0.55, 1.1, 0.5)), 0, 255).astype(np.uint8)
    warm = np.clip(room.picture() * np.array((1.05, 1.0, 0.92)), 0, 255).astype(np.uint8)
    assert has_cast(measure(green), usual)
    assert not has_cast(measure(warm), usual)


def test_the_same_picture_again_and_again_is_still() -> None:
    stillness, picture = Stillness(), DrawnRoom(1).picture()
    assert [stillness.seconds(picture, float(t)) for t in range(4)] == [0, 1, 2, 3]
    assert stillness.seconds(picture, FROZEN_AFTER_S) == FROZEN_AFTER_S


def test_noise_alone_is_life() -> None:
    stillness, room = Stillness(), DrawnRoom(1)
    assert [stillness.seconds(room.picture(), float(t)) for t in range(4)] == [0, 0, 0, 0]


def test_a_running_clock_does_not_hide_that_all_else_stands_still() -> None:
    stillness, picture = Stillness(), DrawnRoom(1).picture()
    stillness.seconds(picture, 0.0)
    later = picture.copy()
    later[4:24, 500:620] = 255 - later[4:24, 500:620]
    assert stillness.seconds(later, 6.0) == 6.0


def test_grey_pictures_are_pictures_and_floats_are_none() -> None:
    grey = np.full((120, 160), 90, np.uint8)
    assert measure(grey).light == pytest.approx(90, abs=0.5)
    with pytest.raises(ValueError, match="no picture"):
        measure(grey.astype(np.float32))
