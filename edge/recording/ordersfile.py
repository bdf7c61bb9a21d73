"""The recorder's view of the orders: a file that the agent replaces."""

import logging
from pathlib import Path

from edge.orders import OrdersInForce, load

log = logging.getLogger(__name__)


class OrdersFile:
    """The orders in force, read again when the file changes."""

    def __init__(self, path: Path) -> None:
        self.orders = OrdersInForce()
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._said = ""

    def refresh(self) -> bool:
        """Read a changed file; false when the orders stay, also when it is no such file."""
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return False
        seen = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if seen == self._seen:
            return False
        try:
            self.orders = load(self._path)
        except (ValueError, OSError) as error:
            if str(error) != self._said:
                log.error("the orders cannot be read, the old ones stand: %s", error)
            self._said = str(error)
            return False
        self._seen, self._said = seen, ""
        return True
