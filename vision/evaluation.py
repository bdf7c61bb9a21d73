"""Figures over labelled footage: what is found, how soon, and what is cried for nothing."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

GRACE_S = 5.0
"""After a label ends, votes may need this long to notice; that is no false alarm."""


@dataclass(frozen=True, slots=True)
class Label:
    """From when to when something is so; seconds."""

    kind: str
    begins: float
    ends: float
    extent: float | None = None

    @property
    def group(self) -> str:
        """Under which figures it counts: the class, and its extent where one is given."""
        return self.kind if self.extent is None else f"{self.kind} {self.extent:.2f}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What was judged at one moment."""

    t: float
    verdict: str
    voted: str


@dataclass(slots=True)
class Found:
    """Of one class and extent."""

    frames: int = 0
    frames_found: int = 0
    frames_named: int = 0
    events: int = 0
    delays_s: "list[float] | None" = None

    def figures(self) -> dict[str, float | int | None]:
        """As they are told."""
        delays = sorted(self.delays_s or [])
        return {
            "frames": self.frames,
            "found": _share(self.frames_found, self.frames),
            "named_right": _share(self.frames_named, self.frames_found),
            "events": self.events,
            "events_alarmed": len(delays),
            "delay_s_median": delays[len(delays) // 2] if delays else None,
            "delay_s_most": delays[-1] if delays else None,
        }


class Evaluation:
    """Gathers footage after footage."""

    def __init__(self) -> None:
        self._found: defaultdict[str, Found] = defaultdict(Found)
        self._normal_s = 0.0
        self._normal_frames = self._false_frames = self._false_alarms = 0

    def add(self, seen: Sequence[Seen], labels: Sequence[Label]) -> None:
        """Take one camera's footage, judged, in order."""
        for label in labels:
            self._take(label, [moment for moment in seen if _holds(label, moment.t)])
        self._take_normal(seen, labels)

    def figures(self) -> dict[str, object]:
        """All of it."""
        hours = self._normal_s / 3600
        return {
            "classes": {group: self._found[group].figures() for group in sorted(self._found)},
            "normal_hours": hours,
            "normal_frames": self._normal_frames,
            "false_frames": _share(self._false_frames, self._normal_frames),
            "false_alarms": self._false_alarms,
            "false_alarms_per_hour": self._false_alarms / hours if hours else None,
        }

    def _take(self, label: Label, moments: Sequence[Seen]) -> None:
        delays = [moment.t - label.begins for moment in moments if moment.voted != "clear"][:1]
        wrong = [moment for moment in moments if moment.verdict != "clear"]
        for group in {label.kind, label.group}:
            found = self._found[group]
            found.frames += len(moments)
            found.frames_found += len(wrong)
            found.frames_named += sum(moment.verdict == label.kind for moment in wrong)
            found.events += 1
            found.delays_s = (found.delays_s or []) + delays

    def _take_normal(self, seen: Sequence[Seen], labels: Sequence[Label]) -> None:
        before, voted = None, "clear"
        for moment in seen:
            excused = any(_holds(label, moment.t, GRACE_S) for label in labels)
            if not excused:
                self._normal_frames += 1
                self._normal_s += moment.t - before if before is not None else 0.0
                self._false_frames += moment.verdict != "clear"
                self._false_alarms += moment.voted != "clear" and voted == "clear"
            before, voted = moment.t, moment.voted


def labels(given: Iterable[dict[str, object]]) -> list[Label]:
    """Read a manifest's labels; raises KeyError or ValueError for what is none."""
    return [
        Label(
            kind=str(one["class"]),
            begins=_number(one["from"]),
            ends=_number(one.get("to"), float("inf")),
            extent=None if one.get("extent") is None else _number(one["extent"]),
        )
        for one in given
        if one["class"] != "clear"
    ]


def _number(value: object, otherwise: float | None = None) -> float:
    if value is None and otherwise is not None:
        return otherwise
    if not isinstance(value, int | float):
        raise ValueError(f"no number: {value!r}")
    return float(value)


def _holds(label: Label, t: float, grace_s: float = 0.0) -> bool:
    return label.begins <= t <= label.ends + grace_s


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
