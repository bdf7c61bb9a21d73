"""A segment as a play session needs it, read from its second copy where its box is lost."""

import asyncio
import io
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import BinaryIO

import msgspec

from contract.archive import ArchiveBroken
from contract.fragments import Damaged, parts
from contract.objects import NoSuchObject, StoreAway
from contract.segmentindex import NotASegment, index_of, key_pictures
from orchestrator.archive import Archive, NoCopy
from orchestrator.footage import Bytes
from orchestrator.recordings import Media

_MOST_BYTES = 256 << 20
"""A minute of video is a tenth of this; what is read to be indexed stands in memory, one at a
time, and never on the centre's disk."""
_WAIT_FOR_TURN_S = 20.0
_READ_WITHIN_S = 60.0


class CopiedFootage:
    """Opens second copies; everything raises NoCopy where none can be read."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._one_at_a_time = asyncio.Lock()

    async def index(self, segment: str, start: datetime) -> Media:
        """Give a segment's index as its box would write it, marked as the copy's."""
        async with self._whole(segment) as file:
            index = await asyncio.to_thread(index_of, file, start)
        return _all(msgspec.json.encode(msgspec.structs.replace(index, copied=True)))

    async def part(self, segment: str, wanted: Bytes) -> Media:
        """Open a part of a segment."""
        copy = await self._archive.open(segment)
        stop = min(wanted.stop, copy.size_bytes)
        said = f"bytes {wanted.start}-{stop - 1}/{copy.size_bytes}"
        chunks = copy.read(wanted.start, stop)
        with _no_copy(segment):  # a copy that cannot be read is none; after this it is a torn line
            first = await anext(chunks, b"")
        return Media(206, stop - wanted.start, said, _behind(first, chunks), is_copy=True)

    async def key_pictures(self, segment: str, first: int, last: int) -> Media:
        """Give the key pictures alone of a part, 90 kHz from the segment's start."""
        async with self._whole(segment) as file:
            return _all(await asyncio.to_thread(lambda: b"".join(key_pictures(file, first, last))))

    async def fragments(self, segment: str, begin: int, end: int) -> bytes:
        """Answer for a span of it as its box does to `/fragments`; raises NothingInside besides."""
        async with self._whole(segment) as file:
            return await asyncio.to_thread(lambda: b"".join(parts(file, begin, end)))

    @asynccontextmanager
    async def _whole(self, segment: str) -> AsyncGenerator[BinaryIO]:
        with _no_copy(segment):
            async with asyncio.timeout(_WAIT_FOR_TURN_S):
                await self._one_at_a_time.acquire()
            try:
                file = io.BytesIO()
                async with asyncio.timeout(_READ_WITHIN_S):
                    copy = await self._archive.open(segment)
                    if copy.size_bytes > _MOST_BYTES:
                        raise NoCopy(f"{segment} is too large to be indexed here")
                    async for data in copy.read(0, copy.size_bytes):
                        file.write(data)
                yield file
            finally:
                self._one_at_a_time.release()


@contextmanager
def _no_copy(segment: str) -> Generator[None]:
    """Say of every trouble with the archive that no copy can be read."""
    try:
        yield
    except TimeoutError as error:
        raise NoCopy(f"{segment}: the archive is too slow") from error
    except (StoreAway, NoSuchObject, ArchiveBroken, NotASegment, Damaged) as error:
        raise NoCopy(f"{segment}: {error}") from error


async def _behind(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for data in rest:
        yield data


def _all(data: bytes) -> Media:
    async def once() -> AsyncIterator[bytes]:
        yield data

    return Media(200, len(data), "", once(), is_copy=True)
