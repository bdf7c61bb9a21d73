"""Whether this box may believe its own clock: seals say so, and deletion will depend on it."""

import ctypes
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import msgspec

from contract.clock import Clock, Instant
from contract.keys import write_private

TOLERANCE = timedelta(seconds=5)
"""How far wall and monotonic clock may drift apart before a step is assumed."""

_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised


@dataclass(frozen=True, slots=True)
class Anchor:
    """Both clocks, read together when the process started."""

    wall: datetime
    monotonic: float


def is_trusted(
    now: datetime, monotonic: float, anchor: Anchor, floor: datetime | None, *, synchronised: bool
) -> bool:
    """True when synchronised, or not below the floor and moving with the monotonic clock."""
    if floor is not None and now < floor - TOLERANCE:
        return False
    if synchronised:
        return True
    if floor is None:
        return False
    passed = timedelta(seconds=monotonic - anchor.monotonic)
    return abs((now - anchor.wall) - passed) <= TOLERANCE


@lru_cache(maxsize=1)
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)  # find_library would run a program each time


def kernel_says_synchronised() -> bool:
    """Ask the kernel (adjtimex) whether a time source disciplines the clock."""
    # struct timex is 208 bytes on 64-bit Linux; modes = 0 only reads.
    buffer = ctypes.create_string_buffer(256)
    state: int = _libc().adjtimex(buffer)
    return 0 <= state < _TIME_ERROR


class _Floor(msgspec.Struct, frozen=True):
    highest: Instant


class ClockTrust:
    """The clock's trust in one process; the agent's alone raises the floor."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._raising = threading.Lock()
        self._anchor = Anchor(clock.now(), clock.monotonic())
        self._floor_at_start = self._floor()

    def trusted(self) -> bool:
        """Say whether the wall clock is believed now."""
        return is_trusted(
            self._clock.now(),
            self._clock.monotonic(),
            self._anchor,
            self._floor(),
            synchronised=kernel_says_synchronised(),
        )

    def earliest(self) -> datetime | None:
        """Give what the true time is at least, when the wall clock is not believed; else None."""
        if self.trusted():
            return None
        floor = self._floor()
        if floor is None:
            return datetime.min.replace(tzinfo=UTC)
        passed = timedelta(seconds=self._clock.monotonic() - self._anchor.monotonic)
        return max(floor, self._floor_at_start + passed) if self._floor_at_start else floor

    def raise_floor(self, instant: datetime) -> None:
        """Remember that the time was at least this; the floor never falls."""
        with self._raising:  # from the loop and from a thread of it
            floor = self._floor()
            if floor is None or instant > floor:
                write_private(self._path, msgspec.json.encode(_Floor(instant)))

    def _floor(self) -> datetime | None:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Floor).highest
        except (FileNotFoundError, msgspec.MsgspecError):
            return None
