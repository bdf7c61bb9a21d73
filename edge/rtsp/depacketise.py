"""RTP payloads to pictures: H.264 (RFC 6184) and H.265 (RFC 7798), no I/O.

Both put NAL units into payloads in the same three ways (single, aggregated, fragmented) and differ
in numbers alone: a `Form` holds them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple

from edge.rtsp.parameters import BadParameters, Parameters, pps_id

Set = Literal["vps", "sps", "pps"]


@dataclass(frozen=True, slots=True)
class Form:
    """How a codec's NAL units stand in payloads, and what their types mean."""

    codec: str
    header: int
    """Bytes of a NAL unit's header, and of a payload's, which looks the same."""
    shift: int
    mask: int
    """The type in a header's first byte."""
    aggregate: int
    fragment: int
    """Payload types; below `aggregate` a payload is a NAL unit, the others are of modes we refuse:
    they need decoding order numbers."""
    slices: frozenset[int]
    keys: frozenset[int]
    sets: Mapping[int, Set]
    left_out: frozenset[int]
    """Delimiters and filler."""


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "h264": Form(
            "h264",
            header=1,
            shift=0,
            mask=31,
            aggregate=24,
            fragment=28,
            slices=frozenset(range(1, 6)),
            keys=frozenset({5}),
            sets=MappingProxyType({7: "sps", 8: "pps"}),
            left_out=frozenset({9, 12}),
        ),
        "h265": Form(
            "h265",
            header=2,
            shift=1,
            mask=63,
            aggregate=48,
            fragment=49,
            slices=frozenset(range(32)),
            keys=frozenset(range(16, 22)),
            sets=MappingProxyType({32: "vps", 33: "sps", 34: "pps"}),
            left_out=frozenset({35, 38}),
        ),
    }
)


class Whole(NamedTuple):
    """A picture's NAL units, without parameter sets and delimiters."""

    nals: tuple[bytes, ...]
    key: bool


class Depacketiser:
    """Collects the NAL units of one picture after the other, and keeps the parameter sets."""

    def __init__(self, codec: str, known: Iterable[bytes] = ()) -> None:
        self.parameters: Parameters | None = None
        """Those in force; None until all kinds were seen."""
        self.pieces: list[bytes] = []
        """Of the NAL unit under way: its header, then what its fragments hold. One list for good.

        While there are any, whoever reads the packets may append fragments that begin with
        `middle` without asking: nearly all of a stream are such.
        """
        self.middle = b""
        """How a fragment begins that is neither the first nor the last of the unit under way."""
        self.fragment_header = FORMS[codec].header + 1
        """Bytes before a fragment's piece."""
        self._form = FORMS[codec]
        self._sets = _Sets(codec)
        self._nals: list[bytes] = []
        self._is_spoilt = self._has_slice = self._is_key = False
        for nal in known:
            self._add(nal)
        self.take()

    def push(self, data: bytes, begin: int, end: int) -> None:
        """Take the RTP payload that stands in `data[begin:end]`."""
        form = self._form
        if begin >= end:
            return
        kind = data[begin] >> form.shift & form.mask if end - begin >= form.header else -1
        if kind == form.fragment and end - begin > self.fragment_header:
            self._push_fragment(data, begin, end)
        elif 0 <= kind < form.aggregate:
            self._add(data[begin:end])
        elif kind == form.aggregate:
            for nal in _aggregated(data, begin + form.header, end):
                self._add(nal)
        else:
            self._is_spoilt = True

    def _push_fragment(self, data: bytes, begin: int, end: int) -> None:
        form, pieces = self._form, self.pieces
        flags = data[begin + form.header]
        if flags & 0x80:
            self._is_spoilt |= bool(pieces)
            kind = (flags & form.mask) << form.shift
            first = data[begin] & ~(form.mask << form.shift) | kind
            pieces[:] = (bytes((first,)) + data[begin + 1 : begin + form.header],)
            self.middle = data[begin : begin + form.header] + bytes((flags & 0x3F,))
        elif not pieces:
            self._is_spoilt = True
            return
        pieces.append(data[begin + self.fragment_header : end])
        if flags & 0x40:
            nal = b"".join(pieces)
            pieces.clear()
            self._add(nal)

    def lose(self) -> None:
        """Note that packets are missing here: the picture under way is spoilt."""
        self.pieces.clear()
        self._is_spoilt = True

    def take(self) -> Whole | None:
        """Give the picture that ends here; None: it is not whole, or is none."""
        is_whole = self._has_slice and not self._is_spoilt and not self.pieces
        whole = Whole(tuple(self._nals), self._is_key) if is_whole else None
        self.pieces.clear()
        self._nals.clear()
        self._is_spoilt = self._has_slice = self._is_key = False
        return whole

    @property
    def size(self) -> int:
        """Bytes of the picture under way."""
        return sum(map(len, self.pieces)) + sum(map(len, self._nals))

    def _add(self, nal: bytes) -> None:
        form = self._form
        kind = nal[0] >> form.shift & form.mask
        if kind in form.slices:
            self._has_slice = True
            self._is_key = self._is_key or kind in form.keys
            self._nals.append(nal)
        elif kind in form.sets:
            self._learn(form.sets[kind], nal)
        elif kind not in form.left_out:
            self._nals.append(nal)

    def _learn(self, kind: Set, nal: bytes) -> None:
        try:
            self.parameters = self._sets.add(kind, nal) or self.parameters
        except BadParameters:
            self._is_spoilt = True


def _aggregated(data: bytes, at: int, end: int) -> Iterator[bytes]:
    while at + 2 < end:
        size = data[at] << 8 | data[at + 1]
        at += 2
        if size and at + size <= end:
            yield data[at : at + size]
        at += size


class _Sets:
    """The parameter sets seen so far."""

    def __init__(self, codec: str) -> None:
        self._codec = codec
        self._vps = b""
        self._sps = b""
        self._pps: dict[int, bytes] = {}

    def add(self, kind: Set, nal: bytes) -> Parameters | None:
        """Give the parameters after this set when it changes them and they are whole."""
        if kind == "pps":
            number = pps_id(self._codec, nal)
            if self._pps.get(number) == nal:
                return None
            self._pps[number] = nal
        elif kind == "sps":
            if nal == self._sps:
                return None
            self._sps = nal
            self._pps.clear()  # they belong to the old one; the new ones follow
        else:
            if nal == self._vps:
                return None
            self._vps = nal
        if not (self._sps and self._pps) or (self._codec == "h265" and not self._vps):
            return None
        pps = tuple(nal for _, nal in sorted(self._pps.items()))
        whole = Parameters(self._codec, self._sps, pps, self._vps)
        _ = whole.size
        return whole
