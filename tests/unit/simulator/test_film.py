"""What the cameras see, and the reels made of it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge.simulator.faults import Disturbance, FaultKind
from edge.simulator.film import Job, drawn, edition, film
from edge.simulator.formats import FORMATS, StreamName
from edge.simulator.numbering import camera_id, phase_ms
from edge.simulator.reel import Reel, ReelUnreadable, load, save
from edge.simulator.scene import spoil
from edge.simulator.scene.animate import STILL_ROWS, Loop
from edge.simulator.scene.room import room_of
from edge.simulator.slices import nal_type

SIZE = (1280, 688)


def gray(image: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.asarray(image.convert("L"), np.float64)


@pytest.fixture(scope="module")
def second() -> list[Image.Image]:
    """The first second of a room."""
    frames = Loop(1, SIZE, 2).frames(25)
    return [next(frames) for _ in range(25)]


def test_people_move_and_the_top_stands_still(second: list[Image.Image]) -> None:
    first, last = gray(second[0]), gray(second[-1])
    changed = np.abs(first - last)
    assert (changed > 20).sum() > 500
    assert changed[:STILL_ROWS].max() == 0


def test_rooms_differ_in_more_than_their_label() -> None:
    rooms = [room_of(number) for number in range(1, 33)]
    kinds = {(r.wall, r.columns, r.rows, r.from_front, r.side, r.desk) for r in rooms}
    assert len(kinds) > 20
    assert len({room.label for room in rooms}) == 32


def test_a_room_is_the_same_every_time() -> None:
    assert room_of(5) == room_of(5)


@pytest.mark.parametrize("extent", [0.1, 0.5, 0.9])
def test_a_cover_hides_as_much_as_it_says(extent: float) -> None:
    white = Image.new("RGB", SIZE, "white")
    covered = gray(spoil.covered(extent, SIZE)(white)) < 150
    assert covered.mean() == pytest.approx(extent, abs=0.03)


def test_dark_is_darker_and_glare_is_brighter(second: list[Image.Image]) -> None:
    image = second[0]
    plain = gray(image).mean()
    assert gray(spoil.darkened(0.9, SIZE)(image)).mean() < plain * 0.25
    assert gray(spoil.glaring(0.9, SIZE)(image)).mean() > plain * 1.3


def test_out_of_focus_has_no_edges(second: list[Image.Image]) -> None:
    image = second[0]
    soft = spoil.defocused(0.8)(image)
    sharpness = [np.abs(np.diff(gray(picture), axis=1)).mean() for picture in (image, soft)]
    assert sharpness[1] < sharpness[0] / 2


def test_a_moved_camera_sees_the_same_room_from_another_side(second: list[Image.Image]) -> None:
    moved = next(drawn(Job(1, FaultKind.MOVE, 0.5)))
    assert np.abs(gray(moved) - gray(second[0])).mean() > 20


def loop(disturbance: Disturbance) -> list[Image.Image]:
    """Eight pictures of a loop in which something goes on."""
    return list(Loop(1, SIZE, 2, disturbance=disturbance).frames(4))


def test_lights_go_off_and_on() -> None:
    light = [gray(image).mean() for image in loop(Disturbance.LIGHTS)]
    assert [level < light[0] / 2 for level in light] == [False] * 2 + [True] * 4 + [False] * 2


def test_a_window_brightens_and_dims_and_the_top_stands_still() -> None:
    shown = [gray(image) for image in loop(Disturbance.WINDOW)]
    blown_out = [(image > 250).mean() for image in shown]
    assert blown_out[4] > blown_out[0] + 0.02
    assert all(np.abs(image - shown[0])[:STILL_ROWS].max() == 0 for image in shown)


def test_somebody_crosses_the_room_close_to_the_camera() -> None:
    crossing = loop(Disturbance.PASSERBY)
    plain = list(Loop(1, SIZE, 2).frames(4))
    hidden = [
        (np.abs(gray(one) - gray(other)) > 12).mean()
        for one, other in zip(crossing, plain, strict=True)
    ]
    assert hidden[0] < 0.01
    assert max(hidden) > 0.015


@pytest.fixture(scope="module")
def black() -> dict[StreamName, Reel]:
    return film(Job(1, FaultKind.BLACK, 1.0))


def test_both_streams_are_filmed_at_their_own_rate(black: dict[StreamName, Reel]) -> None:
    lengths = {name: len(reel.pictures) for name, reel in black.items()}
    assert lengths == {name: form.fps for name, form in FORMATS.items()}


def test_each_second_has_one_key_frame_of_guard_and_scene(black: dict[StreamName, Reel]) -> None:
    for reel in black.values():
        kinds = [[nal_type(nal) for nal in slices] for slices in reel.pictures]
        assert kinds == [[5, 5]] + [[1]] * (reel.gop - 1)


def test_a_reel_is_read_as_it_was_saved(black: dict[StreamName, Reel], tmp_path: Path) -> None:
    path = tmp_path / "folder" / "one.reel"
    save(black[StreamName.SUB], path)
    assert load(path) == black[StreamName.SUB]
    assert [found.name for found in path.parent.iterdir()] == ["one.reel"]


def test_a_torn_reel_is_unreadable(black: dict[StreamName, Reel], tmp_path: Path) -> None:
    path = tmp_path / "one.reel"
    save(black[StreamName.SUB], path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ReelUnreadable):
        load(path)


def test_every_job_has_a_file_of_its_own() -> None:
    jobs = [Job(1), Job(2), Job(1, FaultKind.COVER, 0.5), Job(1, FaultKind.COVER, 0.51)]
    jobs += [Job(1, disturbance=disturbance) for disturbance in Disturbance]
    files = {job.file(Path(edition()), name) for job in jobs for name in StreamName}
    assert len(files) == 14


def test_key_frames_of_many_cameras_do_not_all_fall_together() -> None:
    phases = [phase_ms(number) for number in range(1, 33)]
    assert max(phases) < 250
    assert max(phases.count(phase) for phase in phases) <= 3


def test_cameras_are_named_by_their_number() -> None:
    assert [camera_id(number) for number in (1, 9, 32, 100)] == [
        "cam-01",
        "cam-09",
        "cam-32",
        "cam-100",
    ]
