"""Several cameras of one switch that go together are one trouble: the switch's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator.alerts.cases import Condition, Key
from orchestrator.alerts.seen import CameraSeen

TOGETHER = timedelta(seconds=10)
"""Boxes notice a stream that ended at once, one that stalled after four seconds."""
SEVERAL = 2
"""So many at least, and at least half of those that are watched there."""
RELEASED_AFTER = timedelta(seconds=60)
"""A camera that has its power back is up within a minute; then it is missed by its name."""

_AWAY = frozenset({"lost", "stalled", "connecting"})
"""One that refuses answers, so its switch does too."""


@dataclass(slots=True)
class _Down:
    members: set[str]
    """All that went with it, and are watched still."""
    back_at: datetime | None = None
    """Since when some of them answer again."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Which switches are down, and which cameras that explains."""

    conditions: tuple[Condition, ...]
    undecided: frozenset[Key]
    explained: Mapping[str, Key]


@dataclass(slots=True)
class _Verdict:
    conditions: list[Condition] = field(default_factory=list)
    undecided: set[Key] = field(default_factory=set)
    explained: dict[str, Key] = field(default_factory=dict)


class Switches:
    """Remembers which switches are down."""

    def __init__(self) -> None:
        self._down: dict[str, _Down] = {}
        self._released: set[str] = set()
        """Missed by name after their switch came back, until they answer."""

    def judge(
        self,
        cameras: Iterable[CameraSeen],
        gone_since: Mapping[str, datetime],
        due: frozenset[str],
        now: datetime,
    ) -> Judged:
        """Judge what was seen, given since when cameras are gone and for which it is long enough.

        A switch is down until all that went with it are back, or until a minute after the first of
        them answered: the rest is missed by name from then on.
        """
        verdict = _Verdict()
        behind: dict[str, list[CameraSeen]] = {}
        seen: set[str] = set()
        for camera in cameras:
            seen.add(camera.camera)
            if camera.state not in _AWAY and camera.state != "unknown":
                self._released.discard(camera.camera)
            if camera.switch:
                behind.setdefault(camera.switch, []).append(camera)
        self._released &= seen
        self._down = {switch: down for switch, down in self._down.items() if switch in behind}
        for switch, here in behind.items():
            self._look_at(switch, here, gone_since, due, now, verdict)
        return Judged(
            tuple(verdict.conditions), frozenset(verdict.undecided), dict(verdict.explained)
        )

    def _look_at(
        self,
        switch: str,
        here: Sequence[CameraSeen],
        gone_since: Mapping[str, datetime],
        due: frozenset[str],
        now: datetime,
        verdict: _Verdict,
    ) -> None:
        key: Key = ("switch_down", switch)
        known = {camera.camera for camera in here if camera.state != "unknown"}
        away = {camera.camera for camera in here if camera.state in _AWAY}
        loose = away - self._released
        if switch not in self._down:
            together = _together({camera: gone_since[camera] for camera in loose})
            if len(together) < max(SEVERAL, -(-len(known) // 2)):
                return
            if not together & due:
                verdict.undecided.add(key)
                return
            self._down[switch] = _Down(together)
        down = self._down[switch]
        down.members = (down.members | loose) & {camera.camera for camera in here}
        still = down.members & away
        answering = (down.members & known) - away
        down.back_at = (down.back_at or now) if answering else None
        if down.members - known:  # their box is not heard
            verdict.undecided.add(key)
        elif not still:
            del self._down[switch]
        elif down.back_at is not None and now - down.back_at >= RELEASED_AFTER:
            self._released |= still
            del self._down[switch]
            return
        if still:
            verdict.conditions.append(_condition(switch, here, still, gone_since))
            verdict.explained.update(dict.fromkeys(still, key))


def _together(gone_since: Mapping[str, datetime]) -> set[str]:
    """Give the most cameras that went within ten seconds."""
    best: set[str] = set()
    for began in gone_since.values():
        went = {
            camera for camera, since in gone_since.items() if began <= since <= began + TOGETHER
        }
        best = max(best, went, key=len)
    return best


def _condition(
    switch: str, here: Sequence[CameraSeen], still: set[str], gone_since: Mapping[str, datetime]
) -> Condition:
    boxes = {camera.edge for camera in here if camera.camera in still}
    return Condition(
        kind="switch_down",
        subject=switch,
        edge=boxes.pop() if len(boxes) == 1 else None,
        first_at=min(gone_since[camera] for camera in still),
        cameras=len(still),
    )
