"""Judging footage from the command line: `python -m vision judge` and `evaluate`."""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

import models
from vision.evaluation import Evaluation, Seen, labels
from vision.judge import Judge, Judgement, Thresholds, calibrated
from vision.pixels import Picture

MODEL = "obstruction"
_PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"}

Shot = tuple[str | int, float, Picture]
"""Name or number, seconds, picture."""


class FootageUnreadable(Exception):
    """This is neither a picture, nor a folder of pictures, nor a film."""


def main() -> None:
    """Read the command line; 0 done, 2 something could not be read."""
    try:
        given = _parser().parse_args()
        given.command(given)
    except (FootageUnreadable, models.ModelRefused) as error:
        print(f"vision: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read has enough


def shots(path: Path, fps: float) -> Iterator[Shot]:
    """The pictures to analyse: so many a second of a film, all of a folder, or the one."""
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in _PICTURES)
        if not files:
            raise FootageUnreadable(f"{path}: no pictures")
        for index, file in enumerate(files):
            yield file.name, index / fps, picture(file)
    elif path.suffix.lower() in _PICTURES:
        yield path.name, 0.0, picture(path)
    else:
        yield from _filmed(path, fps)


def picture(path: Path) -> Picture:
    """Read one picture; raises FootageUnreadable."""
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except OSError as error:
        raise FootageUnreadable(f"{path}: no picture") from error


def opened(references: Sequence[Path], calibrate: Path | None, fps: float) -> Judge:
    """A judge of one camera, its thresholds set from its normal footage if there is some."""
    judge = Judge(
        models.path(MODEL),
        [picture(path) for path in references],
        Thresholds(**models.card(MODEL).thresholds),
    )
    if calibrate is not None:
        judge.thresholds = calibrated(judge, (seen for _, _, seen in shots(calibrate, fps)))
    return judge


def _filmed(path: Path, fps: float) -> Iterator[Shot]:
    try:
        with av.open(str(path)) as film:
            first, due = None, 0.0
            for index, frame in enumerate(film.decode(video=0)):
                at = frame.time if frame.time is not None else index / 25
                first = at if first is None else first
                if at - first >= due - 1e-6:
                    due = max(due + 1 / fps, at - first)
                    yield index, at - first, frame.to_ndarray(format="rgb24").astype(np.uint8)
    except (av.FFmpegError, OSError, IndexError) as error:
        raise FootageUnreadable(f"{path}: no film") from error


def _judge(given: Namespace) -> None:
    judge = opened(given.reference, given.calibrate, given.fps)
    for name, t, seen in shots(given.input, given.fps):
        print(json.dumps(_line(name, t, judge.judge(seen, t))), flush=True)


def _line(name: str | int, t: float, judgement: Judgement) -> dict[str, object]:
    return {
        "frame": name,
        "t": round(t, 3),
        "verdict": judgement.verdict,
        "scores": {label: round(score, 4) for label, score in judgement.scores.items()},
        "extent": round(judgement.extent, 4),
        "voted": judgement.voted,
    }


def _evaluate(given: Namespace) -> None:
    evaluation, folder = Evaluation(), given.manifest.parent
    for entry in _manifest(given.manifest):
        calibrate = folder / entry["calibrate"] if entry.get("calibrate") else None
        references = [folder / name for name in entry["reference"]]
        judge = opened(references, calibrate, given.fps)
        judged = [
            Seen(t, judgement.verdict, judgement.voted)
            for _, t, seen in shots(folder / entry["input"], given.fps)
            for judgement in [judge.judge(seen, t)]
        ]
        evaluation.add(judged, labels(entry.get("labels", ())))
    figures = evaluation.figures()
    print(json.dumps(figures) if given.json else "\n".join(_told(figures)))


def _manifest(path: Path) -> Iterator[dict[str, Any]]:
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                yield json.loads(line)
    except (OSError, ValueError) as error:
        raise FootageUnreadable(f"{path}: no manifest") from error


def _told(figures: dict[str, object], indent: str = "") -> Iterator[str]:
    for name, value in figures.items():
        if isinstance(value, dict):
            yield f"{indent}{name}"
            yield from _told(value, indent + "  ")
        else:
            yield f"{indent}{name}: {value:.4g}" if value is not None else f"{indent}{name}: -"


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m vision", description="Judge a camera's footage.")
    commands = parser.add_subparsers(required=True)
    judge = commands.add_parser("judge", help="a JSON line for each picture that is analysed")
    judge.add_argument("input", type=Path, help="a film, a folder of pictures, or a picture")
    judge.add_argument("--reference", type=Path, action="append", required=True)
    judge.add_argument("--calibrate", type=Path, help="normal footage of the same camera")
    judge.add_argument("--fps", type=_rate, default=2.0, help="pictures a second (2)")
    judge.set_defaults(command=_judge)
    evaluate = commands.add_parser("evaluate", help="figures over labelled footage")
    evaluate.add_argument("manifest", type=Path, help="JSON lines")
    evaluate.add_argument("--json", action="store_true")
    evaluate.add_argument("--fps", type=_rate, default=2.0)
    evaluate.set_defaults(command=_evaluate)
    return parser


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 < rate <= 120:
        raise ValueError(text)
    return rate


if __name__ == "__main__":
    main()
