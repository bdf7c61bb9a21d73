"""The looks that are open on this box: begun by a ticket, ended by leave, viewer or centre."""

import asyncio
import logging
from asyncio import FIRST_COMPLETED, Future, TaskGroup
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack
from pathlib import Path
from typing import Protocol

from contract.boxapi import LiveAnswer, LiveLook, LiveOffer, LiveTrack, TrackRefused
from contract.clock import Clock
from contract.keys import BadSignature, open_signed
from contract.ticket import Renewal, Ticket, TicketRefused, check
from edge import orders
from edge.live.channel import Channel, Viewer
from edge.live.feedclient import FeedClient
from edge.live.leave import grace
from edge.live.telling import Teller
from edge.live.used import UsedTickets
from edge.live.webrtc import OfferRefused, PacketSource

log = logging.getLogger(__name__)

MOST_TRACKS = 16
"""On one connection (DESIGN §6)."""
_JUDGE_S = 0.2
_RECHECK_S = 5.0


class Peer(Protocol):
    """A browser's open connection."""

    @property
    def answer(self) -> str:
        """The SDP answer."""
        ...

    @property
    def mids(self) -> tuple[str, ...]:
        """The media section of each source."""
        ...

    async def ended(self) -> str:
        """Wait until it is over; say how."""
        ...


OpenPeer = Callable[[str, Sequence[PacketSource | None]], AbstractAsyncContextManager[Peer]]


class NoSuchLook(Exception):
    """No look of that id is open."""


class _Look:
    def __init__(self, ticket: Ticket) -> None:
        self.ticket = ticket
        self.view_until = ticket.view_until
        self.graced = False
        self.connected_to = tuple(track.camera for track in ticket.tracks)
        self.told: Future[str] = asyncio.get_running_loop().create_future()


class Looks:
    """Owns one task per look, in the group it was given."""

    def __init__(
        self,
        edge: str,
        trusted: Mapping[str, bytes],
        orders_file: Path,
        feed: FeedClient,
        used: UsedTickets,
        teller: Teller,
        open_peer: OpenPeer,
        clock: Clock,
        group: TaskGroup,
    ) -> None:
        self._edge = edge
        self._trusted = trusted
        self._orders_file = orders_file
        self._feed = feed
        self._used = used
        self._teller = teller
        self._open_peer = open_peer
        self._clock = clock
        self._group = group
        self._open: dict[str, _Look] = {}
        self._heard_at = clock.monotonic()

    def centre_spoke(self) -> None:
        """Note that the centre is there."""
        self._heard_at = self._clock.monotonic()

    async def begin(self, offer: LiveOffer) -> LiveAnswer:
        """Let a ticket's holder look; raises TicketRefused, OfferRefused or JournalBusy."""
        try:
            ticket = await self._admit(offer)
        except TicketRefused as refusal:
            await self._teller.refused(self._believed(offer.ticket), refusal.code)
            raise
        await self._teller.began(ticket)
        look = _Look(ticket)
        answer: Future[LiveAnswer] = asyncio.get_running_loop().create_future()
        self._open[ticket.jti] = look
        self._group.create_task(self._live(look, offer.sdp, answer), name=f"look {ticket.jti}")
        return await asyncio.shield(answer)

    async def renew(self, jti: str, signed: bytes) -> None:
        """Let a look go on for longer; raises NoSuchLook or TicketRefused."""
        look = self._find(jti)
        try:
            renewal = open_signed(signed, self._trusted, Renewal)
        except BadSignature as error:
            raise TicketRefused("forged") from error
        if renewal.jti != jti:
            raise TicketRefused("other_look")
        look.view_until = max(look.view_until, renewal.view_until)
        look.graced = False

    def end(self, jti: str, reason: str = "ended by the centre") -> None:
        """End a look; raises NoSuchLook."""
        told = self._find(jti).told
        if not told.done():
            told.set_result(reason)

    def listed(self) -> list[LiveLook]:
        """Give the looks that are open now."""
        return [
            LiveLook(
                id=jti,
                user=look.ticket.user,
                cameras=look.connected_to,
                state="grace" if look.graced else "open",
            )
            for jti, look in self._open.items()
        ]

    def _find(self, jti: str) -> _Look:
        try:
            return self._open[jti]
        except KeyError as error:
            raise NoSuchLook(jti) from error

    def _believed(self, signed: str) -> Ticket | None:
        """Give a refused ticket when at least its signature is the centre's."""
        try:
            return open_signed(signed.encode(), self._trusted, Ticket)
        except BadSignature:
            return None

    async def _admit(self, offer: LiveOffer) -> Ticket:
        now = self._clock.now()
        ticket = check(
            offer.ticket, self._trusted, edge=self._edge, purpose="live", what=offer.sdp, now=now
        )
        if not 1 <= len(ticket.tracks) <= MOST_TRACKS:
            raise TicketRefused("too_many")
        in_force = await asyncio.to_thread(orders.load, self._orders_file)
        known = {camera.id for camera in in_force.cameras}
        if not {track.camera for track in ticket.tracks} <= known:
            raise TicketRefused("no_camera")
        if not await self._used.claim(ticket.jti, "live", now, ticket.view_until):
            raise TicketRefused("used")
        return ticket

    async def _live(self, look: _Look, offer: str, answer: Future[LiveAnswer]) -> None:
        how = "the box stopped"
        try:
            with ExitStack() as stack:
                channels = [
                    stack.enter_context(self._feed.watch(track.camera, track.stream))
                    for track in look.ticket.tracks
                ]
                await self._judge(channels)
                viewers = [_viewer(channel, stack, self._clock) for channel in channels]
                if not any(viewers):
                    raise OfferRefused(f"not viewable: {channels[0].refusal}")
                async with self._open_peer(offer, viewers) as peer:
                    answer.set_result(_answer(look.ticket, peer, channels))
                    how = await self._until_over(look, peer)
        except OfferRefused as error:
            how = str(error)
            answer.set_exception(error)
        finally:
            del self._open[look.ticket.jti]
            if not answer.done():
                answer.set_exception(OfferRefused(how))
            await self._teller.ended(look.ticket, how)

    async def _judge(self, channels: list[Channel]) -> None:
        """Give the cameras a moment to show what they send; the answer does not wait longer."""
        judging = [
            asyncio.create_task(channel.judged(), name=f"judge {channel.camera}")
            for channel in channels
            if not channel.is_judged
        ]
        if not judging:
            return
        try:
            await asyncio.wait(judging, timeout=_JUDGE_S)
        finally:
            for task in judging:
                task.cancel()
            await asyncio.wait(judging)

    async def _until_over(self, look: _Look, peer: Peer) -> str:
        gone = asyncio.create_task(peer.ended(), name=f"peer {look.ticket.jti}")
        try:
            while (left := await self._left(look)) > 0:
                await self._first_of(gone, look.told, min(left, _RECHECK_S))
                for ending in (look.told, gone):
                    if ending.done():
                        return ending.result()
            return "leave ran out"
        finally:
            gone.cancel()
            await asyncio.wait({gone})

    async def _first_of(self, gone: Future[str], told: Future[str], seconds: float) -> None:
        timer = asyncio.create_task(self._clock.sleep(seconds), name="look's timer")
        waited: set[Future[str] | Future[None]] = {gone, told, timer}
        try:
            await asyncio.wait(waited, return_when=FIRST_COMPLETED)
        finally:
            timer.cancel()
            await asyncio.wait({timer})

    async def _left(self, look: _Look) -> float:
        """Seconds that the look may still last, with the box's own grace."""
        now = self._clock.now()
        if now >= look.view_until and not look.graced:
            in_force = await asyncio.to_thread(orders.load, self._orders_file)
            silent_s = self._clock.monotonic() - self._heard_at
            longer = grace(look.view_until, silent_s, look.connected_to, in_force.orders, now)
            if longer is not None:
                log.warning("look %s goes on without the centre until %s", look.ticket.jti, longer)
                look.view_until, look.graced = longer, True
        return (look.view_until - now).total_seconds()


def _viewer(channel: Channel, stack: ExitStack, clock: Clock) -> Viewer | None:
    if channel.refusal:
        return None
    viewer = Viewer(channel, clock)
    stack.callback(viewer.close)
    return viewer


def _answer(ticket: Ticket, peer: Peer, channels: list[Channel]) -> LiveAnswer:
    carried = [
        LiveTrack(mid=mid, camera=channel.camera, stream=channel.stream)
        for mid, channel in zip(peer.mids, channels, strict=True)
        if not channel.refusal
    ]
    refused = [
        TrackRefused(camera=channel.camera, stream=channel.stream, code=channel.refusal)
        for channel in channels
        if channel.refusal
    ]
    return LiveAnswer(id=ticket.jti, sdp=peer.answer, tracks=tuple(carried), refused=tuple(refused))
