"""A box of the contract whose shelf is served by the real box's code."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import cast

from aiohttp.web import AppRunner, TCPSite

from contract.anchors import AnchorFile
from contract.clock import Clock, SystemClock
from contract.keys import from_base64, kid_of
from contract.messages import Message
from contract.tls import server_context
from edge.live.copies import Copies
from edge.live.looks import Looks
from edge.live.playback import Playback
from edge.live.server import application
from edge.live.telling import Teller
from edge.live.used import UsedTickets
from edge.live.views import ReferenceViews
from tests.fakes.box import FakeBox


class _NoLooks:
    """Nobody looks at live pictures here."""

    def centre_spoke(self) -> None:
        """Note nothing."""


class Told:
    """Keeps what the box would tell."""

    def __init__(self) -> None:
        self.facts: list[Message] = []

    async def add_fact(self, data: Message, at: datetime) -> None:
        """Keep it."""
        self.facts.append(data)


async def _no_anchors() -> AnchorFile:
    raise NotImplementedError


@asynccontextmanager
async def serving_shelf(
    box: FakeBox, data: Path, clock: Clock | None = None
) -> AsyncGenerator[Told]:
    """Serve what is on the shelf below `data` at the box's address, until the end."""
    clock, told = clock or SystemClock(), Told()
    public = from_base64(box.pinned.ticket_public)
    trusted = {kid_of(public): public}
    async with UsedTickets.open(data / "live.sqlite") as used:
        playback = Playback(box.id, trusted, data / "shelf", used, Teller(told, clock), clock)
        looks, views = cast("Looks", _NoLooks()), cast("ReferenceViews", None)
        runner = AppRunner(application(looks, playback, views, Copies(data / "shelf"), _no_anchors))
        await runner.setup()
        tls = server_context(box.folder / "box.crt", box.folder / "box.pem", box.pinned.certificate)
        await TCPSite(runner, "127.0.0.1", box.port, ssl_context=tls).start()
        try:
            yield told
        finally:
            await runner.cleanup()
