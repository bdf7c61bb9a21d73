"""Session descriptions as cameras write them."""

import base64

import pytest

from edge.rtsp.sdp import NoVideo, video_of

SPS, PPS, VPS = b"\x67\x42\x00\x1e", b"\x68\xce", b"\x40\x01\x0c"


def b64(nal: bytes) -> str:
    return base64.b64encode(nal).decode()


def camera(control: str = "trackID=1", session_control: str = "*") -> str:
    return (
        "v=0\r\no=- 0 0 IN IP4 10.0.0.9\r\ns=Media Server\r\nt=0 0\r\n"
        f"a=control:{session_control}\r\n"
        "m=audio 0 RTP/AVP 8\r\na=control:trackID=0\r\na=rtpmap:8 PCMA/8000\r\n"
        "m=video 0 RTP/AVP 96\r\nb=AS:5000\r\n"
        f"a=control:{control}\r\na=rtpmap:96 H264/90000\r\n"
        f"a=fmtp:96 profile-level-id=42001E; packetization-mode=1; "
        f"sprop-parameter-sets={b64(SPS)},{b64(PPS)}\r\na=recvonly\r\n"
    )


def test_the_video_track_is_found_behind_the_sound() -> None:
    video = video_of(camera(), "rtsp://10.0.0.9/main/")
    assert (video.codec, video.payload_type) == ("h264", 96)
    assert video.parameter_sets == (SPS, PPS)
    assert video.control == "rtsp://10.0.0.9/main/trackID=1"
    assert video.session_control == "rtsp://10.0.0.9/main/"


@pytest.mark.parametrize(
    ("base", "control", "expected"),
    [
        ("rtsp://h/main", "track1", "rtsp://h/main/track1"),
        ("rtsp://h/main/", "track1", "rtsp://h/main/track1"),
        ("rtsp://h/main", "rtsp://h/other/track1", "rtsp://h/other/track1"),
        ("rtsp://h/main", "*", "rtsp://h/main"),
        ("rtsp://h/cam?channel=1", "track1", "rtsp://h/track1"),
    ],
)
def test_control_addresses_are_resolved(base: str, control: str, expected: str) -> None:
    assert video_of(camera(control), base).control == expected


def test_h265_carries_three_parameter_sets() -> None:
    text = (
        "v=0\nm=video 0 RTP/AVP 98\na=rtpmap:98 H265/90000\n"
        f"a=fmtp:98 sprop-vps={b64(VPS)};sprop-sps={b64(SPS)};sprop-pps={b64(PPS)}\n"
    )
    video = video_of(text, "rtsp://h/main")
    assert (video.codec, video.payload_type) == ("h265", 98)
    assert video.parameter_sets == (VPS, SPS, PPS)


def test_a_description_without_parameter_sets_is_taken() -> None:
    text = "v=0\nm=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\na=fmtp:96 packetization-mode=1\n"
    assert video_of(text, "rtsp://h/main").parameter_sets == ()


def test_broken_parameter_sets_are_left_out() -> None:
    text = (
        "v=0\nm=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
        f"a=fmtp:96 sprop-parameter-sets=!,{b64(PPS)}\n"
    )
    assert video_of(text, "rtsp://h/main").parameter_sets == (PPS,)


@pytest.mark.parametrize(
    "text", ["", "v=0\nm=audio 0 RTP/AVP 0\n", "v=0\nm=video 0 RTP/AVP 26\n", "m=\na=\nx"]
)
def test_a_description_without_our_video_says_so(text: str) -> None:
    with pytest.raises(NoVideo):
        video_of(text, "rtsp://h/main")
