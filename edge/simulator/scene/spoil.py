"""What happens to a picture when somebody tampers with the camera or the light."""

from collections.abc import Callable
from math import pi

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Spoil = Callable[[Image.Image], Image.Image]


def covered(extent: float, size: tuple[int, int]) -> Spoil:
    """Dark cloth before the lens: this share of the picture, from the lower left."""
    width, height = size
    x, y = _grid(size)
    slope = x + 0.35 * y + 0.02 * np.sin(9 * y) + 0.015 * np.sin(17 * y + 5 * x)
    edge = float(np.quantile(slope, extent)) if extent < 1 else 2.0
    mask = np.clip((edge - slope) / 0.03 + 0.5, 0, 1) if extent > 0 else np.zeros_like(slope)
    weave = 10 * np.sin(x * width / 3 + 4 * y) * np.sin(y * height / 3)
    folds = 12 * np.sin(2 * pi * (x * 2.3 + y * 1.1))
    cloth = np.array([52, 46, 44]) + (weave + folds)[..., None]
    over = Image.fromarray(np.clip(cloth, 0, 255).astype(np.uint8))
    stencil = Image.fromarray((mask * 255).astype(np.uint8))
    return lambda image: Image.composite(over, image, stencil)


def defocused(extent: float) -> Spoil:
    """Out of focus; at extent 1 only large shapes are left."""
    radius = 1 + 15 * extent

    def spoil(image: Image.Image) -> Image.Image:
        small = image.reduce(4) if radius > 6 else image.reduce(2)
        soft = small.filter(ImageFilter.GaussianBlur(radius * small.width / image.width))
        return soft.resize(image.size, Image.Resampling.BICUBIC)

    return spoil


def darkened(extent: float, size: tuple[int, int]) -> Spoil:
    """The light is off; at extent 1 hardly anything is seen, and that is grainy."""
    gain = 1 - 0.95 * extent
    lot = np.random.default_rng(1)
    grains = [lot.normal(0, 1.5 + 2 * extent, (size[1], size[0], 1)) for _ in range(3)]
    count = 0

    def spoil(image: Image.Image) -> Image.Image:
        nonlocal count
        count += 1
        dim = np.asarray(image, np.float32) * gain + 3 + grains[count % len(grains)]
        return Image.fromarray(np.clip(dim, 0, 255).astype(np.uint8))

    return spoil


def glaring(extent: float, size: tuple[int, int]) -> Spoil:
    """A lamp shines into the lens; at extent 1 nearly all is white."""
    x, y = _grid(size)
    distance = np.hypot(x - 0.42, (y - 0.4) * size[1] / size[0])
    reach = 0.05 + 0.5 * extent
    strength = np.clip(1.25 * np.exp(-((distance / reach) ** 2)) + 0.35 * extent**2, 0, 1)
    streaks = 0.2 * extent * np.exp(-(((y - 0.4) / 0.02) ** 2))
    stencil = Image.fromarray((np.clip(strength + streaks, 0, 1) * 255).astype(np.uint8))
    lamp = Image.new("RGB", size, (255, 253, 246))
    return lambda image: Image.composite(lamp, image, stencil)


def blackened() -> Spoil:
    """Nothing at all."""
    return lambda image: Image.new("RGB", image.size)


def _grid(size: tuple[int, int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    width, height = size
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(1, 0, height))
    return x, y
