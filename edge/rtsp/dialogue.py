"""RTSP requests and answers (RFC 2326) on a socket that does not play yet."""

import asyncio
import secrets
import socket
from dataclasses import dataclass, field

from edge.rtsp.login import Challenge, Login, authorization, strongest

_ANSWER_LIMIT = 256 << 10
_EARLY_LIMIT = 8 << 20
_AGENT = "Xunkao"


class LoginRefused(Exception):
    """The camera does not take our user and password, or wants a scheme we do not speak."""


class Refused(Exception):
    """The camera answered with an error; the message is its status."""


class Garbled(Exception):
    """The camera's answer is no RTSP, or the connection ended in the middle of it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a camera answered."""

    status: int
    reason: str
    headers: dict[str, list[str]] = field(repr=False)
    """By lower-case name."""
    body: bytes = field(repr=False)

    def header(self, name: str) -> str:
        """Give the header's first value, or an empty string."""
        return self.headers.get(name, [""])[0]


def parse_answer(head: bytes, body: bytes) -> Answer:
    """Read an answer; raises Garbled."""
    first, *lines = head.decode("utf-8", "replace").split("\r\n")
    words = first.split(" ", 2)
    if len(words) < 2 or not words[0].startswith("RTSP/") or not words[1].isdigit():
        raise Garbled("not an RTSP answer")
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers.setdefault(name.strip().lower(), []).append(value.strip())
    return Answer(int(words[1]), words[2] if len(words) > 2 else "", headers, body)


class Dialogue:
    """Asks one thing after the other and logs in when the camera demands it."""

    def __init__(self, link: socket.socket, login: Login | None) -> None:
        self.early = b""
        """Packets that came between the answers, and after the last."""
        self._link = link
        self._login = login
        self._challenge: Challenge | None = None
        self._used = 0
        self._count = 0
        self._buffer = b""

    async def ask(self, method: str, url: str, headers: dict[str, str] | None = None) -> Answer:
        """Ask and give the good answer; raises LoginRefused, Refused, Garbled or OSError."""
        answer = await self._ask_once(method, url, headers or {})
        while answer.status == 401:
            self._take_challenge(answer)
            answer = await self._ask_once(method, url, headers or {})
        if answer.status != 200:
            raise Refused(f"{method} answered {answer.status} {answer.reason}".rstrip())
        return answer

    def request(self, method: str, url: str, headers: dict[str, str]) -> bytes:
        """Write the next request, with our log-in when one is due."""
        self._count += 1
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self._count}", f"User-Agent: {_AGENT}"]
        if self._challenge is not None and self._login is not None:
            self._used += 1
            proof = authorization(
                self._challenge, self._login, method, url, self._used, secrets.token_hex(8)
            )
            lines.append(f"Authorization: {proof}")
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def _take_challenge(self, answer: Answer) -> None:
        challenge = strongest(answer.headers.get("www-authenticate", []))
        if challenge is None:
            raise LoginRefused("wants a log-in of a kind we do not speak")
        if self._login is None:
            raise LoginRefused("wants a log-in and none is known")
        if self._challenge is not None and not (challenge.stale and self._used):
            raise LoginRefused("does not take the user and password")
        self._challenge, self._used = challenge, 0

    async def _ask_once(self, method: str, url: str, headers: dict[str, str]) -> Answer:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(self._link, self.request(method, url, headers))
        while True:
            self._set_packets_aside()
            end = self._buffer.find(b"\r\n\r\n")
            if end >= 0:
                head, rest = self._buffer[:end], self._buffer[end + 4 :]
                length = _length(parse_answer(head, b""))
                if len(rest) >= length:
                    self._buffer = rest[length:]
                    self._set_packets_aside()
                    return parse_answer(head, rest[:length])
            if len(self._buffer) > _ANSWER_LIMIT:
                raise Garbled("an answer without an end")
            more = await loop.sock_recv(self._link, 65536)
            if not more:
                raise Garbled("the connection ended in the middle of an answer")
            self._buffer += more

    def leftover(self) -> bytes:
        """Give what came after the last answer, packets that came between answers first."""
        return self.early + self._buffer

    def _set_packets_aside(self) -> None:
        """Some cameras send pictures before they answer PLAY."""
        while self._buffer.startswith(b"$") and len(self._buffer) >= 4:
            end = 4 + int.from_bytes(self._buffer[2:4], "big")
            if end > len(self._buffer):
                return
            if len(self.early) + end > _EARLY_LIMIT:
                raise Garbled("pictures, and no answer")
            self.early += self._buffer[:end]
            self._buffer = self._buffer[end:]


def _length(answer: Answer) -> int:
    text = answer.header("content-length")
    if not text:
        return 0
    if not text.isdigit() or len(text) > 12 or int(text) > _ANSWER_LIMIT:
        raise Garbled("a Content-Length that is none")
    return int(text)
