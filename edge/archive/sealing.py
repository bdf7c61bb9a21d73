"""Making the encrypted object of a segment: a file beside, hashed, then renamed. Blocks on disk."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from contract.archive import encrypt
from contract.messages import SegmentClosed
from contract.segmentroot import NotASegment, root_of
from edge.archive.copies import SealedCopy

_PIECE = 1 << 20


class Damaged(Exception):
    """The file on the shelf is not what was sealed: no copy is made of that."""


def seal(
    public: bytes, segment: SegmentClosed, source: Path, target: Path, place: str
) -> SealedCopy:
    """Write the object to `target`, whole or not at all; raises OSError or Damaged."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_suffix(".new")
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as footage, beside.open("wb") as out:
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
    """True when the file is the object that was made."""
    try:
        with target.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == made.sha256
    except FileNotFoundError:
        return False


def _look_whether_whole(segment: SegmentClosed, fd: int) -> None:
    try:
        root = root_of(_pieces(fd))
    except NotASegment as error:
        raise Damaged(f"{segment.segment}: {error}") from error
    if root != segment.root or os.fstat(fd).st_size != segment.bytes:
        raise Damaged(f"{segment.segment} is not what was sealed")
    os.lseek(fd, 0, os.SEEK_SET)


def _pieces(fd: int) -> Iterator[bytes]:
    while piece := os.read(fd, _PIECE):
        yield piece
