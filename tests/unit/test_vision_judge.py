"""Judging drawn rooms, pictures five times a second."""

from collections.abc import Callable, Iterable

import numpy as np
import pytest

import models
from tests.fakes.rooms import DrawnRoom, Picture
from vision.judge import VERDICTS, Judge, Judgement, Thresholds, calibrated

FPS = 5
ROOMS = (1, 4, 7)


def judge_of(room: DrawnRoom, *more: Picture) -> Judge:
    judge = Judge(models.path("obstruction"), [room.picture(), *more])
    judge.thresholds = calibrated(judge, [room.picture(walker=x / 9) for x in range(10)])
    return judge


def judged(judge: Judge, pictures: Iterable[Picture]) -> list[Judgement]:
    return [judge.judge(picture, index / FPS) for index, picture in enumerate(pictures)]


def after(judge: Judge, usual: Picture, tampered: Callable[[], Picture]) -> list[Judgement]:
    """The judgements of five tampered pictures after five normal ones."""
    judged(judge, [usual] * 5)
    return judged(judge, (tampered() for _ in range(5)))


@pytest.mark.parametrize("number", ROOMS)
@pytest.mark.parametrize("share", [0.3, 0.5, 1.0])
def test_a_cover_is_voted_within_five_pictures(number: int, share: float) -> None:
    room = DrawnRoom(number)
    told = after(judge_of(room), room.picture(), lambda: room.picture(cover=share))
    assert told[-1].voted == "covered"
    assert told[-1].extent == pytest.approx(share, abs=0.2)


@pytest.mark.parametrize("number", ROOMS)
def test_lost_focus_is_voted_within_five_pictures(number: int) -> None:
    room = DrawnRoom(number)
    told = after(judge_of(room), room.picture(), lambda: room.picture(blur=0.02))
    assert told[-1].voted == "defocused"


@pytest.mark.parametrize("number", ROOMS)
@pytest.mark.parametrize("share", [0.12, 0.3])
def test_a_turned_camera_is_voted_within_five_pictures(number: int, share: float) -> None:
    room = DrawnRoom(number)
    told = after(judge_of(room), room.picture(), lambda: room.picture(shift=share))
    assert told[-1].voted == "moved"


@pytest.mark.parametrize("number", ROOMS)
def test_people_who_walk_past_are_clear_in_every_picture(number: int) -> None:
    room = DrawnRoom(number)
    told = judged(judge_of(room), (room.picture(walker=step / 40) for step in range(40)))
    assert {judgement.verdict for judgement in told} == {"clear"}


@pytest.mark.parametrize("number", ROOMS)
def test_lights_that_go_off_and_on_are_clear_in_every_picture(number: int) -> None:
    room = DrawnRoom(number)
    lights = [1.0] * 5 + [0.25] * 15 + [1.0] * 5
    told = judged(judge_of(room), (room.picture(light=light) for light in lights))
    assert {judgement.verdict for judgement in told} == {"clear"}


@pytest.mark.parametrize("number", ROOMS)
def test_a_room_that_grows_bright_is_clear_in_every_picture(number: int) -> None:
    room = DrawnRoom(number)
    told = judged(judge_of(room), (room.picture(light=1 + step / 40) for step in range(20)))
    assert {judgement.verdict for judgement in told} == {"clear"}


@pytest.mark.parametrize("number", ROOMS)
@pytest.mark.parametrize("light", [0.6, 0.7, 0.8])
def test_half_a_cover_in_a_dim_room_does_not_pass_for_lights_off(number: int, light: float) -> None:
    room = DrawnRoom(number)
    told = after(judge_of(room), room.picture(), lambda: room.picture(cover=0.5, light=light))
    assert [judgement.verdict for judgement in told] == ["covered"] * 5


def test_a_room_without_any_light_is_dark_and_not_covered() -> None:
    room = DrawnRoom(2)
    told = judged(judge_of(room), (room.picture(light=0.07) for _ in range(5)))
    assert {judgement.verdict for judgement in told} == {"dark"}


def test_a_view_that_fits_any_of_the_references_is_clear() -> None:
    room = DrawnRoom(3)
    other = room.picture(shift=0.4)
    judge = judge_of(room, other)
    assert judge.judge(room.picture(shift=0.4), 0.0).verdict == "clear"
    assert judge.judge(room.picture(), 0.2).verdict == "clear"
    assert judge.judge(room.picture(shift=0.2), 0.4).verdict == "moved"


def test_the_obvious_is_told_without_any_reference() -> None:
    judge = Judge(None, [])
    black = np.zeros((360, 640, 3), np.uint8)
    assert judge.judge(black, 0.0) == Judgement("black", {"black": 1.0}, 1.0, "clear")
    assert judge.judge(DrawnRoom(1).picture(), 1.0).verdict == "clear"


def test_a_picture_that_stands_still_for_five_seconds_is_frozen() -> None:
    room = DrawnRoom(1)
    judge, picture = judge_of(room), room.picture()
    assert [judge.judge(picture, float(t)).verdict for t in range(6)] == ["clear"] * 5 + ["frozen"]


def test_without_a_model_arithmetic_still_finds_a_cover_and_ignores_the_light() -> None:
    room = DrawnRoom(5)
    judge = Judge(None, [room.picture()])
    assert judge.judge(room.picture(light=0.6), 0.0).verdict == "clear"
    assert judge.judge(room.picture(cover=0.8), 0.2).verdict == "covered"


def test_thresholds_stand_above_what_is_normal_and_never_on_the_floor_below() -> None:
    room = DrawnRoom(6)
    judge = judge_of(room)
    quiet = calibrated(judge, [room.picture()], floor=0.45)
    assert min(quiet.covered, quiet.defocused, quiet.moved) == 0.45
    wild = calibrated(judge, [room.picture(cover=0.9)])
    assert wild.covered > judge.scores(room.picture(cover=0.9))["covered"] or wild.covered == 0.95


def test_the_class_furthest_above_its_threshold_is_told() -> None:
    thresholds = Thresholds(covered=0.9, defocused=0.3, moved=0.5)
    label, excess = thresholds.excess({"covered": 0.92, "defocused": 0.6, "moved": 0.1})
    assert label == "defocused"
    assert excess == pytest.approx(0.3 / 0.7)


def test_all_verdicts_are_those_people_rely_on() -> None:
    assert set(VERDICTS) == {
        *("clear", "covered", "defocused", "moved", "dark", "glare", "black", "white"),
        *("frozen", "low_contrast", "colour_cast", "snow", "blocks", "no_signal"),
    }
