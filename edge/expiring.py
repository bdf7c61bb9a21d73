"""The leave to delete: sealed segments are removed inside `deleting()`, and nowhere else.

The expiry task alone opens it. It opens no door by itself; it marks the one place from which a
sealed segment may go, and the tests fail on any other.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

_deleting: ContextVar[bool] = ContextVar("deleting", default=False)


@contextmanager
def deleting() -> Generator[None]:
    """Hold the leave meanwhile: this task, and threads it starts by `asyncio.to_thread`."""
    before = _deleting.set(True)
    try:
        yield
    finally:
        _deleting.reset(before)


def is_deleting() -> bool:
    """True for whoever holds the leave."""
    return _deleting.get()
