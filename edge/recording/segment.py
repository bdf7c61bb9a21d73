"""One segment's file while it grows: whole fragments, nothing else."""

import errno
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contract.merkle import Merkle
from edge.recording.boxes import init_section
from edge.recording.fragments import Fragmenter
from edge.recording.names import Name, make_folder, whole_ms
from edge.rtsp.intake import Picture
from edge.rtsp.timeline import us_of_90k

_PIECES_AT_ONCE: Final = os.sysconf("SC_IOV_MAX")
_OUT_OF_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class ShelfBroken(Exception):
    """The shelf takes no more bytes; what was written whole stands."""

    def __init__(self, error: OSError, shelf: Path | None = None) -> None:
        super().__init__(error.strerror or str(error))
        self.shelf = shelf
        """Which; None: it is about all of the box's."""
        self.is_full = error.errno in _OUT_OF_SPACE


@dataclass(frozen=True, slots=True)
class Finished:
    """A segment to which nothing will be added; not sealed yet."""

    name: Name
    part: Path
    fd: int
    """Open for writing; whoever seals it closes it."""
    end_us: int
    size: int
    fragments: int
    root: str
    cut_to: int | None = None
    """What lies behind so many bytes is lost, or half a fragment; None: nothing is."""
    synced: int | None = None
    """So many bytes the disk has for certain; None: that is not known."""
    adopted: bool = False
    clock_offset_ms: float | None = None
    """How far the camera's clock was ahead of the box's at the end; None: unknown."""


class GrowingSegment:
    """Owns a `.part` file, made with the first fragment so that none is without pictures."""

    def __init__(self, shelf: Path, camera_stream: Name, first: Picture) -> None:
        self.run = first.run
        self.parameters = first.parameters
        self.name = camera_stream._replace(start_us=whole_ms(first.captured_us))
        self.size = 0
        self.fragments = 0
        self._clock_offset_ms = first.clock_offset_ms
        self._synced = (0, 0)
        self._is_doubted = False
        self._is_torn = False
        """What lies behind its last whole fragment could not be cut off."""
        self._first = first.timestamp_90k
        self._end_90k = 0
        self.path: Path | None = None
        self.fd = -1
        """The file, open for writing; -1: nothing was written yet."""
        self.shelf = shelf
        self._merkle = Merkle()
        self._fragmenter = Fragmenter(first.timestamp_90k)

    @property
    def span_us(self) -> tuple[int, int]:
        """The wall-clock span on disk, microseconds."""
        return self.name.start_us, self._at(self._end_90k)

    @property
    def written(self) -> tuple[int, int]:
        """How far it is written: bytes, and 90 kHz since its start."""
        return self.size, self._end_90k

    def synced(self, written: tuple[int, int]) -> None:
        """Note that the disk has all up to there."""
        self._synced = written

    def doubt(self) -> tuple[int, int]:
        """Note that the disk lost what is not synced; gives that span, microseconds."""
        self._is_doubted = True
        return self._at(self._synced[1]), self._at(self._end_90k)

    def off_by_us(self, picture: Picture) -> int:
        """Give how much later than by the segment's start this picture was captured."""
        return picture.captured_us - self._at(picture.timestamp_90k - self._first)

    def correct(self, by_us: int) -> None:
        """Move the start: the stream's time is known better now than when the file was made.

        It is sealed under the corrected name; a file left unfinished keeps the first.
        """
        self.name = self.name._replace(start_us=whole_ms(self.name.start_us + by_us))

    def add(self, pictures: list[Picture]) -> None:
        """Collect pictures of this run, at least one."""
        self._clock_offset_ms = pictures[-1].clock_offset_ms
        self._fragmenter.add(pictures)

    def reaches(self, length_90k: int, following: Picture) -> int:
        """Give the time stamp of the picture with which so much time will not be written."""
        return self._fragmenter.reaches(length_90k, following)

    @property
    def pending_90k(self) -> int:
        """How much time is collected and not written."""
        return self._fragmenter.pending_90k

    def flush(self, *, last: bool = False) -> tuple[int, int] | None:
        """Write what is collected; gives the wall-clock span now on disk, microseconds.

        Raises ShelfBroken; the file then ends at its last whole fragment.
        """
        fragment = self._fragmenter.take(last=last)
        if fragment is None:
            return None
        if self.fd < 0:
            self.fd, self.name, self.path = _create(self.shelf, self.name)
            self._write((init_section(self.parameters),), fragment.pieces)
        else:
            self._write(fragment.pieces)
        self.fragments += 1
        self._end_90k = fragment.end
        return self._at(fragment.begin), self._at(fragment.end)

    def finish(self) -> Finished | None:
        """Give it to be sealed: the file is another's from now on. None: it holds no picture."""
        if self.path is None:
            return None
        if not self.fragments:
            os.close(self.fd)
            with suppress(OSError):
                self.path.unlink()
            return None
        return Finished(
            name=_free(self.shelf, self.name, self.path),
            part=self.path,
            fd=self.fd,
            end_us=self._at(self._end_90k),
            size=self.size,
            fragments=self.fragments,
            root=self._merkle.root().hex(),
            cut_to=self._certain_size(),
            synced=self._synced[0],
            clock_offset_ms=self._clock_offset_ms,
        )

    def _certain_size(self) -> int | None:
        """Give to where it must be cut before it is sealed; None: all of it is good."""
        if self._is_doubted:
            return self._synced[0]
        return self.size if self._is_torn else None

    def _at(self, offset_90k: int) -> int:
        return self.name.start_us + us_of_90k(offset_90k)

    def _write(self, *parts: tuple[bytes, ...]) -> None:
        """Write parts of the Merkle tree, each in pieces."""
        try:
            size = _write_all(self.fd, [piece for part in parts for piece in part])
        except OSError as error:
            self._cut()
            raise ShelfBroken(error, self.shelf) from error
        for part in parts:
            self._merkle.add(*part)
        self.size += size

    def _cut(self) -> None:
        """Take a half fragment away again; where that fails too, it is done before the seal."""
        try:
            os.ftruncate(self.fd, self.size)
            os.lseek(self.fd, self.size, os.SEEK_SET)
        except OSError:
            self._is_torn = True


def _write_all(fd: int, pieces: list[bytes]) -> int:
    """Write the pieces one after another; gives how many bytes they are."""
    done = 0
    for first in range(0, len(pieces), _PIECES_AT_ONCE):
        some = pieces[first : first + _PIECES_AT_ONCE]
        size, written = sum(map(len, some)), os.writev(fd, some)
        if written < size:
            data = b"".join(some)
            while written < size:
                written += os.write(fd, data[written:])
        done += size
    return done


def _create(shelf: Path, name: Name) -> tuple[int, Name, Path]:
    """Make the file under the first free name at or after the start, to the millisecond."""
    try:
        name = _free(shelf, name)
        path = name.file(shelf, "part")
        make_folder(path)
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640), name, path
    except OSError as error:
        raise ShelfBroken(error, shelf) from error


def _free(shelf: Path, name: Name, own: Path | None = None) -> Name:
    """Give the first name at or after this one that no other file has."""
    with suppress(OSError):  # a disk that cannot even be asked takes no file either
        while name.file(shelf, "mp4").exists() or (
            (part := name.file(shelf, "part")) != own and part.exists()
        ):
            name = name._replace(start_us=name.start_us + 1000)
    return name
