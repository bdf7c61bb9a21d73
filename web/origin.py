"""Whether a request comes from our own pages."""

from urllib.parse import urlsplit

from aiohttp.web import Request


def is_ours(request: Request) -> bool:
    """True without an Origin (no browser sends none across sites), or with that of this host."""
    origin = request.headers.get("Origin")
    return origin is None or is_same(origin, request.scheme, request.host)


def is_same(origin: str, scheme: str, host: str) -> bool:
    """True when an Origin names the host, and port, that was asked, and is no less secure.

    A proxy may speak TLS before us, so that an https page reaches us by http; never the reverse.
    """
    parts = urlsplit(origin)
    allowed = ("https",) if scheme == "https" else ("https", "http")
    return parts.scheme in allowed and parts.netloc.lower() == host.lower()
