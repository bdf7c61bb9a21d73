"""What a decoder that is not ours makes of a recorded file."""

from dataclasses import dataclass
from pathlib import Path

import av


@dataclass(frozen=True, slots=True)
class Decoded:
    """A file as PyAV sees it."""

    codec: str
    width: int
    height: int
    times: tuple[float, ...]
    """When each picture is shown, seconds, in order of showing."""
    corrupt: int

    @property
    def longest_pause(self) -> float:
        """The longest time between two pictures."""
        pairs = zip(self.times, self.times[1:], strict=False)
        return max((later - earlier for earlier, later in pairs), default=0.0)


def decode(path: Path) -> Decoded:
    """Decode every picture; raises av.FFmpegError for a file that is not clean."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.codec_context.options = {"err_detect": "explode"}
        times, corrupt = [], 0
        for frame in container.decode(stream):
            corrupt += frame.is_corrupt
            assert frame.pts is not None
            assert frame.time_base is not None
            times.append(float(frame.pts * frame.time_base))
        context = stream.codec_context
        return Decoded(context.name, context.width, context.height, tuple(times), corrupt)
