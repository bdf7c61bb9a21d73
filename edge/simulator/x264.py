"""The encoder, set so that slices of two of its runs fit together in one picture."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from edge.simulator.slices import Syntax, nal_type, nal_units, syntax_of

_FITTING = (
    "cabac=0:8x8dct=0:ref=1:bframes=0:no-deblock=1:weightp=0:scenecut=0:stitchable=1:"
    "rc-lookahead=0:sync-lookahead=0:mbtree=0:threads=1:level=3.1:force-cfr=1:"
    "colorprim=bt709:transfer=bt709:colormatrix=bt709"
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Size, frame rate, frames from key frame to key frame, and how bits are spent."""

    width: int
    height: int
    fps: int
    gop: int
    rate: str
    """x264's own words: `crf=20` or `bitrate=2000:…`."""
    preset: str = "superfast"


@dataclass(frozen=True, slots=True)
class ParameterSets:
    """The sequence and picture parameter sets of a stream."""

    sps: bytes
    pps: bytes

    @property
    def syntax(self) -> Syntax:
        """How slices under these sets are read."""
        return syntax_of(self.sps, self.pps)


class Encoder:
    """One running x264, a packet for each frame at once."""

    def __init__(self, recipe: Recipe) -> None:
        context = av.CodecContext.create("libx264", "w")
        assert isinstance(context, VideoCodecContext)
        context.width, context.height = recipe.width, recipe.height
        context.pix_fmt = "yuv420p"
        context.framerate = Fraction(recipe.fps)
        context.time_base = Fraction(1, recipe.fps)
        context.thread_count = 1
        gop = f"keyint={recipe.gop}:min-keyint={recipe.gop}"
        context.options = {
            "preset": recipe.preset,
            "profile": "baseline",
            "x264-params": f"{_FITTING}:{gop}:{recipe.rate}",
        }
        self.recipe = recipe
        self._context = context
        self._count = 0

    def encode(self, frame: VideoFrame) -> list[bytes]:
        """Give the NAL units of this frame: parameter sets and slices, nothing else."""
        frame.pts = self._count
        frame.time_base = self._context.time_base
        self._count += 1
        return _wanted(b"".join(bytes(packet) for packet in self._context.encode(frame)))

    def close(self) -> list[bytes]:
        """End the run; gives what was still inside."""
        return _wanted(b"".join(bytes(packet) for packet in self._context.encode(None)))


def _wanted(stream: bytes) -> list[bytes]:
    return [nal for nal in nal_units(stream) if nal_type(nal) in {1, 5, 7, 8}]


def encode(recipe: Recipe, frames: Iterable[VideoFrame]) -> tuple[ParameterSets, list[bytes]]:
    """Encode all frames; gives the parameter sets and one slice for each frame."""
    encoder = Encoder(recipe)
    nals = [nal for frame in frames for nal in encoder.encode(frame)] + encoder.close()
    return _sets(nals), [nal for nal in nals if nal_type(nal) in {1, 5}]


def parameter_sets(recipe: Recipe) -> ParameterSets:
    """The parameter sets the encoder writes for this recipe."""
    gray = np.full((recipe.height * 3 // 2, recipe.width), 128, np.uint8)
    return encode(recipe, iter([picture(gray)]))[0]


def _sets(nals: list[bytes]) -> ParameterSets:
    sps = next(nal for nal in nals if nal_type(nal) == 7)
    pps = next(nal for nal in nals if nal_type(nal) == 8)
    return ParameterSets(sps, pps)


def picture(planes: NDArray[np.uint8]) -> VideoFrame:
    """A frame from its three planes, stacked as yuv420p: (3/2 height, width)."""
    return VideoFrame.from_ndarray(planes, format="yuv420p")
