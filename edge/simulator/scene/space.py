"""Where things are seen: a pinhole camera in a room measured in metres.

x runs along the blackboard, y from the rear wall towards it, z upwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float, float]
Pixels = NDArray[np.float32]
_NEAR = 0.15


@dataclass(frozen=True)
class View:
    """A camera: where it hangs, what it looks at, and its picture in pixels."""

    eye: Point
    target: Point
    width: int
    height: int
    field: float
    """Horizontal field of view, radians."""

    @cached_property
    def focal(self) -> float:
        """Pixels for a tangent of one."""
        return self.width / 2 / float(np.tan(self.field / 2))

    @cached_property
    def _directions(self) -> list[Point]:
        """Unit vectors to the right, upwards and forwards."""
        forward = np.subtract(self.target, self.eye)
        forward /= np.linalg.norm(forward)
        right = np.cross(forward, (0.0, 0.0, 1.0))
        right /= np.linalg.norm(right)
        axes = right, np.cross(right, forward), forward
        return [(float(axis[0]), float(axis[1]), float(axis[2])) for axis in axes]

    def rays(self, rows: range, samples: Sequence[tuple[float, float]]) -> Pixels:
        """The directions through these points of every pixel in some rows: (…, 3)."""
        right, up, forward = (np.array(axis, np.float32) for axis in self._directions)
        down, across = np.meshgrid(np.array(rows), np.arange(self.width), indexing="ij")
        inner = np.array(samples, np.float32)
        x = (across[..., None] + inner[:, 0] - self.width / 2).ravel() / self.focal
        y = (self.height / 2 - down[..., None] - inner[:, 1]).ravel() / self.focal
        rays: Pixels = forward + x[:, None] * right + y[:, None] * up
        return rays.astype(np.float32)

    def place(self, point: Point) -> tuple[float, float, float]:
        """Where a point appears, pixels, and how far in front of the camera it lies."""
        x, y, z = point[0] - self.eye[0], point[1] - self.eye[1], point[2] - self.eye[2]
        right, up, depth = (x * a + y * b + z * c for a, b, c in self._directions)
        scale = self.focal / max(depth, _NEAR)
        return self.width / 2 + right * scale, self.height / 2 - up * scale, depth

    def depth(self, point: Point) -> float:
        """How far in front of the camera a point lies."""
        return self.place(point)[2]
