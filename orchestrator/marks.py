"""Up to where a box's facts are stored without a hole; pure."""

from collections.abc import Iterable
from dataclasses import dataclass

_SIGHTINGS = 3


def contiguous(up_to: int, stored: Iterable[int]) -> int:
    """Give the last number before the first hole, given what is stored above `up_to`."""
    have = set(stored)
    while up_to + 1 in have:
        up_to += 1
    return up_to


@dataclass(slots=True)
class Hole:
    """A number that a box never sends, however often it starts again.

    A box sends everything from its own mark on, again and again, until it is heard. When the
    lowest number it sends lies above ours three times, the ones between were told to a database
    that is gone; waiting for them would mean waiting for ever.
    """

    lowest: int = 0
    sightings: int = 0

    def see(self, seq: int) -> bool:
        """Note a number above the hole; True when the hole is to be given up."""
        if self.lowest == 0 or seq < self.lowest:
            self.lowest, self.sightings = seq, 1
        elif seq == self.lowest:
            self.sightings += 1
        return self.sightings >= _SIGHTINGS
