"""The one adapter to aiortc: an offer and packet sources in, an answer and SRTP out.

H.264 passes through as the camera sent it. Nothing is decoded here; PyAV's packet is only the
envelope that aiortc takes.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import aioice.ice
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcconfiguration import RTCBundlePolicy
from av import Packet as Envelope
from av.stream import Stream

log = logging.getLogger(__name__)

CONNECT_WITHIN_S = 15.0
_CLOSE_WITHIN_S = 5.0
_90K = Fraction(1, 90000)
_H264 = [
    codec
    for codec in RTCRtpSender.getCapabilities("video").codecs
    if codec.mimeType in ("video/H264", "video/rtx")
]


@dataclass(frozen=True, slots=True)
class Packet:
    """One access unit (Annex B, parameter sets before key frames) and when it is shown."""

    data: bytes
    timestamp_90k: int


class SourceEnded(Exception):
    """A source has no more packets; the message says why."""


class PacketSource(Protocol):
    """Where a track's packets come from."""

    async def next(self) -> Packet:
        """Give the next packet, first asked for when the peer can receive; raises SourceEnded."""
        ...

    def begin_again(self) -> None:
        """The peer lost the picture: begin with a key frame as soon as may be."""
        ...


class OfferRefused(Exception):
    """An SDP offer cannot be answered; the message says why."""


class PeerSession:
    """One browser's connection, alive inside `open`."""

    def __init__(self, peer: RTCPeerConnection) -> None:
        self._peer = peer
        self._came = asyncio.Event()
        self._over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.answer = ""
        """The SDP answer, candidates included."""
        self.mids: tuple[str, ...] = ()
        """The media section of each source, in order."""
        peer.on("connectionstatechange", self._changed)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, offer: str, sources: Sequence[PacketSource | None], addresses: tuple[str, ...]
    ) -> AsyncGenerator["PeerSession"]:
        """Answer an offer; its video sections carry the sources in order, None carries nothing.

        Only `addresses` are offered to the peer (empty: all interfaces'). Raises OfferRefused.
        """
        configuration = RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        session = cls(RTCPeerConnection(configuration))
        try:
            await session._negotiate(offer, sources, addresses)
            yield session
        finally:
            await _close(session._peer)

    async def ended(self, connect_within_s: float = CONNECT_WITHIN_S) -> str:
        """Wait until the peer went or was lost (30 s without consent), or never came; say so."""
        try:
            async with asyncio.timeout(connect_within_s):
                await self._came.wait()
        except TimeoutError:
            return "never connected"
        return await asyncio.shield(self._over)

    def _changed(self) -> None:
        state = self._peer.connectionState
        if state in ("failed", "closed") and not self._over.done():
            self._over.set_result("the viewer went")
        if state in ("connected", "failed", "closed"):
            self._came.set()

    async def _negotiate(
        self, offer: str, sources: Sequence[PacketSource | None], addresses: tuple[str, ...]
    ) -> None:
        kinds = _media_kinds(offer)
        if kinds.count("video") < len(sources):
            raise OfferRefused("fewer video sections than tracks")
        waiting = iter(sources)
        videos = []
        for kind in kinds:
            source = next(waiting, None) if kind == "video" else None
            transceiver = self._peer.addTransceiver(
                kind, direction="inactive" if source is None else "sendonly"
            )
            if kind == "video":
                transceiver.setCodecPreferences(_H264)
                videos.append(transceiver)
            if source is not None:
                transceiver.sender.replaceTrack(_Track(source))
                _on_lost_picture(transceiver.sender, source.begin_again)
        _offered.set(addresses)
        try:
            description = RTCSessionDescription(_without_candidates(offer), "offer")
            await self._peer.setRemoteDescription(description)
            await self._peer.setLocalDescription(await self._peer.createAnswer())
        except Exception as error:  # the parser raises whatever it stumbles over
            raise OfferRefused(f"{type(error).__name__}: {error}") from error
        self.answer = self._peer.localDescription.sdp
        self.mids = tuple(video.mid or "" for video in videos[: len(sources)])


class _Track(MediaStreamTrack):
    kind = "video"

    def __init__(self, source: PacketSource) -> None:
        super().__init__()
        self._source = source

    async def recv(self) -> "Envelope[Stream]":
        try:
            packet = await self._source.next()
        except SourceEnded as error:
            log.info("a track ended: %s", error)
            raise MediaStreamError from error
        envelope = Envelope(packet.data)
        envelope.pts = packet.timestamp_90k
        envelope.time_base = _90K
        return envelope


def _media_kinds(offer: str) -> list[str]:
    kinds = [line[2:].split(" ", 1)[0] for line in offer.splitlines() if line.startswith("m=")]
    if not kinds or not set(kinds) <= {"audio", "video"}:
        raise OfferRefused("the offer has other sections than audio and video")
    if len(kinds) > 1 and "a=group:BUNDLE" not in offer:
        raise OfferRefused("the offer is not bundled")
    return kinds


def _without_candidates(offer: str) -> str:
    """Leave out the peer's candidates: browsers hide them behind mDNS names that nobody resolves.

    The peer checks against ours, and is learned from that.
    """
    lines = (line for line in offer.splitlines() if line)
    unwanted = ("a=candidate:", "a=end-of-candidates")
    return "".join(f"{line}\r\n" for line in lines if not line.startswith(unwanted))


async def _close(peer: RTCPeerConnection) -> None:
    """Close the connection, even while being cancelled: half closed it would never end."""
    closing = asyncio.ensure_future(peer.close())
    try:
        async with asyncio.timeout(_CLOSE_WITHIN_S):
            await asyncio.shield(closing)
    except TimeoutError:
        log.warning("a connection did not close in %g s", _CLOSE_WITHIN_S)


# ---------------------------------------------------------------- private API of the libraries

_offered: ContextVar[tuple[str, ...]] = ContextVar("offered addresses", default=())
_all_interfaces = aioice.ice.get_host_addresses


def _addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    """Give the addresses of the connection being opened: aioice has no option for it."""
    return list(_offered.get()) or _all_interfaces(use_ipv4, use_ipv6)


aioice.ice.get_host_addresses = _addresses


def _on_lost_picture(sender: RTCRtpSender, begin_again: Callable[[], None]) -> None:
    """Call `begin_again` at each PLI and FIR; aiortc would only tell an encoder of its own."""
    sender._send_keyframe = begin_again  # type: ignore[method-assign]  # noqa: SLF001


def missing_parts() -> list[str]:
    """Name what this adapter leans on and the installed libraries do not have; empty is well."""
    missing = []
    if "get_host_addresses" not in aioice.ice.Connection.gather_candidates.__code__.co_names:
        missing.append("aioice: gather_candidates asks get_host_addresses")
    # the name is looked up on the instance, so that an instance may have its own
    handler = RTCRtpSender._handle_rtcp_packet  # noqa: SLF001
    if "_send_keyframe" not in handler.__code__.co_names:
        missing.append("aiortc: _handle_rtcp_packet calls _send_keyframe")
    return missing
