"""The fragments of a sealed segment that a span needs, with the proof that they are its own."""

import os
from pathlib import Path
from typing import BinaryIO, NamedTuple

from contract.fmp4 import samples_of, walk
from contract.merkle import leaf, prove, root_of


class NothingInside(Exception):
    """The segment has no picture in the span."""


class Piece(NamedTuple):
    """A fragment in its segment: bytes, and media time in 90 kHz from the segment's start."""

    at: int
    size: int
    begin: int
    end: int


class Cut(NamedTuple):
    """Which bytes of a segment leave, and what leads from them to its root."""

    init: int
    """Size of the init section, leaf 0; it always leaves."""
    leaves: int
    first: int
    """Leaf number of the first fragment."""
    fragments: tuple[Piece, ...]
    proof: tuple[bytes, ...]
    root: bytes


class _Fragment(NamedTuple):
    piece: Piece
    shown: tuple[int, ...]
    keys: tuple[int, ...]
    """When its key pictures are shown."""


def cut(file: BinaryIO, begin: int, end: int) -> Cut:
    """Choose whole fragments: from the one with the last key picture at or before `begin`.

    Times are 90 kHz from the segment's start. Reads the whole file. Raises NothingInside,
    ValueError for what is no segment, OSError.
    """
    boxes = list(walk(file, file.seek(0, os.SEEK_END)))
    if [found.name for found in boxes[:2]] != [b"ftyp", b"moov"]:
        raise ValueError("does not begin like a segment")
    init = boxes[0].size + boxes[1].size
    file.seek(0)
    hashes = [leaf(file.read(init))]
    fragments: list[_Fragment] = []
    for moof, mdat in zip(boxes[2::2], boxes[3::2], strict=True):
        file.seek(moof.at)
        data = file.read(moof.size + mdat.size)
        hashes.append(leaf(data))
        fragments.append(_read(data[: moof.size], moof.at, len(data)))
    first, last = _chosen(fragments, begin, end)
    known = [0, *range(first + 1, last + 2)]
    return Cut(
        init=init,
        leaves=len(hashes),
        first=first + 1,
        fragments=tuple(one.piece for one in fragments[first : last + 1]),
        proof=tuple(prove(hashes, known)),
        root=root_of(hashes),
    )


def shown_times(path: Path) -> list[int]:
    """Give when each picture is shown, in the order of decoding; raises ValueError, OSError.

    Demuxers shift the times of pictures that are shown out of order; these are the file's own.
    """
    times: list[int] = []
    with path.open("rb") as file:
        for found in walk(file, os.fstat(file.fileno()).st_size):
            if found.name == b"moof":
                file.seek(found.at)
                times += [sample.shown for sample in samples_of(file.read(found.size))]
    return times


def _read(moof: bytes, at: int, size: int) -> _Fragment:
    samples = samples_of(moof)
    last = samples[-1]
    piece = Piece(at, size, samples[0].decoded, last.decoded + last.duration)
    keys = tuple(sample.shown for sample in samples if sample.key)
    return _Fragment(piece, tuple(sample.shown for sample in samples), keys)


def _chosen(fragments: list[_Fragment], begin: int, end: int) -> tuple[int, int]:
    inside = [n for n, one in enumerate(fragments) if any(begin <= at < end for at in one.shown)]
    if not inside:
        raise NothingInside
    keyed = [n for n, one in enumerate(fragments) if any(at <= begin for at in one.keys)]
    return (keyed[-1] if keyed else 0), inside[-1]
