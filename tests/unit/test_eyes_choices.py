"""Who is watched, who is looked at closely, and which picture becomes a reference view."""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from contract.messages import Camera, Order
from edge.eyes.bursts import Bursts
from edge.eyes.decoding import RGB, Picture
from edge.eyes.golden import Candidate, Sitting, keep_view, read_view, sharpness
from edge.eyes.watched import watched
from edge.orders import OrdersInForce
from edge.references import NoSuchReference, References

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


def order(camera: str, start: datetime) -> Order:
    return Order(
        id=f"o-{camera}-{start:%H}", camera=camera, session="s", start=start, end=start + HOUR
    )


def test_cameras_with_an_open_order_are_watched_by_their_approved_view() -> None:
    orders = OrdersInForce(
        cameras=(
            Camera(id="open", room="r", sealed="", reference="abc"),
            Camera(id="new", room="r", sealed=""),
            Camera(id="later", room="r", sealed="", reference="def"),
        ),
        orders=(order("open", NOW), order("new", NOW), order("later", NOW + HOUR)),
    )
    assert watched(orders, NOW) == {"open": "abc", "new": ""}
    assert watched(orders, NOW + HOUR) == {"later": "def"}


def test_only_so_many_cameras_are_looked_at_closely_and_it_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bursts = Bursts(at_once=2)
    with caplog.at_level(logging.WARNING), bursts.room_for("a") as one, bursts.room_for("b") as two:
        assert (one, two) == (True, True)
        for late in ("c", "d"):
            with bursts.room_for(late) as three:
                assert not three
        assert len(caplog.records) == 1
    with bursts.room_for("c") as again:
        assert again


def noisy(strength: int, at: float) -> Picture:
    lot = np.random.default_rng(strength)
    rgb = lot.integers(128 - strength, 129 + strength, (36, 64, 3)).astype(np.uint8)
    return Picture(NOW + timedelta(seconds=at), rgb)


def test_the_sharpest_of_five_is_chosen_once_the_view_has_settled() -> None:
    sitting = Sitting()
    chosen: list[Candidate | None] = []
    for second, strength in enumerate((90, 90, 90, 10, 20, 50, 30, 10)):
        chosen.append(sitting.add(noisy(strength, second), is_clear=True))
    assert chosen[:-1] == [None] * 7
    last = chosen[-1]
    assert last is not None
    assert last.picture.captured_at == NOW + timedelta(seconds=5)


def test_a_disturbed_view_has_to_settle_again() -> None:
    sitting = Sitting()
    for second in range(7):
        assert sitting.add(noisy(10, second), is_clear=True) is None
    assert sitting.add(noisy(10, 7), is_clear=False) is None
    given = [sitting.add(noisy(10, second), is_clear=True) for second in range(8, 16)]
    assert [one is None for one in given] == [True] * 7 + [False]


def test_a_flat_picture_is_not_sharp_and_edges_are() -> None:
    flat: RGB = np.full((36, 64, 3), 90, np.uint8)
    edged = flat.copy()
    edged[:, ::8] = 200
    assert sharpness(flat) == 0
    assert sharpness(edged) > 100


def test_a_kept_view_is_read_as_it_was_and_refused_once_changed(tmp_path: Path) -> None:
    references = References.below(tmp_path)
    rgb = noisy(50, 0).rgb
    sha256 = keep_view(references, "cam", rgb)
    assert np.array_equal(read_view(references, "cam", sha256), rgb)
    references.place("cam", sha256).write_bytes(b"other")
    with pytest.raises(NoSuchReference):
        read_view(references, "cam", sha256)


@pytest.mark.parametrize("camera", ["..", ".", "a/b", "cam"])
def test_what_was_never_kept_is_not_found(tmp_path: Path, camera: str) -> None:
    references = References.below(tmp_path)
    (tmp_path / "references").mkdir()
    (tmp_path / f"{'0' * 64}.png").touch()
    with pytest.raises(NoSuchReference):
        references.find(camera, "0" * 64)
