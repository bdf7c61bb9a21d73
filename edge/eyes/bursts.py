"""Who may be looked at closely: a few cameras at once."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

log = logging.getLogger(__name__)

AT_ONCE = 8
LASTS_S = 3.0
BETWEEN_VOTES = timedelta(milliseconds=190)
"""Five looks a second, from cameras that send 10, 12.5, 15, 20 or 25 pictures."""


class Bursts:
    """Counts the close looks; beyond the limit a camera is left to its key pictures."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._now: set[str] = set()
        self._is_full = False

    @contextmanager
    def room_for(self, camera: str) -> Iterator[bool]:
        """Give True while this camera may be looked at closely."""
        if len(self._now) >= self._at_once:
            self._say_full(camera)
            yield False
            return
        self._now.add(camera)
        try:
            yield True
        finally:
            self._now.remove(camera)
            self._is_full = self._is_full and len(self._now) >= self._at_once - 1

    def _say_full(self, camera: str) -> None:
        if not self._is_full:
            self._is_full = True
            log.warning(
                "%d cameras are suspicious at once: %s and others by key pictures only",
                len(self._now) + 1,
                camera,
            )
