"""Pairs to learn from: a reference view and a live one, tampered with or not."""

from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vision.net import LABELS
from vision.pixels import HEIGHT, WIDTH, Picture, cells
from vision.training.canvas import Canvas, Lot, blurred
from vision.training.nuisances import infrared, lit, peopled, seen, stamped
from vision.training.scenes import Scene
from vision.training.tampering import covered, defocused

KINDS = ("normal", *LABELS)
_OFTEN = (0.42, 0.26, 0.15, 0.17)
MAP_ROWS, MAP_COLUMNS = 15, 20
_PORTION = 500


@dataclass(frozen=True, slots=True)
class Pairs:
    """Many pairs, rendered."""

    reference: NDArray[np.uint8]
    live: NDArray[np.uint8]
    labels: NDArray[np.float32]
    cover: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.live)


@dataclass(frozen=True, slots=True)
class Place:
    """From where in a scene's picture a view is cut, and how it is turned."""

    x: float
    y: float
    width: float
    """Of the part that is seen, in pixels of the picture."""
    height: float
    turned: float = 0.0
    """Degrees."""


def render(scenes: list[Scene], count: int, seed: int, processes: int = 2) -> Pairs:
    """Draw so many pairs by lot; the same seed draws the same."""
    portions = [(seed, first, min(_PORTION, count - first)) for first in range(0, count, _PORTION)]
    with get_context("fork").Pool(processes) as pool:
        done = pool.map(partial(_portion, scenes), portions, chunksize=1)
    return Pairs(*(np.concatenate(parts) for parts in zip(*done, strict=True)))


def pair(lot: Lot, scenes: list[Scene], kind: str) -> tuple[Picture, Picture, Canvas]:
    """One pair, and how much of each cell of the live view is covered."""
    filmed = [scene for scene in scenes if len(scene.pictures) > 1]
    pool = filmed if filmed and lot.random() < 0.5 else scenes
    pictures = pool[lot.integers(len(pool))].pictures
    before, now = (pictures[lot.integers(len(pictures))] for _ in range(2))
    place = _place(lot, before)
    reference = cut(before, place)
    if kind == "moved" and lot.random() < 0.15:
        elsewhere = scenes[lot.integers(len(scenes))].pictures[0]
        live = cut(elsewhere, _place(lot, elsewhere))
    else:
        live = cut(now, _moved(lot, place) if kind == "moved" else _wobbled(lot, place))
    if lot.random() < 0.5:
        reference, live = reference[:, ::-1], live[:, ::-1]
    if lot.random() < 0.25:
        soft = lot.uniform(0.4, 1.0)
        reference, live = blurred(reference, soft), blurred(live, soft)
    reference = peopled(lot, reference, scenes, 0.16)
    live = lit(lot, peopled(lot, live, scenes, 0.3))
    if lot.random() < 0.5:
        reference = lit(lot, reference, 0.6)
    chance = lot.random()
    if chance < 0.18:
        live = infrared(lot, live)
    if chance < 0.08:
        reference = infrared(lot, reference)
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    if kind == "covered":
        live, mask = covered(lot, live, scenes)
    elif kind == "defocused":
        live = defocused(lot, live)
    first, second = seen(lot, reference), seen(lot, live)
    if lot.random() < 0.4:
        corner = int(lot.integers(0, 60)), int(lot.choice((2, HEIGHT - 12)))
        first, second = stamped(lot, first, corner), stamped(lot, second, corner)
    return first, second, cells(mask, MAP_ROWS, MAP_COLUMNS)


def cut(picture: Picture, place: Place) -> Canvas:
    """The view from a place; beyond the picture's border it is mirrored."""
    scale = min(1.0, 1.6 * WIDTH / place.width)
    height, width = picture.shape[:2]
    small = Image.fromarray(picture).resize(
        (max(8, round(width * scale)), max(8, round(height * scale))), Image.Resampling.BOX
    )
    margin = max(small.size) // 2
    mirrored = Image.fromarray(
        np.pad(np.asarray(small), ((margin, margin), (margin, margin), (0, 0)), mode="symmetric")
    )
    angle = np.deg2rad(place.turned)
    across, down = place.width * scale / WIDTH, place.height * scale / HEIGHT
    a, b = across * np.cos(angle), -down * np.sin(angle)
    d, e = across * np.sin(angle), down * np.cos(angle)
    middle = place.x * scale + margin, place.y * scale + margin
    c, f = middle[0] - a * WIDTH / 2 - b * HEIGHT / 2, middle[1] - d * WIDTH / 2 - e * HEIGHT / 2
    view = mirrored.transform(
        (WIDTH, HEIGHT), Image.Transform.AFFINE, (a, b, c, d, e, f), Image.Resampling.BILINEAR
    )
    return np.asarray(view, np.float32) / 255


def _place(lot: Lot, picture: Picture) -> Place:
    """Somewhere in the picture, up to nearly all of it; wide pictures arrive squeezed."""
    height, width = picture.shape[:2]
    aspect = WIDTH / HEIGHT * lot.uniform(1.0, 1.34)
    tall = min(height, width / aspect) * lot.uniform(0.6, 0.98)
    wide = tall * aspect
    return Place(
        x=lot.uniform(wide / 2, width - wide / 2),
        y=lot.uniform(tall / 2, height - tall / 2),
        width=wide,
        height=tall,
    )


def _wobbled(lot: Lot, place: Place) -> Place:
    """The same, but mounts shake a little and lenses breathe."""
    zoom = 1 + lot.normal(0, 0.004) * (lot.random() < 0.3)
    return Place(
        x=place.x + lot.normal(0, 0.5) * place.width / WIDTH,
        y=place.y + lot.normal(0, 0.5) * place.height / HEIGHT,
        width=place.width * zoom,
        height=place.height * zoom,
        turned=lot.normal(0, 0.35) * (lot.random() < 0.3),
    )


def _moved(lot: Lot, place: Place) -> Place:
    """Shoved, turned or zoomed, far enough to matter."""
    chance = lot.random()
    along, far = lot.random() * 2 * np.pi, lot.uniform(0.1, 0.7) * (chance < 0.6)
    zoom = 1.0
    if chance > 0.72:
        zoom = lot.uniform(1.2, 1.9) if lot.random() < 0.5 else lot.uniform(0.5, 0.83)
    return Place(
        x=place.x + far * np.cos(along) * place.width,
        y=place.y + far * np.sin(along) * place.height,
        width=place.width * zoom,
        height=place.height * zoom,
        turned=lot.choice((-1, 1)) * lot.uniform(5, 45) * (0.5 < chance < 0.8),
    )


def _portion(scenes: list[Scene], what: tuple[int, int, int]) -> tuple[NDArray[np.generic], ...]:
    seed, first, count = what
    lot = np.random.default_rng((seed, first))
    kinds = lot.choice(len(KINDS), size=count, p=_OFTEN)
    drawn = [pair(lot, scenes, KINDS[kind]) for kind in kinds]
    references, lives, covers = (np.stack(part) for part in zip(*drawn, strict=True))
    labels = np.eye(len(KINDS), dtype=np.float32)[kinds][:, 1:]
    return references, lives, labels, covers
