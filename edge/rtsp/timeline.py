"""RTP time to wall clock: by the camera's sender reports where they are sane, else by arrival."""

from typing import Final

_HALF: Final = 1 << 31
_WHOLE: Final = 1 << 32
_NTP_TO_UNIX_S: Final = 2_208_988_800
_BEHIND_US: Final = 1_000_000
_AHEAD_US: Final = 500_000
"""What a network may delay: a report or picture farther behind its arrival is of a wrong clock."""
_STEP_US: Final = 1_000_000
"""A report that contradicts the ones before by more than this is a step of the camera's clock."""
_JUMP_90K: Final = 10 * 90_000
_BACK_90K: Final = 2 * 90_000
_LEAK: Final = 0.0002
"""How fast an estimate by the quickest grows later again: 200 ppm, above any camera's crystal."""


def us_of_90k(ticks: int) -> int:
    """Give 90 kHz ticks as microseconds."""
    return ticks * 100 // 9


def ntp_to_us(ntp: int) -> int:
    """Give a 64-bit NTP time stamp as microseconds since 1970."""
    return ((ntp - (_NTP_TO_UNIX_S << 32)) * 1_000_000) >> 32


class Timeline:
    """One stream's time. A `run` is a stretch within which its time stamps compare."""

    def __init__(self, run: int) -> None:
        self.run = run
        self.clock_offset_ms: float | None = None
        """How far the camera's clock is ahead of ours, less the way here; None: it told no time."""
        self._last: int | None = None
        self._stamp = 0
        self._by_arrival: float | None = None
        self._arrival_ts = 0
        self._by_report: int | None = None
        self._report_line: int | None = None
        self._ahead: float | None = None
        self._ahead_at = 0
        self._before = (0, 0)
        self._early: tuple[int, int, int] | None = None

    def unwrap(self, stamp: int) -> int:
        """Give a 32-bit RTP time stamp in 64 bits; a jump begins a new run."""
        step = stamp - self._stamp
        self._stamp = stamp
        if self._last is not None and 0 < step <= _JUMP_90K:
            self._last += step
            return self._last
        return self._unwrap(stamp)

    def _unwrap(self, stamp: int) -> int:
        if self._last is None:
            self._last = stamp + _WHOLE  # room for a picture shown before the first
            early, self._early = self._early, None
            if early is not None:
                self.report(*early)
            return self._last
        delta = (stamp - self._last + _HALF) % _WHOLE - _HALF
        value = self._last + delta
        if delta > _JUMP_90K or delta < -_BACK_90K:
            self.restart()
        self._last = value
        return value

    def restart(self) -> None:
        """Begin a new run: forget how media time and wall clock belonged together."""
        self._before = (self.run, self._offset())
        self.run += 1
        self._by_arrival = self._by_report = self._report_line = self._ahead = None
        self.clock_offset_ms = None

    def arrived(self, timestamp: int, now_us: int) -> None:
        """Note that the picture with this unwrapped time stamp was there at `now_us`.

        The quickest arrival is the nearest to the truth, so the estimate falls at once and rises
        slowly.
        """
        offset = now_us - us_of_90k(timestamp)
        if self._by_arrival is None or offset < self._by_arrival:
            self._by_arrival, self._arrival_ts = offset, timestamp
            return
        passed = us_of_90k(max(timestamp - self._arrival_ts, 0))
        self._by_arrival = min(offset, self._by_arrival + passed * _LEAK)
        self._arrival_ts = timestamp

    def report(self, ntp: int, stamp: int, now_us: int) -> None:
        """Take a sender report: `stamp` was captured at the camera's `ntp`."""
        if not ntp:
            return
        if self._last is None:
            self._early = (ntp, stamp, now_us)
            return
        delta = (stamp - self._last + _HALF) % _WHOLE - _HALF
        line = ntp_to_us(ntp) - us_of_90k(self._last + delta)
        if self._report_line is not None and abs(line - self._report_line) > _STEP_US:
            self.restart()
        self._report_line = line
        is_sane = _is_plausible(self._compared(ntp_to_us(ntp), now_us)) and (
            self._by_arrival is None or _is_plausible(line - self._by_arrival)
        )
        self._by_report = line if is_sane else None

    def _compared(self, camera_us: int, now_us: int) -> float:
        """Give how far the camera's clock is ahead, by its quickest report of late."""
        ahead = float(camera_us - now_us)
        if self._ahead is not None:
            passed = max(now_us - self._ahead_at, 0)
            ahead = max(ahead, self._ahead - passed * _LEAK)
        self._ahead, self._ahead_at = ahead, now_us
        self.clock_offset_ms = round(ahead / 1000, 1)
        return ahead

    def captured_us(self, run: int, timestamp: int) -> int:
        """Give the wall-clock instant, microseconds since 1970, of an unwrapped time stamp."""
        return self.zero_us(run) + us_of_90k(timestamp)

    def zero_us(self, run: int) -> int:
        """Give the wall-clock instant at which a run's time stamps would have been 0.

        `run` is the present one or, for pictures that came just before a jump, the one before.
        """
        return self._before[1] if run == self._before[0] else self._offset()

    def _offset(self) -> int:
        return int(self._by_report if self._by_report is not None else self._by_arrival or 0)


def _is_plausible(ahead_us: float) -> bool:
    return -_BEHIND_US <= ahead_us <= _AHEAD_US
