"""Where a request comes from, when proxies stand before us."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Read networks as the configuration names them."""
    return tuple(ip_network(text) for text in texts)


def source_of(remote: str, forwarded_for: str, trusted: tuple[Network, ...]) -> str:
    """Give the nearest address that is no proxy of ours.

    `X-Forwarded-For` is read from its end, and believed only as far as trusted proxies wrote it.
    """
    here = remote
    for said in reversed([part.strip() for part in forwarded_for.split(",") if part.strip()]):
        if not _within(here, trusted) or not _is_address(said):
            break
        here = said
    return here


def _within(address: str, trusted: tuple[Network, ...]) -> bool:
    if not _is_address(address):
        return False
    parsed = ip_address(address)
    return any(parsed in network for network in trusted if network.version == parsed.version)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
