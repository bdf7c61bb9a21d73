"""What a new reader of the feed is shown first: the pictures since the last key picture."""

from typing import Final

from edge.rtsp.intake import Picture

_LIMIT: Final = 4 << 20


class GopCache:
    """The pictures of a stream since its last key picture; empty when they are too many."""

    def __init__(self, limit: int = _LIMIT) -> None:
        self.pictures: list[Picture] = []
        self._limit = limit
        self._size = 0

    def add(self, pictures: list[Picture]) -> None:
        """Take the next pictures, at least one."""
        first = self.pictures[0] if self.pictures else pictures[0]
        begin = 0
        for number, picture in enumerate(pictures):
            if picture.key or picture.run != first.run:
                self.pictures, self._size = [], 0
                first, begin = picture, number
        if not self.pictures and not first.key:
            return
        for number in range(begin, len(pictures)):
            self._size += len(pictures[number].data)
        self.pictures += pictures[begin:] if begin else pictures
        if self._size > self._limit:
            self.pictures, self._size = [], 0
