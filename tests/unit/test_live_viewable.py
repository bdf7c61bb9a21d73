import pytest

from edge.feed import AccessUnit
from edge.live.viewable import has_b_slice, never_b, why_not
from tests.fakes.feed import drawn_h264


def nal(kind: int, *payload: int) -> bytes:
    return bytes((0, 0, 0, 1, 0x60 | kind, *payload))


def bits(text: str) -> tuple[int, ...]:
    padded = text.ljust(-(-len(text) // 8) * 8, "0")
    return tuple(int(padded[at : at + 8], 2) for at in range(0, len(padded), 8))


@pytest.mark.parametrize(
    ("slice_type", "is_b"),
    [("1", False), ("010", True), ("011", False), ("00110", False), ("00111", True)],
    ids=["P", "B", "I", "all P", "all B"],
)
def test_the_slice_type_is_read(slice_type: str, is_b: bool) -> None:
    first_mb_0, first_mb_5 = "1", "00110"
    assert has_b_slice(nal(1, *bits(first_mb_0 + slice_type + "1"))) is is_b
    assert has_b_slice(nal(9, 0x10) + nal(1, *bits(first_mb_5 + slice_type + "1"))) is is_b


def test_a_real_stream_without_b_frames_has_none() -> None:
    assert not any(has_b_slice(data) for data in drawn_h264(80))


def test_a_real_stream_with_b_frames_shows_them_within_four_pictures() -> None:
    assert any(has_b_slice(data) for data in drawn_h264(80, b_frames=2)[:4])


@pytest.mark.parametrize("data", [b"", b"\0\0\1", b"\0\0\1\x61", nal(7, 66), nal(1, 0, 0, 0, 0)])
def test_broken_bytes_are_no_b_slices(data: bytes) -> None:
    assert not has_b_slice(data)


def test_h265_is_named() -> None:
    unit = AccessUnit("cam1", "sub", "h265", True, False, 0, 1, 0, b"\0\0\0\1\x40")
    assert why_not(unit) == "h265"


def test_baseline_can_never_have_b_slices() -> None:
    baseline = AccessUnit("cam1", "sub", "h264", True, False, 0, 1, 0, nal(7, 66, 0, 31))
    main = AccessUnit("cam1", "sub", "h264", True, False, 0, 1, 0, nal(7, 77, 0, 31))
    assert never_b(baseline)
    assert not never_b(main)
