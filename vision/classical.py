"""Comparing a view with its reference by arithmetic: cruder than the net, and never missing."""

from dataclasses import dataclass

import numpy as np

from vision.pixels import HEIGHT, WIDTH, Picture, Plane, cells, coloured, luma, shrunk, structure

ROWS, COLUMNS = 8, 10
_TEXTURED = 3.0
"""Grey levels of contrast from which a cell has something to recognise."""
_ALIKE = 0.35


@dataclass(frozen=True, slots=True)
class Look:
    """One picture, prepared for comparing."""

    lights: Plane
    """Brightness of each cell."""
    structure: Plane
    contrast: Plane
    steps: float
    """Mean step between neighbours relative to contrast: falls when focus is lost."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How a look compares with the reference's."""

    kept: float
    """Share of the reference's textured cells that still show the same, 0 to 1."""
    sharpness: float
    """Fine steps against the reference's; 1 is the same."""
    gain: float
    """Brightness against the reference's, where it still shows the same: what hides the rest
    of the view has no say in whether the lights are off."""
    shifted: float
    """How much better it fits somewhere else, 0 to 1."""


def look(picture: Picture) -> Look:
    """Prepare a picture."""
    plane = luma(shrunk(coloured(picture)))
    normal, contrast = structure(plane)
    steps = float(np.abs(np.diff(plane, axis=1)).mean() / (contrast.mean() + 1.0))
    return Look(cells(plane, ROWS, COLUMNS), normal, contrast, steps)


def compare(live: Look, reference: Look) -> Likeness:
    """Compare a look with the reference's, whatever the light."""
    textured = cells(reference.contrast, ROWS, COLUMNS) > _TEXTURED
    if not textured.any():
        return Likeness(1.0, 1.0, 1.0, 0.0)
    same = textured & (_correlation(live.structure, reference.structure) > _ALIKE)
    kept = float(same.sum() / textured.sum())
    gains = (live.lights + 1) / (reference.lights + 1)
    return Likeness(
        kept=kept,
        sharpness=live.steps / (reference.steps + 1e-6),
        gain=float(np.median(gains[same] if same.any() else gains)),
        shifted=_elsewhere(live.structure, reference.structure) if kept < 0.8 else 0.0,
    )


def scores(likeness: Likeness) -> dict[str, float]:
    """What the comparison alone says, as the net would: 0 to 1 for each class."""
    lost = float(np.clip((1 - likeness.kept - 0.05) / 0.5, 0, 1))
    soft = float(np.clip((0.75 - likeness.sharpness) / 0.4, 0, 1))
    moved = min(lost, likeness.shifted)
    return {
        "covered": lost * (1 - moved) * (1 - soft / 2),
        "defocused": soft * (1 - moved),
        "moved": moved,
    }


def _correlation(first: Plane, second: Plane) -> Plane:
    """Of each cell with the same cell."""
    both = cells(first * second, ROWS, COLUMNS)
    powers = cells(first * first, ROWS, COLUMNS) * cells(second * second, ROWS, COLUMNS)
    alike: Plane = both / np.sqrt(powers + 1e-3)
    return alike


def _elsewhere(live: Plane, reference: Plane) -> float:
    """How clear a peak the two have in common away from the middle."""
    crossed = np.fft.rfft2(live) * np.conj(np.fft.rfft2(reference))
    fit = np.fft.irfft2(crossed / (np.abs(crossed) + 1e-3), s=(HEIGHT, WIDTH))
    row, column = np.unravel_index(int(fit.argmax()), fit.shape)
    rows, columns = min(row, HEIGHT - row), min(column, WIDTH - column)
    if max(rows, columns) < 4:
        return 0.0
    return float(np.clip((fit.max() / (fit.std() + 1e-9) - 6) / 6, 0, 1))
