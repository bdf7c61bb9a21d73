"""RTP packets."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from edge.simulator.packets import interleaved, payloads, sender_report

nals = st.lists(
    st.integers(1, 6000).flatmap(
        lambda size: st.sampled_from([0x65, 0x41, 0x67, 0x68]).map(
            lambda head: bytes([head]) + bytes(i * 31 % 251 for i in range(size))
        )
    ),
    min_size=1,
    max_size=5,
)


def unpacked(cut: list[bytes]) -> list[bytes]:
    """Put NAL units together again, as RFC 6184 says."""
    units: list[bytes] = []
    for payload in cut:
        match payload[0] & 31:
            case 24:
                rest = payload[1:]
                while rest:
                    size = int.from_bytes(rest[:2])
                    units.append(rest[2 : 2 + size])
                    rest = rest[2 + size :]
            case 28:
                if payload[1] & 0x80:
                    units.append(bytes([payload[0] & 0xE0 | payload[1] & 31]))
                units[-1] += payload[2:]
            case _:
                units.append(payload)
    return units


@given(nals)
def test_what_was_cut_can_be_put_together(units: list[bytes]) -> None:
    cut = payloads(units)
    assert unpacked(cut) == units
    assert max(map(len, cut)) <= 1400


@given(nals)
def test_only_the_last_fragment_ends_a_unit(units: list[bytes]) -> None:
    fragments = [cut for cut in payloads(units) if cut[0] & 31 == 28]
    begun = sum(cut[1] >> 7 for cut in fragments)
    ended = sum(cut[1] >> 6 & 1 for cut in fragments)
    assert begun == ended == sum(len(unit) > 1397 for unit in units)


def test_packets_are_framed_numbered_and_the_last_one_marked() -> None:
    framed = interleaved([b"abc", b"defg"], 2, 0xFFFF, 90_000, 0xCAFE)
    first, second = framed[:19], framed[19:]
    assert struct.unpack("!BBHBBHLL", first[:16]) == (36, 2, 15, 0x80, 96, 0xFFFF, 90_000, 0xCAFE)
    assert struct.unpack("!BBHBBHLL", second[:16]) == (36, 2, 16, 0x80, 224, 0, 90_000, 0xCAFE)
    assert second[16:] == b"defg"


def test_a_sender_report_tells_the_wall_clock_since_1900() -> None:
    report = sender_report(1, 0xCAFE, 0.5, 1234, 10, 999)
    fields = struct.unpack("!BBHBBHLLLLLL", report)
    assert fields[:6] == (36, 1, 28, 0x80, 200, 6)
    assert fields[6:] == (0xCAFE, 2_208_988_800, 1 << 31, 1234, 10, 999)
