"""The archive's format: what was written comes back, anything else is refused."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.archive import (
    FRAME_BYTES,
    PREFIX_BYTES,
    TAG_BYTES,
    ArchiveBroken,
    Opener,
    decrypt,
    encrypt,
    header_length,
)
from contract.keys import SealKey

KEY = SealKey.make()
SIZES = (0, 1, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 3 * FRAME_BYTES, 200_001)


def plain(size: int) -> bytes:
    return bytes(n * 7 % 251 for n in range(size))


def written(body: bytes, piece: int = 10_000) -> bytes:
    pieces = [body[at : at + piece] for at in range(0, len(body), piece)]
    return b"".join(encrypt(KEY.public, "cam.main.1", "ab" * 32, len(body), pieces))


def read(copy: bytes, piece: int = 30_000) -> bytes:
    return b"".join(decrypt(KEY, (copy[at : at + piece] for at in range(0, len(copy), piece))))


COPY = written(plain(3 * FRAME_BYTES + 100))
HEAD = PREFIX_BYTES + header_length(COPY[:PREFIX_BYTES])


def frames(copy: bytes) -> list[bytes]:
    step = FRAME_BYTES + TAG_BYTES
    return [copy[at : at + step] for at in range(HEAD, len(copy), step)]


@pytest.mark.parametrize("size", SIZES)
def test_what_was_written_comes_back(size: int) -> None:
    assert read(written(plain(size))) == plain(size)


@pytest.mark.parametrize("size", SIZES)
def test_any_frame_can_be_read_alone(size: int) -> None:
    copy, body = written(plain(size)), plain(size)
    opener = Opener.of(KEY, copy[PREFIX_BYTES : PREFIX_BYTES + header_length(copy[:12])])
    assert opener.place(opener.frames - 1)[1] == len(copy)
    for number in reversed(range(opener.frames)):
        begin, end = opener.place(number)
        found = opener.open(number, copy[begin:end])
        assert found == body[number * FRAME_BYTES :][:FRAME_BYTES]


def test_nothing_of_the_footage_stands_in_clear() -> None:
    assert plain(64) not in COPY
    assert written(plain(100)) != written(plain(100))  # a key of its own each time


def test_another_key_is_refused() -> None:
    with pytest.raises(ArchiveBroken, match="with this key"):
        list(decrypt(SealKey.make(), [COPY]))


def test_a_body_of_another_length_is_refused() -> None:
    with pytest.raises(ArchiveBroken, match="3 bytes instead of 4"):
        list(encrypt(KEY.public, "s", "r", 4, [b"abc"]))


@settings(max_examples=200)
@given(st.integers(0, len(COPY) - 1), st.integers(0, 7))
def test_any_flipped_bit_is_refused(at: int, bit: int) -> None:
    changed = bytearray(COPY)
    changed[at] ^= 1 << bit
    with pytest.raises(ArchiveBroken):
        read(bytes(changed))


@given(st.integers(0, len(COPY) - 1))
def test_any_shorter_copy_is_refused(length: int) -> None:
    with pytest.raises(ArchiveBroken):
        read(COPY[:length])


@given(st.binary(min_size=1, max_size=100))
def test_anything_behind_the_end_is_refused(more: bytes) -> None:
    with pytest.raises(ArchiveBroken):
        read(COPY + more)


def test_a_copy_cut_at_a_frame_is_refused() -> None:
    with pytest.raises(ArchiveBroken):
        read(COPY[:HEAD] + b"".join(frames(COPY)[:-1]))


@given(st.permutations(range(4)), st.lists(st.integers(0, 3), max_size=2))
def test_frames_in_another_order_or_twice_are_refused(order: list[int], again: list[int]) -> None:
    parts = frames(COPY)
    chosen = [*order, *again]
    changed = COPY[:HEAD] + b"".join(parts[number] for number in chosen)
    if chosen == list(range(4)):
        assert read(changed) == plain(3 * FRAME_BYTES + 100)
    else:
        with pytest.raises(ArchiveBroken):
            read(changed)


def test_a_frame_of_another_copy_is_refused() -> None:
    other = frames(written(plain(3 * FRAME_BYTES + 100)))
    with pytest.raises(ArchiveBroken):
        read(COPY[:HEAD] + b"".join([*frames(COPY)[:2], *other[2:]]))


@given(st.binary(max_size=300))
def test_noise_is_refused(noise: bytes) -> None:
    def chunks() -> Iterator[bytes]:
        yield noise

    with pytest.raises(ArchiveBroken):
        list(decrypt(KEY, chunks()))
