"""Bits of a parameter set: fixed widths and Exp-Golomb codes (ITU-T H.264, 9.1)."""


class EndOfBits(Exception):
    """Asked for more than there is."""


def without_emulation(payload: bytes) -> bytes:
    """Take out the emulation prevention bytes (ITU-T H.264, 7.4.1)."""
    return payload.replace(b"\0\0\3", b"\0\0")


class BitReader:
    """Reads a byte string bit by bit, highest first."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = len(data) * 8

    def take(self, count: int) -> int:
        """Give the next `count` bits as a number; raises EndOfBits."""
        self.skip(count)
        return (self._value >> self._left) & ((1 << count) - 1)

    def skip(self, count: int) -> None:
        """Pass over `count` bits; raises EndOfBits."""
        if count > self._left:
            raise EndOfBits
        self._left -= count

    def unsigned(self) -> int:
        """Give the next ue(v)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise EndOfBits
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """Give the next se(v)."""
        code = self.unsigned()
        return (code + 1) // 2 if code % 2 else -(code // 2)
