"""The RTSP side of the cameras: one port, RTP over the same TCP connection."""

import asyncio
import re
import secrets
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress

from contract.clock import Clock
from edge.simulator.camera import Camera
from edge.simulator.channel import Channel, Viewer
from edge.simulator.digest import Credentials, challenge, is_granted
from edge.simulator.formats import FORMATS, StreamName
from edge.simulator.requests import BadRequest, Request, answer, read_request
from edge.simulator.x264 import ParameterSets

_METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN"
_CHANNELS = re.compile(r"interleaved=(\d+)")
_TIMEOUT_S = 60


class _Refused(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Gone(Exception):
    """The camera does not answer."""


class RtspServer:
    """Answers requests; whoever plays is handed to the stream's channel."""

    def __init__(
        self,
        cameras: Mapping[str, Camera],
        credentials: Credentials | None,
        clock: Clock,
        on_play: Callable[[Channel], None],
    ) -> None:
        self._cameras = cameras
        self._credentials = credentials
        self._clock = clock
        self._on_play = on_play

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk with one client until it leaves or is thrown out."""
        visit = _Visit(self, writer)
        try:
            while await visit.answer(await read_request(reader)):
                await writer.drain()
        except (BadRequest, _Gone):
            writer.transport.abort()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            visit.leave()
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def find(self, request: Request) -> tuple[Camera, StreamName]:
        """The camera and stream a URL means; raises _Refused, or _Gone for a dead camera."""
        camera = self._cameras.get(request.path[0]) if request.path else None
        if camera is None:
            raise _Refused(404)
        if not camera.faults.is_reachable(self._clock.now().timestamp()):
            raise _Gone
        try:
            return camera, StreamName(request.path[1])
        except (IndexError, ValueError):
            raise _Refused(404) from None

    def check(self, request: Request, nonce: str) -> None:
        """Let pass who knows the password; raises _Refused."""
        said = request.headers.get("authorization")
        known = self._credentials
        if known and not is_granted(said, request.method, nonce, known):
            raise _Refused(401)

    def play(self, channel: Channel, viewer: Viewer) -> None:
        """Let a viewer have the stream."""
        channel.viewers.add(viewer)
        self._on_play(channel)


class _Visit:
    """One connection's state: nonce, session and what it set up."""

    def __init__(self, server: RtspServer, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._writer = writer
        self._nonce = secrets.token_hex(16)
        self._session = secrets.token_hex(8)
        self._camera: Camera | None = None
        self._channel: Channel | None = None
        self._viewer = Viewer(writer.transport)

    async def answer(self, request: Request) -> bool:
        """Answer one request; false when that was the last one."""
        try:
            headers, body = self._act(request)
            reply = answer(request, 200, headers, body)
        except _Refused as refused:
            asked = {"WWW-Authenticate": challenge(self._nonce)} if refused.status == 401 else {}
            reply = answer(request, refused.status, asked)
        self._writer.write(reply)
        if request.method == "PLAY" and self._channel and reply.startswith(b"RTSP/1.0 200"):
            self._server.play(self._channel, self._viewer)
        return request.method != "TEARDOWN"

    def leave(self) -> None:
        """Forget this visit."""
        if self._channel:
            self._channel.viewers.discard(self._viewer)
        if self._camera:
            self._camera.connections.discard(self._writer.transport)

    def _act(self, request: Request) -> tuple[dict[str, str], str]:
        if request.method == "OPTIONS":
            if request.path:
                self._server.find(request)
            return {"Public": _METHODS}, ""
        camera, stream = self._server.find(request)
        self._server.check(request, self._nonce)
        self._belong(camera)
        channel = camera.channels[stream]
        match request.method:
            case "DESCRIBE":
                told = {
                    "Content-Type": "application/sdp",
                    "Content-Base": request.url.rstrip("/") + "/",
                }
                return told, sdp(camera.id, stream, channel.show.sets)
            case "SETUP":
                return self._set_up(request, channel), ""
            case "PLAY" | "PAUSE" | "TEARDOWN":
                if self._channel is not channel:
                    raise _Refused(454)
                channel.viewers.discard(self._viewer)
            case "GET_PARAMETER" | "SET_PARAMETER":
                pass
            case _:
                raise _Refused(501)
        return {"Session": self._session}, ""

    def _belong(self, camera: Camera) -> None:
        if self._camera not in {None, camera}:
            raise _Refused(455)
        self._camera = camera
        camera.connections.add(self._writer.transport)

    def _set_up(self, request: Request, channel: Channel) -> dict[str, str]:
        transport = request.headers.get("transport", "")
        if "RTP/AVP/TCP" not in transport:
            raise _Refused(461)
        if self._channel is not None:
            raise _Refused(455)
        asked = _CHANNELS.search(transport)
        rtp = int(asked[1]) if asked and int(asked[1]) < 255 else 0
        self._channel, self._viewer.rtp = channel, rtp
        return {
            "Transport": f"RTP/AVP/TCP;unicast;interleaved={rtp}-{rtp + 1}",
            "Session": f"{self._session};timeout={_TIMEOUT_S}",
        }


def sdp(camera: str, stream: StreamName, sets: ParameterSets) -> str:
    """Describe a stream."""
    form = FORMATS[stream]
    sprop = ",".join(b64encode(nal).decode() for nal in (sets.sps, sets.pps))
    profile = sets.sps[1:4].hex()
    lines = [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        f"s={camera} {stream}",
        "c=IN IP4 0.0.0.0",
        "t=0 0",
        "a=control:*",
        "m=video 0 RTP/AVP 96",
        "a=rtpmap:96 H264/90000",
        f"a=fmtp:96 packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={sprop}",
        f"a=framerate:{form.fps}",
        f"a=x-dimensions:{form.width},{form.height}",
        "a=control:track0",
    ]
    return "\r\n".join(lines) + "\r\n"
