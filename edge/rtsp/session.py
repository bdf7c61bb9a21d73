"""One camera's stream, from the connection to its loss."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from contract.clock import Clock
from contract.messages import GapCause
from edge.rtsp.depacketise import Depacketiser
from edge.rtsp.dialogue import Answer, Dialogue, Garbled, LoginRefused, Refused
from edge.rtsp.intake import Intake
from edge.rtsp.login import Login
from edge.rtsp.player import Player, Receiver
from edge.rtsp.sdp import NoVideo, Video, video_of
from edge.rtsp.sweep import Sweep
from edge.rtsp.timeline import Timeline

_CONNECT_S = 3.0
_ANSWERS_S = 8.0
_RECEIVE_BUFFER = 4 << 20
_SO_RCVBUFFORCE = 33
_CHANNELS = re.compile(r"interleaved=(\d+)")
_TIMEOUT = re.compile(r"timeout=(\d+)")


class CameraLost(Exception):
    """A camera's stream does not come, or ceased to; `cause` as gaps name it."""

    def __init__(self, cause: GapCause, detail: str) -> None:
        super().__init__(f"{cause}: {detail}")
        self.cause = cause
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Address:
    """Where a stream is."""

    host: str
    port: int
    url: str
    """Without user and password."""

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Read an `rtsp://` URL; raises CameraLost(refused) without quoting it."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port or 554
        except ValueError:
            host, port, parts = None, 0, urlsplit("")
        if parts.scheme != "rtsp" or not host:
            raise CameraLost("refused", "its address is no rtsp:// URL")
        place = parts.netloc.rpartition("@")[2]
        return cls(host, port, parts._replace(netloc=place).geturl())


@dataclass(frozen=True, slots=True)
class Target:
    """A stream and how to log in there."""

    address: Address
    login: Login | None


async def pull(
    target: Target,
    receiver: Receiver,
    sweep: Sweep,
    clock: Clock,
    *,
    run: int,
    may_contact: Callable[[str], bool],
) -> None:
    """Play the stream into `receiver` until cancelled; raises CameraLost."""
    address = target.address
    if not may_contact(address.host):
        raise CameraLost("refused", f"{address.host} is outside the camera networks")
    async with _connected(address) as link:
        dialogue = Dialogue(link, target.login)
        async with _translated("lost", "no answer", _ANSWERS_S):
            video, session, channel = await _negotiate(dialogue, address.url)
        timeline = Timeline(run)
        intake = Intake(
            Depacketiser(video.codec, video.parameter_sets), timeline, video.payload_type, channel
        )

        def request(method: str) -> bytes:
            return dialogue.request(method, video.session_control, {"Session": session.name})

        player = Player(link, intake, timeline, receiver, clock)
        try:
            with sweep.over(player):
                player.begin(dialogue.leftover())
                await _keep_alive(player, session.timeout_s, request, clock)
        finally:
            player.close()
            with suppress(OSError):
                link.send(request("TEARDOWN"))


@dataclass(frozen=True, slots=True)
class _Session:
    name: str
    timeout_s: float


async def _negotiate(dialogue: Dialogue, url: str) -> tuple[Video, _Session, int]:
    described = await dialogue.ask("DESCRIBE", url, {"Accept": "application/sdp"})
    base = described.header("content-base") or described.header("content-location") or url
    try:
        video = video_of(described.body.decode("utf-8", "replace"), base)
    except NoVideo as error:
        raise CameraLost("no_video", str(error)) from error
    transport = "RTP/AVP/TCP;unicast;interleaved=0-1"
    answer = await dialogue.ask("SETUP", video.control, {"Transport": transport})
    channel = _CHANNELS.search(answer.header("transport"))
    session = _session(answer)
    wishes = {"Session": session.name, "Range": "npt=0.000-"}
    await dialogue.ask("PLAY", video.session_control, wishes)
    return video, session, int(channel[1]) if channel else 0


def _session(answer: Answer) -> _Session:
    name, _, rest = answer.header("session").partition(";")
    timeout = _TIMEOUT.search(rest)
    return _Session(name.strip(), float(timeout[1]) if timeout else 60.0)


async def _keep_alive(
    player: Player, timeout_s: float, request: Callable[[str], bytes], clock: Clock
) -> None:
    pause = min(max(timeout_s / 2, 2.0), 30.0)

    async def remind() -> None:
        while True:
            await clock.sleep(pause)
            player.say(request("GET_PARAMETER"))

    reminding = asyncio.create_task(remind(), name="keepalive")
    try:
        loss = await player.lost
        raise CameraLost(loss.cause, loss.detail)
    finally:
        reminding.cancel()
        await asyncio.gather(reminding, return_exceptions=True)


@asynccontextmanager
async def _connected(address: Address) -> AsyncIterator[socket.socket]:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    link = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    with link:
        try:
            link.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER)
        except PermissionError:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        async with _translated("lost", "cannot be reached", _CONNECT_S):
            place = (address.host, address.port)
            await asyncio.get_running_loop().sock_connect(link, place)
        yield link


@asynccontextmanager
async def _translated(cause: GapCause, detail: str, seconds: float) -> AsyncIterator[None]:
    """Say what went wrong in the words of gaps."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except LoginRefused as error:
        raise CameraLost("auth", str(error)) from error
    except (Refused, ConnectionRefusedError) as error:
        raise CameraLost("refused", str(error) or "refuses connections") from error
    except (Garbled, TimeoutError, OSError) as error:
        raise CameraLost(cause, f"{detail}: {str(error) or type(error).__name__}") from error
