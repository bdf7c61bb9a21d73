"""The leave to delete footage: held by the expiry task while it deletes, and by nobody else."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_deleting: ContextVar[bool] = ContextVar("xunkao_deleting", default=False)


@contextmanager
def deleting() -> Iterator[None]:
    """Hold the leave to delete footage in this context, until the block ends."""
    token = _deleting.set(True)
    try:
        yield
    finally:
        _deleting.reset(token)


def is_deleting() -> bool:
    """True inside `deleting()`, in threads started from there too."""
    return _deleting.get()
