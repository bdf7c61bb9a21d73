"""RTP payloads to pictures: H.264 (RFC 6184) and H.265 (RFC 7798), no I/O.

Both put NAL units into payloads in the same three ways (single, aggregated, fragmented) and differ
in numbers alone: a `Form` holds them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from edge.rtsp.lengths import LENGTH
from edge.rtsp.parameters import BadParameters, Parameters, pps_id

Set = Literal["vps", "sps", "pps"]

# What a payload or NAL unit is for us. Up to a key picture's slice it belongs to the picture, and
# the first two bits tell what the picture then is.
_OTHER: Final = 0
SLICE: Final = 1
KEY: Final = 3
_LEFT_OUT: Final = 4
_SET: Final = 5
_AGGREGATE: Final = 6
FRAGMENT: Final = 7
_REFUSED: Final = 8
_SPOILT: Final = 4


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


Whole = tuple[bytes, bool]
"""A picture's NAL units behind their lengths, without parameter sets and delimiters; if it is a
key picture."""


class Depacketiser:
    """Collects the NAL units of one picture after the other, and keeps the parameter sets."""

    def __init__(self, codec: str, known: Iterable[bytes] = ()) -> None:
        form = self._form = FORMS[codec]
        self.parameters: Parameters | None = None
        """Those in force; None until all kinds were seen."""
        self.pieces: list[bytes] = []
        """Of the picture under way, as they are to be joined. One list for good.

        Whoever reads the packets may add a slice here, behind its length, and its kind to `seen`
        instead of having it pushed: nearly all of a stream is slices.
        """
        self.seen = 0
        """The kinds of its NAL units, one with another."""
        self.opened = 0
        """Where in `pieces` a NAL unit begins that comes in fragments, behind its length; 0: no."""
        self.kinds = bytes([_kind_of(form, first) for first in range(256)])
        """What begins with which byte."""
        self._before_piece = form.header + 1
        self._opened_size = 0
        self._sets = _Sets(codec)
        for nal in known:
            self._add(nal)
        self.take()

    def push(self, data: bytes, begin: int, end: int) -> None:
        """Take the RTP payload that stands in `data[begin:end]`."""
        if begin >= end:
            return
        kind = self.kinds[data[begin]]
        if kind == FRAGMENT:
            self.push_fragment(data, begin, end)
        elif kind == _AGGREGATE:
            for nal in _aggregated(data, begin + self._form.header, end):
                self._add(nal)
        else:
            self._add(data[begin:end])

    def push_fragment(self, data: bytes, begin: int, end: int) -> None:
        """Take the payload of kind FRAGMENT that stands in `data[begin:end]`."""
        at = begin + self._before_piece
        flags = data[at - 1] if at < end else 0
        if flags & 0x80:
            if self.opened:
                self.seen |= _SPOILT
            header = _unit_header(self._form, data[begin:at])
            self.pieces += (b"its length", header)
            self.opened = len(self.pieces) - 1
            self._opened_size = len(header)
        if not self.opened or at >= end:
            self.seen |= _SPOILT
            return
        self.pieces.append(data[at:end])
        self._opened_size += end - at
        if flags & 0x40:
            self._close()

    def _close(self) -> None:
        pieces, opened = self.pieces, self.opened
        self.opened = 0
        kind = self.kinds[pieces[opened][0]]
        if kind <= KEY:
            pieces[opened - 1] = LENGTH(self._opened_size)
            self.seen |= kind
        else:
            nal = b"".join(pieces[opened:])
            del pieces[opened - 1 :]
            self._add(nal)

    def lose(self) -> None:
        """Note that packets are missing here: the picture under way is spoilt."""
        self.pieces.clear()
        self.opened = 0
        self.seen |= _SPOILT

    def take(self) -> Whole | None:
        """Give the picture that ends here; None: it is not whole, or is none."""
        seen, whole = self.seen, None
        if seen in {SLICE, KEY} and not self.opened:
            whole = b"".join(self.pieces), seen == KEY
        self.pieces.clear()
        self.opened = self.seen = 0
        return whole

    @property
    def size(self) -> int:
        """Bytes of the picture under way."""
        return sum(map(len, self.pieces))

    def _add(self, nal: bytes) -> None:
        kind = self.kinds[nal[0]] if len(nal) >= self._form.header else _REFUSED
        if kind <= KEY:
            self.pieces += (LENGTH(len(nal)), nal)
            self.seen |= kind
        elif kind == _SET:
            self._learn(nal)
        elif kind != _LEFT_OUT:
            self.seen |= _SPOILT

    def _learn(self, nal: bytes) -> None:
        form = self._form
        try:
            changed = self._sets.add(form.sets[nal[0] >> form.shift & form.mask], nal)
        except BadParameters:
            self.seen |= _SPOILT
        else:
            self.parameters = changed or self.parameters


def _unit_header(form: Form, opening: bytes) -> bytes:
    """Give the header of the NAL unit whose first fragment begins so."""
    header, flags = opening[: form.header], opening[form.header]
    first = header[0] & ~(form.mask << form.shift) | (flags & form.mask) << form.shift
    return first.to_bytes() + header[1:]


def _kind_of(form: Form, first: int) -> int:
    """Say what begins with this byte."""
    number = first >> form.shift & form.mask
    if number in form.slices:
        return KEY if number in form.keys else SLICE
    if number in form.sets:
        return _SET
    if number >= form.aggregate:
        return {form.aggregate: _AGGREGATE, form.fragment: FRAGMENT}.get(number, _REFUSED)
    return _LEFT_OUT if number in form.left_out else _OTHER


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
            if nal in self._pps.values():
                return None
            self._pps[pps_id(self._codec, nal)] = nal
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
