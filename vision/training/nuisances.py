"""What happens in front of a camera without anybody tampering with it."""

import io

import numpy as np
from PIL import Image, ImageDraw

from vision.pixels import HEIGHT, WIDTH, Picture
from vision.training.canvas import Canvas, Lot, blurred, clouds, filled, grid
from vision.training.scenes import Scene

_SKIN = np.array((0.55, 0.4, 0.32), np.float32)


def lit(lot: Lot, view: Canvas, strength: float = 1.0) -> Canvas:
    """Other light: brighter, off, from a window, through leaves, of another colour."""
    chance = lot.random()
    if chance < 0.14:
        view = view * lot.uniform(0.06, 0.4)
    elif chance < 0.22:
        view = view * lot.uniform(1.3, 2.0)
    else:
        view = view * np.exp(lot.normal(0, 0.25 * strength))
    if lot.random() < 0.5:
        view = np.maximum(view, 0) ** np.exp(lot.normal(0, 0.2))
    if lot.random() < 0.5:
        field = clouds(lot, 2, 2)
        field = (field - field.mean()) / (field.std() + 1e-6)
        view = view * np.exp(field * lot.uniform(0.1, 0.55))[..., None]
    if lot.random() < 0.15:
        patch = blurred(filled(_corners(lot)), lot.uniform(0.5, 4))
        view = view * (1 + patch[..., None] * lot.uniform(-0.55, 0.8))
    if lot.random() < 0.5:
        view = view * np.exp(lot.normal(0, 0.07, 3))
    return np.clip(view, 0, 1.2).astype(np.float32)


def infrared(lot: Lot, view: Canvas) -> Canvas:
    """Night: no colour, bright in the middle."""
    x, y = grid()
    grey = np.clip(view @ np.array((0.45, 0.4, 0.15), np.float32), 0, 1) ** lot.uniform(0.6, 1.1)
    away = (x - lot.uniform(0.35, 0.65)) ** 2 + (y - lot.uniform(0.35, 0.65)) ** 2
    grey = grey * np.clip(1.25 - away * lot.uniform(0.8, 2.2), 0.15, 1.3)
    return np.repeat(grey[..., None], 3, axis=2).astype(np.float32)


def peopled(lot: Lot, view: Canvas, others: list[Scene], most: float) -> Canvas:
    """People standing about, sharp and dressed in something; they hide up to this share."""
    view, hidden = view.copy(), 0.0
    for _ in range(lot.integers(0, 6)):
        near = most > 0.2 and lot.random() < 0.4
        tall = int(HEIGHT * (lot.uniform(0.35, 0.95) if near else lot.uniform(0.08, 0.45)))
        wide = max(4, int(tall * lot.uniform(0.25, 0.7)))
        share = tall * wide / (HEIGHT * WIDTH)
        if hidden + share > most:
            continue
        hidden += share
        _stand(lot, view, others, tall, wide)
    return view


def seen(lot: Lot, view: Canvas) -> Picture:
    """Through lens, sensor and encoder."""
    if lot.random() < 0.35:
        view = blurred(view, lot.uniform(0.25, 0.7))
    noise = lot.standard_normal(view.shape, np.float32) * lot.uniform(0.002, 0.035)
    picture = (np.clip(view + noise, 0, 1) * 255).astype(np.uint8)
    if lot.random() < 0.6:
        stream = io.BytesIO()
        Image.fromarray(picture).save(stream, "JPEG", quality=int(lot.integers(18, 95)))
        picture = np.asarray(Image.open(stream))
    return picture


def stamped(lot: Lot, picture: Picture, corner: tuple[int, int]) -> Picture:
    """With the time burned in, never twice the same."""
    image = Image.fromarray(picture)
    text = (
        f"{lot.integers(10, 99)}-{lot.integers(10, 99)} {lot.integers(10, 24)}:{lot.integers(60)}"
    )
    ImageDraw.Draw(image).text(corner, text, fill=(250, 250, 250), font_size=9)
    return np.asarray(image)


def _corners(lot: Lot) -> list[tuple[float, float]]:
    angles = np.sort(lot.random(4)) * 2 * np.pi
    middle, reach = lot.uniform(0.2, 0.8, 2), lot.uniform(0.15, 0.5)
    return [
        (float(middle[0] + reach * np.cos(angle)), float(middle[1] + reach * np.sin(angle)))
        for angle in angles
    ]


def _stand(lot: Lot, view: Canvas, others: list[Scene], tall: int, wide: int) -> None:
    left = int(lot.integers(-wide // 3, WIDTH - wide * 2 // 3))
    top = int(lot.integers(HEIGHT // 6, HEIGHT - tall // 2))
    shape = Image.new("L", (wide, tall))
    pen, head = ImageDraw.Draw(shape), max(2, int(wide * lot.uniform(0.2, 0.36)))
    pen.ellipse((wide // 2 - head, 0, wide // 2 + head, 2 * head), fill=255)
    pen.ellipse((0, tall * 0.2, wide - 1, tall * 1.04), fill=255)
    if lot.random() < 0.5:
        pen.rectangle((wide * 0.1, tall * 0.6, wide * 0.9, tall), fill=255)
    scene = others[lot.integers(len(others))].pictures[0]
    y, x = (int(lot.integers(0, max(1, side - 60))) for side in scene.shape[:2])
    cloth = Image.fromarray(np.ascontiguousarray(scene[y : y + 60, x : x + 60]))
    worn = np.asarray(cloth.resize((wide, tall), Image.Resampling.BOX), np.float32) / 255
    worn = worn * lot.uniform(0.2, 0.8) + lot.random(3, np.float32) * lot.uniform(0.05, 0.6)
    worn[: 2 * head] = worn[: 2 * head] * 0.3 + _SKIN * lot.uniform(0.3, 0.9)
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + wide, WIDTH), min(top + tall, HEIGHT)
    inside = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
    mask = (np.asarray(shape, np.float32) / 255)[inside][..., None]
    view[y0:y1, x0:x1] = view[y0:y1, x0:x1] * (1 - mask) + worn[inside] * mask
