"""Making the encrypted object of a segment: a file beside, hashed, then renamed. Blocks on disk."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from contract.archive import encrypt
from contract.messages import SegmentClosed
from contract.segmentroot import NotASegment, root_of
from edge.archive.copies import SealedCopy

_PIECE = 1 << 20


class Damaged(Exception):
    """The file on the shelf is not what was sealed: no copy is made of that."""


class Unreadable(Exception):
    """The disk does not give the footage's bytes; it may at the next try."""


def seal(
    public: bytes, segment: SegmentClosed, source: Path, target: Path, place: str
) -> SealedCopy:
    """Write the object to `target`, whole or not at all.

    Raises FileNotFoundError, Damaged or Unreadable for the footage, OSError for the object.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_suffix(".new")
    digest, size = hashlib.sha256(), 0
    with _opened(source) as footage, beside.open("wb") as out:
        _look_whether_whole(segment, footage.fileno())
        body = _pieces(footage.fileno())
        for piece in encrypt(public, segment.segment, segment.root, segment.bytes, body):
            digest.update(piece)
            size += len(piece)
            out.write(piece)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(target)
    return SealedCopy(segment.segment, place, size, digest.hexdigest())


def matches(made: SealedCopy, target: Path) -> bool:
    """True when the file is the object that was made, and can be read."""
    try:
        with target.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == made.sha256
    except OSError:
        return False


def _look_whether_whole(segment: SegmentClosed, fd: int) -> None:
    try:
        root = root_of(_pieces(fd))
    except NotASegment as error:
        raise Damaged(f"{segment.segment}: {error}") from error
    if root != segment.root or os.fstat(fd).st_size != segment.bytes:
        raise Damaged(f"{segment.segment} is not what was sealed")
    os.lseek(fd, 0, os.SEEK_SET)


def _opened(source: Path) -> BinaryIO:
    try:
        return source.open("rb")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unreadable(str(error)) from error


def _pieces(fd: int) -> Iterator[bytes]:
    while piece := _read(fd):
        yield piece


def _read(fd: int) -> bytes:
    try:
        return os.read(fd, _PIECE)
    except OSError as error:
        raise Unreadable(str(error)) from error
