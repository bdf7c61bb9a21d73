"""Parameter sets: what a decoder must know before the first picture, and the picture's size."""

from dataclasses import dataclass
from functools import cached_property

from edge.rtsp.bits import BitReader, EndOfBits, without_emulation

START_CODE = b"\0\0\0\1"

# Profiles whose SPS carries chroma and scaling fields (ITU-T H.264, 7.3.2.1.1).
_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})


class BadParameters(Exception):
    """A parameter set is cut short or contradicts itself."""


@dataclass(frozen=True, slots=True)
class Size:
    """The picture's size in pixels, cropping done."""

    width: int
    height: int


@dataclass(frozen=True)
class Parameters:
    """The parameter sets of a stream; equal when nothing a decoder cares for has changed."""

    codec: str
    """`h264` or `h265`."""
    sps: bytes
    pps: tuple[bytes, ...]
    vps: bytes = b""
    """H.265 alone has one."""

    @cached_property
    def annex_b(self) -> bytes:
        """Them all behind start codes, as they stand in front of a key picture."""
        sets = (self.vps, self.sps, *self.pps) if self.vps else (self.sps, *self.pps)
        return b"".join(START_CODE + part for part in sets)

    @cached_property
    def size(self) -> Size:
        """The picture's size; raises BadParameters."""
        try:
            return _h265_size(self.sps) if self.codec == "h265" else _h264_size(self.sps)
        except (EndOfBits, IndexError) as error:
            raise BadParameters("the sequence parameter set is cut short") from error


def _h264_size(sps: bytes) -> Size:
    bits = BitReader(without_emulation(sps[1:]))
    profile = bits.take(8)
    bits.skip(16)
    bits.unsigned()  # seq_parameter_set_id
    chroma, separate = 1, 0
    if profile in _HIGH_PROFILES:
        chroma, separate = _skip_high_fields(bits)
    bits.unsigned()  # log2_max_frame_num_minus4
    _skip_picture_order(bits)
    bits.unsigned()  # max_num_ref_frames
    bits.skip(1)
    width = (bits.unsigned() + 1) * 16
    map_units = bits.unsigned() + 1
    frames_only = bits.take(1)
    height = (2 - frames_only) * map_units * 16
    if not frames_only:
        bits.skip(1)
    bits.skip(1)  # direct_8x8_inference_flag
    if bits.take(1):
        left, right, top, bottom = (bits.unsigned() for _ in range(4))
        across, down = (1, 1) if separate else {0: (1, 1), 1: (2, 2), 2: (2, 1), 3: (1, 1)}[chroma]
        down *= 2 - frames_only
        width, height = width - across * (left + right), height - down * (top + bottom)
    return _plausible(width, height)


def _skip_high_fields(bits: BitReader) -> tuple[int, int]:
    chroma = bits.unsigned()
    if chroma > 3:
        raise BadParameters(f"chroma format {chroma}")
    separate = bits.take(1) if chroma == 3 else 0
    bits.unsigned()  # bit_depth_luma_minus8
    bits.unsigned()  # bit_depth_chroma_minus8
    bits.skip(1)
    if bits.take(1):
        for number in range(12 if chroma == 3 else 8):
            if bits.take(1):
                _skip_scaling_list(bits, 16 if number < 6 else 64)
    return chroma, separate


def _skip_scaling_list(bits: BitReader, length: int) -> None:
    last, following = 8, 8
    for _ in range(length):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _skip_picture_order(bits: BitReader) -> None:
    kind = bits.unsigned()
    if kind == 0:
        bits.unsigned()  # log2_max_pic_order_cnt_lsb_minus4
    elif kind == 1:
        bits.skip(1)
        bits.signed()
        bits.signed()
        for _ in range(min(bits.unsigned(), 255)):
            bits.signed()


def _h265_size(sps: bytes) -> Size:
    bits = BitReader(without_emulation(sps[2:]))
    bits.skip(4)
    sub_layers = bits.take(3)
    bits.skip(1)
    bits.skip(96)  # general profile, tier and level
    _skip_sub_layers(bits, sub_layers)
    bits.unsigned()  # sps_seq_parameter_set_id
    chroma = bits.unsigned()
    separate = bits.take(1) if chroma == 3 else 0
    width, height = bits.unsigned(), bits.unsigned()
    if bits.take(1):
        left, right, top, bottom = (bits.unsigned() for _ in range(4))
        across = 2 if chroma in {1, 2} and not separate else 1
        down = 2 if chroma == 1 and not separate else 1
        width, height = width - across * (left + right), height - down * (top + bottom)
    return _plausible(width, height)


def _skip_sub_layers(bits: BitReader, count: int) -> None:
    if not count:
        return
    present = [(bits.take(1), bits.take(1)) for _ in range(count)]
    bits.skip(2 * (8 - count))
    for profile, level in present:
        bits.skip(88 * profile + 8 * level)


def _plausible(width: int, height: int) -> Size:
    if not (0 < width <= 16384 and 0 < height <= 16384):
        raise BadParameters(f"a picture of {width}x{height}")
    return Size(width, height)


def pps_id(codec: str, pps: bytes) -> int:
    """Give a picture parameter set's number; raises BadParameters."""
    try:
        return BitReader(without_emulation(pps[2 if codec == "h265" else 1 :][:8])).unsigned()
    except EndOfBits as error:
        raise BadParameters("the picture parameter set is cut short") from error
