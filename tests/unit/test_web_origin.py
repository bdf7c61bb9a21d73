"""Whether a request comes from our own pages."""

import pytest

from web.origin import is_same


@pytest.mark.parametrize(
    ("origin", "scheme", "host"),
    [
        ("http://127.0.0.1:8080", "http", "127.0.0.1:8080"),
        ("https://exam.example.edu", "https", "exam.example.edu"),
        ("https://exam.example.edu", "http", "exam.example.edu"),
        ("http://EXAM.example.edu", "http", "exam.example.edu"),
    ],
)
def test_our_own_pages_are_ours(origin: str, scheme: str, host: str) -> None:
    assert is_same(origin, scheme, host)


@pytest.mark.parametrize(
    ("origin", "scheme", "host"),
    [
        ("http://evil.example", "http", "127.0.0.1:8080"),
        ("http://127.0.0.1:8081", "http", "127.0.0.1:8080"),
        ("http://exam.example.edu", "https", "exam.example.edu"),
        ("null", "http", "127.0.0.1:8080"),
        ("http://127.0.0.1:8080@evil.example", "http", "127.0.0.1:8080"),
        ("file://", "http", "127.0.0.1:8080"),
    ],
)
def test_other_pages_are_not(origin: str, scheme: str, host: str) -> None:
    assert not is_same(origin, scheme, host)
