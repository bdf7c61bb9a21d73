"""What happens to a picture when nobody touches the camera: lamps go out, a window brightens."""

from collections.abc import Iterator
from itertools import pairwise
from math import cos, pi

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from edge.simulator.scene import walls
from edge.simulator.scene.room import Room
from edge.simulator.scene.space import Point, View

_OFF = (0.25, 0.75)
"""From which share of the loop to which the lamps are off."""
_BY_DAYLIGHT = 0.22, 0.5
"""What is left of the light far from the windows, and beside them."""
_SILL, _TOP = 0.95, 2.55
_NEAREST = 0.3
_PANES = 12


class Lamps:
    """All lamps go out at once and come on again; daylight is left."""

    def __init__(self, room: Room, view: View) -> None:
        far, near = _BY_DAYLIGHT
        middle = view.place((0.0, room.depth / 2, 1.0))[0], view.place(_across(room))[0]
        windows_are_left = (middle[0] < middle[1]) == room.windows_left
        falling = np.linspace(near, far, view.width, dtype=np.float32)
        self._left = (falling if windows_are_left else falling[::-1])[None, :, None]

    def at(self, image: Image.Image, share: float) -> Image.Image:
        """The picture at a share of the loop."""
        if not _OFF[0] <= share < _OFF[1]:
            return image
        return Image.fromarray((np.asarray(image, np.float32) * self._left).astype(np.uint8))


class Window:
    """The sun comes out and goes in: panes blow out, haze spreads, the camera stops down."""

    def __init__(self, room: Room, view: View, where: Image.Image) -> None:
        """Only within the mask `where`."""
        panes = Image.new("L", (view.width, view.height))
        pen = ImageDraw.Draw(panes)
        for corners in _panes(room, view):
            pen.polygon(corners, fill=255)
        small = panes.reduce(8)
        haze = small.filter(ImageFilter.GaussianBlur(view.width / 8 / 12)).resize(panes.size)
        glow = np.maximum(np.asarray(panes, np.float32), np.asarray(haze, np.float32) * 0.7)
        self._where = np.asarray(where, np.float32)[..., None] / 255
        self._glow = (glow / 255)[..., None] * self._where

    def at(self, image: Image.Image, share: float) -> Image.Image:
        """The picture at a share of the loop."""
        strength = 0.5 - 0.5 * cos(2 * pi * share)
        lit = np.asarray(image, np.float32) * (1 - 0.2 * strength * self._where)
        lit += self._glow * strength * 190
        return Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8))


def _across(room: Room) -> Point:
    return room.width, room.depth / 2, 1.0


def _panes(room: Room, view: View) -> Iterator[list[tuple[float, float]]]:
    """The windows' outlines in the picture, in upright slices: those behind the camera left out."""
    wall = 0.0 if room.windows_left else room.width
    for begin, end in walls.window_places(room):
        for edge_pair in pairwise(map(float, np.linspace(begin, end, _PANES + 1))):
            along = [y if room.windows_left else room.depth - y for y in edge_pair]
            corners = [
                view.place((wall, y, z))
                for y, z in zip((*along, *along[::-1]), (_SILL, _SILL, _TOP, _TOP), strict=True)
            ]
            if min(depth for _, _, depth in corners) > _NEAREST:
                yield [(x, y) for x, y, _ in corners]
