"""Exam rooms drawn by lot, seen a few times each: what free pictures have too few of."""

import numpy as np
from PIL import Image, ImageDraw

from vision.pixels import Picture
from vision.training.canvas import Lot
from vision.training.scenes import Scene

_WIDTH, _HEIGHT = 480, 360
_TIMES = 6
Colour = tuple[int, int, int]


def drawn(count: int, seed: int) -> list[Scene]:
    """Draw so many rooms; the same seed draws the same."""
    return [_room(index, np.random.default_rng((seed, index))) for index in range(count)]


def _room(index: int, lot: Lot) -> Scene:
    image, horizon = _empty(lot)
    rows, columns = int(lot.integers(3, 7)), int(lot.integers(4, 8))
    desk = _colour(lot, 120, 225)
    coats = [_colour(lot, 20, 210) if lot.random() < 0.9 else None for _ in range(rows * columns)]
    return Scene(
        f"drawn-{index:03}",
        tuple(_seated(lot, image, horizon, columns, desk, coats) for _ in range(_TIMES)),
    )


def _empty(lot: Lot) -> tuple[Image.Image, int]:
    """Walls, floor, a board and windows, and where wall and floor meet."""
    horizon = int(_HEIGHT * lot.uniform(0.3, 0.5))
    image = Image.new("RGB", (_WIDTH, _HEIGHT), _colour(lot, 150, 240))
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, horizon, _WIDTH, _HEIGHT), fill=_colour(lot, 80, 180))
    left = int(lot.uniform(0.15, 0.45) * _WIDTH)
    board = (left, horizon // 5, left + int(lot.uniform(0.3, 0.5) * _WIDTH), horizon * 4 // 5)
    pen.rectangle(board, fill=_colour(lot, 20, 90), outline=_colour(lot, 90, 200), width=4)
    for line in range(int(lot.integers(0, 5))):
        y, end = board[1] + 8 + 14 * line, int(lot.integers(board[0] + 30, board[2] - 5))
        pen.line((board[0] + 10, y, end, y), fill=(200, 210, 200), width=2)
    side = lot.random() < 0.5
    for index in range(int(lot.integers(1, 4))):
        x = 8 + 34 * index if side else _WIDTH - 36 - 34 * index
        pen.rectangle((x, 6, x + 26, horizon - 10), fill=_colour(lot, 200, 255), outline=(90,) * 3)
        pen.line((x + 13, 6, x + 13, horizon - 10), fill=(90, 90, 95), width=2)
    return image, horizon


def _seated(
    lot: Lot,
    empty: Image.Image,
    horizon: int,
    columns: int,
    desk: Colour,
    coats: list[Colour | None],
) -> Picture:
    """The room at one moment: everybody has stirred a little."""
    image = empty.copy()
    pen, rows = ImageDraw.Draw(image), len(coats) // columns
    for seat, coat in enumerate(coats):
        row, column = divmod(seat, columns)
        near = (row + 1) / rows
        size = 10 + 26 * near
        x = _WIDTH * (0.5 + (column + 0.5 - columns / 2) / columns * (0.6 + 0.5 * near))
        y = horizon + (_HEIGHT - horizon) * near * 0.85 - size * 0.4
        if coat is not None:
            away = lot.normal(0, size / 14, 2)
            head = x + away[0], y - size * 0.9 + away[1]
            pen.rectangle((x - size / 2, y - size * 0.5, x + size / 2, y + size / 2), fill=coat)
            _round(pen, head, size * 0.34, (60, 45, 40))
        pen.rectangle((x - size, y + size * 0.3, x + size, y + size * 0.75), fill=desk)
        pen.rectangle(
            (x - size / 3, y + size * 0.34, x + size / 4, y + size * 0.5), fill=(245,) * 3
        )
    return np.asarray(image)


def _round(
    pen: ImageDraw.ImageDraw, middle: tuple[float, float], reach: float, fill: Colour
) -> None:
    x, y = middle
    pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=fill)


def _colour(lot: Lot, low: int, high: int) -> Colour:
    red, green, blue = (int(part) for part in lot.integers(low, high, 3))
    return red, green, blue
