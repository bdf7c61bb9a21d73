"""Second copies: a segment sealed to the archive key in frames, none of which can be moved.

The STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015) over ChaCha20-Poly1305: a nonce
is the frame's number and whether it is the last, so that frames cannot be dropped, repeated,
exchanged or cut off unnoticed. docs/reference/archive.md describes every byte.
"""

import hashlib
import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from contract.keys import SealBroken, SealKey, canonical, kid_of, seal

MAGIC = b"XKARCH1\n"
FRAME_BYTES = 65_536
"""Of plain bytes in each frame but the last, which has 1 to so many, or none in an empty object."""
TAG_BYTES = 16
LONGEST_HEADER = 4096
PREFIX_BYTES = len(MAGIC) + 4
_LENGTH = struct.Struct("!I")
_NONCE = struct.Struct("!7xIB")


class ArchiveBroken(Exception):
    """What was read is not the copy that was written, or not for this key."""


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands in front of the frames, in clear; every frame is bound to it."""

    segment: str
    root: str
    """Hex Merkle root of the segment, as its box told it."""
    bytes: int
    """Length of the segment."""
    frame: int = FRAME_BYTES
    kid: str
    """Name of the archive key."""
    key: str
    """The content key, sealed to the archive key."""


def encrypt(
    public: bytes, segment: str, root: str, size: int, body: Iterable[bytes]
) -> Iterator[bytes]:
    """Give the object's bytes: header, then frames. Raises ArchiveBroken when `size` is not kept.

    The content key is used for this object alone and kept nowhere.
    """
    content_key = os.urandom(32)
    header = Header(
        segment=segment,
        root=root,
        bytes=size,
        kid=kid_of(public),
        key=seal(public, content_key),
    )
    text = canonical(header)
    yield MAGIC + _LENGTH.pack(len(text)) + text
    cipher, bound = ChaCha20Poly1305(content_key), _bound(text)
    sent = 0
    for number, (frame, is_last) in enumerate(_frames(body)):
        sent += len(frame)
        yield cipher.encrypt(_nonce(number, is_last), frame, bound)
    if sent != size:
        raise ArchiveBroken(f"{segment} has {sent} bytes instead of {size}")


def header_length(prefix: bytes) -> int:
    """Give the length of the header from the object's first 12 bytes; raises ArchiveBroken."""
    if len(prefix) < PREFIX_BYTES or not prefix.startswith(MAGIC):
        raise ArchiveBroken("this is no archive copy")
    (length,) = _LENGTH.unpack(prefix[len(MAGIC) : PREFIX_BYTES])
    if not 0 < length <= LONGEST_HEADER:
        raise ArchiveBroken("the header has an impossible length")
    return int(length)


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens the frames of one copy, in any order."""

    header: Header
    cipher: ChaCha20Poly1305
    bound: bytes
    start: int
    """Where the first frame begins."""

    @classmethod
    def of(cls, key: SealKey, text: bytes) -> "Opener":
        """Read a header (without its 12 bytes in front); raises ArchiveBroken."""
        try:
            header = msgspec.json.decode(text, type=Header)
            content_key = key.open(header.key)
        except (msgspec.MsgspecError, SealBroken, UnicodeDecodeError) as error:
            raise ArchiveBroken(f"the header cannot be opened with this key: {error}") from error
        if header.bytes < 0 or not 0 < header.frame <= 1 << 24 or len(content_key) != 32:
            raise ArchiveBroken("the header says what cannot be")
        return cls(header, ChaCha20Poly1305(content_key), _bound(text), PREFIX_BYTES + len(text))

    @property
    def frames(self) -> int:
        """How many frames there are: one at least."""
        return max(1, -(-self.header.bytes // self.header.frame))

    def place(self, number: int) -> tuple[int, int]:
        """Give where a frame begins in the object, and where it ends."""
        step = self.header.frame + TAG_BYTES
        plain = min(self.header.frame, self.header.bytes - number * self.header.frame)
        begin = self.start + number * step
        return begin, begin + plain + TAG_BYTES

    def open(self, number: int, frame: bytes) -> bytes:
        """Give the plain bytes of a frame; raises ArchiveBroken for any other than that."""
        try:
            nonce = _nonce(number, number == self.frames - 1)
            plain = self.cipher.decrypt(nonce, frame, self.bound)
        except InvalidTag as error:
            raise ArchiveBroken(f"frame {number} is not what was written") from error
        begin, end = self.place(number)
        if len(frame) != end - begin:
            raise ArchiveBroken(f"frame {number} has a wrong length")
        return plain


def decrypt(key: SealKey, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Give the segment's bytes, each frame once it is proved; raises ArchiveBroken."""
    source = _Pieces(chunks)
    opener = Opener.of(key, source.take(header_length(source.take(PREFIX_BYTES))))
    for number in range(opener.frames):
        begin, end = opener.place(number)
        yield opener.open(number, source.take(end - begin))
    if source.rest():
        raise ArchiveBroken("there is more than was written")


def _frames(body: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Cut into frames; the last, also of nothing, is said to be so."""
    waiting = bytearray()
    for piece in body:
        waiting += piece
        while len(waiting) > FRAME_BYTES:  # one that is just full may be the last
            yield bytes(waiting[:FRAME_BYTES]), False
            del waiting[:FRAME_BYTES]
    yield bytes(waiting), True


def _nonce(number: int, is_last: bool) -> bytes:
    return _NONCE.pack(number, is_last)


def _bound(text: bytes) -> bytes:
    return hashlib.sha256(MAGIC + text).digest()


class _Pieces:
    """Gives exactly as many bytes as are asked for."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._held = bytearray()

    def take(self, count: int) -> bytes:
        while len(self._held) < count:
            piece = next(self._chunks, None)
            if piece is None:
                raise ArchiveBroken("it ends too early")
            self._held += piece
        taken = bytes(self._held[:count])
        del self._held[:count]
        return taken

    def rest(self) -> bool:
        return bool(self._held) or any(self._chunks)
