"""The two streams of a camera: sizes, frame rates, and the share of the picture that is live."""

from dataclasses import dataclass
from enum import StrEnum

from edge.simulator.stamp import MAIN_WIDTH, STRIP_HEIGHT
from edge.simulator.x264 import Recipe

_MACROBLOCK = 16


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
    def coded_scene_height(self) -> int:
        """Rows of the scene as encoded, whole macroblocks; the last may be cropped away."""
        return -(-self.scene_height // _MACROBLOCK) * _MACROBLOCK

    @property
    def strip_macroblocks(self) -> int:
        """Macroblocks of the strip: the number of the scene's first."""
        return self.width * self.strip_height // _MACROBLOCK**2

    @property
    def scene_macroblocks(self) -> int:
        """Macroblocks of the scene."""
        return self.width * self.coded_scene_height // _MACROBLOCK**2

    def whole(self) -> Recipe:
        """How a whole picture would be encoded: its parameter sets are the stream's."""
        return Recipe(self.width, self.height, self.fps, self.fps, "crf=20")

    def scene(self, gop: int | None = None) -> Recipe:
        """How the scene is encoded."""
        most, buffer = self.kilobits * 3, self.kilobits * 2
        rate = f"bitrate={self.kilobits}:vbv-maxrate={most}:vbv-bufsize={buffer}"
        return Recipe(self.width, self.coded_scene_height, self.fps, gop or self.fps, rate)

    def strip(self) -> Recipe:
        """How the strip is encoded: key frames only."""
        return Recipe(self.width, self.strip_height, self.fps, 1, "crf=18")


FORMATS = {
    StreamName.MAIN: Format(1280, 720, 25, 1950),
    StreamName.SUB: Format(640, 360, 15, 380),
}
