"""Bytes of a connection to pictures."""

import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.rtsp.depacketise import Depacketiser
from edge.rtsp.intake import BrokenFraming, Intake, Picture
from edge.rtsp.timeline import Timeline
from tests.fakes.encoder import parameter_sets
from tests.fakes.rtsp import in_pieces, interleaved

SETS = parameter_sets("h264")
SETS_H265 = parameter_sets("h265")
IDR, SLICE = b"\x65" + b"i" * 40, b"\x41" + b"p" * 40
NOW_US = 1_800_000_000_000_000


def intake(run: int = 1, codec: str = "h264") -> Intake:
    known = SETS if codec == "h264" else SETS_H265
    sets = [nal for nal in (known.vps, known.sps, *known.pps) if nal]
    return Intake(Depacketiser(codec, sets), Timeline(run), 96, 0)


def report(ntp_us: int, stamp: int) -> bytes:
    """An interleaved sender report on channel 1."""
    ntp = (ntp_us * 2**32 // 1_000_000) + (2_208_988_800 << 32)
    return struct.pack("!cBHBBHIQIII", b"$", 1, 28, 0x80, 200, 6, 1, ntp, stamp, 0, 0)


def stream(count: int, first: int = 65_530) -> bytes:
    """Pictures a 25th apart, a key picture first; sequence numbers wrap."""
    return b"".join(
        interleaved(
            SLICE if n else IDR, (first + n) & 0xFFFF, 4_294_960_000 + 3600 * n & 0xFFFFFFFF
        )
        for n in range(count)
    )


def test_sequence_numbers_and_time_stamps_wrap_quietly() -> None:
    taken = intake().feed(stream(12), NOW_US)
    stamps = [picture.timestamp_90k for picture in taken]
    assert [later - earlier for earlier, later in pairwise(stamps)] == [3600] * 11
    assert [picture.key for picture in taken] == [True] + [False] * 11
    assert {picture.run for picture in taken} == {1}


@given(st.lists(st.integers(1, 700), min_size=1, max_size=30))
def test_it_does_not_matter_how_the_bytes_are_cut(sizes: list[int]) -> None:
    data = stream(12) + report(NOW_US, 4_294_960_000)
    whole = [picture.nals for picture in intake().feed(data, NOW_US)]
    pieces: list[Picture] = []
    taking, at = intake(), 0
    for size in sizes:
        pieces += taking.feed(data[at : at + size], NOW_US)
        at += size
    pieces += taking.feed(data[at:], NOW_US)
    assert [picture.nals for picture in pieces] == whole


@given(data=st.data())
@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_fragments_in_a_row_are_taken_as_they_are_one_by_one(
    codec: str, data: st.DataObject
) -> None:
    key = b"\x65" if codec == "h264" else b"\x26\x01"
    sizes = data.draw(st.lists(st.integers(1, 400), min_size=1, max_size=4))
    packets: list[bytes] = []
    for number, size in enumerate(sizes):
        pieces = in_pieces(key + bytes(n & 0xFF for n in range(size)), 20, codec)
        packets += [
            interleaved(piece, 65_520 + len(packets) + n & 0xFFFF, number * 3600, marker=False)
            for n, piece in enumerate(pieces)
        ]
    lost = data.draw(st.sets(st.integers(1, len(packets)), max_size=2))
    left = [packet for number, packet in enumerate(packets) if number not in lost]
    left.append(interleaved(key, 65_520 + len(packets) & 0xFFFF, len(sizes) * 3600))
    together, single = intake(codec=codec), intake(codec=codec)
    taken = together.feed(b"".join(left), NOW_US)
    one_by_one = [picture for packet in left for picture in single.feed(packet, NOW_US)]
    assert [(one.timestamp_90k, one.data) for one in taken] == [
        (one.timestamp_90k, one.data) for one in one_by_one
    ]
    assert together.lost_packets == single.lost_packets == len(lost - {len(packets)})
    assert lost or len(taken) == len(sizes) + 1


def test_an_answer_in_between_is_passed_over() -> None:
    answer = b"RTSP/1.0 200 OK\r\nCSeq: 9\r\nContent-Length: 4\r\n\r\n$$$$"
    data = stream(2) + answer + interleaved(SLICE, 65_532, 4_294_967_200)
    assert len(intake().feed(data, NOW_US)) == 3


def test_bytes_that_are_neither_end_the_session() -> None:
    with pytest.raises(BrokenFraming):
        intake().feed(stream(1) + b"\0\0\0\0", NOW_US)


def test_a_lost_packet_spoils_its_picture_alone_and_is_counted() -> None:
    taking = intake()
    first = interleaved(IDR, 1, 0)
    half = interleaved(SLICE, 3, 3600)  # number 2, its other half, never came
    after = interleaved(SLICE, 4, 7200)
    taken = taking.feed(first + half + after, NOW_US)
    assert [picture.timestamp_90k % 2**32 for picture in taken] == [0, 7200]
    assert taking.lost_packets == 1


def test_a_picture_beyond_all_measure_is_dropped_and_the_next_is_whole() -> None:
    taking = intake()
    for number in range(200):
        piece = b"\x7c" + (b"\x85" if not number else b"\x05") + bytes(60_000)
        assert taking.feed(interleaved(piece, number, 0, marker=False), NOW_US) == []
        assert taking._depacketiser.size <= 8 << 20
    taken = taking.feed(interleaved(b"\x7c\x45" + b"end", 200, 0) + interleaved(IDR, 201, 3600), 0)
    assert [picture.nals for picture in taken] == [[IDR]]


def test_a_picture_without_a_marker_ends_where_the_next_begins() -> None:
    data = interleaved(IDR, 1, 0, marker=False) + interleaved(SLICE, 2, 3600, marker=False)
    assert [picture.nals for picture in intake().feed(data, NOW_US)] == [[IDR]]


def test_other_payload_types_and_channels_are_passed_over() -> None:
    sound = bytearray(interleaved(b"sound", 1, 0))
    sound[1] = 2
    other = bytearray(interleaved(b"other", 2, 0))
    other[5] = 97
    data = bytes(sound + other) + interleaved(IDR, 1, 0)
    assert len(intake().feed(data, NOW_US)) == 1


def test_padding_extensions_and_sources_are_not_the_picture() -> None:
    rtp = struct.pack("!BBHIIIHHI", 0xB1, 0x80 | 96, 1, 0, 1, 77, 0xBEDE, 1, 0) + IDR + b"\0\0\3"
    data = struct.pack("!cBH", b"$", 0, len(rtp)) + rtp
    assert intake().feed(data, NOW_US)[0].nals == [IDR]


def test_pictures_are_timed_by_the_sender_report() -> None:
    taking = intake()
    taking.feed(interleaved(IDR, 1, 0), NOW_US)
    sent = NOW_US - 300_000  # the camera's clock, or the way, is 0.3 s behind
    taken = taking.feed(
        report(sent + 1_000_000, 90_000) + interleaved(SLICE, 2, 90_000), NOW_US + 1_000_000
    )
    assert taken[0].captured_us == pytest.approx(sent + 1_000_000, abs=2)


@given(st.binary(max_size=400))
def test_no_bytes_do_anything_but_give_pictures_or_end_the_session(data: bytes) -> None:
    try:
        intake().feed(b"$" + data, NOW_US)
    except BrokenFraming:
        return


@pytest.mark.parametrize("length", ["300000", "9" * 5000])
def test_a_message_that_announces_too_much_ends_the_session(length: str) -> None:
    head = f"RTSP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\n".encode()
    with pytest.raises(BrokenFraming, match="too large"):
        intake().feed(head, NOW_US)
