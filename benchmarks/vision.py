"""How long does a key picture take to judge, and what of it could a smaller net in front save?"""

import json
from collections.abc import Callable
from fractions import Fraction
from statistics import median
from time import process_time

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext

import models
from edge.eyes.decoding import key_picture
from edge.feed import AccessUnit
from vision import classical, exact
from vision.judge import Judge
from vision.net import Net
from vision.pixels import Picture, shrunk

_SIZE = (360, 640, 3)
_ROUNDS = 200


def main() -> None:
    """Judge normal pictures of one view whole, then part by part, in time of the processor."""
    lot = np.random.default_rng(1)
    coarse = lot.integers(40, 216, (_SIZE[0] // 40, _SIZE[1] // 40, 3), np.uint8)
    view = np.kron(coarse, np.ones((40, 40, 1), np.uint8))
    pictures = [view + lot.integers(0, 8, _SIZE, np.uint8) for _ in range(9)]
    units = [_coded(picture) for picture in pictures]
    file = models.path("obstruction")
    net = Net(file)
    known = net.features(pictures[:1])
    one, four = Judge(file, pictures[:1]), Judge(file, pictures[:4])
    judging = _each(lambda index: one.judge(pictures[index % 9], float(index)))
    with_four = _each(lambda index: four.judge(pictures[index % 9], float(index)))
    decoding = _each(lambda index: key_picture(units[index % 9]))
    arithmetic = _each(lambda index: _arithmetic(pictures[index % 9]))
    comparing = _each(lambda index: net.answers(known, pictures[index % 9]))
    whole = decoding + judging
    figures = {
        "milliseconds_with_1_references": judging,
        "milliseconds_with_4_references": with_four,
        "milliseconds_decoding": decoding,
        "milliseconds_arithmetic": arithmetic,
        "milliseconds_net": comparing,
        "most_a_gate_saves": round(comparing / whole, 2),
        "cameras_a_core": round(1000 / whole),
    }
    print(json.dumps(figures))


def _arithmetic(picture: Picture) -> None:
    """What is done of every picture whatever the net."""
    exact.measure(picture)
    classical.look(shrunk(picture))


def _coded(picture: Picture) -> AccessUnit:
    """The picture as a camera sends it."""
    context = av.CodecContext.create("libx264", "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height, context.pix_fmt = _SIZE[1], _SIZE[0], "yuv420p"
    context.framerate, context.time_base = Fraction(15), Fraction(1, 15)
    context.options = {"preset": "veryfast", "tune": "zerolatency"}
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
    packets = [*context.encode(frame), *context.encode(None)]
    return AccessUnit(
        camera="cam-01",
        stream="sub",
        codec="h264",
        key=True,
        cached=False,
        run=0,
        timestamp_90k=0,
        captured_us=0,
        data=b"".join(map(bytes, packets)),
    )


def _each(work: Callable[[int], object]) -> float:
    """Median milliseconds of the processor for one call; it is told which one it is."""
    took = []
    for index in range(_ROUNDS):
        began = process_time()
        work(index)
        took.append(process_time() - began)
    return round(median(took) * 1000, 2)


if __name__ == "__main__":
    main()
