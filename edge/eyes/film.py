"""The newest pictures of one camera, still encoded: the group that runs and the one before."""

import asyncio
from dataclasses import dataclass

from edge.feed import AccessUnit

_MOST_BYTES = 4 << 20


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """How far a reader is: so many pictures of that group."""

    group: int
    read: int = 0


class Film:
    """What a camera sent since the key picture before the last; older ones are let go."""

    def __init__(self) -> None:
        self._groups: dict[int, list[AccessUnit]] = {}
        self._newest = -1
        self._size = 0
        self._grown = asyncio.Event()

    def add(self, unit: AccessUnit) -> None:
        """Take the next picture; one that leans on pictures that are missing is left out."""
        if unit.key:
            before = self._groups.get(self._newest)
            if before is not None and before[0].run != unit.run:
                self._groups.clear()
            self._newest += 1
            self._groups.pop(self._newest - 2, None)
            self._groups[self._newest] = [unit]
            self._size = len(unit.data)
        else:
            group = self._groups.get(self._newest)
            self._size += len(unit.data)
            if group is None or group[0].run != unit.run or self._size > _MOST_BYTES:
                return
            group.append(unit)
        self._grown.set()

    def break_off(self) -> None:
        """Know that pictures are missing from here to the next key picture."""
        self._groups.clear()

    @property
    def newest(self) -> Place | None:
        """Where the newest key picture stands."""
        return Place(self._newest) if self._newest in self._groups else None

    def back(self, place: Place) -> Place:
        """Give the beginning of the group before, or of this one where that is gone."""
        before = Place(place.group - 1)
        return before if before.group in self._groups else Place(place.group)

    def key(self, place: Place) -> AccessUnit | None:
        """Give a group's key picture, if it is still there."""
        group = self._groups.get(place.group)
        return group[0] if group else None

    def since(self, place: Place) -> tuple[list[AccessUnit], Place]:
        """Give what follows a place, and the place behind it.

        A reader whose group is gone goes on at the newest key picture.
        """
        if place.group not in self._groups:
            if self.newest is None:
                return [], place
            place = self.newest
        units = self._groups[place.group][place.read :]
        end = Place(place.group, place.read + len(units))
        later = self._groups.get(place.group + 1)
        if later is not None:
            units = units + later
            end = Place(place.group + 1, len(later))
        return units, end

    async def grown(self) -> None:
        """Wait until a picture comes."""
        self._grown.clear()
        await self._grown.wait()
