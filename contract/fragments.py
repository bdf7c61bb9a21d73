"""Answering for a span of a sealed segment: head, init section, fragments, as they stand."""

from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from contract.boxapi import FragmentsHead
from contract.cutting import Cut, cut

_CHUNK = 256 << 10


class Damaged(Exception):
    """The file is no whole segment."""


def head_of(found: Cut) -> bytes:
    """Write the head, behind its length."""
    head = FragmentsHead(
        init=found.init,
        leaves=found.leaves,
        first=found.first,
        fragments=tuple((one.at, one.size, one.begin, one.end) for one in found.fragments),
        proof=tuple(one.hex() for one in found.proof),
        root=found.root.hex(),
    )
    data = msgspec.json.encode(head)
    return len(data).to_bytes(4, "big") + data


def parts(file: BinaryIO, begin: int, end: int) -> Iterator[bytes]:
    """Give the whole answer in pieces; raises NothingInside, Damaged or OSError at the first."""
    try:
        found = cut(file, begin, end)
    except ValueError as error:
        raise Damaged(str(error)) from error
    yield head_of(found)
    file.seek(0)
    yield file.read(found.init)
    last = found.fragments[-1]
    file.seek(found.fragments[0].at)
    rest = last.at + last.size - found.fragments[0].at
    while rest and (data := file.read(min(rest, _CHUNK))):
        rest -= len(data)
        yield data
