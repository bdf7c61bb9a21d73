"""The pairs a model learns from."""

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import models
from tests.fakes.rooms import DrawnRoom
from vision.classical import compare, look
from vision.pixels import HEIGHT, WIDTH, shrunk
from vision.training import canvas, pairs
from vision.training.command import parsed
from vision.training.rooms import drawn
from vision.training.scenes import Scene, digest, scenes
from vision.training.tampering import covered

SCENES = [
    Scene(f"room{number}", (DrawnRoom(number).picture(), DrawnRoom(number).picture(walker=0.5)))
    for number in range(1, 4)
]


def test_the_same_seed_draws_the_same_pairs() -> None:
    first, second = (pairs.render(SCENES, 6, seed=4, processes=1) for _ in range(2))
    assert np.array_equal(first.live, second.live)
    assert np.array_equal(first.reference, second.reference)
    assert first.live.shape == (6, HEIGHT, WIDTH, 3)
    assert first.labels.sum(axis=1).max() <= 1


@pytest.mark.parametrize("kind", ["normal", "defocused", "moved"])
def test_only_covers_hide_cells(kind: str) -> None:
    _, _, hidden = pairs.pair(np.random.default_rng(2), SCENES, kind)
    assert hidden.shape == (pairs.MAP_ROWS, pairs.MAP_COLUMNS)
    assert not hidden.any()


def test_no_cover_hides_less_than_a_quarter() -> None:
    lot = np.random.default_rng(3)
    view = shrunk(SCENES[0].pictures[0]) / np.float32(255)
    shares = [covered(lot, view, SCENES)[1].mean() for _ in range(25)]
    assert min(shares) > 0.25
    assert max(shares) <= 1.0


def test_a_view_cut_straight_is_the_picture() -> None:
    picture = DrawnRoom(1).picture()[:, 80:560]
    whole = pairs.Place(x=240, y=180, width=480, height=360)
    away = np.abs(pairs.cut(picture, whole) * 255 - shrunk(picture).astype(np.float32))
    assert away.mean() < 4


def test_blur_and_lens_keep_the_light_and_take_the_detail() -> None:
    view = shrunk(DrawnRoom(2).picture()) / np.float32(255)
    for soft in (canvas.blurred(view, 3.0), canvas.out_of_focus(view, 4.0)):
        assert soft.mean() == pytest.approx(view.mean(), abs=0.02)
        assert np.abs(np.diff(soft, axis=1)).mean() < np.abs(np.diff(view, axis=1)).mean() / 2


def test_views_of_one_place_stay_together_when_scenes_are_split() -> None:
    views = [Scene(f"hall_{number}", ()) for number in range(4)]
    assert {view.place for view in views} == {"hall"}
    assert len({view.is_held_out for view in views}) == 1


def test_a_folder_is_read_as_stills_and_views_over_time(tmp_path: Path) -> None:
    (tmp_path / "view-door").mkdir()
    for name in ("a.png", "view-door/0.png", "view-door/1.png", "notes.txt"):
        Image.fromarray(DrawnRoom(1).picture()).save(tmp_path / name, "PNG")
    found = {scene.name: scene for scene in scenes(tmp_path)}
    assert {name: len(scene.pictures) for name, scene in found.items()} == {"a": 1, "view-door": 2}
    assert found["a"].pictures[0].shape == (270, 480, 3)


def test_the_same_seed_draws_the_same_rooms_and_another_draws_others() -> None:
    assert digest(drawn(3, 1)) == digest(drawn(3, 1))
    assert digest(drawn(3, 1)) != digest(drawn(3, 2))


def test_a_drawn_room_is_one_view_with_people_who_stir() -> None:
    (room,) = drawn(1, 1)
    first = look(room.pictures[0])
    for later in room.pictures[1:]:
        assert (later != room.pictures[0]).any()
        assert compare(look(later), first).kept > 0.5


def test_a_card_repeats_the_command_it_came_from() -> None:
    run = parsed(["--pictures", "here", "--out", "there", "--rooms", "5", "--seed", "7"])
    again = parsed(run.command.removeprefix("python -m vision.training ").split())
    assert replace(again, pictures=run.pictures, out=run.out) == run


def test_the_shipped_cards_command_is_one_that_training_takes() -> None:
    training = tomllib.loads((models.FOLDER / "obstruction.toml").read_text())["training"]
    assert training["command"].startswith("python -m vision.training ")
    assert parsed(training["command"].split()[3:]).seed == training["seed"]
