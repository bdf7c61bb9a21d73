"""Whether what stands on the shelf is what the journal says: bytes, roots, the chain. No loop."""

import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from contract.merkle import Merkle
from contract.messages import SegmentClosed
from edge.recording.sealing import SEALED

_BLOCK = 1 << 20
"""Read at once: what lies on a disk is read fastest in big pieces."""

FaultKind = Literal["missing", "changed", "unreadable", "unrecorded", "unchained"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing on the shelf that is not as it was recorded."""

    kind: FaultKind
    path: str
    """Relative to the box's data folder."""
    detail: str
    segment: str = ""
    camera: str = ""


class Reread(NamedTuple):
    """A file's Merkle root, computed from its bytes alone."""

    root: str
    size: int
    fragments: int


def reread(file: BinaryIO) -> Reread:
    """Read a sealed file once, from its beginning; raises ValueError where its boxes are broken.

    Every byte goes into the root: one part is the init section, each other a fragment.
    """
    merkle, size = Merkle(), 0
    pending: list[bytes] = []
    for head, body in _boxes(file):
        size += len(head) + len(body)
        pending += (head, body)
        if head[4:] in (b"moov", b"mdat"):
            merkle.add(*pending)
            pending.clear()
    if pending or merkle.count < 2:
        raise ValueError("it does not end with a whole fragment")
    return Reread(merkle.root().hex(), size, merkle.count - 1)


def _boxes(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    while head := file.read(8):
        size = int.from_bytes(head[:4], "big") - 8
        body = file.read(size) if size >= 0 else b""
        if len(head) < 8 or len(body) != size:
            raise ValueError("a box is cut short")
        yield head, body


def look_at(data: Path, row: SegmentClosed) -> Fault | None:
    """Hold a segment against its row by size and mode alone, which costs next to nothing."""
    try:
        found = (data / row.path).stat()
    except FileNotFoundError:
        return _fault(row, "missing", "the file is gone")
    except OSError as error:
        return _fault(row, "unreadable", str(error.strerror))
    if found.st_size != row.bytes:
        return _fault(row, "changed", f"{found.st_size} bytes, recorded were {row.bytes}")
    if stat.S_IMODE(found.st_mode) & ~SEALED:
        return _fault(row, "changed", f"its mode is {stat.S_IMODE(found.st_mode):04o}")
    return None


def read_through(data: Path, row: SegmentClosed) -> Fault | None:
    """Hold a segment against its row byte by byte."""
    fault = look_at(data, row)
    if fault is not None:
        return fault
    try:
        with (data / row.path).open("rb", buffering=_BLOCK) as file:
            found = reread(file)
    except FileNotFoundError:
        return _fault(row, "missing", "the file is gone")
    except OSError as error:
        return _fault(row, "unreadable", str(error.strerror))
    except ValueError as error:
        return _fault(row, "changed", str(error))
    if found.root != row.root:
        return _fault(row, "changed", f"its root is {found.root}, recorded was {row.root}")
    return None


class Chain:
    """Follows the rows in order of recording; each is to name the one before of its stream."""

    def __init__(self, gone: Mapping[str, str]) -> None:
        """`gone` gives what a root followed whose term ended: the chain goes on across them."""
        self._gone = gone
        self._heads: dict[tuple[str, str], str] = {}

    def follow(self, row: SegmentClosed) -> Fault | None:
        """Take the next row; gives what is wrong with it."""
        key, at = (row.camera, row.stream), row.previous
        before = self._heads.get(key)
        self._heads[key] = row.root
        if before is None and at in self._gone:  # all that came before has gone
            return None
        while at != before and at in self._gone:
            at = self._gone[at]
        if at == (before or ""):
            return None
        return _fault(row, "unchained", f"it follows {row.previous or 'nothing'}, not {before}")


def unrecorded(data: Path, files: Iterable[Path], known: frozenset[str]) -> Iterator[Fault]:
    """Give the sealed ones of these files that no row knows."""
    for path in files:
        where = path.relative_to(data).as_posix()
        if path.suffix == ".mp4" and where not in known:
            yield Fault("unrecorded", where, "the journal does not know it")


def _fault(row: SegmentClosed, kind: FaultKind, detail: str) -> Fault:
    return Fault(kind, row.path, detail, row.segment, row.camera)
