"""Bits of H.264."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.simulator.bits import BitReader, Bits, escape, signed, unescape, unsigned


@given(st.integers(0, 1 << 40))
def test_an_unsigned_code_is_read_as_it_was_written(value: int) -> None:
    assert BitReader(unsigned(value).padded()).unsigned() == value


@given(st.integers(-(1 << 30), 1 << 30))
def test_a_signed_code_is_read_as_it_was_written(value: int) -> None:
    assert BitReader(signed(value).padded()).signed() == value


def test_the_first_codes_are_those_of_the_standard() -> None:
    written = [(code.value, code.length) for code in map(unsigned, range(4))]
    assert written == [(0b1, 1), (0b010, 3), (0b011, 3), (0b00100, 5)]


@given(st.lists(st.sampled_from([0, 0, 0, 1, 2, 3, 4, 255]), max_size=60).map(bytes))
def test_escaping_hides_every_start_code_and_is_undone(raw: bytes) -> None:
    raw += b"\x80"  # as every payload ends
    escaped = escape(raw)
    assert unescape(escaped) == raw
    assert not any(pattern in escaped for pattern in (b"\0\0\0", b"\0\0\1", b"\0\0\2"))


def test_joined_bits_keep_their_order() -> None:
    joined = Bits(0b101, 3) + Bits(0b01, 2)
    assert (joined.value, joined.length) == (0b10101, 5)
    assert joined.from_(3) == Bits(0b01, 2)


def test_trailing_zeros_are_trimmed_up_to_the_stop_bit() -> None:
    assert Bits(0b10110000, 8).trimmed() == Bits(0b1011, 4)


def test_reading_past_the_end_is_an_error() -> None:
    reader = BitReader(b"\x80")
    reader.take(8)
    with pytest.raises(EOFError):
        reader.take(1)
