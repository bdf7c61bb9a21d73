"""One segment's way to the archive: sealed, sent, read back, told. Each step can be the last."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncGenerator
from pathlib import Path

from contract.clock import Clock
from contract.messages import SegmentClosed
from contract.objects import NoSuchObject, Objects
from edge.archive.copies import Copies, SealedCopy, place_of
from edge.archive.pace import Pace
from edge.archive.sealing import Damaged, matches, seal
from edge.config import ArchiveConfig, EdgeConfig
from edge.recording.second import is_reachable

log = logging.getLogger(__name__)

_PIECE = 256 << 10


class NotWhatWasSent(Exception):
    """The object that was read back is not the one that was sent; it is to be sent again."""


class Sender:
    """Makes copies in one archive.

    The encrypted object is a file before a byte of it is sent, and its hash stands in the journal:
    what is sent again after a crash is the same object under the same name, and what arrived
    already is only read back.
    """

    def __init__(
        self,
        config: EdgeConfig,
        archive: ArchiveConfig,
        clock: Clock,
        copies: Copies,
        objects: Objects,
    ) -> None:
        self._config = config
        self._archive = archive
        self._clock = clock
        self._copies = copies
        self._objects = objects
        self._pace = Pace(archive.bytes_per_s, clock)

    async def copy(self, segment: SegmentClosed) -> None:
        """Bring one segment's copy to where it counts, from wherever an earlier run left it.

        Raises StoreAway, NotWhatWasSent, Unreadable, JournalBusy or OSError: to be tried again.
        """
        file = self._config.outgoing / f"{segment.segment}.xka"
        made = await self._sealed(segment, file)
        if made is None:
            return
        if await self._objects.size(made.place) != made.bytes:
            await self._objects.put(made.place, self._paced(file))
        if await self._read_back(made.place) != made.sha256:
            # Sent anew at the next try: the name is the same, so the wrong one is replaced.
            await self._objects.put(made.place, self._paced(file))
            if await self._read_back(made.place) != made.sha256:
                raise NotWhatWasSent(f"{made.place} came back changed, twice")
            log.warning("%s came back changed and was sent again", made.place)
        await self._copies.keep_verified(made, segment, self._clock.now())
        file.unlink(missing_ok=True)

    async def _sealed(self, segment: SegmentClosed, file: Path) -> SealedCopy | None:
        """Give the encrypted object, made now or by an earlier run; None: its footage is gone."""
        made = await self._copies.sealed(segment.segment)
        if made is not None and await asyncio.to_thread(matches, made, file):
            return made
        place = place_of(self._config.edge, segment)
        source = self._config.data / segment.path
        await self._pace.spend(segment.bytes)
        try:
            made = await asyncio.to_thread(seal, self._archive.public, segment, source, file, place)
        except FileNotFoundError:
            data, volume = self._config.data, segment.volume
            if not await asyncio.to_thread(is_reachable, data, segment.path, volume):
                raise  # its volume went away with it
            await self._copies.give_up(segment, self._clock.now())
            return None
        except Damaged as error:
            await self._copies.give_up(segment, self._clock.now(), str(error))
            return None
        await self._copies.keep_sealed(made, self._clock.now())
        return made

    async def _read_back(self, place: str) -> str:
        digest = hashlib.sha256()
        try:
            async for piece in self._objects.read(place):
                await self._pace.spend(len(piece))
                digest.update(piece)
        except NoSuchObject:
            return ""
        return digest.hexdigest()

    async def _paced(self, file: Path) -> AsyncGenerator[bytes]:
        with file.open("rb") as source:
            while piece := await asyncio.to_thread(source.read, _PIECE):
                await self._pace.spend(len(piece))
                yield piece
