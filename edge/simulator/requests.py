"""RTSP requests and answers as text (RFC 2326)."""

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Stream Not Found",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    461: "Unsupported Transport",
    501: "Not Implemented",
}
_INTERLEAVED = b"$"
_LARGEST_BODY = 1 << 16


class BadRequest(Exception):
    """What came in is no RTSP."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are lower case."""

    method: str
    url: str
    headers: dict[str, str]

    @property
    def path(self) -> list[str]:
        """The parts of the URL's path."""
        return [part for part in urlsplit(self.url).path.split("/") if part]


async def read_request(reader: asyncio.StreamReader) -> Request:
    """Read the next request, skipping the viewer's RTCP.

    Raises BadRequest, or IncompleteReadError at the end.
    """
    while (first := await reader.readexactly(1)) == _INTERLEAVED:
        head = await reader.readexactly(3)
        await reader.readexactly(int.from_bytes(head[1:]))
    try:
        text = (first + await reader.readuntil(b"\r\n\r\n")).decode()
        request = parse(text)
        size = int(request.headers.get("content-length", 0))
    except (asyncio.LimitOverrunError, ValueError) as error:
        raise BadRequest(str(error)) from error
    if not 0 <= size <= _LARGEST_BODY:
        raise BadRequest(f"a body of {size} bytes")
    await reader.readexactly(size)
    return request


def parse(text: str) -> Request:
    """Read request line and headers; raises ValueError."""
    first, *lines = text.strip().split("\r\n")
    method, url, version = first.split(" ")
    if not version.startswith("RTSP/1."):
        raise ValueError(f"version {version}")
    headers = dict(line.split(":", 1) for line in lines)
    return Request(method, url, {k.strip().lower(): v.strip() for k, v in headers.items()})


def answer(request: Request, status: int, headers: dict[str, str], body: str = "") -> bytes:
    """Write an answer."""
    lines = [f"RTSP/1.0 {status} {_REASONS[status]}", f"CSeq: {request.headers.get('cseq', '0')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
