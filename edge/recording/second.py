"""The second volume: new files are made there before the first has no room for them.

It is mounted at `shelf/.second`. What is on it stays where it is until its term ends.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from contract.clock import Clock
from contract.messages import Pressure, ShelfTrouble
from edge.config import EdgeConfig
from edge.recording.adoption import unfinished
from edge.recording.names import SECOND
from edge.recording.pressure import Marks, marks, step
from edge.recording.rows import Rows
from edge.recording.volume import WrongVolume, identify

log = logging.getLogger(__name__)

KNOWN_AS = "volume.second"
"""Under this the journal knows its id."""
_LOOK_S = 5.0


def place_of(shelf: Path) -> Path:
    """Give where a second volume is mounted."""
    return shelf / SECOND


def is_mounted(shelf: Path) -> bool:
    """True while one is; a folder that only looks like one lies on the first volume."""
    return os.path.ismount(place_of(shelf))


class Second:
    """Knows whether there is a second volume that is ours, and whether it has room."""

    def __init__(self, config: EdgeConfig, rows: Rows, clock: Clock) -> None:
        self.place = place_of(config.shelf)
        self.volume: str | None = None
        """Its id, while it is mounted and known to be this box's."""
        self.on_found: Callable[[list[Path]], Awaitable[None]] = _nothing
        """Hears of a volume that is there from now on, and what an earlier run left unfinished."""
        self._shelf = config.shelf
        self._minimum = config.minimum_free_bytes
        self._rows = rows
        self._clock = clock
        self._pressure: Pressure = "none"
        self._expected: str | None = None
        self._refused = ""
        """What was told to be wrong with it; empty: nothing is."""

    async def run(self) -> None:
        """Look every five seconds until cancelled. Never in the recording's way."""
        while True:
            await self._clock.sleep(_LOOK_S)
            await self.look()

    @property
    def is_mounted(self) -> bool:
        """True while a volume is mounted there, whosever it is."""
        return is_mounted(self._shelf)

    async def look(self) -> None:
        """See whether it is there and the right one; what is wrong is told once."""
        try:
            found = await self._identified()
        except (WrongVolume, OSError) as error:
            self.volume = None
            self._complain(str(error))
            return
        if found is not None and self._refused:
            self._refused = ""
            self._tell(ShelfTrouble(kind="recovered", detail="the second volume is the right one"))
        is_new = found is not None and self.volume is None
        parts = await asyncio.to_thread(unfinished, self.place) if is_new else []
        self.volume = found  # from now on this run may make files there
        if is_new:
            await self.on_found(parts)

    async def _identified(self) -> str | None:
        if not self.is_mounted:
            expected = await self._remembered()
            if expected:
                raise WrongVolume(f"{self.place}: the second volume {expected} is not mounted")
            return None
        found = await identify(self.place, self.place, self._rows, self._clock, KNOWN_AS)
        expected = await self._remembered()
        if expected and expected != found:
            raise WrongVolume(f"{self.place} holds volume {found}, the journal knows {expected}")
        if not expected:
            self._rows.put(lambda journal: journal.set_meta(KNOWN_AS, found))
            self._expected = found
        return found

    async def _remembered(self) -> str:
        """Give the id that the journal knows; empty: none. It is asked once."""
        if self._expected is None:
            known = await self._rows.read(lambda journal: journal.meta(KNOWN_AS))
            self._expected = known or ""
        return self._expected

    def room(self) -> Path | None:
        """Give where new files may be made now; None: nowhere on it."""
        if self.volume is None or not self.is_mounted:
            return None
        self._pressure, _ = stood_on(self._pressure, self.place, self._minimum)
        return None if self._pressure == "newest" else self.place

    def _complain(self, detail: str) -> None:
        if detail != self._refused:
            self._refused = detail
            log.error("%s", detail)
            self._tell(ShelfTrouble(kind="wrong_volume", detail=detail))

    def _tell(self, trouble: ShelfTrouble) -> None:
        at = self._clock.now()
        self._rows.put(lambda journal: journal.add_fact(trouble, at))


async def _nothing(_: list[Path]) -> None:
    pass


def stood_on(before: Pressure, place: Path, minimum_free_bytes: int) -> tuple[Pressure, Marks]:
    """Give the step on which the disk below a folder stands now, and its marks; raises OSError."""
    found = os.statvfs(place)
    size, free = found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize
    at = marks(size, minimum_free_bytes)
    return step(before, free, at), at
