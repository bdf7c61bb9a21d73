"""A footage file: a segment's own bytes, framed so that players show the span alone."""

import msgspec

from contract.boxapi import FragmentsHead
from orchestrator.evidence import verifier
from orchestrator.evidence.package import Growing
from orchestrator.evidence.verifier import Sample

_LONGEST_HEAD = 4 << 20


class FootageChanged(Exception):
    """What the box sends is not what it signed when it was recorded."""


class Footage:
    """Takes what a box answers to `/fragments`, in pieces of any size."""

    def __init__(self, file: Growing, root: str, begin: int, end: int) -> None:
        self.head: FragmentsHead | None = None
        self._file = file
        self._root = root
        self._span = begin, end
        self._waiting = bytearray()
        self._init = b""
        self._known: dict[int, bytes] = {}
        self._samples: list[Sample] = []

    def take(self, data: bytes) -> None:
        """Write what is whole; raises FootageChanged or OSError."""
        self._waiting += data
        if self.head is None and not self._read_head():
            return
        while (size := self._next()) is not None and len(self._waiting) >= size:
            part = bytes(self._waiting[:size])
            del self._waiting[:size]
            self._write(part)

    def finish(self) -> FragmentsHead:
        """Write the index; gives what was proved. Raises FootageChanged."""
        head = self.head
        if head is None or self._next() is not None or self._waiting:
            raise FootageChanged("the box broke off")
        try:
            proof = [bytes.fromhex(one) for one in head.proof]
            root = verifier.root_from(head.leaves, self._known, proof)
        except ValueError as error:
            raise FootageChanged(str(error)) from error
        if root.hex() != self._root:
            raise FootageChanged("the bytes do not lead to the root that was signed")
        self._file.write(verifier.movie(self._init, self._samples, *self._span))
        return head

    @property
    def shown(self) -> tuple[int, int]:
        """From where to where the file shows pictures, in 90 kHz from the segment's start."""
        return verifier.shown_span(self._chosen, *self._span)

    @property
    def lead_in(self) -> tuple[int, float]:
        """Pictures, and their seconds, that only decoding needs: in the file, never shown."""
        begin = self.shown[0]
        before = [one for one in self._chosen if one.shown < begin]
        first = min((one.shown for one in before), default=begin)
        return len(before), (begin - first) / 90_000

    @property
    def _chosen(self) -> list[Sample]:
        return verifier.picked(self._samples, *self._span)

    def _read_head(self) -> bool:
        size = int.from_bytes(self._waiting[:4], "big")
        if size > _LONGEST_HEAD:
            raise FootageChanged("the box answers something else")
        if len(self._waiting) < 4 + max(size, 1):
            return False
        try:
            self.head = msgspec.json.decode(self._waiting[4 : 4 + size], type=FragmentsHead)
        except msgspec.MsgspecError as error:
            raise FootageChanged(f"the box answers something else: {error}") from error
        del self._waiting[: 4 + size]
        return True

    def _next(self) -> int | None:
        """Give the size of the part that comes next; None: nothing does."""
        assert self.head is not None
        done = len(self._known)
        if done == 0:
            return self.head.init
        if done > len(self.head.fragments):
            return None
        return self.head.fragments[done - 1][1]

    def _write(self, part: bytes) -> None:
        assert self.head is not None
        if not self._known:
            self._init = part
            payload = len(part) + sum(piece[1] for piece in self.head.fragments)
            self._file.write(verifier.opening(part, payload))
            self._known[0] = verifier.leaf(part)
        else:
            moof = int.from_bytes(part[:4], "big")
            try:
                self._samples += verifier.samples_of(part[:moof], self._file.size)
            except ValueError as error:
                raise FootageChanged(str(error)) from error
            self._known[self.head.first + len(self._known) - 1] = verifier.leaf(part)
        self._file.write(part)
