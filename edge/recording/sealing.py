"""Closing a segment for good: data, mode, name, folder, in this order."""

import os
from pathlib import Path

from contract.messages import SegmentClosed
from edge.journal import from_us
from edge.recording.names import make_folder
from edge.recording.segment import Finished

SEALED = 0o440


class NotSynced(OSError):
    """The disk did not take the last of a file. The kernel says so once, and then forgets it."""


def seal(finished: Finished, shelf: Path) -> Path:
    """Make a finished segment stand on the shelf, whatever happens next; gives its place.

    Blocks on the disk. Raises NotSynced or another OSError; the file then stays a `.part`.
    """
    place = finished.name.file(shelf, "mp4")
    try:
        _sync(finished.fd)
        os.fchmod(finished.fd, SEALED)
    finally:
        os.close(finished.fd)
    if finished.part != place:
        make_folder(place)  # a corrected start may be of another day
        finished.part.rename(place)
    for folder in (place.parent, place.parent.parent, shelf):
        _sync_folder(folder)
    return place


def _sync(fd: int) -> None:
    try:
        os.fsync(fd)
    except OSError as error:
        raise NotSynced(error.errno, error.strerror) from error


def fact_of(
    finished: Finished,
    place: Path,
    data: Path,
    volume: str,
    *,
    clock_trusted: bool,
    clock_run: str = "",
) -> SegmentClosed:
    """Say what stands sealed; `previous` is the journal's to fill in."""
    return SegmentClosed(
        segment=finished.name.segment,
        camera=finished.name.camera,
        stream=finished.name.stream,
        start=from_us(finished.name.start_us),
        end=from_us(finished.end_us),
        bytes=finished.size,
        path=place.relative_to(data).as_posix(),
        root=finished.root,
        previous="",
        fragments=finished.fragments,
        clock="trusted" if clock_trusted else "untrusted",
        clock_offset_ms=finished.clock_offset_ms,
        volume=volume,
        adopted=finished.adopted,
        clock_run=clock_run,
    )


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
