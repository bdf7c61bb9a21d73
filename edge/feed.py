"""How the recorder offers its packets to live and eyes: a local socket that drops, never waits.

A reader connects to `run/feed.sock` and sends one line of JSON, a list of `[camera, stream]` pairs
it wants, and may send another at any time; the newest list stands. The recorder answers with
frames: for each newly wanted stream the cached GOP first, then each access unit as it comes. A
reader whose 4 MB of buffer are full loses whole access units up to the next key
frame; nobody waits for it.
"""

import asyncio
import struct
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from contract.messages import Stream

BUFFER_LIMIT = 4 << 20
_LENGTH = struct.Struct("!II")
_MOST = 16 << 20


class FeedBroken(Exception):
    """The other side sent what is no frame."""


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One picture of one stream, as it came from the camera."""

    camera: str
    stream: Stream
    codec: str
    """`h264` or `h265`."""
    key: bool
    """An IDR picture; the parameter sets then stand in front of it in `data`."""
    cached: bool
    """From the GOP cache: older than now, sent so that a reader can begin."""
    timestamp_90k: int
    """RTP time, unwrapped: never falls within one run."""
    run: int
    """Changes with every reconnect; time stamps of two runs do not compare."""
    captured_us: int
    """Wall clock of the capture, microseconds since 1970, by the camera's sender reports."""
    data: bytes
    """NAL units, Annex B."""

    @property
    def captured_at(self) -> datetime:
        """The capture's instant, UTC."""
        return datetime.fromtimestamp(self.captured_us / 1e6, UTC)


class _Header(msgspec.Struct, array_like=True):
    camera: str
    stream: Stream
    codec: str
    key: bool
    cached: bool
    timestamp_90k: int
    run: int
    captured_us: int


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Header)


def encode(unit: AccessUnit) -> bytes:
    """Frame one access unit: two lengths (header, data), MessagePack header, data."""
    header = _encoder.encode(
        _Header(
            unit.camera,
            unit.stream,
            unit.codec,
            unit.key,
            unit.cached,
            unit.timestamp_90k,
            unit.run,
            unit.captured_us,
        )
    )
    return b"".join((_LENGTH.pack(len(header), len(unit.data)), header, unit.data))


async def receive(reader: asyncio.StreamReader) -> AccessUnit:
    """Read the next access unit; raises FeedBroken, or IncompleteReadError at the end."""
    head, size = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if head > 4096 or size > _MOST:
        raise FeedBroken(f"a frame of {head} + {size} bytes")
    try:
        header = _decoder.decode(await reader.readexactly(head))
    except msgspec.MsgspecError as error:
        raise FeedBroken(str(error)) from error
    data = await reader.readexactly(size)
    return AccessUnit(
        header.camera,
        header.stream,
        header.codec,
        header.key,
        header.cached,
        header.timestamp_90k,
        header.run,
        header.captured_us,
        data,
    )


def wish(pairs: list[tuple[str, Stream]]) -> bytes:
    """Encode the line by which a reader says what it wants."""
    return msgspec.json.encode(pairs) + b"\n"
