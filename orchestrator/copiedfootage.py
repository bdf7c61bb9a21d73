"""A segment as a play session needs it, read from its second copy where its box is lost."""

import asyncio
import io
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
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
        return Media(206, stop - wanted.start, said, copy.read(wanted.start, stop))

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
        async with self._one_at_a_time:
            copy = await self._archive.open(segment)
            if copy.size_bytes > _MOST_BYTES:
                raise NoCopy(f"{segment} is too large to be indexed here")
            file = io.BytesIO()
            try:
                async for data in copy.read(0, copy.size_bytes):
                    file.write(data)
                yield file
            except (StoreAway, NoSuchObject, ArchiveBroken, NotASegment, Damaged) as error:
                raise NoCopy(f"{segment}: {error}") from error


def _all(data: bytes) -> Media:
    async def once() -> AsyncIterator[bytes]:
        yield data

    return Media(200, len(data), "", once())
