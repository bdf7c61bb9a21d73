"""NAL units behind their lengths."""

from hypothesis import given
from hypothesis import strategies as st

from edge.rtsp.lengths import joined, parted


def test_each_stands_behind_its_length() -> None:
    assert joined([b"ab", b"c"]) == b"\0\0\0\2ab\0\0\0\1c"


@given(st.lists(st.binary(max_size=40)))
def test_what_was_joined_is_parted_again(nals: list[bytes]) -> None:
    assert parted(joined(nals)) == nals
