"""What happens to a camera, from when to when: faults, and what is none."""

from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """What goes wrong."""

    COVER = "cover"
    DEFOCUS = "defocus"
    MOVE = "move"
    DARK = "dark"
    GLARE = "glare"
    FREEZE = "freeze"
    BLACK = "black"
    CUT = "cut"
    STALL = "stall"
    REBOOT = "reboot"
    BFRAMES = "bframes"
    LONG_GOP = "long_gop"
    CLOCK_JUMP = "clock_jump"


class Disturbance(StrEnum):
    """What goes on in a room without anybody touching the camera: no reason for an alert."""

    PASSERBY = "passerby"
    LIGHTS = "lights"
    WINDOW = "window"


SCENE_FAULTS = frozenset(
    {
        FaultKind.COVER,
        FaultKind.DEFOCUS,
        FaultKind.MOVE,
        FaultKind.DARK,
        FaultKind.GLARE,
        FaultKind.BLACK,
        FaultKind.BFRAMES,
        FaultKind.LONG_GOP,
    }
)
"""Those that show another reel; a disturbance does too."""

_SHOWN = SCENE_FAULTS | frozenset(Disturbance)

UNREACHABLE: frozenset[FaultKind | Disturbance] = frozenset({FaultKind.CUT, FaultKind.REBOOT})
"""Those in which nobody is let in."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one camera, or a disturbance; times are seconds since 1970."""

    kind: FaultKind | Disturbance
    extent: float
    begins: float
    ends: float | None

    def is_active(self, at: float) -> bool:
        """True from the beginning up to, not including, the end."""
        return self.begins <= at and (self.ends is None or at < self.ends)


class FaultBook:
    """The faults of one camera; of two that contradict each other the later one counts."""

    def __init__(self) -> None:
        self._faults: tuple[Fault, ...] = ()

    def add(self, fault: Fault) -> None:
        """Enter a fault; one of its kind that was there before is replaced."""
        others = tuple(old for old in self._faults if old.kind != fault.kind)
        self._faults = (*others, fault)

    def __contains__(self, fault: object) -> bool:
        """True while a fault is entered, even if it is yet to begin."""
        return fault in self._faults

    def clear(self, kinds: type[FaultKind] | type[Disturbance] = FaultKind) -> tuple[Fault, ...]:
        """End all of this sort; gives those that were there."""
        ended = tuple(fault for fault in self._faults if isinstance(fault.kind, kinds))
        self._faults = tuple(fault for fault in self._faults if fault not in ended)
        return ended

    def active(self, at: float) -> tuple[Fault, ...]:
        """Those that are on, the newest last; what is over is forgotten."""
        self._faults = tuple(old for old in self._faults if old.ends is None or at < old.ends)
        return tuple(fault for fault in self._faults if fault.is_active(at))

    def scene(self, at: float) -> Fault | None:
        """The fault or disturbance that decides which reel is shown."""
        return self._newest(at, _SHOWN)

    def find(self, kind: FaultKind, at: float) -> Fault | None:
        """The fault of this kind, if on."""
        return self._newest(at, frozenset[FaultKind | Disturbance]({kind}))

    def is_reachable(self, at: float) -> bool:
        """True where the camera answers."""
        return self._newest(at, UNREACHABLE) is None

    def _newest(self, at: float, kinds: frozenset[FaultKind | Disturbance]) -> Fault | None:
        for fault in reversed(self._faults):
            if fault.kind in kinds and fault.is_active(at):
                return fault
        return None
