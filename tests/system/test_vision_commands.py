"""`python -m vision` on files, as people run it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from tests.fakes.rooms import HEIGHT, WIDTH, DrawnRoom, Picture
from vision.judge import VERDICTS


def vision(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "vision", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def lines(*arguments: str | Path) -> list[dict[str, Any]]:
    done = vision(*arguments)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def saved(path: Path, picture: Picture) -> Path:
    Image.fromarray(picture).save(path)
    return path


def filmed(path: Path, pictures: list[Picture], fps: int = 5) -> Path:
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for picture in pictures:
            film.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        film.mux(stream.encode())
    return path


@pytest.fixture
def room() -> DrawnRoom:
    return DrawnRoom(2)


@pytest.fixture
def reference(tmp_path: Path, room: DrawnRoom) -> Path:
    return saved(tmp_path / "reference.png", room.picture())


def test_a_film_is_judged_line_by_line(tmp_path: Path, room: DrawnRoom, reference: Path) -> None:
    covered = [room.picture(cover=0.6) for _ in range(20)]
    film = filmed(tmp_path / "a.mp4", [room.picture() for _ in range(20)] + covered)
    normal = filmed(tmp_path / "b.mp4", [room.picture(walker=x / 10) for x in range(10)])
    told = lines("judge", "--reference", reference, "--calibrate", normal, film, "--fps", "5")
    assert [line["frame"] for line in told] == list(range(40))
    assert told[7]["t"] == pytest.approx(1.4)
    assert {line["verdict"] for line in told[:20]} == {"clear"}
    assert {line["voted"] for line in told[24:]} == {"covered"}
    for line in told:
        assert line.keys() == {"frame", "t", "verdict", "scores", "extent", "voted"}
        assert line["verdict"] in VERDICTS
        assert all(0 <= score <= 1 for score in line["scores"].values())
        assert 0 <= line["extent"] <= 1


def test_a_film_is_looked_at_as_often_as_asked(
    tmp_path: Path, room: DrawnRoom, reference: Path
) -> None:
    film = filmed(tmp_path / "a.mp4", [room.picture() for _ in range(20)])
    told = lines("judge", "--reference", reference, film, "--fps", "1")
    assert [line["frame"] for line in told] == [0, 5, 10, 15]


def test_a_folder_is_judged_in_the_order_of_names(
    tmp_path: Path, room: DrawnRoom, reference: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    saved(folder / "b.png", room.picture(cover=1.0))
    saved(folder / "a.jpg", room.picture())
    saved(folder / "c.png", np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    told = lines("judge", "--reference", reference, folder, "--fps", "4")
    assert [(line["frame"], line["t"]) for line in told] == [
        ("a.jpg", 0.0),
        ("b.png", 0.25),
        ("c.png", 0.5),
    ]
    assert [line["verdict"] for line in told] == ["clear", "covered", "black"]


def test_one_picture_is_judged_against_several_references(
    tmp_path: Path, room: DrawnRoom, reference: Path
) -> None:
    night = saved(tmp_path / "night.png", room.picture(light=0.3))
    picture = saved(tmp_path / "now.png", room.picture(light=0.3))
    told = lines("judge", "--reference", reference, "--reference", night, picture)
    assert [(line["frame"], line["verdict"]) for line in told] == [("now.png", "clear")]


def test_a_manifest_gives_figures(tmp_path: Path, room: DrawnRoom, reference: Path) -> None:
    pictures = [room.picture() for _ in range(20)] + [room.picture(cover=0.5) for _ in range(20)]
    filmed(tmp_path / "a.mp4", pictures)
    entry = {
        "input": "a.mp4",
        "reference": [reference.name],
        "calibrate": None,
        "labels": [{"from": 4.0, "to": 8.0, "class": "covered", "extent": 0.5}],
    }
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text(json.dumps(entry) + "\n", encoding="utf-8")
    told = lines("evaluate", manifest, "--json", "--fps", "5")[0]
    assert told["classes"]["covered 0.50"]["found"] == 1.0
    assert told["classes"]["covered 0.50"]["delay_s_most"] <= 1.0
    assert told["false_alarms"] == 0
    assert "covered 0.50" in vision("evaluate", manifest).stdout


def test_what_cannot_be_read_is_said_and_exits_2(tmp_path: Path, reference: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"no film at all")
    for given in ("film.mp4", "nothing.mp4", "nothing.png"):
        done = vision("judge", "--reference", reference, tmp_path / given)
        assert done.returncode == 2
        assert given in done.stderr
        assert "Traceback" not in done.stderr
