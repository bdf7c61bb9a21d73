"""Rendering a camera's reels: drawing, spoiling, stamping, encoding both streams."""

import hashlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec
import numpy as np
from PIL import Image, ImageDraw

from edge.simulator.faults import Disturbance, FaultKind
from edge.simulator.formats import FORMATS, StreamName
from edge.simulator.numbering import camera_id
from edge.simulator.reel import Reel, save
from edge.simulator.scene import spoil
from edge.simulator.scene.animate import Loop
from edge.simulator.scene.lettering import font
from edge.simulator.scene.room import room_label
from edge.simulator.take import SceneTake, Take, WholeTake, fitted, is_due, planes_of

_PLAIN_S = 8
_FAULT_S = 1
_LONG_GOP_S = 10
_SOURCES = ("film", "take", "formats", "x264", "slices", "bits", "stamp", "reel", "numbering")
_MAIN = FORMATS[StreamName.MAIN]
_SIZE = _MAIN.width, _MAIN.scene_height


class Job(msgspec.Struct, frozen=True):
    """Which reels to render: one camera as it should be, with one fault or one disturbance."""

    camera: int
    kind: FaultKind | None = None
    extent: float = 0.0
    disturbance: Disturbance | None = None

    def file(self, folder: Path, stream: StreamName) -> Path:
        """Where the reel lies in the cache."""
        what = f"{self.kind}-{self.extent:.2f}" if self.kind else self.disturbance or "plain"
        return folder / f"{self.camera:03}-{what}-{stream}.reel"


def edition() -> str:
    """A name that changes when anything that makes the pictures changes."""
    here = Path(__file__).parent
    sources = [here / f"{name}.py" for name in _SOURCES] + sorted(here.glob("scene/*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]


def render(job: Job, folder: Path) -> None:
    """Make the two reels of a job and save them."""
    for stream, reel in film(job).items():
        save(reel, job.file(folder, stream))


def film(job: Job) -> dict[StreamName, Reel]:
    """Make the two reels of a job."""
    takes: dict[StreamName, Take] = {}
    for name, form in FORMATS.items():
        if job.kind is FaultKind.BFRAMES:
            takes[name] = WholeTake(form)
        else:
            gop = form.fps * _LONG_GOP_S if job.kind is FaultKind.LONG_GOP else form.fps
            stamped = None if job.kind is FaultKind.BLACK else job.camera
            takes[name] = SceneTake(form, stamped, gop)
    labelled = _Label(job.camera)
    last, planes = None, np.empty((0, 0), np.uint8)
    for index, image in enumerate(drawn(job)):
        if image is not last:
            last, planes = (
                image,
                planes_of(image if job.kind is FaultKind.BLACK else labelled(image)),
            )
        for name, take in takes.items():
            if is_due(FORMATS[name], index):
                take.film(fitted(planes, FORMATS[name]))
    return {name: take.reel() for name, take in takes.items()}


def drawn(job: Job) -> Iterator[Image.Image]:
    """Draw the main stream's pictures of one loop."""
    fps = _MAIN.fps
    match job.kind:
        case None:
            yield from Loop(job.camera, _SIZE, _PLAIN_S, disturbance=job.disturbance).frames(fps)
        case FaultKind.LONG_GOP:
            yield from Loop(job.camera, _SIZE, _LONG_GOP_S).frames(fps)
        case FaultKind.BLACK:
            yield from [Image.new("RGB", _SIZE)] * fps
        case _:
            moved = job.extent if job.kind is FaultKind.MOVE else 0.0
            spoiled = _spoil(job)
            loop = Loop(job.camera, _SIZE, _PLAIN_S, moved).frames(fps)
            there = [spoiled(image) for image in islice(loop, 0, fps * _FAULT_S, 2) for _ in (1, 2)]
            yield from there
            yield from reversed(there)  # so that the loop has no seam


def _spoil(job: Job) -> spoil.Spoil:
    match job.kind:
        case FaultKind.COVER:
            return spoil.covered(job.extent, _SIZE)
        case FaultKind.DEFOCUS:
            return spoil.defocused(job.extent)
        case FaultKind.DARK:
            return spoil.darkened(job.extent, _SIZE)
        case FaultKind.GLARE:
            return spoil.glaring(job.extent, _SIZE)
        case _:
            return lambda image: image


class _Label:
    """The camera's name in the lower left corner, as cameras write it."""

    def __init__(self, camera: int) -> None:
        self._image = Image.new("RGBA", (420, 44))
        ImageDraw.Draw(self._image).text(
            (4, 22),
            f"{camera_id(camera).upper()}   {room_label(camera)}",
            fill=(255, 255, 255, 235),
            font=font(26),
            anchor="lm",
            stroke_width=2,
            stroke_fill=(20, 24, 28, 150),
        )

    def __call__(self, image: Image.Image) -> Image.Image:
        shown = image.copy()
        shown.paste(self._image, (14, image.height - 52), self._image)
        return shown
