"""A copy to look at: decoded, marked and encoded again, in a process of its own.

`python -m edge.viewing` reads a `Job` as JSON from its input and writes an MP4 to its output. It
gives way to everything else on the box.
"""

import os
import resource
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple, Protocol, cast
from zoneinfo import ZoneInfo

import av
import msgspec
import numpy as np
from numpy.typing import NDArray

from contract.boxapi import ViewingOrder
from contract.cutting import shown_times
from contract.messages import Message
from edge.journal import from_us
from edge.recording.names import parse
from edge.watermark import Mark, clock_text

_RATE = 90_000
_MOST_MEMORY = 3 << 30
_HOLE = timedelta(seconds=1)
"""A longer pause between two pictures is shown as a card that says so."""


class Job(Message, frozen=True, kw_only=True):
    """What the child is given."""

    shelf: str
    order: ViewingOrder


class Shot(NamedTuple):
    """A decoded picture and when it was taken."""

    at: datetime
    frame: av.VideoFrame


class Sink(Protocol):
    """Where the copy goes."""

    def write(self, data: bytes, /) -> int:
        """Take bytes."""
        ...


def shots(shelf: Path, order: ViewingOrder) -> Iterator[Shot]:
    """Decode the pictures of the span, and no others, in the order in which they were taken."""
    starts = order.starts or (None,) * len(order.paths)
    for path, known in zip(order.paths, starts, strict=True):
        name = parse(PurePosixPath(path))
        if name is None or name.camera != order.camera:
            raise ValueError(f"{path} is no recording of {order.camera}")
        start = known or from_us(name.start_us)
        for at_90k, frame in _decoded(shelf / path):
            at = start + timedelta(microseconds=at_90k * 100 // 9)
            if order.start <= at < order.end:
                yield Shot(at, frame)


def _decoded(path: Path) -> Iterator[tuple[int, av.VideoFrame]]:
    times = iter(shown_times(path))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        for packet in container.demux(stream):
            if packet.size:
                packet.pts = next(times, None)
                packet.dts = None
            for frame in packet.decode():
                assert isinstance(frame, av.VideoFrame)
                if frame.pts is not None:
                    yield frame.pts, frame


class Copy:
    """Writes the copy, picture by picture."""

    def __init__(self, sink: Sink, order: ViewingOrder) -> None:
        self._order = order
        self._zone = ZoneInfo(order.zone)
        options = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
        self._container = av.open(
            cast("BinaryIO", sink), "w", format="mp4", container_options=options
        )
        self._stream: av.VideoStream | None = None
        self._mark: Mark | None = None
        self._size = (0, 0)
        self._last: datetime | None = None

    def add(self, shot: Shot) -> None:
        """Write a picture; before it a card where pictures are missing."""
        if self._stream is None:
            self._begin(shot.frame)
        before = self._last or self._order.start
        if shot.at - before > _HOLE:
            self._card(before + timedelta(seconds=0.04) if self._last else before, shot.at)
        width, height = self._size
        picture = (
            shot.frame.reformat(width, height, "yuv420p").to_ndarray().astype(np.uint8, copy=False)
        )
        self._write(shot.at, picture[:height], picture[height:])
        self._last = shot.at

    def finish(self) -> None:
        """Write what is left; a copy without a picture says so."""
        if self._stream is None:
            self._begin(av.VideoFrame(640, 360, "yuv420p"))
        before = self._last or self._order.start
        if self._order.end - before > _HOLE:
            self._card(before + timedelta(seconds=0.04), self._order.end)
        assert self._stream is not None
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def _begin(self, first: av.VideoFrame) -> None:
        order = self._order
        width, height = first.width // 4 * 4, first.height // 4 * 4
        self._size = width, height
        facts = f"申请 {order.request}  接收人 {order.recipient}  摄像机 {order.camera}"
        mark = Mark(width, height, f"{order.request}  {order.recipient}", facts)
        stream = self._container.add_stream("libx264", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = width, height + mark.band_height
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, _RATE)
        stream.codec_context.thread_count = 1
        keys = "keyint=50:bframes=0"
        stream.options = {"preset": "veryfast", "crf": "25", "x264-params": keys}
        self._stream, self._mark = stream, mark

    def _card(self, since: datetime, until: datetime) -> None:
        assert self._mark is not None
        width, height = self._size
        text = f"无录像 no recording  {self._local(since):%H:%M:%S} – {self._local(until):%H:%M:%S}"
        grey = np.full((height // 2, width), 128, np.uint8)
        self._write(since, self._mark.card(text), grey)

    def _write(self, at: datetime, luma: NDArray[np.uint8], chroma: NDArray[np.uint8]) -> None:
        assert self._mark is not None
        assert self._stream is not None
        mark, (width, _) = self._mark, self._size
        since = (at - self._order.start).total_seconds()
        band = mark.band(clock_text(self._local(at)) + "  观看副本 不作证据 viewing copy")
        half = chroma.shape[0] // 2
        grey = np.full((band.shape[0] // 4, width), 128, np.uint8)
        planes = (mark.cover(luma, since), band, chroma[:half], grey, chroma[half:], grey)
        frame = av.VideoFrame.from_ndarray(np.vstack(planes), format="yuv420p")
        frame.pts, frame.time_base = round(since * _RATE), Fraction(1, _RATE)
        self._container.mux(self._stream.encode(frame))

    def _local(self, at: datetime) -> datetime:
        return at.astimezone(self._zone)


def make(shelf: Path, order: ViewingOrder, sink: Sink) -> None:
    """Write the copy; raises ValueError, OSError or av.FFmpegError."""
    copy = Copy(sink, order)
    for shot in shots(shelf, order):
        copy.add(shot)
    copy.finish()


class _Pipe:
    """Standard output, which cannot be sought in."""

    def write(self, data: bytes) -> int:
        return sys.stdout.buffer.write(data)


def main() -> None:
    """Enter here."""
    os.nice(19 - os.nice(0))
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    make(Path(job.shelf), job.order, _Pipe())
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
