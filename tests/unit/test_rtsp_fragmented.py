"""What is recognised as a NAL unit in fragments, all packets of which are there."""

import pytest

from edge.rtsp.depacketise import KEY, SLICE
from edge.rtsp.fragmented import cutter, fragmented
from tests.fakes.rtsp import in_pieces, interleaved

UNIT = b"\x41" + bytes(range(1, 100))


def packets(unit: bytes = UNIT, codec: str = "h264", stamp: int = 7) -> list[bytes]:
    pieces = in_pieces(unit, 20, codec)
    return [
        interleaved(piece, number, stamp, marker=number == len(pieces) - 1)
        for number, piece in enumerate(pieces)
    ]


def test_its_packets_are_found_up_to_the_piece_of_the_last_and_cut() -> None:
    all_of_it = packets()
    form = fragmented("h264", len(all_of_it[0]), all_of_it[0][16:18])
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
    header = 2 if codec == "h264" else 3
    form = fragmented(codec, len(first), first[16 : 16 + header])
    assert form is not None
    assert (form.header, form.kind) == (unit[: header - 1], kind)


def test_a_fragment_that_opens_nothing_or_no_slice_is_none() -> None:
    some = packets()
    assert fragmented("h264", len(some[1]), some[1][16:18]) is None
    sequence_parameters = packets(b"\x67" + bytes(90))[0]
    assert fragmented("h264", len(sequence_parameters), sequence_parameters[16:18]) is None
    assert fragmented("h264", 18, some[0][16:18]) is None, "it holds no piece"


@pytest.mark.parametrize("spoilt", ["another source", "another time", "a piece left out"])
def test_packets_that_do_not_belong_together_are_not_found(spoilt: str) -> None:
    some = packets()
    form = fragmented("h264", len(some[0]), some[0][16:18])
    assert form is not None
    if spoilt == "another source":
        some[2] = some[2][:12] + b"\xff" + some[2][13:]
    elif spoilt == "another time":
        some[-1] = packets(stamp=8)[-1]
    else:
        some[-1:] = []
    assert form.match(b"".join(some), 0) is None
