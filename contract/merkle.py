"""The root over a segment's parts (RFC 6962 trees): one hash that any part can be proved under."""

import hashlib
from bisect import bisect_left
from collections.abc import Collection, Sequence


def leaf(*pieces: bytes) -> bytes:
    """Hash one part, in one piece or several: large ones are not copied together."""
    digest = hashlib.sha256(b"\0")
    for piece in pieces:
        digest.update(piece)
    return digest.digest()


def node(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees."""
    return hashlib.sha256(b"\1" + left + right).digest()


class Merkle:
    """Grows by a part at a time and keeps no more than a hash per level."""

    def __init__(self) -> None:
        self.count = 0
        self._peaks: list[bytes] = []

    def add(self, *pieces: bytes) -> None:
        """Take the next part, in one piece or several."""
        digest = leaf(*pieces)
        number = self.count
        while number & 1:
            digest = node(self._peaks.pop(), digest)
            number >>= 1
        self._peaks.append(digest)
        self.count += 1

    def root(self) -> bytes:
        """Give the root over all parts so far."""
        if not self._peaks:
            return hashlib.sha256(b"").digest()
        digest = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            digest = node(peak, digest)
        return digest


def prove(leaves: Sequence[bytes], known: Collection[int]) -> list[bytes]:
    """Give what the `known` parts need besides to lead to the root.

    The roots of the largest subtrees that hold none of them, from left to right: for one known
    part the nodes of its audit path (RFC 6962), for all parts nothing.
    """
    if not leaves:
        return []
    return _without(leaves, 0, len(leaves), sorted(known))


def _without(leaves: Sequence[bytes], low: int, high: int, known: Sequence[int]) -> list[bytes]:
    if bisect_left(known, low) == bisect_left(known, high):
        return [root_of(leaves[low:high])]
    if high - low == 1:
        return []
    middle = low + split(high - low)
    return _without(leaves, low, middle, known) + _without(leaves, middle, high, known)


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Give the root over the hashes of at least one part."""
    if len(leaves) == 1:
        return leaves[0]
    middle = split(len(leaves))
    return node(root_of(leaves[:middle]), root_of(leaves[middle:]))


def split(count: int) -> int:
    """Give how many of at least two parts stand in the left subtree."""
    return 1 << (count - 1).bit_length() - 1
