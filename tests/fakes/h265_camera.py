"""A camera that sends H.265 over RTSP: encoded by libx265, at its real pace."""

import asyncio
import base64
import struct
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from tests.fakes.encoder import encoded, nal_units

FPS = 25
_GOP = 25
_LARGEST = 1400
_NTP_EPOCH = 2_208_988_800


class H265Camera:
    """Plays a loop of two seconds to whoever asks; parameter sets stand in the SDP alone."""

    def __init__(self, size: tuple[int, int] = (640, 360)) -> None:
        loop = [nal_units(data) for _, data in encoded("h265", 2 * FPS, size=size, gop=_GOP)]
        self._sets = {nal[0] >> 1 & 63: nal for nal in loop[0] if nal[0] >> 1 & 63 in {32, 33, 34}}
        self._loop = [[nal for nal in nals if nal[0] >> 1 & 63 < 32] for nals in loop]
        self.port = 0

    @property
    def url(self) -> str:
        """Its only stream."""
        return f"rtsp://127.0.0.1:{self.port}/h265"

    def sdp(self) -> str:
        """Describe it."""
        vps, sps, pps = (base64.b64encode(self._sets[kind]).decode() for kind in (32, 33, 34))
        return (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=h265\r\nt=0 0\r\na=control:*\r\n"
            "m=video 0 RTP/AVP 98\r\na=rtpmap:98 H265/90000\r\n"
            f"a=fmtp:98 sprop-vps={vps};sprop-sps={sps};sprop-pps={pps}\r\na=control:track0\r\n"
            "m=audio 0 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=control:track1\r\n"
        )

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client, and play when told to."""
        playing: asyncio.Task[None] | None = None
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                method = head.split(" ", 1)[0]
                fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
                body = self.sdp() if method == "DESCRIBE" else ""
                told = f"CSeq: {fields['CSeq']}\r\nSession: 1\r\n"
                if method == "SETUP":
                    told += f"Transport: {fields['Transport']}\r\n"
                told += f"Content-Length: {len(body)}\r\n" if body else ""
                writer.write(f"RTSP/1.0 200 OK\r\n{told}\r\n{body}".encode())
                if method == "PLAY" and playing is None:
                    playing = asyncio.create_task(self._play(writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            if playing is not None:
                playing.cancel()
                await asyncio.gather(playing, return_exceptions=True)
            writer.close()

    async def _play(self, writer: asyncio.StreamWriter) -> None:
        began, sequence, number = time.time(), 0, 0
        while True:
            now = began + number / FPS
            stamp = number * 90_000 // FPS & 0xFFFFFFFF
            if number % (2 * FPS) == 0:
                ntp = int((now + _NTP_EPOCH) * 2**32)
                writer.write(
                    struct.pack("!cBHBBHIQIII", b"$", 1, 28, 0x80, 200, 6, 1, ntp, stamp, 0, 0)
                )
            cut = [
                piece for nal in self._loop[number % len(self._loop)] for piece in fragments(nal)
            ]
            for place, payload in enumerate(cut):
                kind = 98 | (0x80 if place == len(cut) - 1 else 0)
                size = 12 + len(payload)
                head = struct.pack("!cBHBBHII", b"$", 0, size, 0x80, kind, sequence, stamp, 7)
                writer.write(head + payload)
                sequence = (sequence + 1) & 0xFFFF
            await writer.drain()
            number += 1
            await asyncio.sleep(max(0.0, began + number / FPS - time.time()))


def fragments(nal: bytes) -> list[bytes]:
    """Cut a NAL unit into the fragments of RFC 7798, 4.4.3; a small one stays whole."""
    if len(nal) <= _LARGEST:
        return [nal]
    kind, head = nal[0] >> 1 & 63, bytes(((nal[0] & 0x81) | 49 << 1, nal[1]))
    pieces = [nal[at : at + _LARGEST] for at in range(2, len(nal), _LARGEST)]
    last = len(pieces) - 1
    return [
        head + bytes((kind | (0x80 if place == 0 else 0) | (0x40 if place == last else 0),)) + piece
        for place, piece in enumerate(pieces)
    ]


@asynccontextmanager
async def h265_camera() -> AsyncGenerator[H265Camera]:
    """Have one listen on a free port."""
    camera = H265Camera()
    server = await asyncio.start_server(camera.serve, "127.0.0.1", 0)
    camera.port = server.sockets[0].getsockname()[1]
    try:
        yield camera
    finally:
        server.close()
        with suppress(AttributeError):
            server.close_clients()  # type: ignore[attr-defined]  # from Python 3.13 on
