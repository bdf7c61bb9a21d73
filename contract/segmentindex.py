"""Reading a segment without decoding it: where each picture stands and when it is shown."""

import os
import struct
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple

from contract.boxapi import IndexedFragment, SegmentIndex
from contract.fmp4 import Found, Sample, one_picture, samples_of, walk

_MOOF_LIMIT = 1 << 20
_INIT_LIMIT = 1 << 20


class NotASegment(Exception):
    """The file does not begin like a segment of ours, or holds no whole fragment yet."""


class _Fragment(NamedTuple):
    at: int
    size: int
    moof_size: int
    samples: list[Sample]


def index_of(file: BinaryIO, start: datetime, *, growing: bool = False) -> SegmentIndex:
    """Read the whole fragments of an open file that begins at `start`; raises NotASegment."""
    init, fragments = _read(file)
    found = list(fragments)
    if not found:
        raise NotASegment("holds no whole fragment yet")
    last = found[-1]
    return SegmentIndex(
        start=start,
        codec=codec_of(init),
        init=len(init),
        bytes=last.at + last.size,
        growing=growing,
        fragments=tuple(map(_indexed, found)),
    )


def whole_bytes(path: Path) -> int:
    """Give up to which byte a file that may still grow is whole; raises NotASegment."""
    with path.open("rb") as file:
        _, fragments = _read(file)
        end = max((one.at + one.size for one in fragments), default=0)
    if not end:
        raise NotASegment(f"{path.name} holds no whole fragment yet")
    return end


def key_pictures(file: BinaryIO, first: int, last: int) -> Iterator[bytes]:
    """Give the initialisation section, then a fragment for each key picture of a part.

    The part is in 90 kHz; the key picture in force at its beginning belongs to it. Each stands
    until the next one. Raises NotASegment.
    """
    init, fragments = _read(file)
    keys: list[tuple[int, Sample]] = []
    end = 0
    for fragment in fragments:
        at = fragment.at + fragment.moof_size + 8
        for sample in fragment.samples:
            if sample.key:
                keys.append((at, sample))
            at += sample.size
            end = sample.decoded + sample.duration
    if not keys:
        raise NotASegment("holds no key picture")
    yield init
    begins = [sample.decoded for _, sample in keys]
    for number, (at, sample) in enumerate(keys):
        until = begins[number + 1] if number + 1 < len(begins) else end
        if until <= first or begins[number] > last:
            continue
        file.seek(at)
        yield one_picture(number + 1, sample.decoded, until, sample.shown, file.read(sample.size))


def codec_of(init: bytes) -> str:
    """Name the codec of an initialisation section as browsers do (RFC 6381)."""
    at = init.find(b"avcC")
    if at >= 0:
        return f"avc1.{init[at + 5 : at + 8].hex()}"
    at = init.find(b"hvcC")
    if at < 0:
        raise NotASegment("neither H.264 nor H.265")
    profile = init[at + 5 : at + 17]
    compatible = int(f"{int.from_bytes(profile[1:5]):032b}"[::-1], 2)
    space = ("", "A", "B", "C")[profile[0] >> 6]
    tier = "H" if profile[0] & 0x20 else "L"
    constraints = profile[5:11].rstrip(b"\0")
    parts = [
        f"hvc1.{space}{profile[0] & 0x1F}",
        f"{compatible:X}",
        f"{tier}{profile[11]}",
        *(f"{byte:X}" for byte in constraints),
    ]
    return ".".join(parts)


def _indexed(fragment: _Fragment) -> IndexedFragment:
    last = fragment.samples[-1]
    return IndexedFragment(
        at=fragment.at,
        size=fragment.size,
        begin=fragment.samples[0].decoded,
        end=last.decoded + last.duration,
        times=tuple(sample.shown for sample in fragment.samples),
        keys=tuple(place for place, sample in enumerate(fragment.samples) if sample.key),
    )


def _read(file: BinaryIO) -> tuple[bytes, Iterator[_Fragment]]:
    boxes = walk(file, file.seek(0, os.SEEK_END))
    head = [found for found in (next(boxes, None), next(boxes, None)) if found is not None]
    if [found.name for found in head] != [b"ftyp", b"moov"]:
        raise NotASegment("does not begin like a segment")
    size = head[1].at + head[1].size
    if size > _INIT_LIMIT:
        raise NotASegment("its initialisation section is too large")
    file.seek(0)
    return file.read(size), _fragments(file, boxes)


def _fragments(file: BinaryIO, boxes: Iterator[Found]) -> Iterator[_Fragment]:
    while (moof := next(boxes, None)) is not None and (mdat := next(boxes, None)) is not None:
        if (moof.name, mdat.name) != (b"moof", b"mdat") or moof.size > _MOOF_LIMIT:
            return
        file.seek(moof.at)
        try:
            samples = samples_of(file.read(moof.size))
        except (ValueError, struct.error):
            return
        yield _Fragment(moof.at, moof.size + mdat.size, moof.size, samples)
