"""A browser for tests: aiortc receives and decodes; says what gray it sees on each track."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import VideoFrame

from contract.boxapi import LiveAnswer


class FakeViewer:
    """Asks for pictures and counts what it decodes."""

    def __init__(self, peer: RTCPeerConnection) -> None:
        self._peer = peer
        self._tasks: list[asyncio.Task[None]] = []
        self.frames: dict[str, int] = {}
        """Pictures decoded, by media section."""
        self.levels: dict[str, float] = {}
        """Mean gray of the newest picture's upper part, by media section."""
        self.stamps: dict[str, list[int]] = {}

    @classmethod
    @asynccontextmanager
    async def open(cls, tracks: int) -> AsyncGenerator["FakeViewer"]:
        """Make a viewer that wants so many tracks."""
        viewer = cls(RTCPeerConnection(RTCConfiguration(iceServers=[])))
        for _ in range(tracks):
            viewer._peer.addTransceiver("video", direction="recvonly")
        try:
            yield viewer
        finally:
            for task in viewer._tasks:
                task.cancel()
            await asyncio.gather(*viewer._tasks, return_exceptions=True)
            await viewer._peer.close()

    @property
    def state(self) -> str:
        """The connection's state."""
        return self._peer.connectionState

    async def offer(self) -> str:
        """Give the offer."""
        await self._peer.setLocalDescription(await self._peer.createOffer())
        return self._peer.localDescription.sdp

    async def accept(self, answer: LiveAnswer) -> None:
        """Take the answer and begin to decode."""
        await self._peer.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
        carried = {track.mid for track in answer.tracks}
        for transceiver in self._peer.getTransceivers():
            if transceiver.mid in carried:
                watching = self._watch(transceiver.mid, transceiver.receiver.track)
                self._tasks.append(asyncio.create_task(watching))

    async def say_lost(self) -> None:
        """Send a PLI for the first track, as a decoder does that lost the picture."""
        receiver = self._peer.getTransceivers()[0].receiver
        for source in receiver.getSynchronizationSources():
            await receiver._send_rtcp_pli(source.source)

    async def hang_up(self) -> None:
        """Close, as a page does that is left."""
        await self._peer.close()

    async def _watch(self, mid: str, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            assert isinstance(frame, VideoFrame)
            self.frames[mid] = self.frames.get(mid, 0) + 1
            gray = frame.to_ndarray(format="gray")
            self.levels[mid] = float(np.mean(gray[:60]))
            self.stamps.setdefault(mid, []).append(frame.pts or 0)
