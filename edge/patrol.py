"""Looking again and again at what stands on the shelf: a hand in it is noticed and told."""

import asyncio
import logging
from typing import Literal

from contract.clock import Clock
from contract.messages import SegmentClosed, ShelfTrouble
from edge.config import EdgeConfig
from edge.journal import Journal, fact_id
from edge.recording.integrity import Fault, look_at, read_through
from edge.recording.second import is_reachable

log = logging.getLogger(__name__)

_PAUSE_S = 5.0
_GLANCED_AT_ONCE = 200
"""Whether a file is there and as large as recorded costs nothing: hours for a month of footage.

One is read through besides, one every five seconds at most: 17,280 a day, so that a shelf of half a
million files takes a month, and a fuller one longer than its files' terms. What leaves the box, as
evidence or to the archive, is read through then, whenever its turn here would be."""


class Patrol:
    """Goes round the journal's rows; what it finds wrong twice is told once."""

    def __init__(
        self, config: EdgeConfig, journal: Journal, clock: Clock, pause_s: float = _PAUSE_S
    ) -> None:
        self._config = config
        self._journal = journal
        self._clock = clock
        self._pause_s = pause_s
        self._glanced = 0
        self._read = 0
        self._doubted: list[SegmentClosed] = []

    async def run(self) -> None:
        """Work until cancelled; raises JournalBusy."""
        while True:
            await self._clock.sleep(self._pause_s)
            await self._look()

    async def _look(self) -> None:
        doubted, self._doubted = self._doubted, []
        for row in doubted:
            await self._confirm(row)
        rows = await self._journal.segments_recorded(self._glanced, _GLANCED_AT_ONCE)
        self._glanced = rows[-1][0] if rows else 0
        self._doubted += await asyncio.to_thread(
            lambda: [row for _, row in rows if self._looks_wrong(row)]
        )
        following = await self._journal.segments_recorded(self._read, 1)
        self._read = following[-1][0] if following else 0
        for _, row in following:
            if await asyncio.to_thread(self._reads_wrong, row):
                self._doubted.append(row)

    def _looks_wrong(self, row: SegmentClosed) -> Fault | None:
        return look_at(self._config.data, row) if self._is_there(row) else None

    def _reads_wrong(self, row: SegmentClosed) -> Fault | None:
        """Read it through; of a second volume that went meanwhile nothing is said."""
        if not self._is_there(row):
            return None
        fault = read_through(self._config.data, row)
        return fault if self._is_there(row) else None

    def _is_there(self, row: SegmentClosed) -> bool:
        """Say of a second volume that is away nothing file by file: the recorder tells of it."""
        return is_reachable(self._config.data, row.path, row.volume)

    async def _confirm(self, row: SegmentClosed) -> None:
        """Look again: the box itself may just have deleted it at the end of its term."""
        if row.path not in await self._journal.known_paths(row.path.rpartition("/")[0]):
            return
        fault = await asyncio.to_thread(self._reads_wrong, row)
        if fault is not None:
            await self._tell(row, fault)

    async def _tell(self, row: SegmentClosed, fault: Fault) -> None:
        kind: Literal["missing", "changed"] = "missing" if fault.kind == "missing" else "changed"
        log.error("shelf: %s: %s", fault.path, fault.detail)
        trouble = ShelfTrouble(
            kind=kind,
            detail=f"{fault.path}: {fault.detail}",
            segment=row.segment,
            camera=row.camera,
        )
        name = fact_id(f"{kind}.{row.segment}")
        await self._journal.add_fact(trouble, self._clock.now(), name)
