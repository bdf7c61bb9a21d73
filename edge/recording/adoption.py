"""What an earlier run left behind: whole fragments are kept, what is not ours is set aside."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

from contract.fmp4 import Found, duration_of, walk
from contract.merkle import Merkle
from edge.recording.names import MOUNT, Name, parse
from edge.recording.segment import Finished
from edge.rtsp.timeline import us_of_90k

_MOOF_LIMIT = 1 << 20


class Examined(NamedTuple):
    """The whole fragments at the beginning of a file."""

    size: int
    fragments: int
    end_90k: int
    root: str


def examine(file: BinaryIO) -> Examined:
    """Read a file up to its last whole fragment; raises ValueError when it has none of ours."""
    size = os.fstat(file.fileno()).st_size
    boxes = list(walk(file, size))
    if [found.name for found in boxes[:2]] != [b"ftyp", b"moov"]:
        raise ValueError("does not begin like a segment")
    merkle = Merkle()
    merkle.add(_read(file, boxes[0].at, boxes[0].size + boxes[1].size))
    whole, end = boxes[1].at + boxes[1].size, 0
    for moof, mdat in _pairs(boxes[2:]):
        if moof.size > _MOOF_LIMIT:
            break
        try:
            _, end = duration_of(_read(file, moof.at, moof.size))
        except ValueError:
            break
        merkle.add(_read(file, moof.at, moof.size + mdat.size))
        whole = mdat.at + mdat.size
    if merkle.count < 2:
        raise ValueError("holds no whole fragment")
    return Examined(whole, merkle.count - 1, end, merkle.root().hex())


def _pairs(boxes: list[Found]) -> Iterator[tuple[Found, Found]]:
    for moof, mdat in zip(boxes[::2], boxes[1::2], strict=False):
        if (moof.name, mdat.name) != (b"moof", b"mdat"):
            return
        yield moof, mdat


def _read(file: BinaryIO, at: int, size: int) -> bytes:
    file.seek(at)
    return file.read(size)


def adopt(path: Path, name: Name) -> Finished:
    """Cut a torn file to its last whole fragment; gives it to be sealed.

    A file that already has its final name is taken only when nothing needs cutting. Raises
    ValueError for a file that holds no fragment of ours, OSError.
    """
    with path.open("rb") as file:
        found = examine(file)
        size = os.fstat(file.fileno()).st_size
    if found.size != size:
        if path.suffix == ".mp4":
            raise ValueError("was sealed, and has changed since")
        with path.open("r+b") as file:
            file.truncate(found.size)
    return Finished(
        name=name,
        part=path,
        fd=os.open(path, os.O_RDONLY),
        end_us=name.start_us + us_of_90k(found.end_90k),
        size=found.size,
        fragments=found.fragments,
        root=found.root,
        adopted=True,
    )


def cut(finished: Finished) -> Finished:
    """Cut a segment to what the disk has of it; raises ValueError when that is no picture."""
    os.close(finished.fd)
    if not finished.cut_to:
        raise ValueError("nothing of it is on the disk for certain")
    os.truncate(finished.part, finished.cut_to)
    again = adopt(finished.part, finished.name)
    return replace(again, clock_offset_ms=finished.clock_offset_ms, adopted=False)


def unfinished(shelf: Path) -> list[Path]:
    """Give the `.part` files earlier runs left, oldest first.

    Called before this run makes its own. Looks everywhere: a wrong clock names days of its own.
    """
    found = [part for day in days(shelf) for part in day.glob("*.part")]
    return sorted(found, key=lambda path: (path.name, path))


def days(shelf: Path) -> list[Path]:
    """Give the day folders of all cameras."""
    return [day for camera in _folders(shelf) for day in _folders(camera)]


def files(day: Path) -> list[Path]:
    """Give what lies in a day's folder."""
    return sorted(day.iterdir())


def _folders(place: Path) -> list[Path]:
    try:
        return sorted(one for one in place.iterdir() if one.name != MOUNT and one.is_dir())
    except FileNotFoundError:
        return []


def name_of(path: Path, shelf: Path) -> Name | None:
    """Read what a file's place on the shelf says; None for what is not named by us."""
    return parse(PurePosixPath(path.relative_to(shelf).as_posix()))


def set_aside(path: Path, data: Path) -> Path:
    """Move a file to the quarantine, keeping its path; gives its new place."""
    second = data / "shelf" / MOUNT
    root = second if path.is_relative_to(second) else data  # it stays on its volume
    place = root / "quarantine" / path.relative_to(root)
    place.parent.mkdir(parents=True, exist_ok=True)
    number = 0
    target = place
    while target.exists():
        number += 1
        target = place.with_name(f"{place.name}.{number}")
    path.rename(target)
    return target
