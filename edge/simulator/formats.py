"""The two streams of a camera: sizes, frame rates, and how a picture is divided.

From the top: the strip, made live; the guard, which stands still from key frame to key frame; the
rest of the scene. Each is a slice of its own, encoded apart.
"""

from dataclasses import dataclass
from enum import StrEnum

from edge.simulator.stamp import MAIN_WIDTH, STRIP_HEIGHT
from edge.simulator.x264 import Recipe

_MACROBLOCK = 16
GUARD_HEIGHT = 32
"""Rows at the top of the scene, in either format, that stand still from key frame to key frame.

Motion vectors reach up to 24 rows, and 3 for interpolation, beyond the upper edge of what the
encoder knows; there they shall find the scene and not the strip.
"""


class StreamName(StrEnum):
    """The last part of a camera's URL."""

    MAIN = "main"
    SUB = "sub"


@dataclass(frozen=True, slots=True)
class Format:
    """Size and rate of one stream."""

    width: int
    height: int
    fps: int
    kilobits: int
    """Bit rate of the scene, per second."""

    @property
    def strip_height(self) -> int:
        """Rows at the top that are made live."""
        return STRIP_HEIGHT * self.width // MAIN_WIDTH

    @property
    def scene_height(self) -> int:
        """Rows below the strip that are seen."""
        return self.height - self.strip_height

    @property
    def coded_height(self) -> int:
        """Rows of whole macroblocks; the last may be cropped away."""
        return -(-self.height // _MACROBLOCK) * _MACROBLOCK

    def macroblocks(self, rows: int) -> int:
        """How many macroblocks so many rows have."""
        return self.width * rows // _MACROBLOCK**2

    def whole(self) -> Recipe:
        """How a whole picture would be encoded: its parameter sets are the stream's."""
        return Recipe(self.width, self.height, self.fps, self.fps, "crf=20")

    def scene(self, gop: int | None = None) -> Recipe:
        """How the scene is encoded."""
        buffer = round(self.kilobits * 0.5)  # a key frame is at most about this long
        rate = f"bitrate={self.kilobits}:vbv-maxrate={self.kilobits}:vbv-bufsize={buffer}"
        height = self.coded_height - self.strip_height - GUARD_HEIGHT
        return Recipe(self.width, height, self.fps, gop or self.fps, rate)

    def guard(self) -> Recipe:
        """How the guard is encoded: key frames only."""
        return Recipe(self.width, GUARD_HEIGHT, self.fps, 1, "crf=20")

    def strip(self) -> Recipe:
        """How the strip is encoded: key frames only."""
        return Recipe(self.width, self.strip_height, self.fps, 1, "crf=18")


FORMATS = {
    StreamName.MAIN: Format(1280, 720, 25, 1950),
    StreamName.SUB: Format(640, 360, 15, 380),
}
