"""The empty room as the camera sees it: every ray followed to the surface it meets."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge.simulator.scene import level, walls
from edge.simulator.scene.room import Room
from edge.simulator.scene.space import View

_SAMPLES = ((0.25, 0.25), (0.75, 0.75))
_GLOSS = 0.13
_PORTION = 64
Pixels = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Hits:
    """Where rays end: coordinates in metres and the surface's number."""

    x: Pixels
    y: Pixels
    z: Pixels
    surface: NDArray[np.uint8]


_LEFT, _RIGHT, _REAR, _FRONT, _FLOOR, _CEILING = range(6)


class Shell:
    """The surfaces of one room, ready to be looked at."""

    def __init__(self, room: Room, furniture: list[tuple[float, float]]) -> None:
        self._room = room
        bright, plain = walls.windows(room), walls.corridor(room)
        left, right = (bright, plain) if room.windows_left else (plain, bright)
        drawn = (
            left,
            right,
            walls.rear(room),
            walls.front(room),
            level.floor(room, furniture),
            level.ceiling(room),
        )
        self._drawn = [np.asarray(image, np.uint8) for image in drawn]

    def look(self, view: View) -> tuple[Image.Image, Image.Image]:
        """Draw what the camera sees: under a cloud, and with the sun out."""
        eye = np.asarray(view.eye, np.float32)
        dull = np.empty((view.height, view.width, 3), np.uint8)
        sunny = np.empty_like(dull)
        for top in range(0, view.height, _PORTION):
            rows = range(top, min(top + _PORTION, view.height))
            colour, sun = self._seen(eye, view.rays(rows, _SAMPLES))
            dull[top : rows.stop] = _reduced(colour, view.width)
            sunny[top : rows.stop] = _reduced(colour * sun[:, None], view.width)
        return Image.fromarray(dull), Image.fromarray(sunny)

    def _seen(self, eye: Pixels, rays: Pixels) -> tuple[Pixels, Pixels]:
        hits = self._follow(eye, rays)
        colour = self._colour(hits) * self._light(hits)[:, None]
        on_floor = np.flatnonzero(hits.surface == _FLOOR)
        if on_floor.size:
            origin = np.stack([hits.x[on_floor], hits.y[on_floor], hits.z[on_floor]], axis=1)
            back = rays[on_floor] * np.array([1, 1, -1], np.float32)
            mirrored = self._follow(origin + np.array([0, 0, 1e-3], np.float32), back)
            seen = self._colour(mirrored) * self._light(mirrored)[:, None]
            steep = -rays[on_floor, 2] / np.linalg.norm(rays[on_floor], axis=1)
            share = (_GLOSS * (1.25 - steep))[:, None]
            colour[on_floor] = colour[on_floor] * (1 - share) + seen * share
        return colour, self._sun(hits)

    def _follow(self, origin: Pixels, rays: Pixels) -> _Hits:
        size = np.array([self._room.width, self._room.depth, self._room.height], np.float32)
        with np.errstate(divide="ignore", invalid="ignore"):
            wall = np.where(rays > 0, size, np.float32(0))
            reach = np.where(rays == 0, np.inf, (wall - origin) / rays)
        axis = reach.argmin(axis=1)
        rows = np.arange(len(rays))
        place = origin + rays * reach[rows, axis][:, None]
        surface = (axis * 2 + (rays[rows, axis] > 0)).astype(np.uint8)
        return _Hits(place[:, 0], place[:, 1], place[:, 2], surface)

    def _colour(self, hits: _Hits) -> Pixels:
        room = self._room
        along = {
            _LEFT: (hits.y, room.height - hits.z),
            _RIGHT: (room.depth - hits.y, room.height - hits.z),
            _REAR: (room.width - hits.x, room.height - hits.z),
            _FRONT: (hits.x, room.height - hits.z),
            _FLOOR: (hits.x, hits.y),
            _CEILING: (hits.x, hits.y),
        }
        colour = np.empty((len(hits.x), 3), np.float32)
        for surface, (across, down) in along.items():
            chosen = np.flatnonzero(hits.surface == surface)
            drawn = self._drawn[surface]
            column = np.clip(across[chosen] * walls.DOTS, 0, drawn.shape[1] - 1).astype(np.int32)
            row = np.clip(down[chosen] * walls.DOTS, 0, drawn.shape[0] - 1).astype(np.int32)
            colour[chosen] = drawn[row, column]
        return colour

    def _light(self, hits: _Hits) -> Pixels:
        """Softer in the corners, warmer towards the windows."""
        room = self._room
        light = np.ones_like(hits.x)
        for distance, on in (
            (hits.x, _LEFT),
            (room.width - hits.x, _RIGHT),
            (hits.y, _REAR),
            (room.depth - hits.y, _FRONT),
            (hits.z, _FLOOR),
            (room.height - hits.z, _CEILING),
        ):
            dim = 1 - 0.3 * np.exp(-np.maximum(distance, 0) / 0.4)
            light *= np.where(hits.surface == on, np.float32(1), dim)
        window_side = hits.x if room.windows_left else room.width - hits.x
        light *= 0.9 + 0.2 * np.exp(-window_side / (room.width * 0.45))
        factors = np.array([1.0, 1.0, 0.95, 0.98, 0.97, 0.93], np.float32)
        factors[_LEFT if room.windows_left else _RIGHT] = 0.9
        return light * factors[hits.surface]

    def _sun(self, hits: _Hits) -> Pixels:
        """What the sun adds: a little everywhere near the windows, patches on the floor."""
        room = self._room
        inward = hits.x if room.windows_left else room.width - hits.x
        sun = 1 + np.float32(0.05) * np.exp(-inward / 3)
        patches = np.zeros_like(sun)
        for begin, end in walls.window_places(room):
            along = hits.y if room.windows_left else room.depth - hits.y
            along = along - inward * 0.35
            across = _between(inward, 0.5, 2.3)
            patches += across * (
                _between(along, begin, begin + 0.75) + _between(along, end - 0.75, end)
            )
        on_floor = (hits.surface == _FLOOR).astype(np.float32)
        bright: Pixels = sun + patches * on_floor * np.float32(0.38 * room.sun)
        return bright


def _between(value: Pixels, low: float, high: float) -> Pixels:
    """One between two limits, falling to zero over a hand's breadth."""
    rise: Pixels = np.clip((value - low) / 0.12 + 0.5, 0, 1)
    fall: Pixels = np.clip((high - value) / 0.12 + 0.5, 0, 1)
    return np.minimum(rise, fall)


def _reduced(colour: Pixels, width: int) -> NDArray[np.uint8]:
    samples = colour.reshape(-1, width, len(_SAMPLES), 3)
    mixed = sum(samples[:, :, index] for index in range(len(_SAMPLES))) / len(_SAMPLES)
    return np.clip(mixed, 0, 255).astype(np.uint8)
