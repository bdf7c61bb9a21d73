"""Writing a package: files as they come, then what proves them."""

import os
import zlib
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from contract.keys import SigningKey, to_base64
from orchestrator.evidence import verifier
from orchestrator.evidence.verifier import BLOCK, BLOCKS, MANIFEST, SIGNATURE, SIGNED_FOR, Entry


@dataclass
class _Sums:
    """What is kept of a file that was written: its hash, and a checksum of each block."""

    digest: Any = field(default_factory=sha256)
    crc: int = 0
    size: int = 0
    _block: int = 0
    _filled: int = 0
    blocks: bytearray = field(default_factory=bytearray)

    def add(self, data: bytes) -> None:
        self.digest.update(data)
        self.crc = zlib.crc32(data, self.crc)
        self.size += len(data)
        rest = memoryview(data)
        while rest:
            part = rest[: BLOCK - self._filled]
            self._block = zlib.crc32(part, self._block)
            self._filled += len(part)
            rest = rest[len(part) :]
            if self._filled == BLOCK:
                self.close()

    def close(self) -> None:
        if self._filled:
            self.blocks += self._block.to_bytes(4, "big")
        self._block = self._filled = 0


class Growing:
    """One file of the package while it is written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sums = _Sums()

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self.sums.size

    def write(self, data: bytes) -> None:
        """Add bytes; raises OSError."""
        self._file.write(data)
        self.sums.add(data)


class Package:
    """A package while it is written; `finish` makes it whole."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._entries: list[Entry] = []
        self._rows: list[dict[str, Any]] = []
        self._blocks = bytearray()

    @contextmanager
    def file(self, name: str) -> Generator[Growing]:
        """Write one file; when the block fails nothing of it stays, and it may be tried again."""
        at = self._file.tell()
        growing = Growing(self._file)
        try:
            self._file.write(verifier.local_header(Entry(name, 0, 0)))
            yield growing
        except BaseException:
            with suppress(OSError):  # a full disk refuses this too; then the package is given up
                self._file.seek(at)
                self._file.truncate()
            raise
        sums = growing.sums
        sums.close()
        entry = Entry(name, sums.size, sums.crc)
        self._file.seek(at)
        self._file.write(verifier.local_header(entry))
        self._file.seek(0, os.SEEK_END)
        self._entries.append(entry)
        row = {
            "path": name,
            "size": sums.size,
            "crc32": sums.crc,
            "sha256": sums.digest.hexdigest(),
        }
        self._rows.append(row)
        self._blocks += sums.blocks

    def add(self, name: str, data: bytes) -> None:
        """Write one file that is there already."""
        with self.file(name) as growing:
            growing.write(data)

    def finish(self, about: dict[str, Any], key: SigningKey) -> None:
        """Write block sums, manifest and signature; flush to the disk."""
        self.add(BLOCKS, bytes(self._blocks))
        manifest = verifier.canonical({**about, "format": verifier.FORMAT, "files": self._rows})
        self.add(MANIFEST, manifest)
        body = verifier.signature_body(manifest, key.kid, to_base64(key.public))
        signature = to_base64(key.sign(SIGNED_FOR + verifier.canonical(body)))
        self.add(SIGNATURE, verifier.canonical({**body, "sig": signature}))
        self._file.write(verifier.directory(self._entries))
        self._file.flush()
        os.fsync(self._file.fileno())


@contextmanager
def writing(place: Path) -> Generator[Package]:
    """Write a package beside its place (0600); it is there when the block has ended well.

    Whatever else happens nothing of it is left.
    """
    beside = beside_of(place)
    fd = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(fd, "wb+") as file:
            yield Package(file)
        beside.replace(place)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def beside_of(place: Path) -> Path:
    """Give where a package is while it is written."""
    return place.with_name(f".{place.name}.part")
