"""Drawing on small pictures of floats, 0 to 1: noise, blur, shapes."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from vision.pixels import HEIGHT, WIDTH

Canvas = NDArray[np.floating[Any]]
Lot = np.random.Generator
Points = list[tuple[float, float]]
Drawing = Callable[[ImageDraw.ImageDraw], None]


def clouds(lot: Lot, octaves: int, base: int) -> Canvas:
    """Smooth noise around 0.5, from large shapes to small ones."""
    total = np.zeros((HEIGHT, WIDTH), np.float32)
    weight = 0.0
    for octave in range(octaves):
        size, share = base * 2**octave, 0.55**octave
        grid = Image.fromarray(lot.random((size, size + 1), np.float32))
        total += share * np.asarray(grid.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))
        weight += share
    return total / np.float32(weight)


def blurred(canvas: Canvas, sigma: float) -> Canvas:
    """Gaussian blur."""
    reach = max(1, round(2.5 * sigma))
    steps = np.arange(-reach, reach + 1)
    kernel = np.exp(-(steps**2) / (2 * sigma**2)).astype(np.float32)
    return _spread(canvas, kernel / kernel.sum())


def out_of_focus(canvas: Canvas, radius: float) -> Canvas:
    """What a lens does: every point becomes a disc; here three boxes that look like one."""
    reach = max(1, round(radius))
    box = np.ones(2 * reach + 1, np.float32)
    return _spread(canvas, np.convolve(box, box).astype(np.float32) / box.size**2)


def filled(points: Points) -> Canvas:
    """A polygon, 1 inside; points are shares of width and height."""
    return _drawn(lambda pen: pen.polygon(_placed(points), fill=255))


def stroked(points: Points, width: float) -> Canvas:
    """A thick line with round ends; the width is a share of the height."""

    def draw(pen: ImageDraw.ImageDraw) -> None:
        thick = max(2, round(width * HEIGHT))
        pen.line(_placed(points), fill=255, width=thick, joint="curve")
        for x, y in _placed(points):
            pen.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), fill=255)

    return _drawn(draw)


def spotted(centres: NDArray[np.float64], radii: NDArray[np.float64]) -> Canvas:
    """Round spots; centres are shares of the sides, radii pixels."""

    def draw(pen: ImageDraw.ImageDraw) -> None:
        for (x, y), radius in zip(centres * (WIDTH, HEIGHT), radii, strict=True):
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)

    return _drawn(draw)


def grid() -> tuple[Canvas, Canvas]:
    """Each pixel's place as shares of width and height."""
    x, y = np.meshgrid(
        np.linspace(0, 1, WIDTH, dtype=np.float32), np.linspace(0, 1, HEIGHT, dtype=np.float32)
    )
    return x, y


def _drawn(draw: Drawing) -> Canvas:
    image = Image.new("L", (WIDTH, HEIGHT))
    draw(ImageDraw.Draw(image))
    return np.asarray(image, np.float32) / 255


def _placed(points: Points) -> Points:
    return [(x * WIDTH, y * HEIGHT) for x, y in points]


def _spread(canvas: Canvas, kernel: Canvas) -> Canvas:
    reach = kernel.size // 2
    for axis in (0, 1):
        margins = [(0, 0)] * canvas.ndim
        margins[axis] = (reach, reach)
        padded = np.pad(canvas, margins, mode="edge")
        length = canvas.shape[axis]
        canvas = np.zeros_like(canvas)
        for offset, weight in enumerate(kernel):
            window = [slice(None)] * canvas.ndim
            window[axis] = slice(offset, offset + length)
            canvas += weight * padded[tuple(window)]
    return canvas
