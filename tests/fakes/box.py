"""A box as the centre sees it, made of nothing but the contract."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from aiohttp.web import Application, AppRunner, Request, Response, TCPSite

from contract import topics
from contract.anchors import AnchorFile, AnchorLink, forge_on
from contract.boxapi import (
    TICKET_HEADER,
    Growing,
    LiveAnswer,
    LiveOffer,
    LiveTrack,
    SegmentIndex,
)
from contract.bus import Arrival, BrokerAddress, Bus, Will
from contract.clock import Clock, SystemClock
from contract.enrolment import BrokerLogin, Code, Enrol, Enrolled, ask, check_centre
from contract.keys import (
    SealKey,
    Signed,
    SigningKey,
    from_base64,
    kid_of,
    open_signed,
    to_base64,
)
from contract.messages import (
    CameraStatus,
    DesiredState,
    Dispatch,
    EdgeStatus,
    EpochGrant,
    Fact,
    Heard,
    Message,
    SegmentClosed,
    sign_fact,
    type_of,
)
from contract.ticket import Renewal, Ticket, TicketRefused, check
from contract.tls import self_signed, server_context
from tests.fakes.broker import background, free_port
from tests.fakes.waiting import until


@dataclass
class FakeBox:
    """One box: keys, an outbox that repeats on demand, a server of the box API."""

    id: str
    folder: Path
    clock: Clock = field(default_factory=SystemClock)
    port: int = field(default_factory=free_port)
    epoch: int = 0
    revision: int = 0
    states: list[DesiredState] = field(default_factory=list)
    heard: list[int] = field(default_factory=list)
    looks: dict[str, datetime] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)
    shelf: dict[str, bytes] = field(default_factory=dict)
    views: dict[str, bytes] = field(default_factory=dict)
    """Reference views by hash."""
    links: list[Signed] = field(default_factory=list)
    """Its chain of the ledger's heads."""
    wished: list[str] = field(default_factory=list)
    """Cameras of which a new view was asked for."""
    indexes: dict[str, SegmentIndex] = field(default_factory=dict)
    """By path below the shelf; key pictures are there for these too."""
    grows: dict[str, Growing] = field(default_factory=dict)
    """By camera."""
    cut_keys: Callable[[str, int, int], bytes] | None = None
    """Cuts the key pictures of a part; where unset, words stand for them."""
    tickets: list[Ticket] = field(default_factory=list)
    """With which footage was opened, each time."""
    refuses: str = ""
    opens: asyncio.Event | None = None
    """Where set, a look is answered only once this is."""
    seq: int = 0
    seen: tuple[CameraStatus, ...] = ()
    enrolled: Enrolled | None = None
    broker_port: int = 0
    """Where the broker is, when it is not where it was at enrolment."""

    def __post_init__(self) -> None:
        self.signing = SigningKey.load_or_make(self.folder / "box.pem")
        self.sealing = SealKey.load_or_make(self.folder / "seal.key")
        self.certificate = self_signed(self.signing, self.id)
        (self.folder / "box.crt").write_text(self.certificate)
        self.bus: Bus | None = None

    # ------------------------------------------------------------ joining

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def request(self, code: Code) -> Enrol:
        """What the box posts to /enrol."""
        plain = Enrol(
            edge=self.id,
            sign_public=to_base64(self.signing.public),
            seal_public=to_base64(self.sealing.public),
            certificate=self.certificate,
            url=self.url,
        )
        return ask(code, self.signing, plain)

    def pin(self, answer: bytes, code: Code) -> None:
        """Believe the answer of the centre that made the code, and of no other."""
        claimed = msgspec.json.decode(msgspec.json.decode(answer, type=Signed).body, type=Enrolled)
        public = check_centre(claimed, code)
        self.enrolled = open_signed(answer, {kid_of(public): public}, Enrolled)

    @property
    def pinned(self) -> Enrolled:
        assert self.enrolled is not None
        return self.enrolled

    @property
    def login(self) -> BrokerLogin:
        return msgspec.json.decode(self.sealing.open(self.pinned.broker), type=BrokerLogin)

    # ------------------------------------------------------------ at the broker

    @property
    def bus_is_up(self) -> bool:
        return self.bus is not None and self.bus.is_up

    @asynccontextmanager
    async def online(self) -> AsyncGenerator["FakeBox"]:
        """At the broker until the end; every state that comes is believed or fails the test."""
        login = self.login
        will = Will(topics.status(self.id), msgspec.json.encode(self.status("offline")))
        address = BrokerAddress(
            login.host,
            self.broker_port or login.port,
            login.user,
            login.password,
            login.certificate,
            login.named,
        )
        self.bus = bus = Bus(address, f"edge-{self.id}", self.clock, will)
        wanted = (topics.desired(self.id), topics.heard(self.id))
        async with background(bus.run(wanted, self._greet, self._hear)):
            await until(lambda: bus.is_up)
            yield self

    def status(self, state: str = "online", cameras: Iterable[CameraStatus] = ()) -> EdgeStatus:
        return msgspec.convert(
            {
                "state": state,
                "at": self.clock.now(),
                "boot": "boot1",
                "epoch": self.epoch,
                "revision": self.revision,
                "clock_trusted": True,
                "free_bytes": 10_000_000,
                "cameras": tuple(cameras),
            },
            EdgeStatus,
            from_attributes=True,
        )

    async def beat(self, *cameras: CameraStatus) -> None:
        """Send a heartbeat; those that come by themselves say the same."""
        self.seen = cameras
        assert self.bus is not None
        payload = msgspec.json.encode(self.status(cameras=cameras))
        await self.bus.publish(topics.status(self.id), payload, retain=True)

    def fact(self, data: Message, seq: int | None = None, id: str = "") -> Fact:
        """Make and sign a fact; without a number, the next one."""
        if seq is None:
            self.seq += 1
            seq = self.seq
        plain = Fact(
            edge=self.id,
            seq=seq,
            id=id or f"f{seq}",
            type=type_of(data),
            at=self.clock.now(),
            data=msgspec.Raw(msgspec.json.encode(data)),
        )
        return sign_fact(self.signing, plain)

    async def tell(self, *facts: Fact) -> None:
        """Publish facts, as often as one likes."""
        assert self.bus is not None
        for fact in facts:
            await self.bus.publish(topics.fact(self.id), msgspec.json.encode(fact))

    async def _greet(self, bus: Bus) -> None:
        await self.beat(*self.seen)

    async def _hear(self, arrival: Arrival) -> None:
        if arrival.topic == topics.heard(self.id):
            self.heard.append(msgspec.json.decode(arrival.payload, type=Heard).up_to)
        elif arrival.payload:
            self._keep_anchor(msgspec.json.decode(arrival.payload, type=Dispatch).anchor)
            await self._adopt(self.believed(arrival.payload))

    def believed(self, payload: bytes) -> DesiredState:
        """Check the chain: site's key, plan key, state."""
        dispatch = msgspec.json.decode(payload, type=Dispatch)
        site = from_base64(self.pinned.site_public)
        grant = open_signed(msgspec.json.encode(dispatch.grant), {kid_of(site): site}, EpochGrant)
        plan = from_base64(grant.plan_public)
        state = open_signed(msgspec.json.encode(dispatch.state), {kid_of(plan): plan}, DesiredState)
        assert (state.edge, state.epoch) == (self.id, grant.epoch)
        return state

    @property
    def anchors(self) -> AnchorFile:
        """What it gives away of the ledger's heads."""
        return AnchorFile(
            edge=self.id,
            public=to_base64(self.signing.public),
            centre=self.pinned.identity_public,
            links=tuple(self.links),
        )

    def _keep_anchor(self, anchor: Signed | None) -> None:
        last = self.links[-1] if self.links else None
        if anchor is None:
            return
        if last and msgspec.json.decode(last.body, type=AnchorLink).anchor == anchor:
            return
        self.links.append(forge_on(self.signing, self.id, last, anchor, self.clock.now()))

    async def _adopt(self, state: DesiredState) -> None:
        if (state.epoch, state.revision) > (self.epoch, self.revision):
            self.states.append(state)
            self.epoch, self.revision = state.epoch, state.revision
            await self.beat(*self.seen)

    # ------------------------------------------------------------ the box API

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator["FakeBox"]:
        """Reachable for the centre, by mutual TLS, until the end."""
        app = Application()
        app.router.add_post("/live", self._begin)
        app.router.add_post("/live/{id}/renew", self._renew)
        app.router.add_delete("/live/{id}", self._end)
        app.router.add_get("/anchors", self._anchors)
        app.router.add_get("/shelf/{path:.+}", self._read)
        app.router.add_get("/index/{path:.+}", self._index)
        app.router.add_get("/keyframes/{path:.+}", self._keyframes)
        app.router.add_get("/growing/{camera}", self._growing)
        app.router.add_get("/references/{camera}/{sha256}", self._view)
        app.router.add_post("/references/{camera}", self._view)
        runner = AppRunner(app)
        await runner.setup()
        await TCPSite(runner, "127.0.0.1", self.port, ssl_context=self._tls()).start()
        try:
            yield self
        finally:
            await runner.cleanup()

    def _tls(self) -> ssl.SSLContext:
        crt, pem = self.folder / "box.crt", self.folder / "box.pem"
        return server_context(crt, pem, self.pinned.certificate)

    @property
    def _ticket_keys(self) -> dict[str, bytes]:
        public = from_base64(self.pinned.ticket_public)
        return {kid_of(public): public}

    async def _begin(self, request: Request) -> Response:
        offer = msgspec.json.decode(await request.read(), type=LiveOffer)
        if self.refuses:
            return Response(status=403, body=msgspec.json.encode({"code": self.refuses}))
        try:
            ticket = check(
                offer.ticket,
                self._ticket_keys,
                edge=self.id,
                purpose="live",
                what=offer.sdp,
                now=self.clock.now(),
            )
        except TicketRefused as refusal:
            return Response(status=403, body=msgspec.json.encode({"code": refusal.code}))
        if self.opens is not None:
            await self.opens.wait()
        self.looks[ticket.jti] = ticket.view_until
        tracks = tuple(
            LiveTrack(mid=str(mid), camera=track.camera, stream=track.stream)
            for mid, track in enumerate(ticket.tracks)
        )
        answer = LiveAnswer(id=ticket.jti, sdp="v=0 answer", tracks=tracks)
        return Response(status=201, body=msgspec.json.encode(answer))

    async def _renew(self, request: Request) -> Response:
        renewal = open_signed(await request.read(), self._ticket_keys, Renewal)
        if renewal.jti not in self.looks:
            return Response(status=404)
        self.looks[renewal.jti] = renewal.view_until
        return Response(status=204)

    async def _end(self, request: Request) -> Response:
        look = request.match_info["id"]
        self.ended.append(look)
        return Response(status=204 if self.looks.pop(look, None) else 404)

    async def _anchors(self, _: Request) -> Response:
        return Response(body=msgspec.json.encode(self.anchors))

    async def _view(self, request: Request) -> Response:
        path = request.path.removeprefix("/")
        try:
            check(
                request.headers[TICKET_HEADER],
                self._ticket_keys,
                edge=self.id,
                purpose="playback",
                what=path,
                now=self.clock.now(),
            )
        except TicketRefused as refusal:
            return Response(status=403, body=msgspec.json.encode({"code": refusal.code}))
        if request.method == "POST":
            self.wished.append(request.match_info["camera"])
            return Response(status=202)
        found = self.views.get(request.match_info["sha256"])
        return Response(body=found) if found else Response(status=404)

    def _refusal(self, request: Request, path: str) -> Response | None:
        try:
            ticket = check(
                request.headers[TICKET_HEADER],
                self._ticket_keys,
                edge=self.id,
                purpose="playback",
                what=path,
                now=self.clock.now(),
            )
        except TicketRefused as refusal:
            return Response(status=403, body=msgspec.json.encode({"code": refusal.code}))
        self.tickets.append(ticket)
        return None

    async def _index(self, request: Request) -> Response:
        path = request.match_info["path"]
        refused = self._refusal(request, path)
        if refused is not None:
            return refused
        index = self.indexes.get(path)
        return Response(body=msgspec.json.encode(index)) if index else Response(status=404)

    async def _keyframes(self, request: Request) -> Response:
        path = request.match_info["path"]
        refused = self._refusal(request, path)
        if refused is not None:
            return refused
        first, last = int(request.query["from"]), int(request.query["to"])
        if self.cut_keys is not None:
            return Response(body=self.cut_keys(path, first, last))
        return Response(text=f"keys {first} {last}")

    async def _growing(self, request: Request) -> Response:
        camera = request.match_info["camera"]
        refused = self._refusal(request, f"growing/{camera}")
        if refused is not None:
            return refused
        growing = self.grows.get(camera)
        return Response(body=msgspec.json.encode(growing)) if growing else Response(status=404)

    async def _read(self, request: Request) -> Response:
        path = request.match_info["path"]
        refused = self._refusal(request, path)
        if refused is not None:
            return refused
        if path not in self.shelf:
            return Response(status=404)
        part = request.http_range
        if part.start is None and part.stop is None:
            return Response(body=self.shelf[path])
        body = self.shelf[path][part.start or 0 : part.stop]
        headers = {"Content-Range": f"bytes {part.start}-{part.stop - 1}/{len(self.shelf[path])}"}
        return Response(status=206, body=body, headers=headers)


def segment(camera: str, start: datetime, seconds: float = 60, **changes: object) -> SegmentClosed:
    """Make what a box says of a sealed file."""
    name = f"{start:%Y%m%dT%H%M%S}{start.microsecond // 1000:03}"
    plain = SegmentClosed(
        segment=f"{camera}.main.{name}",
        camera=camera,
        stream="main",
        start=start,
        end=start + timedelta(seconds=seconds),
        bytes=15_000_000,
        path=f"shelf/{camera}/{start:%Y-%m-%d}/{name}.mp4",
        root="ab" * 32,
        previous="",
        fragments=120,
        clock="trusted",
    )
    return msgspec.structs.replace(plain, **changes)
