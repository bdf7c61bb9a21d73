"""The archive seen from the centre: which copies count, and footage read from them."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.archive import (
    LONGEST_HEADER,
    PREFIX_BYTES,
    ArchiveBroken,
    Opener,
    header_length,
)
from contract.keys import SealKey
from contract.messages import Archived
from contract.objects import ArchivePlace, NoSuchObject, Objects, StoreAway
from orchestrator.store import Store
from orchestrator.store.tables import archive_copies, segments

_FRAMES_AT_ONCE = 16
_PART_WITHIN_S = 20.0


class NoCopy(Exception):
    """No copy of this segment can be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A second copy that its box read back and found right."""

    segment: str
    copy: str
    place: str
    bytes: int
    sha256: str
    verified_at: datetime


async def copies_of(connection: AsyncConnection, segment: str) -> tuple[Copy, ...]:
    """Give a segment's second copies that count: read back by hash, and not deleted since."""
    c = archive_copies.c
    query = (
        select(c.segment, c.copy, c.place, c.bytes, c.sha256, c.verified_at)
        .where(c.segment == segment, c.deleted_at.is_(None))
        .order_by(c.verified_at, c.copy)
    )
    return tuple(Copy(*row) for row in await connection.execute(query))


async def keep_copy(connection: AsyncConnection, edge: str, told: Archived) -> bool:
    """Keep what a box tells of a copy of its own segment, once; gives whether it was news."""
    owner = await connection.scalar(select(segments.c.edge).where(segments.c.id == told.segment))
    if owner is not None and owner != edge:
        return False
    c = archive_copies.c
    known = select(c.segment).where(c.segment == told.segment, c.copy == told.copy)
    if (await connection.execute(known)).first() is not None:
        return False
    await connection.execute(
        insert(archive_copies).values(
            segment=told.segment,
            copy=told.copy,
            edge=edge,
            place=told.place,
            bytes=told.bytes,
            sha256=told.sha256,
            verified_at=told.verified_at,
        )
    )
    return True


class Archive:
    """Opens copies with the site's archive key, while that is at the centre."""

    def __init__(self, store: Store, objects: Objects, key: Path) -> None:
        self._store = store
        self._objects = objects
        self._key = key

    @classmethod
    def of(cls, store: Store, place: ArchivePlace | None, keys: Path) -> "Archive | None":
        """Look into the configured archive; None where there is none."""
        return None if place is None else cls(store, Objects.of(place), keys / "archive.key")

    async def open(self, segment: str) -> "OpenCopy":
        """Find a copy that can be read; raises NoCopy."""
        try:
            key = SealKey.load(self._key)
        except (OSError, ValueError) as error:
            raise NoCopy("the archive key is not at the centre") from error
        async with self._store.read() as connection:
            copies = await copies_of(connection, segment)
        trouble = "there is none"
        for copy in copies:
            try:
                return await open_copy(self._objects, copy.place, key)
            except (StoreAway, NoSuchObject, ArchiveBroken) as error:
                trouble = str(error)
        raise NoCopy(f"{segment}: {trouble}")


async def open_copy(objects: Objects, place: str, key: SealKey) -> "OpenCopy":
    """Read a copy's header. Raises StoreAway, NoSuchObject or ArchiveBroken."""
    head = await _part(objects, place, 0, PREFIX_BYTES + LONGEST_HEADER)
    length = header_length(head)
    return OpenCopy(objects, place, Opener.of(key, head[PREFIX_BYTES : PREFIX_BYTES + length]))


async def _part(objects: Objects, place: str, start: int, end: int) -> bytes:
    """Read a part; an archive that does not answer, as a mount may, is away."""
    try:
        async with asyncio.timeout(_PART_WITHIN_S):
            return await objects.part(place, start, end)
    except TimeoutError as error:
        raise StoreAway(f"{place}: no answer within {_PART_WITHIN_S:g} s") from error


@dataclass(frozen=True, slots=True)
class OpenCopy:
    """A copy whose header was opened: any part of the footage can be read."""

    objects: Objects
    place: str
    opener: Opener

    @property
    def size_bytes(self) -> int:
        """How long the footage is."""
        return self.opener.header.bytes

    async def read(self, start: int, end: int) -> AsyncGenerator[bytes]:
        """Give the footage's bytes from `start` up to `end`, each frame proved before it is given.

        Raises StoreAway, NoSuchObject or ArchiveBroken.
        """
        frame = self.opener.header.frame
        number, last = start // frame, max(start, end - 1) // frame
        while number <= last and start < end:
            upto = min(last, number + _FRAMES_AT_ONCE - 1)
            first_byte, last_byte = self.opener.place(number)[0], self.opener.place(upto)[1]
            sealed = await _part(self.objects, self.place, first_byte, last_byte)
            for one in range(number, upto + 1):
                begin, stop = self.opener.place(one)
                plain = self.opener.open(one, sealed[begin - first_byte : stop - first_byte])
                at = one * frame
                yield plain[max(0, start - at) : end - at]
            number = upto + 1
