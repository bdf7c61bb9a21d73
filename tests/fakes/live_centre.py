"""The centre as one box's live process sees it: tickets, mutual TLS, enrolment files."""

import asyncio
import base64
import socket
import ssl
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from aiohttp import ClientError, ClientResponse, ClientSession, TCPConnector

from contract.boxapi import LiveAnswer, LiveOffer
from contract.clock import SystemClock
from contract.enrolment import Enrolled
from contract.keys import SigningKey, sign, write_private
from contract.messages import Camera, Message, Order
from contract.ticket import Renewal, Ticket, Track, issue, sha256_hex
from contract.tls import client_context, self_signed
from edge import orders
from edge.config import EdgeConfig
from edge.identity import box_keys
from edge.journal import JournalBusy
from edge.live.process import serve
from edge.live.telling import FactSink
from edge.orders import OrdersInForce
from tests.fakes.waiting import until_async


class FactList:
    """Keeps the facts it was told."""

    def __init__(self) -> None:
        self.facts: list[Message] = []
        self.busy = False

    async def add_fact(self, data: Message, at: datetime) -> None:
        """Store a fact."""
        if self.busy:
            raise JournalBusy("database is locked")
        self.facts.append(data)


def make_ticket(what: str, *cameras: str, edge: str = "box1", **changes: object) -> Ticket:
    """Make a ticket that is good now for `what`, the offer or the path."""
    now = datetime.now(UTC)
    ticket = Ticket(
        edge=edge,
        user="patrol1",
        session="s1",
        tracks=tuple(Track(camera=camera) for camera in cameras),
        purpose="live",
        offer_sha256=sha256_hex(what),
        jti=uuid.uuid4().hex,
        start_by=now + timedelta(seconds=60),
        view_until=now + timedelta(seconds=120),
    )
    return msgspec.structs.replace(ticket, **changes)


@dataclass
class LiveBox:
    """A live process that runs, and a centre that may speak to it."""

    config: EdgeConfig
    ticket_key: SigningKey
    session: ClientSession
    facts: FactList = field(default_factory=FactList)

    async def offer(
        self, ticket: Ticket, sdp: str, key: SigningKey | None = None
    ) -> ClientResponse:
        """Post an offer with a ticket."""
        signed = issue(key or self.ticket_key, ticket)
        body = msgspec.json.encode(LiveOffer(ticket=signed, sdp=sdp))
        return await self.session.post(f"{self.config.url}/live", data=body)

    async def answer(self, ticket: Ticket, sdp: str) -> LiveAnswer:
        """Post an offer that must be answered."""
        response = await self.offer(ticket, sdp)
        body = await response.read()
        assert response.status == 201, body
        return msgspec.json.decode(body, type=LiveAnswer)

    async def renew(self, jti: str, view_until: datetime) -> int:
        """Renew a look; gives the status."""
        signed = sign(self.ticket_key, Renewal(jti=jti, view_until=view_until))
        response = await self.session.post(f"{self.config.url}/live/{jti}/renew", data=signed)
        return response.status

    async def looks(self) -> list[str]:
        """List the ids of the open looks."""
        response = await self.session.get(f"{self.config.url}/live")
        return [look["id"] for look in await response.json()]


def free_port() -> int:
    """Give a TCP port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def enrolled_box(data: Path) -> tuple[EdgeConfig, SigningKey, ssl.SSLContext]:
    """Lay out a box's folder as enrolment does; gives its ticket key and the centre's TLS."""
    port = free_port()
    config = EdgeConfig(
        edge="box1",
        data=data,
        listen=f"127.0.0.1:{port}",
        url=f"https://127.0.0.1:{port}",
        media_addresses=("127.0.0.1",),
    )
    centre = SigningKey.load_or_make(data / "centre" / "centre.pem")
    ticket_key = SigningKey.load_or_make(data / "centre" / "ticket.pem")
    keys = box_keys(config.keys, config.edge)
    certificate = self_signed(centre, "centre")
    public = base64.b64encode(ticket_key.public).decode()
    enrolled = Enrolled(
        edge=config.edge,
        identity_public=public,
        site_public=public,
        ticket_public=public,
        hold_public=public,
        certificate=certificate,
        broker="",
        at=datetime.now(UTC),
    )
    write_private(config.keys / "centre.json", msgspec.json.encode(enrolled))
    write_private(data / "centre" / "centre.crt", certificate.encode())
    tls = client_context(
        data / "centre" / "centre.crt",
        data / "centre" / "centre.pem",
        keys.certificate.read_text(),
    )
    return config, ticket_key, tls


def order_cameras(config: EdgeConfig, *cameras: str) -> None:
    """Write orders that are open for an hour yet."""
    now = datetime.now(UTC)
    known = tuple(Camera(id=camera, room="r1", sealed="") for camera in cameras)
    ordered = tuple(
        Order(
            id=f"o-{camera}",
            camera=camera,
            session="exam",
            start=now - timedelta(hours=1),
            end=now + timedelta(hours=1),
        )
        for camera in cameras
    )
    orders.save(config.orders, OrdersInForce(epoch=1, revision=1, cameras=known, orders=ordered))


@asynccontextmanager
async def live_box(
    data: Path, *cameras: str, facts: FactSink | None = None, over: frozenset[str] = frozenset()
) -> AsyncGenerator[LiveBox]:
    """Run a box's live process in this loop, reached over real TLS."""
    config, ticket_key, tls = enrolled_box(data)
    order_cameras(config, *cameras)
    told = FactList()

    async def is_over(path: str) -> bool:
        return path in over

    serving = serve(config, SystemClock(), facts or told, is_over)
    working = asyncio.create_task(serving, name="live")
    try:
        async with ClientSession(connector=TCPConnector(ssl=tls)) as session:
            box = LiveBox(config, ticket_key, session, told)

            async def up() -> bool:
                if working.done():
                    working.result()
                try:
                    await box.looks()
                except (ClientError, OSError):
                    return False
                return True

            await until_async(up)
            yield box
    finally:
        working.cancel()
        await asyncio.wait({working})
        if not working.cancelled() and (error := working.exception()) is not None:
            raise error
