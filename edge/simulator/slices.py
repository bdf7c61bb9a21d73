"""H.264 slice headers: read, rewritten, and whole slices that repeat the picture before.

Only what our own encoder writes is understood: baseline profile, frames, picture order type 2,
one reference, deblocking stated in the slice. Anything else raises UnexpectedSyntax.
"""

from dataclasses import dataclass, replace

from edge.simulator.bits import BitReader, Bits, escape, signed, unescape, unsigned

P_SLICE = 0
I_SLICE = 2
ALL_ALIKE = 5
"""Added to the type where all slices of the picture have it."""

_HEADER_BYTES = 32
_BASELINE = 66


class UnexpectedSyntax(Exception):
    """The encoder wrote something this module does not know how to rewrite."""


@dataclass(frozen=True, slots=True)
class Syntax:
    """What of the parameter sets decides how a slice is read; must agree between two encoders."""

    frame_num_bits: int
    initial_qp: int


@dataclass(frozen=True, slots=True)
class SliceHeader:
    """The fields of a slice header, in their order."""

    first_macroblock: int
    slice_type: int
    frame_num: int
    idr_pic_id: int | None
    qp_delta: int
    deblocking: tuple[int, ...]


def nal_units(stream: bytes) -> list[bytes]:
    """Split an Annex B stream into NAL units without start codes."""
    parts = stream.replace(b"\x00\x00\x00\x01", b"\x00\x00\x01").split(b"\x00\x00\x01")
    return [part for part in parts if part]


def nal_type(nal: bytes) -> int:
    """7 sequence and 8 picture parameter set, 5 slice of a key frame, 1 other slice."""
    return nal[0] & 31


def is_reference(nal: bytes) -> bool:
    """True where later pictures may refer to this one."""
    return nal[0] & 0x60 != 0


def syntax_of(sps: bytes, pps: bytes) -> Syntax:
    """Read the two parameter sets; raises UnexpectedSyntax."""
    return Syntax(_frame_num_bits(sps), _initial_qp(pps))


def _frame_num_bits(sps: bytes) -> int:
    reader = BitReader(unescape(sps[1:]))
    profile = reader.take(8)
    reader.take(16)
    reader.unsigned()
    frame_num_bits = reader.unsigned() + 4
    order_type = reader.unsigned()
    if (profile, order_type) != (_BASELINE, 2):
        raise UnexpectedSyntax(f"profile {profile}, picture order type {order_type}")
    return frame_num_bits


def _initial_qp(pps: bytes) -> int:
    reader = BitReader(unescape(pps[1:]))
    reader.unsigned()
    reader.unsigned()
    arithmetic, order_present, groups = reader.take(1), reader.take(1), reader.unsigned()
    references = reader.unsigned()
    reader.unsigned()
    weighted, bidirectional = reader.take(1), reader.take(2)
    initial_qp = 26 + reader.signed()
    reader.signed()
    reader.signed()
    deblocking_stated, _, redundant = reader.take(1), reader.take(1), reader.take(1)
    seen = (arithmetic, order_present, groups, references, weighted, bidirectional, redundant)
    if any(seen) or not deblocking_stated:
        raise UnexpectedSyntax(f"picture parameter set {pps.hex()}")
    return initial_qp


def read_header(nal: bytes, syntax: Syntax) -> tuple[SliceHeader, int]:
    """Give the header and the position in bits where the macroblocks begin."""
    reader = BitReader(unescape(nal[1:_HEADER_BYTES]))
    first, slice_type, pps = reader.unsigned(), reader.unsigned(), reader.unsigned()
    frame_num = reader.take(syntax.frame_num_bits)
    is_idr = nal_type(nal) == 5
    idr_pic_id = reader.unsigned() if is_idr else None
    overridden = 0
    if slice_type % 5 == P_SLICE:
        overridden = reader.take(2)
    marking = reader.take(2 if is_idr else int(is_reference(nal)))
    if pps or overridden or marking:
        raise UnexpectedSyntax(f"slice header {nal[:_HEADER_BYTES].hex()}")
    qp_delta = reader.signed()
    disabled = reader.unsigned()
    deblocking = (disabled,) if disabled == 1 else (disabled, reader.signed(), reader.signed())
    header = SliceHeader(first, slice_type, frame_num, idr_pic_id, qp_delta, deblocking)
    return header, reader.position


def write_header(header: SliceHeader, syntax: Syntax, *, reference: bool) -> Bits:
    """Write the header as bits; a key frame is one that has an `idr_pic_id`."""
    bits = unsigned(header.first_macroblock) + unsigned(header.slice_type) + unsigned(0)
    bits += Bits(header.frame_num, syntax.frame_num_bits)
    if header.idr_pic_id is not None:
        bits += unsigned(header.idr_pic_id)
    if header.slice_type % 5 == P_SLICE:
        bits += Bits(0, 2)
    if header.idr_pic_id is not None:
        bits += Bits(0, 2)
    elif reference:
        bits += Bits(0, 1)
    bits += signed(header.qp_delta) + unsigned(header.deblocking[0])
    for offset in header.deblocking[1:]:
        bits += signed(offset)
    return bits


def rewrite(nal: bytes, syntax: Syntax, **changes: int | None) -> bytes:
    """Give the same macroblocks under a header with these fields changed."""
    header, begin = read_header(nal, syntax)
    changed = replace(header, **changes)  # type: ignore[arg-type]  # fields by name
    macroblocks = Bits.of(unescape(nal[1:])).from_(begin).trimmed()
    bits = write_header(changed, syntax, reference=is_reference(nal)) + macroblocks
    kind = 1 if changed.idr_pic_id is None else 5
    return bytes([nal[0] & 0xE0 | kind]) + escape(bits.padded())


def repeating_slice(syntax: Syntax, frame_num: int, first: int, count: int) -> bytes:
    """Write a slice of skipped macroblocks: `count` of them show again what was there."""
    number = frame_num % (1 << syntax.frame_num_bits)
    header = SliceHeader(first, P_SLICE, number, None, 0, (1,))
    bits = write_header(header, syntax, reference=True) + unsigned(count) + Bits(1, 1)
    return b"\x41" + escape(bits.padded())
