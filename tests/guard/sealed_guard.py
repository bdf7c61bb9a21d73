"""Refuses what would lose a sealed segment: to remove, rename, truncate or write to it.

An audit hook, standing in every test and, by `sitecustomize`, in every Python a test starts. It
uses nothing but the standard library: it runs before anything of ours is imported.

Two things it cannot see: `open` is audited without its `dir_fd`, so a name that is relative to one
is taken for relative to the working directory; and what other programs do.
"""

import os
import stat
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

REPORT = "XUNKAO_TEST_GUARD"
"""Names the file in which each refusal is noted: whoever swallows it is found out all the same."""

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_TRUNC | os.O_APPEND
_SEALED = 0o440
_by_hand = 1


class SealedTouched(RuntimeError):
    """Somebody laid hands on a sealed segment without the leave to delete."""


@contextmanager
def by_hand() -> Generator[None]:
    """Let a test play the person who meddles with files."""
    _count(+1)
    try:
        yield
    finally:
        _count(-1)


@contextmanager
def in_a_test() -> Generator[None]:
    """Refuse meanwhile: what pytest itself tidies up, in between, is its own."""
    _count(-1)
    try:
        yield
    finally:
        _count(+1)


def _count(by: int) -> None:
    global _by_hand  # noqa: PLW0603 - a process has one hook, and this is all it knows
    _by_hand += by


def stand(*, refusing: bool) -> None:
    """Look at everything until the process ends: a hook cannot be taken away.

    `refusing`: at once, and not only in a test.
    """
    sys.addaudithook(_look)
    if refusing:
        _count(-1)


def _look(event: str, values: tuple[object, ...]) -> None:
    if event == "open":
        path, _, flags = values
        if isinstance(flags, int) and flags & _WRITING:
            _refuse(event, path)
    elif event == "os.remove":
        _refuse(event, values[0], values[1])
    elif event == "os.rename":
        _refuse_with_all_below(event, values[0], values[2])
        _refuse(event, values[1], values[3])
    elif event == "os.truncate":
        _refuse(event, values[0])
    elif event == "os.chmod" and values[1] != _SEALED:
        _refuse(event, values[0], values[2])


def _refuse(event: str, path: object, folder: object = -1) -> None:
    place = _place(path, folder)
    if place is None or not _is_sealed(place) or _by_hand or _may_delete():
        return
    report = os.environ.get(REPORT)
    if report:
        with Path(report).open("a") as file:
            file.write(f"{event} {place}\n")
    raise SealedTouched(f"{event} of the sealed {place}")


def _refuse_with_all_below(event: str, path: object, folder: object) -> None:
    """A folder that moves takes what is sealed in it away."""
    _refuse(event, path, folder)
    place = _place(path, folder)
    if place is None or _by_hand or place.is_symlink() or not place.is_dir():
        return
    for inside, _, names in os.walk(place):
        for name in names:
            _refuse(event, Path(inside) / name)


def _place(path: object, folder: object) -> Path | None:
    if isinstance(path, int):
        return Path(f"/proc/self/fd/{path}").readlink()
    if not isinstance(path, str | bytes | os.PathLike):
        return None
    place = Path(os.fsdecode(path))
    if isinstance(folder, int) and folder >= 0 and not place.is_absolute():
        place = Path(f"/proc/self/fd/{folder}").readlink() / place
    return place


def _is_sealed(place: Path) -> bool:
    if place.suffix != ".mp4" or "shelf" not in place.absolute().parts:
        return False
    try:
        mode = place.stat().st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) and stat.S_IMODE(mode) == _SEALED


def _may_delete() -> bool:
    expiring = sys.modules.get("edge.expiring")
    return expiring is not None and bool(expiring.is_deleting())
