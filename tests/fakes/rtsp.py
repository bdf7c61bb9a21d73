"""An RTSP camera whose every answer a test chooses: for what real cameras get wrong."""

import asyncio
import base64
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

SPS = bytes.fromhex("6742c01ed90141fb011000000300100000030320f162e480")
PPS = bytes.fromhex("68cb8cb2")


def sdp(kind: str = "video", codec: str = "H264/90000") -> str:
    """Describe one track."""
    sets = ",".join(base64.b64encode(nal).decode() for nal in (SPS, PPS))
    return (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=odd\r\nt=0 0\r\na=control:*\r\n"
        f"m={kind} 0 RTP/AVP 96\r\na=rtpmap:96 {codec}\r\n"
        f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}\r\na=control:track0\r\n"
    )


@dataclass
class OddCamera:
    """What it answers, and what it was asked."""

    sdp: str = field(default_factory=sdp)
    basic: str = ""
    """`user:password` it demands by Basic; empty: none."""
    statuses: dict[str, int] = field(default_factory=dict)
    """An error to answer a method with."""
    packets: list[bytes] = field(default_factory=list)
    """What it sends once it plays, in one piece."""
    early: bool = False
    """Packets come before the answer to PLAY."""
    port: int = 0
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its only stream."""
        return f"rtsp://127.0.0.1:{self.port}/odd/main"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                method = head.split(" ", 1)[0]
                self.asked.append(method)
                writer.write(self._answer(method, head))
                if method == "PLAY":
                    writer.write(b"" if self.early else b"".join(self.packets))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, method: str, head: str) -> bytes:
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        count = f"CSeq: {fields['CSeq']}\r\n"
        due = "Basic " + base64.b64encode(self.basic.encode()).decode()
        if self.basic and fields.get("Authorization") != due:
            wish = 'WWW-Authenticate: Basic realm="odd"\r\n'
            return f"RTSP/1.0 401 Unauthorized\r\n{count}{wish}\r\n".encode()
        if method in self.statuses:
            return f"RTSP/1.0 {self.statuses[method]} No\r\n{count}\r\n".encode()
        rest, body = "Session: 7;timeout=4\r\n", ""
        if method == "DESCRIBE":
            rest, body = f"Content-Length: {len(self.sdp)}\r\n", self.sdp
        elif method == "SETUP":
            rest += "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
        early = b"".join(self.packets) if method == "PLAY" and self.early else b""
        return early + f"RTSP/1.0 200 OK\r\n{count}{rest}\r\n{body}".encode()


def interleaved(payload: bytes, sequence: int, stamp: int, *, marker: bool = True) -> bytes:
    """Wrap an RTP payload as it travels on channel 0."""
    second = 96 | (0x80 if marker else 0)
    return struct.pack(
        "!cBHBBHII", b"$", 0, 12 + len(payload), 0x80, second, sequence, stamp, 1
    ) + (payload)


@asynccontextmanager
async def odd_camera(camera: OddCamera) -> AsyncGenerator[OddCamera]:
    """Have it listen on a free port."""
    server = await asyncio.start_server(camera.serve, "127.0.0.1", 0)
    camera.port = server.sockets[0].getsockname()[1]
    try:
        yield camera
    finally:
        server.close()


def in_pieces(nal: bytes, size: int, codec: str = "h264") -> list[bytes]:
    """Split a NAL unit into FU-A, or FU of H.265."""
    body = nal[1:] if codec == "h264" else nal[2:]
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    found = []
    for number, chunk in enumerate(chunks):
        flags = (0x80 if number == 0 else 0) | (0x40 if number == len(chunks) - 1 else 0)
        if codec == "h264":
            head = bytes(((nal[0] & 0xE0) | 28, flags | (nal[0] & 31)))
        else:
            head = bytes(((nal[0] & 0x81) | 49 << 1, nal[1], flags | ((nal[0] >> 1) & 63)))
        found.append(head + chunk)
    return found
