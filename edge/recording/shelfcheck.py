"""Reading the whole shelf through against the journal, while the box goes on."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from contract.messages import SegmentClosed
from edge.config import EdgeConfig
from edge.journal import Journal
from edge.recording import adoption, integrity
from edge.recording.integrity import Fault
from edge.recording.names import MOUNT, SECOND, is_on_second

_ROWS_AT_ONCE = 500


class NothingToVerify(Exception):
    """There is no journal or no shelf here; the message says which."""


@dataclass(slots=True)
class Verified:
    """What was found so far."""

    segments: int = 0
    """On record."""
    bytes: int = 0
    done: int = 0
    bytes_done: int = 0
    seconds: float = 0.0
    faults: list[Fault] = field(default_factory=list)
    """In order: the first is what is broken first."""
    quarantined: list[str] = field(default_factory=list)
    """Paths of what was set aside; no fault, but somebody should know."""

    @property
    def megabytes_per_second(self) -> float:
        """How fast it was read."""
        return self.bytes_done / 1e6 / self.seconds if self.seconds else 0.0


async def verify(config: EdgeConfig, progress: Callable[[Verified], None]) -> Verified:
    """Read everything; raises NothingToVerify, JournalBusy or JournalDamaged.

    What the box seals or deletes meanwhile is no fault: each is looked up again in the end.
    """
    if not config.journal.is_file():
        raise NothingToVerify(f"{config.journal} is not there")
    if not config.shelf.is_dir():
        raise NothingToVerify(f"{config.shelf} is not there")
    began = time.monotonic()
    found = Verified()
    async with Journal.open(config.journal) as journal:
        found.segments, found.bytes = await journal.segments_total()
        chain, at = integrity.Chain(await journal.roots_deleted()), 0
        progress(found)
        while rows := await journal.segments_recorded(at, _ROWS_AT_ONCE):
            at = rows[-1][0]
            for _, row in rows:
                fault = await asyncio.to_thread(_read_through, config, row)
                found.faults += [one for one in (fault, chain.follow(row)) if one]
                found.done += 1
                found.bytes_done += row.bytes
                found.seconds = time.monotonic() - began
                progress(found)
        shelves = (config.shelf, config.shelf / SECOND)
        days = [day for one in shelves for day in await asyncio.to_thread(adoption.days, one)]
        for day in days:
            files = await asyncio.to_thread(adoption.files, day)
            known = await journal.known_paths(day.relative_to(config.data).as_posix())
            found.faults += integrity.unrecorded(config.data, files, known)
        found.faults = [one for one in found.faults if await _stands(journal, one)]
    for root in (config.data, config.shelf / MOUNT):
        found.quarantined += _files(root / "quarantine", config.data)
    return found


def _read_through(config: EdgeConfig, row: SegmentClosed) -> Fault | None:
    if is_on_second(row.path) and not (config.shelf / MOUNT).is_mount():
        detail = "the second volume is not mounted"
        return Fault("unreadable", row.path, detail, row.segment, row.camera)
    return integrity.read_through(config.data, row)


async def _stands(journal: Journal, fault: Fault) -> bool:
    """True unless the box recorded or deleted the segment since it was looked at."""
    is_known = fault.path in await journal.known_paths(str(Path(fault.path).parent))
    return is_known != (fault.kind == "unrecorded")


def _files(folder: Path, data: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(data).as_posix() for path in found)
