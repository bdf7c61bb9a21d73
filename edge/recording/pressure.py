"""The ladder of a filling disk: what is given up, in which order. Pure.

What was recorded is never given up: the last step loses the newest, loudly, and never the oldest.
"""

from dataclasses import dataclass

from contract.messages import Pressure, Stream

STEPS: tuple[Pressure, ...] = ("none", "low", "optional", "spill", "newest")
"""From a disk with room to one without."""

_RESERVE = 32 << 20
_RESERVE_SHARE = 50
"""Of the volume, kept free for the journal; the smaller of both counts."""
_EASES_AT = 1.25
"""A step is left again when a quarter more is free than where it was entered: no flapping."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Free bytes below which each step is entered; each is at most the one before."""

    low: int
    optional: int
    spill: int
    newest: int

    def of(self, step: Pressure) -> int:
        """Give the mark of a step; `none` has none."""
        marks: dict[Pressure, int] = {
            "low": self.low,
            "optional": self.optional,
            "spill": self.spill,
            "newest": self.newest,
        }
        return marks.get(step, 0)


def marks(size_bytes: int, minimum_free_bytes: int) -> Marks:
    """Give a volume's marks: the box's minimum, its half, its quarter, the journal's reserve."""
    reserve = min(_RESERVE, size_bytes // _RESERVE_SHARE)
    low = max(minimum_free_bytes, reserve)
    return Marks(low, max(low // 2, reserve), max(low // 4, reserve), reserve)


def step(before: Pressure, free_bytes: int, at: Marks) -> Pressure:
    """Give the step to stand on: up at once, down only when there is clearly room again."""
    entered = max(i for i, name in enumerate(STEPS) if i == 0 or free_bytes < at.of(name))
    stood = STEPS.index(before)
    while stood > entered and free_bytes >= _EASES_AT * at.of(STEPS[stood]):
        stood -= 1
    return STEPS[max(entered, stood)]


def may_record(stream: Stream, pressure: Pressure) -> bool:
    """True when new pictures of a stream are kept: the main ones until nothing else is left."""
    limit = "newest" if stream == "main" else "optional"
    return STEPS.index(pressure) < STEPS.index(limit)


def is_spilling(pressure: Pressure) -> bool:
    """True when new files belong on the second volume, where there is one with room."""
    return STEPS.index(pressure) >= STEPS.index("spill")


def with_second(first: Pressure, second: Pressure | None) -> Pressure:
    """Give the step of a box with a second volume; None: it has none that may be written to.

    The newest is lost only when neither takes it.
    """
    if first == "newest" and second is not None and second != "newest":
        return "spill"
    return first
