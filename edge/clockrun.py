"""Runs of the box's clocks: within one, wall and monotonic clock moved together."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from contract.clock import Clock
from contract.retention import CLOCKS_AGREE

_FORM = re.compile(r"([0-9a-f]{1,32})/(-?\d{1,18})")


@dataclass(frozen=True, slots=True)
class ClockRun:
    """A boot of the machine, and how far the wall clock is ahead of the monotonic one."""

    boot: str
    ahead_ms: int

    def __str__(self) -> str:
        return f"{self.boot}/{self.ahead_ms}"

    def is_same(self, other: "ClockRun") -> bool:
        """True when no step of the wall clock lies between the two."""
        agree_ms = CLOCKS_AGREE // timedelta(milliseconds=1)
        return self.boot == other.boot and abs(self.ahead_ms - other.ahead_ms) <= agree_ms

    def shift(self, sealed: "ClockRun") -> timedelta | None:
        """Give what makes an instant of that run one of this; None for another boot's.

        Within a boot the monotonic clock went on, so the step between the two is known.
        """
        if self.boot != sealed.boot:
            return None
        step = timedelta(milliseconds=self.ahead_ms - sealed.ahead_ms)
        return timedelta() if self.is_same(sealed) else step


def run_of(clock: Clock, boot: str) -> ClockRun:
    """Give the run the clock is in now."""
    return ClockRun(boot, round((clock.now().timestamp() - clock.monotonic()) * 1000))


def parse(text: str) -> ClockRun | None:
    """Read what `str` wrote; None for anything else."""
    match = _FORM.fullmatch(text)
    return ClockRun(match[1], int(match[2])) if match else None


def boot_id() -> str:
    """Name this boot of the machine: the monotonic clock begins with it."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "")


def sealed_in(clock: Clock, boot: str, end: datetime) -> str:
    """Name the run in which a segment that says it ends there was sealed just now.

    Empty when the clock says another time than the segment: a step lies between, or a pause.
    """
    return str(run_of(clock, boot)) if abs(clock.now() - end) <= CLOCKS_AGREE else ""
