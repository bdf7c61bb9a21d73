"""Pictures as arrays: shrunk, greyed, and cleared of what light alone does."""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]
"""Height x width x 3, RGB; height x width is taken as grey."""
Plane = NDArray[np.floating[Any]]

WIDTH, HEIGHT = 160, 120
"""What every picture is shrunk to before it is compared."""

_LUMA = np.array((0.299, 0.587, 0.114), np.float32)
_WINDOW = 9
_LEAST_VARIANCE = 4.0
"""Below two grey levels it is noise, not structure."""


def coloured(picture: Picture) -> Picture:
    """The picture in RGB; raises ValueError for what is no picture."""
    if picture.dtype != np.uint8 or picture.ndim not in {2, 3} or 0 in picture.shape:
        raise ValueError(f"no picture: {picture.dtype} {picture.shape}")
    if picture.ndim == 2:
        return np.repeat(picture[..., None], 3, axis=2)
    if picture.shape[2] != 3:
        raise ValueError(f"no picture: {picture.dtype} {picture.shape}")
    return picture


def shrunk(picture: Picture, width: int = WIDTH, height: int = HEIGHT) -> Picture:
    """The picture at this size, every pixel the mean of those it stands for."""
    if picture.shape[:2] == (height, width):
        return np.ascontiguousarray(picture)
    image = Image.fromarray(np.ascontiguousarray(picture))
    return np.asarray(image.resize((width, height), Image.Resampling.BOX))


def luma(picture: Picture) -> Plane:
    """How bright each pixel is, 0 to 255."""
    return picture.astype(np.float32) @ _LUMA


def structure(plane: Plane) -> tuple[Plane, Plane]:
    """What is seen whatever the light: each pixel against its surroundings; and their contrast."""
    mean = box_mean(plane, _WINDOW)
    variance = np.maximum(box_mean(plane * plane, _WINDOW) - mean * mean, 0)
    normal: Plane = (plane - mean) / np.sqrt(variance + _LEAST_VARIANCE)
    contrast: Plane = np.sqrt(variance)
    return normal, contrast


def box_mean(plane: Plane, window: int) -> Plane:
    """The mean of a square around each pixel; beyond the border the border goes on."""
    half = window // 2
    padded = np.pad(plane, half + 1, mode="edge")[:-1, :-1].astype(np.float64)
    total = padded.cumsum(axis=0).cumsum(axis=1)
    inside = (
        total[window:, window:]
        - total[:-window, window:]
        - total[window:, :-window]
        + total[:-window, :-window]
    )
    return cast("Plane", (inside / window**2).astype(np.float32))


def cells(plane: Plane, rows: int, columns: int) -> Plane:
    """The means of a grid of cells; the picture's sides are multiples of the grid's."""
    height, width = plane.shape
    grid = plane.reshape(rows, height // rows, columns, width // columns)
    return cast("Plane", grid.mean(axis=(1, 3)))
