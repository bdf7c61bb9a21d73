"""One stream being filmed from the pictures that are drawn for the main one."""

from fractions import Fraction
from typing import Protocol

import av
import numpy as np
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image

from edge.simulator.formats import FORMATS, GUARD_HEIGHT, Format, StreamName
from edge.simulator.numbering import phase_ms
from edge.simulator.reel import Reel, below_strip
from edge.simulator.slices import nal_type, nal_units
from edge.simulator.stamp import CAMERA, camera_bits, cells, place
from edge.simulator.x264 import Encoder, parameter_sets, picture

Planes = NDArray[np.uint8]
_GRAY = 128


class Take(Protocol):
    """One stream being filmed."""

    def film(self, planes: Planes) -> None:
        """Take a picture of the scene: its planes, stacked, in the stream's size."""
        ...

    def reel(self) -> Reel:
        """What was filmed."""
        ...


def is_due(form: Format, index: int) -> bool:
    """True where a stream takes this picture of the main one."""
    main = FORMATS[StreamName.MAIN].fps
    return index % main in {place * main // form.fps for place in range(form.fps)}


class SceneTake:
    """Films what comes below the strip, stamped with the camera's number unless there is none."""

    def __init__(self, form: Format, camera: int | None, gop: int) -> None:
        self._form = form
        self._camera = camera
        self._gop = gop
        self._count = 0
        self._scene_encoder = Encoder(form.scene(gop))
        self._guard_encoder = Encoder(form.guard())
        self._scenes: list[bytes] = []
        self._guards: list[bytes] = []

    def film(self, planes: Planes) -> None:
        """Take a picture; the stamp is drawn into it."""
        if self._camera is not None:
            self._stamp(planes, self._camera)
        width, lower = self._form.width, self._scene_encoder.recipe.height
        if self._count % self._gop == 0:
            guard = self._guard_encoder.encode(picture(rows(planes, width, 0, GUARD_HEIGHT)))
            self._guards += [nal for nal in guard if nal_type(nal) == 5]
        scene = rows(planes, width, GUARD_HEIGHT, GUARD_HEIGHT + lower)
        nals = self._scene_encoder.encode(picture(scene))
        self._scenes += [nal for nal in nals if nal_type(nal) in {1, 5}]
        self._count += 1

    def reel(self) -> Reel:
        """What was filmed."""
        sets = parameter_sets(self._form.whole())
        pictures = below_strip(self._form, sets, self._guards, self._scenes, self._gop)
        return Reel(sets.sps, sets.pps, self._gop, pictures)

    def _stamp(self, planes: Planes, camera: int) -> None:
        form = self._form
        milliseconds = phase_ms(camera) + round(self._count % form.fps * 1000 / form.fps)
        block = cells(CAMERA, camera_bits(camera, milliseconds), form.width)
        x, y = place(CAMERA, form.width)
        y -= form.strip_height
        planes[y : y + block.shape[0], x : x + block.shape[1]] = block
        chroma = planes[form.scene_height :].reshape(2, form.scene_height // 2, form.width // 2)
        high, wide = block.shape
        chroma[:, y // 2 : (y + high) // 2, x // 2 : (x + wide) // 2] = _GRAY


class WholeTake:
    """Films whole pictures with B-frames, as a badly set camera sends them: no strip, no stamp."""

    def __init__(self, form: Format) -> None:
        self._form = form
        self._count = 0
        context = av.CodecContext.create("libx264", "w")
        assert isinstance(context, VideoCodecContext)
        context.width, context.height, context.pix_fmt = form.width, form.height, "yuv420p"
        context.framerate, context.time_base = Fraction(form.fps), Fraction(1, form.fps)
        context.options = {
            "preset": "veryfast",
            "profile": "main",
            "x264-params": f"bframes=2:b-adapt=0:b-pyramid=none:keyint={form.fps}:scenecut=0:"
            f"min-keyint={form.fps}:open-gop=0:threads=1:bitrate={form.kilobits}",
        }
        self._context = context
        self._packets: list[Packet[VideoStream]] = []

    def film(self, planes: Planes) -> None:
        """Take a picture."""
        form = self._form
        strip = np.full((form.strip_height * 3 // 2, form.width), _GRAY, np.uint8)
        strip[: form.strip_height] = 30
        frame = picture(stacked(strip, rows(planes, form.width, 0, form.scene_height)))
        frame.pts = self._count
        self._packets += self._context.encode(frame)
        self._count += 1

    def reel(self) -> Reel:
        """What was filmed."""
        packets = [*self._packets, *self._context.encode(None)]
        nals = [nal_units(bytes(packet)) for packet in packets]
        first = {nal_type(nal): nal for nal in nals[0]}
        slices = [tuple(nal for nal in unit if nal_type(nal) in {1, 5}) for unit in nals]
        early = min((packet.pts or 0) - index for index, packet in enumerate(packets))
        delays = [(packet.pts or 0) - index - early for index, packet in enumerate(packets)]
        gop = self._form.fps
        return Reel(first[7], first[8], gop, tuple(slices), tuple(delays), has_strip=False)


def planes_of(image: Image.Image) -> Planes:
    """A picture's three planes, stacked as yuv420p."""
    frame = VideoFrame.from_ndarray(np.asarray(image), format="rgb24")
    coded = frame.reformat(format="yuv420p", dst_colorspace="ITU709")
    return coded.to_ndarray().astype(np.uint8, copy=False)


def fitted(planes: Planes, form: Format) -> Planes:
    """The main stream's planes in the size of this format; its own to write on."""
    if planes.shape[1] == form.width:
        return planes.copy()
    frame = picture(planes).reformat(form.width, form.scene_height, interpolation="AREA")
    return frame.to_ndarray().astype(np.uint8, copy=False)


def rows(planes: Planes, width: int, top: int, bottom: int) -> Planes:
    """Some rows of stacked planes; below the last one it is repeated."""
    height = len(planes) * 2 // 3
    luma, chroma = planes[:height], planes[height:].reshape(2, height // 2, width // 2)
    upper = luma[np.minimum(np.arange(top, bottom), height - 1)]
    colours = chroma[:, np.minimum(np.arange(top // 2, bottom // 2), height // 2 - 1)]
    return np.concatenate([upper, colours.reshape(-1, width)])


def stacked(above: Planes, below: Planes) -> Planes:
    """Put one picture above another."""
    width = above.shape[1]
    heights = [len(planes) * 2 // 3 for planes in (above, below)]
    lumas = [planes[:height] for planes, height in zip((above, below), heights, strict=True)]
    colours = [
        planes[height:].reshape(2, height // 2, width // 2)
        for planes, height in zip((above, below), heights, strict=True)
    ]
    return np.concatenate([*lumas, np.concatenate(colours, axis=1).reshape(-1, width)])
