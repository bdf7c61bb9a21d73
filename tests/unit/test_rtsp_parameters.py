"""Parameter sets: those of real encoders, and broken ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.rtsp.bits import BitReader, EndOfBits, without_emulation
from edge.rtsp.parameters import BadParameters, Parameters, Size
from tests.fakes.encoder import parameter_sets

PPS = (b"\x68\xce\x3c\x80",)


@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize(
    ("width", "height"), [(1280, 720), (640, 360), (1920, 1080), (352, 288), (2560, 1440)]
)
def test_the_size_is_that_of_the_encoder(codec: str, width: int, height: int) -> None:
    assert parameter_sets(codec, width, height).size == Size(width, height)


@pytest.mark.parametrize(
    ("sps", "size"),
    [
        # A Baseline one and a High one, read by ffmpeg as well.
        ("6742c01ed90141fb011000000300100000030320f162e480", Size(320, 240)),
        ("6764001facd9405005bb011000000300100000030320f1831960", Size(1280, 720)),
    ],
)
def test_the_size_stands_in_the_bytes_of_real_streams(sps: str, size: Size) -> None:
    assert Parameters("h264", bytes.fromhex(sps), PPS).size == size


@given(st.binary(max_size=40), st.sampled_from(["h264", "h265"]))
def test_no_bytes_do_anything_but_give_a_size_or_an_error(data: bytes, codec: str) -> None:
    try:
        size = Parameters(codec, b"\x67" + data, PPS).size
    except BadParameters:
        return
    assert size.width > 0


@given(st.lists(st.integers(0, 2**20), max_size=20))
def test_exponential_golomb_codes_read_back(values: list[int]) -> None:
    bits = "".join(f"{'0' * ((v + 1).bit_length() - 1)}{v + 1:b}" for v in values)
    bits += "0" * (-len(bits) % 8)
    reader = BitReader(int(bits or "0", 2).to_bytes(len(bits) // 8, "big"))
    assert [reader.unsigned() for _ in values] == values


def test_signed_codes_alternate() -> None:
    reader = BitReader(bytes([0b10100110, 0b01000010, 0b10000000]))
    assert [reader.signed() for _ in range(5)] == [0, 1, -1, 2, -2]


def test_asking_for_more_bits_than_there_are_says_so() -> None:
    with pytest.raises(EndOfBits):
        BitReader(b"\xff").take(9)


def test_emulation_prevention_is_taken_out() -> None:
    assert without_emulation(b"\x00\x00\x03\x01\x00\x00\x03\x00") == b"\x00\x00\x01\x00\x00\x00"


def test_annex_b_holds_the_sets_in_order() -> None:
    parameters = Parameters("h265", b"sps", (b"pps",), b"vps")
    assert parameters.annex_b == b"\0\0\0\1vps\0\0\0\1sps\0\0\0\1pps"
