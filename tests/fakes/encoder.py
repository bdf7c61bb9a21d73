"""Encoded pictures for tests, as a camera would encode them."""

from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np

from edge.rtsp.depacketise import Depacketiser
from edge.rtsp.intake import Picture
from edge.rtsp.parameters import Parameters

_ENCODERS = {"h264": "libx264", "h265": "libx265"}


def encoded(
    codec: str,
    count: int,
    *,
    size: tuple[int, int] = (320, 180),
    gop: int = 5,
    b_frames: int = 0,
    fps: int = 25,
) -> Iterator[tuple[int, bytes]]:
    """Encode a walking bar; gives the time it is shown (90 kHz) and the picture, Annex B."""
    context = av.CodecContext.create(_ENCODERS[codec], "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height = size
    context.pix_fmt = "yuv420p"
    context.time_base = Fraction(1, fps)
    context.framerate = Fraction(fps)
    same = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}:repeat-headers=1"
    quiet = {"h264": "", "h265": ":log-level=none:open-gop=0"}[codec]
    context.options = {"preset": "ultrafast", f"{_ENCODERS[codec][3:]}-params": same + quiet}
    canvas = np.full((size[1], size[0], 3), 90, np.uint8)
    for number in range(count + 1):
        frame = None
        if number < count:
            picture = canvas.copy()
            picture[:, number * 4 % size[0] :][:, :8] = 255
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = number
        for packet in context.encode(frame):
            assert packet.pts is not None
            yield packet.pts * (90_000 // fps), bytes(packet)


def nal_units(data: bytes) -> list[bytes]:
    """Split Annex B."""
    parts = data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")
    return [part for part in parts if part]


def parameter_sets(codec: str, width: int = 320, height: int = 180) -> Parameters:
    """Give the parameter sets of an encoder at this size."""
    _, first = next(encoded(codec, 60, size=(width, height)))
    parameters = Depacketiser(codec, nal_units(first)).parameters
    assert parameters is not None
    return parameters


def pictures(
    codec: str, count: int, *, start_us: int = 1_800_000_000_000_000, **options: int
) -> list[Picture]:
    """Give pictures as the recorder takes them, captured from `start_us` on."""
    found: list[Picture] = []
    collect = Depacketiser(codec)
    for stamp, data in encoded(codec, count, **options):  # type: ignore[arg-type]  # ints only
        for nal in nal_units(data):
            collect.push(nal, 0, len(nal))
        whole = collect.take()
        assert whole is not None
        assert collect.parameters is not None
        joined, key = whole
        captured = start_us + stamp * 100 // 9
        found.append(Picture(stamp + 2**32, captured, 1, key, joined, collect.parameters))
    return found
