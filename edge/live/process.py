"""The live process: one feed, many looks, one server for the centre."""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from aiohttp.web import AppRunner, TCPSite

from contract.clock import Clock
from contract.tls import server_context
from edge.anchors import all_anchors
from edge.config import EdgeConfig
from edge.identity import box_keys, pinned, trusted_for
from edge.live.copies import Copies
from edge.live.feedclient import FeedClient
from edge.live.looks import Looks
from edge.live.playback import Playback
from edge.live.record import Record
from edge.live.server import application
from edge.live.telling import FactSink, Teller
from edge.live.used import UsedTickets
from edge.live.views import ReferenceViews
from edge.live.webrtc import PeerSession, missing_parts
from edge.references import References

log = logging.getLogger(__name__)

_NICE = -10


async def run(config: EdgeConfig, clock: Clock) -> None:
    """Serve the centre and its viewers until cancelled; raises NotEnrolled or OSError."""
    _rise()
    pinned(config.keys)
    record = Record(config, clock)
    async with asyncio.TaskGroup() as group:
        group.create_task(record.run(), name="journal")
        await record.opened.wait()
        await serve(config, clock, record, record.is_over)


async def serve(
    config: EdgeConfig,
    clock: Clock,
    facts: FactSink,
    is_over: Callable[[str], Awaitable[bool]] | None = None,
) -> None:
    """Do so, with `facts` told to whom the caller says; nothing is shown that `is_over` names."""
    for part in missing_parts():
        log.error("the WebRTC libraries changed, a lost picture may stay lost: %s", part)
    enrolled = pinned(config.keys)
    keys = box_keys(config.keys, config.edge)
    trusted = trusted_for(enrolled.ticket_public)
    tls = server_context(keys.certificate, keys.private, enrolled.certificate)
    teller = Teller(facts, clock)
    feed = FeedClient(config.run / "feed.sock", clock)
    async with (
        UsedTickets.open(config.data / "live.sqlite") as used,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(feed.run(), name="feed")
        group.create_task(teller.run(), name="telling")
        looks = Looks(
            config.edge,
            trusted,
            config.orders,
            feed,
            used,
            teller,
            partial(PeerSession.open, addresses=config.media_addresses),
            clock,
            group,
        )
        playback = Playback(config.edge, trusted, config.shelf, used, teller, clock, is_over)
        views = ReferenceViews(playback, References.below(config.data), config.orders)
        async with _listening(
            AppRunner(
                application(
                    looks, playback, views, Copies(config.shelf), partial(all_anchors, config)
                ),
                shutdown_timeout=2.0,
            )
        ) as runner:
            host, port = config.address
            await TCPSite(runner, host, port, ssl_context=tls).start()
            log.info("live for the centre on %s:%d", host, port)
            await asyncio.Event().wait()


@asynccontextmanager
async def _listening(runner: AppRunner) -> AsyncGenerator[AppRunner]:
    await runner.setup()
    try:
        yield runner
    finally:
        await runner.cleanup()


def _rise() -> None:
    """Go before the others where we may: late packets are lost pictures."""
    try:
        os.nice(_NICE - os.nice(0))
    except PermissionError:
        log.info("running at ordinary priority")
