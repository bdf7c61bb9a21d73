"""Digest authentication."""

import pytest

from edge.simulator.digest import Credentials, challenge, is_granted, response

KNOWN = Credentials("Mufasa", "Circle Of Life")
NONCE = "dcd98b7102dd2f0e8b11d0f600bfb0c093"
SAID = {
    "username": "Mufasa",
    "realm": "testrealm@host.com",
    "nonce": NONCE,
    "uri": "/dir/index.html",
    "qop": "auth",
    "nc": "00000001",
    "cnonce": "0a4f113b",
}


def header(said: dict[str, str], answer: str) -> str:
    return "Digest " + ", ".join(f'{k}="{v}"' for k, v in {**said, "response": answer}.items())


def test_the_example_of_the_standard_comes_out() -> None:
    assert response(SAID, "GET", KNOWN) == "6629fae49393a05397450978507c4ef1"


def test_who_knows_the_password_is_let_in() -> None:
    assert is_granted(header(SAID, response(SAID, "PLAY", KNOWN)), "PLAY", NONCE, KNOWN)


def test_a_client_that_knows_no_qop_is_let_in() -> None:
    old = {name: SAID[name] for name in ("username", "realm", "nonce", "uri")}
    assert is_granted(header(old, response(old, "PLAY", KNOWN)), "PLAY", NONCE, KNOWN)


@pytest.mark.parametrize(
    ("method", "nonce", "credentials"),
    [
        ("SETUP", NONCE, KNOWN),
        ("PLAY", "another", KNOWN),
        ("PLAY", NONCE, Credentials("Mufasa", "wrong")),
        ("PLAY", NONCE, Credentials("Scar", "Circle Of Life")),
    ],
)
def test_anything_else_is_refused(method: str, nonce: str, credentials: Credentials) -> None:
    said = header(SAID, response(SAID, "PLAY", KNOWN))
    assert not is_granted(said, method, nonce, credentials)


@pytest.mark.parametrize("said", [None, "", "Basic TXVmYXNhOng=", "Digest", "Digest garbage"])
def test_no_proof_is_refused(said: str | None) -> None:
    assert not is_granted(said, "PLAY", NONCE, KNOWN)


def test_the_challenge_names_nonce_and_algorithm() -> None:
    assert f'nonce="{NONCE}"' in challenge(NONCE)
    assert "algorithm=MD5" in challenge(NONCE)
