"""Rendering a camera's reels: drawing, stamping, encoding both streams."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image

from edge.simulator.faults import FaultKind
from edge.simulator.formats import FORMATS, Format, StreamName
from edge.simulator.numbering import phase_ms
from edge.simulator.reel import Reel, behind_strip, save
from edge.simulator.scene.animate import frames
from edge.simulator.slices import nal_type
from edge.simulator.stamp import CAMERA, camera_bits, cells, place
from edge.simulator.x264 import Encoder, parameter_sets, picture

PLAIN_SECONDS = 8
FAULT_SECONDS = 2
LONG_GOP_SECONDS = 10
_SOURCES = ("film", "formats", "x264", "slices", "bits", "stamp", "reel", "numbering")


class Job(msgspec.Struct, frozen=True):
    """Which reels to render: one camera as it should be, or with one fault."""

    camera: int
    kind: FaultKind | None = None
    extent: float = 0.0

    def file(self, folder: Path, stream: StreamName) -> Path:
        """Where the reel lies in the cache."""
        what = f"{self.kind}-{self.extent:.2f}" if self.kind else "plain"
        return folder / f"{self.camera:03}-{what}-{stream}.reel"


def edition() -> str:
    """A name that changes when anything that makes the pictures changes."""
    here = Path(__file__).parent
    sources = [here / f"{name}.py" for name in _SOURCES] + sorted(here.glob("scene/*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]


def render(job: Job, folder: Path) -> None:
    """Make the two reels of a job and save them."""
    main = FORMATS[StreamName.MAIN]
    size = main.width, main.scene_height
    drawn = frames(job.camera, size, main.fps, PLAIN_SECONDS)
    for stream, reel in _filmed(drawn, job).items():
        save(reel, job.file(folder, stream))


def _filmed(drawn: Iterable[Image.Image], job: Job) -> dict[StreamName, Reel]:
    takes = {name: _Take(form, job.camera, form.fps) for name, form in FORMATS.items()}
    for index, image in enumerate(drawn):
        whole = VideoFrame.from_ndarray(np.asarray(image), format="rgb24")
        for take in takes.values():
            take.offer(whole, index)
    return {name: take.reel() for name, take in takes.items()}


class _Take:
    """One stream being filmed from the pictures of the main one."""

    def __init__(self, form: Format, camera: int, gop: int) -> None:
        self._form = form
        self._camera = camera
        self._gop = gop
        self._encoder = Encoder(form.scene(gop))
        self._coded: list[bytes] = []
        self._count = 0

    def offer(self, whole: VideoFrame, index: int) -> None:
        """Take this picture if it is this stream's time."""
        form, fps = self._form, FORMATS[StreamName.MAIN].fps
        if self._count * fps // form.fps != index:
            return
        planes = self._planes(whole)
        self._stamp(planes)
        nals = self._encoder.encode(picture(planes))
        self._coded += [nal for nal in nals if nal_type(nal) in {1, 5}]
        self._count += 1

    def reel(self) -> Reel:
        """What was filmed."""
        sets = parameter_sets(self._form.whole())
        pictures = behind_strip(self._form, sets, self._coded, self._gop)
        return Reel(sets.sps, sets.pps, self._gop, pictures)

    def _planes(self, whole: VideoFrame) -> NDArray[np.uint8]:
        form = self._form
        scaled = whole.reformat(
            form.width, form.scene_height, "yuv420p", dst_colorspace="ITU709", interpolation="AREA"
        )
        return padded(scaled.to_ndarray().astype(np.uint8, copy=False), form)

    def _stamp(self, planes: NDArray[np.uint8]) -> None:
        form = self._form
        milliseconds = phase_ms(self._camera) + round(self._count % form.fps * 1000 / form.fps)
        drawn = cells(CAMERA, camera_bits(self._camera, milliseconds), form.width)
        x, y = place(CAMERA, form.width)
        y -= form.strip_height
        planes[y : y + drawn.shape[0], x : x + drawn.shape[1]] = drawn


def padded(planes: NDArray[np.uint8], form: Format) -> NDArray[np.uint8]:
    """Repeat the last row of each plane until the height is whole macroblocks."""
    spare = form.coded_scene_height - form.scene_height
    if not spare:
        return planes
    width, height = form.width, form.scene_height
    luma, chroma = planes[:height], planes[height:].reshape(2, height // 2, width // 2)
    luma = np.pad(luma, ((0, spare), (0, 0)), mode="edge")
    chroma = np.pad(chroma, ((0, 0), (0, spare // 2), (0, 0)), mode="edge")
    return np.concatenate([luma, chroma.reshape(-1, width)])
