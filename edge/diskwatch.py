"""The disk the box records to: how full, which step of the ladder, each step told once."""

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from contract.messages import Pressure, ShelfTrouble
from edge.recording.pressure import marks, step

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Disk:
    """What was seen of it."""

    total_bytes: int
    free_bytes: int
    pressure: Pressure


class DiskWatch:
    """Remembers the step, so that it is told when it changes."""

    def __init__(
        self, place: Path, minimum_free_bytes: int, tell: Callable[[ShelfTrouble], None]
    ) -> None:
        self._place = place
        self._minimum = minimum_free_bytes
        self._tell = tell
        self._pressure: Pressure = "none"

    def look(self) -> Disk:
        """Look now; tells a step that is new, up or down."""
        usage = shutil.disk_usage(self._place)
        before, at = self._pressure, marks(usage.total, self._minimum)
        self._pressure = step(before, usage.free, at)
        if self._pressure != before:
            log.warning("the disk comes to %s, after %s", self._pressure, before)
            detail = f"{self._pressure}, after {before}: {usage.free} of {usage.total} bytes free"
            self._tell(ShelfTrouble(kind="pressure", detail=detail))
        return Disk(usage.total, usage.free, self._pressure)
