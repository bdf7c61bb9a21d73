"""What is recognised as a NAL unit in fragments, all packets of which are there."""

import pytest

from edge.rtsp.depacketise import KEY, SLICE
from edge.rtsp.fragmented import Fragmented, cutter, fragmented
from tests.fakes.rtsp import in_pieces, interleaved

UNIT = b"\x41" + bytes(range(1, 100))


def packets(unit: bytes = UNIT, codec: str = "h264", stamp: int = 7) -> list[bytes]:
    pieces = in_pieces(unit, 20, codec)
    return [
        interleaved(piece, number, stamp, marker=number == len(pieces) - 1)
        for number, piece in enumerate(pieces)
    ]


def form_of(first: bytes, codec: str = "h264") -> Fragmented | None:
    return fragmented(codec, first[:6], first[16 : 18 if codec == "h264" else 19])


def test_its_packets_are_found_up_to_the_piece_of_the_last_and_cut() -> None:
    all_of_it = packets()
    form = form_of(all_of_it[0])
    assert form is not None
    assert (form.header, form.kind) == (b"\x41", SLICE)
    data = b"before" + b"".join(all_of_it) + b"$\0after"
    found = form.match(data, 6)
    assert found is not None
    count = (found.end() - form.before - 6) // len(all_of_it[0])
    assert count == len(all_of_it) - 1
    pieces = cutter(form.before, form.piece, count).unpack_from(data, 6)
    last = data[found.end() : -len(b"$\0after")]
    assert form.header + b"".join(pieces) + last == UNIT


@pytest.mark.parametrize(
    ("codec", "unit", "kind"),
    [
        ("h264", b"\x65" + bytes(90), KEY),
        ("h265", b"\x26\x01" + bytes(90), KEY),
        ("h265", b"\x02\x01" + bytes(90), SLICE),
    ],
)
def test_both_codecs_say_what_the_picture_is(codec: str, unit: bytes, kind: int) -> None:
    first = packets(unit, codec)[0]
    form = form_of(first, codec)
    assert form is not None
    assert (form.header, form.kind) == (unit[: 1 if codec == "h264" else 2], kind)


def test_a_fragment_that_opens_nothing_or_no_slice_is_none() -> None:
    some = packets()
    assert form_of(some[1]) is None
    sequence_parameters = packets(b"\x67" + bytes(90))[0]
    assert form_of(sequence_parameters) is None
    assert form_of(b"$\0\0\x0e" + some[0][4:]) is None, "it holds no piece"


def test_another_unit_of_the_same_look_is_found_by_what_the_first_one_says() -> None:
    form = form_of(packets()[0])
    assert form is not None
    assert form.match(b"".join(packets(UNIT[:70], stamp=8)), 0) is not None
    assert form.match(b"".join(packets(b"\x65" + UNIT[1:], stamp=8)), 0) is None


@pytest.mark.parametrize("spoilt", ["another source", "another time", "a piece left out"])
def test_packets_that_do_not_belong_together_are_not_found(spoilt: str) -> None:
    some = packets()
    form = form_of(some[0])
    assert form is not None
    if spoilt == "another source":
        some[2] = some[2][:12] + b"\xff" + some[2][13:]
    elif spoilt == "another time":
        some[-1] = packets(stamp=8)[-1]
    else:
        some[-1:] = []
    assert form.match(b"".join(some), 0) is None
