"""RTP payloads to pictures: H.264 (RFC 6184) and H.265 (RFC 7798), no I/O.

Both put NAL units into payloads in the same three ways (single, aggregated, fragmented) and differ
in numbers alone: a `Form` holds them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple

from edge.rtsp.parameters import BadParameters, Parameters, pps_id

HOLE = b""
"""Stands among the payloads of a picture where some did not come."""

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
    slices: range
    keys: range
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
            slices=range(1, 6),
            keys=range(5, 6),
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
            slices=range(32),
            keys=range(16, 22),
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
    """Puts together one picture after the other, and keeps the parameter sets that came."""

    def __init__(self, codec: str, known: Iterable[bytes] = ()) -> None:
        self.parameters: Parameters | None = None
        """Those in force; None until all kinds were seen."""
        self._form = FORMS[codec]
        self._sets = _Sets(codec)
        self.put_together(list(known))

    def put_together(self, payloads: list[bytes]) -> Whole | None:
        """Give the picture of which these are all payloads; None: it is not whole, or is none."""
        form = self._form
        nals: list[bytes] = []
        is_spoilt = has_slice = is_key = False
        for nal in _units(form, payloads):
            if not nal:
                is_spoilt = True
                continue
            kind = nal[0] >> form.shift & form.mask
            if kind in form.sets:
                is_spoilt |= not self._learn(form.sets[kind], nal)
            elif kind not in form.left_out:
                nals.append(nal)
                has_slice = has_slice or kind in form.slices
                is_key = is_key or kind in form.keys
        return Whole(tuple(nals), is_key) if has_slice and not is_spoilt else None

    def _learn(self, kind: Set, nal: bytes) -> bool:
        try:
            self.parameters = self._sets.add(kind, nal) or self.parameters
        except BadParameters:
            return False
        return True


def _units(form: Form, payloads: list[bytes]) -> Iterator[bytes]:
    """Give the NAL units of a picture's payloads, and a HOLE for each that is not whole."""
    header, shift, mask, fragment = form.header, form.shift, form.mask, form.fragment
    pieces: list[bytes] = []
    for payload in payloads:
        kind = payload[0] >> shift & mask if len(payload) >= header else -1
        if kind == fragment and len(payload) > header + 1:
            flags = payload[header]
            if flags & 0x80:
                if pieces:
                    yield HOLE
                first = payload[0] & ~(mask << shift) | (flags & mask) << shift
                pieces = [bytes((first,)), payload[1:header]]
            elif not pieces:
                yield HOLE
                continue
            pieces.append(payload[header + 1 :])
            if flags & 0x40:
                yield b"".join(pieces)
                pieces = []
        elif 0 <= kind < form.aggregate:
            yield payload
        elif kind == form.aggregate:
            yield from _aggregated(payload, header)
        else:
            pieces = []
            yield HOLE
    if pieces:
        yield HOLE


def _aggregated(payload: bytes, at: int) -> Iterator[bytes]:
    while at + 2 < len(payload):
        size = payload[at] << 8 | payload[at + 1]
        at += 2
        if size and at + size <= len(payload):
            yield payload[at : at + size]
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
