"""RTP payloads to pictures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.rtsp.depacketise import Depacketiser
from edge.rtsp.lengths import joined
from tests.fakes.encoder import parameter_sets
from tests.fakes.rtsp import in_pieces

H264 = parameter_sets("h264")
H265 = parameter_sets("h265")
IDR, SLICE, SEI = b"\x65" + b"i" * 20, b"\x41" + b"p" * 20, b"\x06sei"
IRAP, TRAIL = b"\x26\x01" + b"i" * 20, b"\x02\x01" + b"p" * 20


def fresh(codec: str = "h264") -> Depacketiser:
    sets = H264 if codec == "h264" else H265
    return Depacketiser(codec, [nal for nal in (sets.vps, sets.sps, *sets.pps) if nal])


def push(collect: Depacketiser, *payloads: bytes) -> Depacketiser:
    for payload in payloads:
        collect.push(b"....." + payload + b"...", 5, 5 + len(payload))
    return collect


def together(*nals: bytes, codec: str = "h264") -> bytes:
    """Put NAL units into one STAP-A, or aggregation packet of H.265."""
    head = b"\x18" if codec == "h264" else b"\x60\x01"
    return head + b"".join(len(nal).to_bytes(2, "big") + nal for nal in nals)


def test_parameter_sets_of_the_description_are_known_at_once() -> None:
    assert fresh().parameters == H264
    assert fresh("h265").parameters == H265


def test_a_single_nal_unit_is_a_picture() -> None:
    assert push(fresh(), IDR).take() == (joined([IDR]), True)
    assert push(fresh(), SLICE).take() == (joined([SLICE]), False)
    assert push(fresh("h265"), IRAP).take() == (joined([IRAP]), True)
    assert push(fresh("h265"), TRAIL).take() == (joined([TRAIL]), False)


def test_an_aggregate_is_taken_apart_and_its_parameter_sets_kept_out() -> None:
    collect = push(Depacketiser("h264"), together(H264.sps, H264.pps[0], SEI, IDR))
    assert collect.take() == (joined([SEI, IDR]), True)
    assert collect.parameters == H264
    sets = (H265.vps, H265.sps, H265.pps[0])
    other = push(Depacketiser("h265"), together(*sets, IRAP, codec="h265"))
    assert other.take() == (joined([IRAP]), True)
    assert other.parameters == H265


@given(st.binary(min_size=2, max_size=300), st.integers(1, 50), st.sampled_from(["h264", "h265"]))
def test_a_picture_in_pieces_is_put_together(body: bytes, size: int, codec: str) -> None:
    nal = (b"\x65" if codec == "h264" else b"\x26\x01") + body
    assert push(fresh(codec), *in_pieces(nal, size, codec)).take() == (joined([nal]), True)


@pytest.mark.parametrize("missing", [0, 1, 2])
@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_a_picture_with_a_lost_piece_is_none_and_the_next_is_whole(
    codec: str, missing: int
) -> None:
    nal = IDR if codec == "h264" else IRAP
    pieces = in_pieces(nal, 8, codec)
    assert len(pieces) == 3
    collect = fresh(codec)
    for number, piece in enumerate(pieces):
        if number == missing:
            collect.lose()
        else:
            push(collect, piece)
    assert collect.take() is None
    assert push(collect, nal).take() == (joined([nal]), True)


def test_delimiters_and_filler_are_left_out() -> None:
    assert push(fresh(), b"\x09\xf0", SEI, IDR, b"\x0c\xff").take() == (joined([SEI, IDR]), True)


def test_parameter_sets_alone_are_no_picture() -> None:
    assert push(fresh(), H264.sps, *H264.pps).take() is None


def test_a_parameter_set_in_pieces_is_learnt_and_kept_out() -> None:
    collect = push(Depacketiser("h264"), *in_pieces(H264.sps, 6), *H264.pps, IDR)
    assert collect.parameters == H264
    assert collect.take() == (joined([IDR]), True)


def test_sets_that_come_again_unchanged_are_the_same_object() -> None:
    collect = fresh()
    before = collect.parameters
    push(collect, H264.sps, *H264.pps, IDR)
    assert collect.parameters is before


def test_new_sets_are_in_force_when_they_are_whole() -> None:
    other = parameter_sets("h264", 640, 360)
    collect = fresh()
    push(collect, other.sps)
    assert collect.parameters == H264
    push(collect, *other.pps)
    assert collect.parameters == other


def test_a_broken_set_spoils_its_picture_and_not_the_parameters() -> None:
    collect = push(fresh(), b"\x67\x64", *H264.pps, IDR)
    assert collect.take() is None
    assert collect.parameters == H264


@pytest.mark.parametrize("codec", ["h264", "h265"])
@given(payloads=st.lists(st.binary(max_size=60), max_size=10))
def test_no_payload_breaks_the_depacketiser(codec: str, payloads: list[bytes]) -> None:
    collect = fresh(codec)
    push(collect, *payloads).take()
    nal = IDR if codec == "h264" else IRAP
    assert push(collect, nal).take() is not None


def test_the_end_of_a_sequence_does_not_spoil_its_picture() -> None:
    assert push(fresh(), IDR, b"\x0a").take() == (joined([IDR, b"\x0a"]), True)
    assert push(fresh("h265"), IRAP, b"\x48\x01").take() == (joined([IRAP, b"\x48\x01"]), True)


def test_nothing_is_left_of_a_picture_that_was_not_whole() -> None:
    collect = push(fresh(), *in_pieces(IDR, 8)[:2])
    assert collect.take() is None
    assert collect.pieces == []
    assert collect.size == 0
