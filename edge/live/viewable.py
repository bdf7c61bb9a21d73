"""Whether a browser can show a stream as the camera sends it."""

from edge.feed import AccessUnit

_SLICE_TYPES = range(1, 6)
_B = 1
_SPS_STARTS = (b"\x00\x00\x01\x67", b"\x00\x00\x01\x27", b"\x00\x00\x01\x47")
_BASELINE = 66


def why_not(unit: AccessUnit) -> str:
    """Say why this picture cannot be passed through to WebRTC, as a stable code; empty: it can.

    `h265`: browsers offer no decoder for it. `b_frames`: WebRTC has no reordering for H.264.
    """
    if unit.codec != "h264":
        return unit.codec
    return "b_frames" if has_b_slice(unit.data) else ""


def has_b_slice(data: bytes) -> bool:
    """True when the first slice of this H.264 access unit (Annex B) is a B slice."""
    at = data.find(b"\x00\x00\x01")
    while at != -1 and at + 4 < len(data):
        at += 3
        if data[at] & 0x1F in _SLICE_TYPES:
            return _slice_type(data[at + 1 : at + 13]) % 5 == _B
        at = data.find(b"\x00\x00\x01", at)
    return False


def never_b(unit: AccessUnit) -> bool:
    """True when the picture's parameter set names the Baseline profile, which has no B slices."""
    return any(start + bytes((_BASELINE,)) in unit.data[:512] for start in _SPS_STARTS)


def _slice_type(header: bytes) -> int:
    bits = f"{int.from_bytes(header):0{8 * len(header)}b}"
    _, rest = _exp_golomb(bits)  # first_mb_in_slice
    return _exp_golomb(rest)[0]


def _exp_golomb(bits: str) -> tuple[int, str]:
    """Read one ue(v) (H.264, 9.1); gives the value and the bits behind it."""
    zeros = len(bits) - len(bits.lstrip("0"))
    end = 2 * zeros + 1
    return int(bits[zeros:end] or "1", 2) - 1, bits[end:]
