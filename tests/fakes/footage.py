"""Sealed segments whose pictures say when they were taken."""

from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from contract.messages import SegmentClosed
from edge.journal import from_us, to_us
from edge.recording.adoption import examine
from edge.recording.boxes import init_section
from edge.recording.fragments import Fragmenter
from edge.recording.names import Name
from edge.rtsp.depacketise import Depacketiser
from edge.rtsp.intake import Picture
from edge.simulator.stamp import CAMERA, SECOND, camera_bits, cells, place, read_stamp, second_bits
from tests.fakes.encoder import nal_units

_WIDTH, _HEIGHT = 640, 360
_ENCODERS = {"h264": "libx264", "h265": "libx265"}


def stamped(camera: int, at: datetime) -> NDArray[np.uint8]:
    """Draw a picture (luma) that says which camera took it, and when."""
    luma = np.full((_HEIGHT, _WIDTH), 120, np.uint8)
    second = int(at.timestamp())
    milliseconds = at.microsecond // 1000
    for block, bits in ((SECOND, second_bits(second)), (CAMERA, camera_bits(camera, milliseconds))):
        drawn = cells(block, bits, _WIDTH)
        x, y = place(block, _WIDTH)
        luma[y : y + drawn.shape[0], x : x + drawn.shape[1]] = drawn
    return luma


def shots(
    codec: str, camera: int, start: datetime, count: int, *, gop: int, fps: int, b_frames: int
) -> list[Picture]:
    """Encode so many stamped pictures."""
    context = av.CodecContext.create(_ENCODERS[codec], "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
    context.time_base, context.framerate = Fraction(1, fps), Fraction(fps)
    wanted = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}:repeat-headers=1"
    quiet = {"h264": "", "h265": ":log-level=none:open-gop=0"}[codec]
    context.options = {"preset": "ultrafast", f"{_ENCODERS[codec][3:]}-params": wanted + quiet}
    grey = np.full((_HEIGHT // 2, _WIDTH), 128, np.uint8)
    packets = []
    for number in range(count):
        luma = stamped(camera, start + timedelta(seconds=number / fps))
        frame = av.VideoFrame.from_ndarray(np.vstack([luma, grey]), format="yuv420p")
        frame.pts = number
        packets += context.encode(frame)
    found, collect = [], Depacketiser(codec)
    for packet in (*packets, *context.encode(None)):
        for nal in nal_units(bytes(packet)):
            collect.push(nal, 0, len(nal))
        whole = collect.take()
        assert whole is not None
        assert collect.parameters is not None
        assert packet.pts is not None
        stamp = packet.pts * (90_000 // fps)
        captured = to_us(start) + stamp * 100 // 9
        found.append(Picture(stamp, captured, 1, whole[1], whole[0], collect.parameters))
    return found


def record(
    data: Path,
    camera: str,
    start: datetime,
    seconds: int,
    *,
    codec: str = "h264",
    previous: str = "",
    gop: int = 10,
    fps: int = 10,
    b_frames: int = 0,
) -> SegmentClosed:
    """Put a sealed segment on a box's shelf; gives what the box says of it."""
    number = int(camera.rpartition("-")[2])
    name = Name(camera, "main", to_us(start))
    pictures = shots(codec, number, start, seconds * fps, gop=gop, fps=fps, b_frames=b_frames)
    fragmenter = Fragmenter(pictures[0].timestamp_90k)
    path = name.file(data / "shelf", "mp4")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(init_section(pictures[0].parameters))
        for picture in pictures:
            fragmenter.add([picture])
            if fragmenter.pending_90k >= 40_000 and (piece := fragmenter.take()):
                file.writelines(piece.pieces)
        last = fragmenter.take(last=True)
        file.writelines(last.pieces if last else ())
    path.chmod(0o440)
    with path.open("rb") as file:
        found = examine(file)
    return SegmentClosed(
        segment=name.segment,
        camera=camera,
        stream="main",
        start=start,
        end=from_us(to_us(start) + found.end_90k * 100 // 9),
        bytes=found.size,
        path=path.relative_to(data).as_posix(),
        root=found.root,
        previous=previous,
        fragments=found.fragments,
        clock="trusted",
    )


def taken(path: Path) -> list[datetime]:
    """Give when the pictures were taken that a player shows of a file."""
    seen: list[datetime] = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            assert isinstance(frame, av.VideoFrame)
            stamp = read_stamp(
                frame.to_ndarray(format="gray").astype(np.uint8, copy=False)[:_HEIGHT]
            )
            assert stamp is not None, f"picture {len(seen)} of {path} says nothing"
            seen.append(stamp.captured_at)
    return seen
