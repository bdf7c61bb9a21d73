"""Logging in to cameras: the vectors of RFC 7616 and RFC 7617."""

import pytest

from edge.rtsp.login import Challenge, Login, authorization, parse, strongest

MUFASA = Login("Mufasa", "Circle of Life")
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


def rfc_7616(algorithm: str) -> Challenge:
    challenge = parse(
        'Digest realm="http-auth@example.org", qop="auth, auth-int", '
        f"algorithm={algorithm}, "
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
        'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )
    assert challenge is not None
    return challenge


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_digest_gives_the_responses_of_rfc_7616(algorithm: str, response: str) -> None:
    header = authorization(rfc_7616(algorithm), MUFASA, "GET", "/dir/index.html", 1, CNONCE)
    assert f'response="{response}"' in header
    assert 'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"' in header


def test_digest_without_quality_is_that_of_rfc_2069() -> None:
    challenge = Challenge("digest", "testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093")
    header = authorization(challenge, MUFASA, "DESCRIBE", "rtsp://10.0.0.1/main", 1, CNONCE)
    assert "qop" not in header
    assert "cnonce" not in header


def test_basic_gives_the_value_of_rfc_7617() -> None:
    challenge = Challenge("basic", "WallyWorld")
    login = Login("Aladdin", "open sesame")
    header = authorization(challenge, login, "DESCRIBE", "rtsp://x", 1, "")
    assert header == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="


def test_the_strongest_challenge_is_answered() -> None:
    offered = [
        'Basic realm="a"',
        'Digest realm="a", nonce="1", algorithm=MD5',
        'Digest realm="a", nonce="2", algorithm=SHA-256',
        'Digest realm="a", nonce="3", algorithm=SHA-512-256',
        'Negotiate token="x"',
    ]
    chosen = strongest(offered)
    assert chosen is not None
    assert chosen.nonce == "2"


def test_no_challenge_we_speak_is_none() -> None:
    assert strongest(['Bearer realm="x"']) is None
    assert strongest([]) is None


def test_a_stale_nonce_is_said_to_be_stale() -> None:
    challenge = parse('Digest realm="a", nonce="1", stale=TRUE')
    assert challenge is not None
    assert challenge.stale


def test_a_quote_in_a_user_name_cannot_break_out() -> None:
    header = authorization(Challenge("digest", "r", "n"), Login('a"b', "c"), "PLAY", "u", 1, "x")
    assert 'username="a\\"b"' in header


def test_a_log_in_does_not_show_its_password() -> None:
    assert "secret" not in repr(Login("user", "secret"))
