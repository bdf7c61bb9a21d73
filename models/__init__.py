"""ONNX files, each with a card that says what it is; a file its card does not know is refused."""

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent


class ModelRefused(Exception):
    """There is no such model, or its file is not the one its card describes."""


@dataclass(frozen=True, slots=True)
class Card:
    """What is known about a model."""

    name: str
    file: str
    sha256: str
    summary: str
    labels: tuple[str, ...]
    thresholds: dict[str, float]
    """Where a score begins to mean something, for a camera that was not calibrated."""
    figures: dict[str, float]

    @property
    def fingerprint(self) -> str:
        """Short enough for an alert, long enough to tell models apart."""
        return f"{self.name}-{self.sha256[:12]}"


def card(name: str, folder: Path = FOLDER) -> Card:
    """Read a model's card; raises ModelRefused."""
    try:
        text = (folder / f"{name}.toml").read_text(encoding="utf-8")
        fields = tomllib.loads(text)
        return Card(
            name=name,
            file=str(fields["file"]),
            sha256=str(fields["sha256"]),
            summary=str(fields["summary"]),
            labels=tuple(fields["output"]["labels"]),
            thresholds=dict(fields["thresholds"]),
            figures=dict(fields["figures"]),
        )
    except (OSError, KeyError, ValueError) as error:
        raise ModelRefused(f"{name}: no card") from error


def path(name: str, folder: Path = FOLDER) -> Path:
    """Find a model's file and check it against its card; raises ModelRefused."""
    known = card(name, folder)
    file = folder / known.file
    try:
        found = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelRefused(f"{name}: no file {known.file}") from error
    if found != known.sha256:
        raise ModelRefused(f"{name}: {known.file} is {found[:12]}, its card says otherwise")
    return file
