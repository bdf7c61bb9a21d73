"""Writing a model's card."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from vision.net import LABELS

_SUMMARY = "Obstruction: a live view against a reference view of the same camera."


def write(
    file: Path,
    run: Mapping[str, str | int],
    figures: Mapping[str, float],
    thresholds: Mapping[str, float],
) -> None:
    """Write the card beside the model's file."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    sections = {
        "": {"file": file.name, "sha256": digest, "summary": _SUMMARY},
        "training": run,
        "input": {
            "live": "uint8, lives x 120 x 160 x 3, RGB: the picture shrunk by area means",
            "reference": "float32, references x 40 x 15 x 20: `features` of a reference view",
        },
        "output": {
            "labels": list(LABELS),
            "features": "of the live views, to be kept as references",
            "logits": "references x 3, a sigmoid each, in the order of labels",
            "cover": "references x 15 x 20, 0 to 1: how likely each cell is hidden",
        },
        "thresholds": thresholds,
        "figures": figures,
    }
    lines: list[str] = []
    for name, fields in sections.items():
        lines += [f"\n[{name}]"] if name else []
        lines += [f"{key} = {_toml(value)}" for key, value in fields.items()]
    file.with_suffix(".toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _toml(value: object) -> str:
    match value:
        case float():
            return f"{value:.4f}"
        case int():
            return str(value)
        case list():
            return "[" + ", ".join(_toml(item) for item in value) + "]"
        case _:
            escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"'
