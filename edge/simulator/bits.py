"""Bits of H.264: escaping, exponential Golomb codes, reading and joining."""

import re
from dataclasses import dataclass

_NEEDS_ESCAPE = re.compile(rb"\x00\x00(?=[\x00-\x03])")


def unescape(payload: bytes) -> bytes:
    """Take the emulation prevention bytes out."""
    return payload.replace(b"\x00\x00\x03", b"\x00\x00")


def escape(raw: bytes) -> bytes:
    """Put emulation prevention bytes where a start code could be seen."""
    return _NEEDS_ESCAPE.sub(b"\x00\x00\x03", raw)


@dataclass(frozen=True, slots=True)
class Bits:
    """A string of bits, first bit most significant."""

    value: int
    length: int

    def __add__(self, other: "Bits") -> "Bits":
        """Join two strings."""
        return Bits(self.value << other.length | other.value, self.length + other.length)

    @classmethod
    def of(cls, raw: bytes) -> "Bits":
        """All bits of these bytes."""
        return cls(int.from_bytes(raw), 8 * len(raw))

    def from_(self, position: int) -> "Bits":
        """The bits from this position on."""
        left = self.length - position
        return Bits(self.value & ((1 << left) - 1), left)

    def trimmed(self) -> "Bits":
        """Without the zeros that follow the last one bit."""
        zeros = (self.value & -self.value).bit_length() - 1
        return Bits(self.value >> zeros, self.length - zeros)

    def padded(self) -> bytes:
        """As whole bytes, zeros appended."""
        spare = -self.length % 8
        return (self.value << spare).to_bytes((self.length + spare) // 8)


def unsigned(value: int) -> Bits:
    """Write ue(v)."""
    return Bits(value + 1, 2 * (value + 1).bit_length() - 1)


def signed(value: int) -> Bits:
    """Write se(v)."""
    return unsigned(2 * value - 1 if value > 0 else -2 * value)


class BitReader:
    """Reads a string of bits from its beginning."""

    def __init__(self, raw: bytes) -> None:
        self._bits = Bits.of(raw)
        self.position = 0

    def take(self, count: int) -> int:
        """The next `count` bits as a number; raises EOFError at the end."""
        left = self._bits.length - self.position - count
        if left < 0:
            raise EOFError("no more bits")
        self.position += count
        return self._bits.value >> left & ((1 << count) - 1)

    def unsigned(self) -> int:
        """Read ue(v)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
        return (1 << zeros | self.take(zeros)) - 1

    def signed(self) -> int:
        """Read se(v)."""
        code = self.unsigned()
        return (code + 1) // 2 if code % 2 else -(code // 2)
