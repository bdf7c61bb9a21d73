"""Whether the coming exams fit on the boxes' disks, day by day. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from itertools import groupby
from types import MappingProxyType
from typing import Literal

from contract.messages import Stream
from contract.spans import Span

Basis = Literal["recorded", "reported", "assumed"]

SAFETY = 1.2
"""What is planned counts so many times: scenes differ, and cameras of variable rate with them."""
ASSUMED_BYTES_PER_S: Mapping[Stream, float] = MappingProxyType({"main": 500_000, "sub": 62_500})
"""For a camera never seen: 4 Mbit/s, what makers advise for 1080p H.264 at 20 to 30 frames a
second (the table of Unifore's "Simple guide of IP camera bitrate setting"), and 512 kbit/s."""
ENOUGH = timedelta(minutes=10)
"""So much recorded footage is needed before its rate is believed."""
LATE = timedelta(hours=1)
"""Footage that is due may still stand so long: its space counts from then."""
_HOUR = timedelta(hours=1)
_RESERVE_SHARE = 50
_LARGEST_RESERVE = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast a stream fills the disk, and how that is known."""

    bytes_per_s: float
    basis: Basis


@dataclass(frozen=True, slots=True)
class Volume:
    """A box's recording volume, as the box said last; None: it never did."""

    edge: str
    total_bytes: int | None
    free_bytes: int | None

    @property
    def capacity_bytes(self) -> int | None:
        """What may be filled: all but 2 %, or but 2 GB where that is less."""
        if self.total_bytes is None:
            return None
        return self.total_bytes - min(self.total_bytes // _RESERVE_SHARE, _LARGEST_RESERVE)


@dataclass(frozen=True, slots=True)
class Planned:
    """A stream that will be recorded in a span."""

    edge: str
    camera: str
    span: Span
    rate: Rate
    keep_until: datetime


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes on a box that go at an instant; None: a hold without an end keeps them."""

    edge: str
    bytes: int
    leaves_at: datetime | None
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class Day:
    """One day of one volume. `used` is at its end, `peak` the most it reaches within it."""

    date: date
    used_bytes: int
    planned_bytes: int
    expiring_bytes: int
    peak_bytes: int
    free_bytes: int | None
    """Of what may be filled, at the peak; below zero: it does not fit."""

    @property
    def shortfall_bytes(self) -> int:
        """By how much it does not fit."""
        return max(0, -self.free_bytes) if self.free_bytes is not None else 0


@dataclass(frozen=True, slots=True)
class Options:
    """What would make it fit; each alone is enough."""

    fewer_camera_hours: float
    """So many hours of one camera less, before the day that does not fit."""
    other_boxes: tuple[tuple[str, int], ...]
    """Boxes that have room for all of it, with what they have free at their fullest."""
    later: date | None
    """From this day on there is room for what is too much."""


@dataclass(frozen=True, slots=True)
class BoxForecast:
    """What becomes of one box's volume."""

    edge: str
    total_bytes: int | None
    capacity_bytes: int | None
    held_bytes: int
    days: tuple[Day, ...]
    rates: Mapping[Basis, int]
    """How many planned cameras' rates are known in each way."""
    options: Options | None = None

    @property
    def is_known(self) -> bool:
        """True when the box has said how large its volume is."""
        return self.capacity_bytes is not None

    @property
    def first_day(self) -> Day | None:
        """The first day that does not fit."""
        return next((day for day in self.days if day.shortfall_bytes), None)

    @property
    def shortfall_bytes(self) -> int:
        """By how much it does not fit on its fullest day."""
        return max((day.shortfall_bytes for day in self.days), default=0)

    @property
    def least_free_bytes(self) -> int | None:
        """What is free at its fullest; None where nothing is known."""
        return min(
            (day.free_bytes for day in self.days if day.free_bytes is not None), default=None
        )


def rate_of(stream: Stream, recorded_bytes: int, recorded_s: float, reported_bps: int) -> Rate:
    """Give a stream's rate: what its files really took, else what its box saw, else a guess."""
    if recorded_s >= ENOUGH.total_seconds() and recorded_bytes > 0:
        return Rate(recorded_bytes / recorded_s, "recorded")
    if reported_bps > 0:
        return Rate(reported_bps / 8, "reported")
    return Rate(ASSUMED_BYTES_PER_S[stream], "assumed")


def forecast(
    volumes: Iterable[Volume],
    planned: Iterable[Planned],
    stored: Iterable[Stored],
    now: datetime,
    days: int,
    zone: tzinfo,
) -> tuple[BoxForecast, ...]:
    """Give each box's volume day by day, today first; the spans of one camera must be apart."""
    by_box: dict[str, _Sweep] = {
        volume.edge: _Sweep(volume, now, days, zone)
        for volume in sorted(volumes, key=lambda volume: volume.edge)
    }
    for lot in stored:
        if lot.edge in by_box:
            by_box[lot.edge].keep(lot)
    for plan in planned:
        if plan.edge in by_box:
            by_box[plan.edge].record(plan)
    boxes = [sweep.result() for sweep in by_box.values()]
    return tuple(_with_options(box, boxes, by_box[box.edge].bytes_per_hour) for box in boxes)


def worse(before: Sequence[BoxForecast], after: Sequence[BoxForecast]) -> BoxForecast | None:
    """Give the box that does not fit after and lacked less, or nothing, before; the soonest."""
    lacked = {box.edge: box.shortfall_bytes for box in before}
    found = [
        (box.first_day.date, box.edge, box)
        for box in after
        if box.first_day is not None and box.shortfall_bytes > lacked.get(box.edge, 0)
    ]
    return min(found, key=lambda each: each[:2])[2] if found else None


class _Sweep:
    """One volume, hour by hour: what is written counts at once, what is due an hour late."""

    def __init__(self, volume: Volume, now: datetime, days: int, zone: tzinfo) -> None:
        self._volume = volume
        self._now = now
        first = now.astimezone(zone).date()
        last = datetime.combine(first + timedelta(days=days), datetime.min.time(), zone)
        self._base = now.replace(minute=0, second=0, microsecond=0)
        self._until = last
        self._hours = max(1, -((self._base - last) // _HOUR))
        self._zone = zone
        self._added = [0.0] * self._hours
        self._left = [0.0] * self._hours
        self._held = 0
        self._stored = 0
        self._cameras: dict[str, Basis] = {}
        self._planned_s = 0.0

    def keep(self, lot: Stored) -> None:
        self._stored += lot.bytes
        if lot.is_held:
            self._held += lot.bytes
        if lot.leaves_at is not None:
            self._leave(lot.leaves_at, lot.bytes)

    def record(self, plan: Planned) -> None:
        start, end = max(plan.span.start, self._now), min(plan.span.end, self._until)
        at = start
        while at < end:
            index = (at - self._base) // _HOUR
            upto = min(end, self._base + (index + 1) * _HOUR)
            seconds = (upto - at).total_seconds()
            size = seconds * plan.rate.bytes_per_s * SAFETY
            self._added[index] += size
            self._leave(plan.keep_until, size)
            self._planned_s += seconds
            at = upto
        if start < end:
            self._cameras[plan.camera] = plan.rate.basis

    @property
    def bytes_per_hour(self) -> float:
        """What one planned camera takes in an hour."""
        return 3600 * sum(self._added) / self._planned_s if self._planned_s else 0.0

    def result(self) -> BoxForecast:
        capacity = self._volume.capacity_bytes
        total, free = self._volume.total_bytes, self._volume.free_bytes
        used = float(self._stored if total is None or free is None else total - free)
        days: list[Day] = []
        for day, hours in groupby(range(self._hours), self._date):
            planned = expiring = peak = 0.0
            for hour in hours:
                used += self._added[hour]
                peak = max(peak, used)
                used -= self._left[hour]
                planned += self._added[hour]
                expiring += self._left[hour]
            room = None if capacity is None or free is None else capacity - round(peak)
            days.append(Day(day, round(used), round(planned), round(expiring), round(peak), room))
        rates: dict[Basis, int] = {}
        for basis in self._cameras.values():
            rates[basis] = rates.get(basis, 0) + 1
        return BoxForecast(
            self._volume.edge,
            total,
            capacity if free is not None else None,
            self._held,
            tuple(days),
            rates,
        )

    def _leave(self, at: datetime, size: float) -> None:
        index = (at + LATE - self._base) // _HOUR
        # What is past its term already is gone, or deferred: it gives no space to count on.
        if at > self._now and index < self._hours:
            self._left[index] += size

    def _date(self, hour: int) -> date:
        return (self._base + hour * _HOUR).astimezone(self._zone).date()


def _with_options(
    box: BoxForecast, boxes: Sequence[BoxForecast], bytes_per_hour: float
) -> BoxForecast:
    first, lacking = box.first_day, box.shortfall_bytes
    if first is None:
        return box
    others = tuple(
        (other.edge, other.least_free_bytes)
        for other in boxes
        if other.edge != box.edge
        and other.least_free_bytes is not None
        and other.least_free_bytes >= lacking
    )
    options = Options(
        fewer_camera_hours=lacking / bytes_per_hour if bytes_per_hour else 0.0,
        other_boxes=tuple(sorted(others, key=lambda other: (-other[1], other[0]))),
        later=_later(box.days, first, lacking),
    )
    return BoxForecast(
        box.edge,
        box.total_bytes,
        box.capacity_bytes,
        box.held_bytes,
        box.days,
        box.rates,
        options,
    )


def _later(days: Sequence[Day], first: Day, lacking: int) -> date | None:
    """Give the first day after which the volume has room for what is too much, to the end."""
    found = None
    for day in reversed(days):
        if day.date <= first.date or day.free_bytes is None or day.free_bytes < lacking:
            break
        found = day.date
    return found
