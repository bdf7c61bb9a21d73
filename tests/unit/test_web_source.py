"""Where a request comes from."""

from web.source import networks, source_of

PROXY = networks(("10.0.0.0/24", "fd00::/8"))


def test_without_proxies_nobody_is_believed() -> None:
    assert source_of("198.51.100.7", "203.0.113.1", ()) == "198.51.100.7"


def test_a_trusted_proxy_says_who_asked_it() -> None:
    assert source_of("10.0.0.1", "203.0.113.1", PROXY) == "203.0.113.1"


def test_what_the_sender_wrote_before_the_proxy_is_not_believed() -> None:
    assert source_of("10.0.0.1", "127.0.0.1, 203.0.113.1", PROXY) == "203.0.113.1"


def test_a_chain_of_our_proxies_is_followed() -> None:
    assert source_of("10.0.0.1", "203.0.113.1, 10.0.0.2", PROXY) == "203.0.113.1"


def test_what_is_no_address_is_not_believed() -> None:
    assert source_of("10.0.0.1", "<script>", PROXY) == "10.0.0.1"


def test_a_socket_without_an_address_has_none() -> None:
    assert source_of("", "203.0.113.1", PROXY) == ""
