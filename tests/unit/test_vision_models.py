"""The shipped model and its card."""

from pathlib import Path
from shutil import copy

import numpy as np
import pytest

import models
from vision.net import LABELS, Net
from vision.pixels import HEIGHT, WIDTH


def shipped(folder: Path) -> Path:
    for name in ("obstruction.onnx", "obstruction.toml"):
        copy(models.FOLDER / name, folder)
    return folder


def test_the_file_is_the_one_its_card_describes() -> None:
    card = models.card("obstruction")
    assert models.path("obstruction").name == card.file
    assert card.labels == LABELS
    assert card.thresholds.keys() == set(LABELS)
    assert card.fingerprint == f"obstruction-{card.sha256[:12]}"


def test_it_was_good_on_places_it_had_not_seen() -> None:
    assert models.card("obstruction").figures["area_under_curve"] > 0.97


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    file = shipped(tmp_path) / "obstruction.onnx"
    assert models.path("obstruction", tmp_path) == file
    changed = bytearray(file.read_bytes())
    changed[len(changed) // 2] ^= 1
    file.write_bytes(changed)
    with pytest.raises(models.ModelRefused, match="card says otherwise"):
        models.path("obstruction", tmp_path)


def test_a_missing_file_and_an_unknown_model_are_refused(tmp_path: Path) -> None:
    (shipped(tmp_path) / "obstruction.onnx").unlink()
    with pytest.raises(models.ModelRefused, match="no file"):
        models.path("obstruction", tmp_path)
    with pytest.raises(models.ModelRefused, match="no card"):
        models.path("unheard-of")


def test_it_is_small_enough_to_ship() -> None:
    assert models.path("obstruction").stat().st_size < 2 << 20


def test_one_view_meets_several_references_as_it_meets_each() -> None:
    lot = np.random.default_rng(1)
    views = [lot.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8) for _ in range(3)]
    net = Net(models.path("obstruction"))
    known = net.features(views)
    together = net.answers(known, views[0])
    alone = [net.answers(known[index : index + 1], views[0])[0] for index in range(3)]
    for one, other in zip(together, alone, strict=True):
        assert one.scores == pytest.approx(other.scores, abs=1e-4)
