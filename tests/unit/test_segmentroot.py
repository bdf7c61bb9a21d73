"""A segment's root, computed by who has only its bytes."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.merkle import Merkle
from contract.segmentroot import NotASegment, root_of


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack("!I4s", 8 + len(body), kind) + body


def segment(fragments: list[bytes]) -> tuple[bytes, str]:
    """Give a segment's bytes, and its root as the recorder computes it."""
    parts = [box(b"ftyp", b"iso6") + box(b"moov", b"tracks")]
    parts += [box(b"moof", bytes([len(f) % 256])) + box(b"mdat", f) for f in fragments]
    merkle = Merkle()
    for part in parts:
        merkle.add(part)
    return b"".join(parts), merkle.root().hex()


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=20), st.integers(1, 50))
def test_it_is_the_recorders_root_however_the_bytes_come(
    fragments: list[bytes], piece: int
) -> None:
    body, root = segment(fragments)
    assert root_of(body[at : at + piece] for at in range(0, len(body), piece)) == root


@given(st.data())
def test_no_changed_byte_has_the_same_root(data: st.DataObject) -> None:
    body, root = segment([b"one", b"two", b"three"])
    at = data.draw(st.integers(0, len(body) - 1))
    changed = bytearray(body)
    changed[at] ^= data.draw(st.integers(1, 255))
    with suppress(NotASegment):
        assert root_of([bytes(changed)]) != root


@pytest.mark.parametrize("cut", [1, 9, 30])
def test_what_is_cut_off_is_no_segment(cut: int) -> None:
    body, _ = segment([b"a" * 50])
    with pytest.raises(NotASegment):
        root_of([body[:-cut]])


def test_fragments_without_their_order_are_no_segment() -> None:
    with pytest.raises(NotASegment):
        root_of([box(b"moof", b"") + box(b"mdat", b"")])
    with pytest.raises(NotASegment):
        root_of([])
