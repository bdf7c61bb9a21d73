"""Which addresses a camera may have."""

import pytest

from orchestrator.site import SiteRefused, check_url

SUBNETS = ("10.20.0.0/16", "fd00:20::/64")


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://10.20.3.4/Streaming/Channels/101",
        "rtsp://10.20.3.4:8554/cam/realmonitor?channel=1&subtype=0",
        "rtsp://[fd00:20::5]:554/main",
    ],
)
def test_an_address_inside_is_taken(url: str) -> None:
    check_url(url, SUBNETS)


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://10.21.0.1/main",
        "rtsp://127.0.0.1/main",
        "rtsp://[::ffff:10.20.3.4]/main",
        "rtsp://[::1]/main",
        "rtsp://169.254.169.254/latest",
    ],
)
def test_an_address_outside_is_refused(url: str) -> None:
    with pytest.raises(SiteRefused) as refused:
        check_url(url, SUBNETS)
    assert refused.value.code == "outside_subnets"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "rtsp://",
        "10.20.3.4/main",
        "http://10.20.3.4/main",
        "file:///etc/passwd",
        "RTSP://10.20.3.4/main",
        "rtsp://camera.example/main",
        "rtsp://localhost/main",
        "rtsp://169148/main",
        "rtsp://010.20.3.4/main",
        "rtsp://10.20.3.4.5/main",
        "rtsp://admin:planted@10.20.3.4/main",
        "rtsp://admin@10.20.3.4/main",
        "rtsp://@10.20.3.4/main",
        "rtsp://10.20.3.4:99999/main",
        "rtsp://10.20.3.4:port/main",
        "rtsp://10.20.3.4\\@8.8.8.8/main",
        "rtsp://10.20.3.4/ma\r\nin",
        "rtsp://10.20.3.4/ma in",
        "rtsp://10.20.3.4/巡",
        "rtsp://10.20.3.4%eth0/main",
        "rtsp://10.20.3.4/" + "x" * 600,
    ],
)
def test_what_is_no_such_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(SiteRefused) as refused:
        check_url(url, SUBNETS)
    assert refused.value.code == "bad_url"
    assert "planted" not in str(refused.value)


def test_without_networks_no_camera_is_taken() -> None:
    with pytest.raises(SiteRefused, match="camera_subnets"):
        check_url("rtsp://10.20.3.4/main", ())
