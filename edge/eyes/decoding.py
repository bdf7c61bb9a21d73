"""Access units into pictures, RGB, as large as judging needs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from edge.feed import AccessUnit
from edge.journal import from_us

RGB = NDArray[np.uint8]

_CODECS = {"h264": "h264", "h265": "hevc"}
_WIDEST = 640


class PictureBroken(Exception):
    """The decoder makes no picture of what the camera sent."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One decoded picture."""

    captured_at: datetime
    rgb: RGB


class Decoder:
    """Decodes one stretch of a stream from a key picture on. Blocks: for a thread."""

    def __init__(self, codec: str) -> None:
        try:
            context = av.CodecContext.create(_CODECS[codec], "r")
        except (KeyError, av.FFmpegError) as error:
            raise PictureBroken(f"no decoder for {codec}") from error
        self._context = cast("VideoCodecContext", context)
        self._context.thread_count = 1
        self._captured: dict[int, int] = {}

    def decode(
        self, unit: AccessUnit, is_wanted: Callable[[datetime], bool] = lambda _: True
    ) -> Iterator[Picture]:
        """Give the pictures that this access unit completes, of those that are wanted.

        Raises PictureBroken.
        """
        packet = av.Packet(unit.data)
        packet.pts = packet.dts = unit.timestamp_90k
        self._captured[unit.timestamp_90k] = unit.captured_us
        yield from self._pictures(packet, is_wanted)

    def flush(self) -> Iterator[Picture]:
        """Give what the decoder held back. Raises PictureBroken."""
        yield from self._pictures(None, lambda _: True)

    def _pictures(
        self, packet: "av.Packet[Any] | None", is_wanted: Callable[[datetime], bool]
    ) -> Iterator[Picture]:
        try:
            frames = self._context.decode(packet)
        except av.FFmpegError as error:
            raise PictureBroken(str(error)) from error
        for frame in frames:
            captured_us = self._captured.pop(frame.pts or 0, None)
            if captured_us is not None and is_wanted(from_us(captured_us)):
                yield Picture(from_us(captured_us), _rgb(frame))


def key_picture(unit: AccessUnit) -> Picture:
    """Decode one key picture by itself. Blocks. Raises PictureBroken."""
    decoder = Decoder(unit.codec)
    for picture in (*decoder.decode(unit), *decoder.flush()):
        return picture
    raise PictureBroken("a key picture that shows nothing")


def _rgb(frame: av.VideoFrame) -> RGB:
    if frame.width > _WIDEST:
        height = max(2, frame.height * _WIDEST // frame.width // 2 * 2)
        frame = frame.reformat(width=_WIDEST, height=height)
    return frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
