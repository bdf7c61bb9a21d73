"""The root over a segment's parts (RFC 6962 trees): one hash that any part can be proved under."""

import hashlib


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
