"""What people do to a camera's view: something before the lens, the focus turned."""

import numpy as np
from PIL import Image

from vision.pixels import HEIGHT, WIDTH
from vision.training.canvas import (
    Canvas,
    Lot,
    blurred,
    clouds,
    filled,
    grid,
    out_of_focus,
    spotted,
    stroked,
)
from vision.training.scenes import Scene

_LEAST_COVER = 0.27
"""Less is not drawn: between this and what people hide the threshold finds its place."""
_SKIN = np.array((0.62, 0.45, 0.36), np.float32)


def covered(lot: Lot, view: Canvas, others: list[Scene]) -> tuple[Canvas, Canvas]:
    """With something before the lens; and where."""
    mask = next((m for m in (_shape(lot) for _ in range(6)) if m.mean() > _LEAST_COVER), None)
    if mask is None:
        mask = np.ones((HEIGHT, WIDTH), np.float32)
    opacity = 1.0 if lot.random() < 0.75 else lot.uniform(0.65, 1)
    behind = view if opacity == 1.0 else blurred(view, lot.uniform(1.5, 6))
    cloth = _surface(lot, others)
    if lot.random() < 0.6:
        cloth = cloth * np.clip(view.mean() * lot.uniform(0.8, 3.0), 0.05, 1.2)
    over = behind * (1 - opacity) + cloth * opacity
    wide = mask[..., None]
    return (view * (1 - wide) + over * wide).astype(np.float32), mask


def defocused(lot: Lot, view: Canvas) -> Canvas:
    """Out of focus."""
    sigma = float(np.exp(lot.uniform(np.log(1.2), np.log(7))))
    return blurred(view, sigma) if lot.random() < 0.5 else out_of_focus(view, sigma * 1.2)


def _shape(lot: Lot) -> Canvas:
    kind = lot.random()
    if kind < 0.2:
        return np.ones((HEIGHT, WIDTH), np.float32)
    if kind < 0.45:
        mask = _pushed_in(lot)
    elif kind < 0.7:
        mask = _hand(lot)
    elif kind < 0.85:
        mask = _sheet(lot)
    else:
        mask = _spray(lot)
    return np.clip(blurred(mask, lot.uniform(0.3, 9) if lot.random() < 0.8 else 0.3), 0, 1)


def _pushed_in(lot: Lot) -> Canvas:
    x, y = grid()
    angle = lot.random() * 2 * np.pi
    slope = (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle)
    slope = slope + (clouds(lot, 2, 3) - 0.5) * lot.uniform(0, 0.4)
    inside: Canvas = slope > np.quantile(slope, 1 - lot.uniform(0.28, 0.95))
    return inside.astype(np.float32)


def _hand(lot: Lot) -> Canvas:
    along = float(lot.random())
    start = [(0.0, along), (1.0, along), (along, 0.0), (along, 1.0)][lot.integers(4)]
    tip = float(lot.uniform(0.3, 0.7)), float(lot.uniform(0.3, 0.7))
    wide = float(lot.uniform(0.25, 0.6))
    mask = stroked([start, tip], wide)
    for _ in range(lot.integers(0, 6)):
        reach = lot.normal(0, 0.35, 2)
        finger = [tip, (float(tip[0] + reach[0]), float(tip[1] + reach[1]))]
        mask = np.maximum(mask, stroked(finger, wide / 3))
    return mask


def _sheet(lot: Lot) -> Canvas:
    count = int(lot.integers(3, 8))
    angles = (np.arange(count) + lot.uniform(0, 0.8, count)) / count * 2 * np.pi
    middle, reach = lot.uniform(0.3, 0.7, 2), lot.uniform(0.3, 0.85)
    xs = middle[0] + reach * np.cos(angles) * lot.uniform(0.6, 1.2, count)
    ys = middle[1] + reach * np.sin(angles) * lot.uniform(0.6, 1.2, count)
    return filled([(float(x), float(y)) for x, y in zip(xs, ys, strict=True)])


def _spray(lot: Lot) -> Canvas:
    count = int(lot.integers(6, 70))
    drops = spotted(lot.normal(0.5, 0.3, (count, 2)), lot.uniform(3, 22, count))
    dirt = clouds(lot, 4, 4) > lot.uniform(0.45, 0.62)
    return np.clip(drops + dirt, 0, 1).astype(np.float32)


def _surface(lot: Lot, others: list[Scene]) -> Canvas:
    """What covers: plain, skin, paper, cloth, something printed; near things are seldom sharp."""
    colour = lot.random(3, np.float32) * lot.uniform(0.02, 1.0)
    if lot.random() < 0.3:
        colour = _SKIN * lot.uniform(0.15, 1.3)
    elif lot.random() < 0.3:
        colour = np.full(3, lot.random(), np.float32)
    uneven = clouds(lot, int(lot.integers(1, 5)), int(lot.integers(2, 5)))[..., None]
    surface = colour * (1 + (uneven - 0.5) * lot.uniform(0.02, 1.2))
    kind = lot.random()
    if kind < 0.4:
        share = lot.uniform(0.3, 1.0)
        surface = surface * (1 - share) + _printed(lot, others) * share
    elif kind < 0.6:
        surface = surface * (1 + _woven(lot)[..., None] * lot.uniform(0.05, 0.4))
    if lot.random() < 0.5:
        x, y = grid()
        surface = surface * (1 + (x - 0.5) * lot.uniform(-0.8, 0.8))[..., None]
        surface = surface * (1 + (y - 0.5) * lot.uniform(-0.8, 0.8))[..., None]
    return np.clip(surface, 0, 1.1).astype(np.float32)


def _printed(lot: Lot, others: list[Scene]) -> Canvas:
    picture = others[lot.integers(len(others))].pictures[0]
    side = int(lot.uniform(0.15, 0.9) * min(picture.shape[:2]))
    y, x = (int(lot.integers(0, length - side + 1)) for length in picture.shape[:2])
    part = Image.fromarray(np.ascontiguousarray(picture[y : y + side, x : x + side]))
    print_ = np.asarray(part.resize((WIDTH, HEIGHT), Image.Resampling.BOX), np.float32) / 255
    return blurred(print_, lot.uniform(0.8, 7)) if lot.random() < 0.75 else print_


def _woven(lot: Lot) -> Canvas:
    x, y = grid()
    x, y = x * WIDTH, y * HEIGHT
    angle, period = lot.random() * np.pi, lot.uniform(3, 26)
    threads = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period)
    if lot.random() < 0.5:
        threads = threads * np.sin((y * np.cos(angle) - x * np.sin(angle)) * 2 * np.pi / period)
    return np.asarray(threads, np.float32)
