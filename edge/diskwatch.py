"""The disks the box records to: how full, which step of the ladder, each step told once."""

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from contract.messages import Pressure, ShelfTrouble
from edge.recording.pressure import marks, step, with_second
from edge.recording.second import last_seen

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
        self, data: Path, minimum_free_bytes: int, tell: Callable[[ShelfTrouble], None]
    ) -> None:
        self._data = data
        self._minimum = minimum_free_bytes
        self._tell = tell
        self._first: Pressure = "none"
        self._second: Pressure = "none"
        self._pressure: Pressure = "none"

    def look(self) -> Disk:
        """Look now; tells a step that is new, up or down."""
        usage = shutil.disk_usage(self._data)
        before = self._pressure
        self._first = step(self._first, usage.free, marks(usage.total, self._minimum))
        self._pressure = with_second(self._first, self._look_at_second())
        if self._pressure != before:
            log.warning("the disk comes to %s, after %s", self._pressure, before)
            detail = f"{self._pressure}, after {before}: {usage.free} of {usage.total} bytes free"
            self._tell(ShelfTrouble(kind="pressure", detail=detail))
        return Disk(usage.total, usage.free, self._pressure)

    def _look_at_second(self) -> Pressure | None:
        """Give the second volume's step, as the recorder saw it; None: it takes no new files."""
        seen = last_seen(self._data)
        if seen is None or not seen.is_writable:
            return None
        self._second = step(self._second, seen.free_bytes, marks(seen.total_bytes, self._minimum))
        return self._second
