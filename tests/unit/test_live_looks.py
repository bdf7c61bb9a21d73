"""Looks with a peer that is none and a clock that a test moves."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from contract.boxapi import LiveAnswer, LiveOffer
from contract.keys import SigningKey, sign
from contract.messages import Camera, LookChanged, Order
from contract.ticket import Renewal, Ticket, TicketRefused, Track, issue, sha256_hex
from edge import orders
from edge.journal import JournalBusy
from edge.live.feedclient import FeedClient
from edge.live.looks import Looks, NoSuchLook
from edge.live.telling import Teller
from edge.live.used import UsedTickets
from edge.live.webrtc import PacketSource
from edge.orders import OrdersInForce
from tests.fakes.clock import ManualClock
from tests.fakes.live_centre import FactList
from tests.fakes.waiting import until

OFFER = "v=0"
MINUTE = timedelta(minutes=1)


class FakePeer:
    """Answers at once and stays until told."""

    def __init__(self, tracks: int) -> None:
        self.answer = "answer"
        self.mids = tuple(str(number) for number in range(tracks))
        self.over: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def ended(self) -> str:
        return await asyncio.shield(self.over)


class House:
    """A `Looks` with all that it needs."""

    looks: Looks

    def __init__(self, clock: ManualClock, key: SigningKey, facts: FactList) -> None:
        self.clock = clock
        self.key = key
        self.facts = facts
        self.peers: list[FakePeer] = []

    @asynccontextmanager
    async def open_peer(
        self, _: str, sources: Sequence[PacketSource | None]
    ) -> AsyncGenerator[FakePeer]:
        self.peers.append(FakePeer(len(sources)))
        yield self.peers[-1]

    async def begin(self, jti: str = "t1", *cameras: str) -> LiveAnswer:
        now = self.clock.now()
        ticket = Ticket(
            edge="box1",
            user="patrol1",
            session="s1",
            tracks=tuple(Track(camera=camera) for camera in cameras or ("cam1",)),
            purpose="live",
            offer_sha256=sha256_hex(OFFER),
            jti=jti,
            start_by=now + MINUTE,
            view_until=now + 2 * MINUTE,
        )
        return await self.looks.begin(LiveOffer(ticket=issue(self.key, ticket), sdp=OFFER))

    async def pass_time(self, minutes: float) -> None:
        """Move the clock; what waits for threads gets its turn between."""
        for _ in range(int(minutes * 12)):
            await self.clock.advance(5)
            for _ in range(3):
                await asyncio.to_thread(lambda: None)

    @property
    def open(self) -> list[str]:
        return [look.id for look in self.looks.listed()]

    @property
    def told(self) -> list[tuple[str, str]]:
        looks = [fact for fact in self.facts.facts if isinstance(fact, LookChanged)]
        return [(look.state, look.reason) for look in looks]


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    clock, key, facts = ManualClock(), SigningKey.make(), FactList()
    # one worker: whoever waited for a turn knows that what was asked before it is done
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(max_workers=1))
    now = clock.now()
    ordered = Order(
        id="o1", camera="cam1", session="exam", start=now - 60 * MINUTE, end=now + 60 * MINUTE
    )
    known = tuple(Camera(id=camera, room="r1", sealed="") for camera in ("cam1", "cam2"))
    orders.save(tmp_path / "orders.json", OrdersInForce(cameras=known, orders=(ordered,)))
    async with UsedTickets.open(tmp_path / "live.sqlite") as used, asyncio.TaskGroup() as group:
        house = House(clock, key, facts)
        house.looks = Looks(
            "box1",
            {key.kid: key.public},
            tmp_path / "orders.json",
            FeedClient(tmp_path / "feed.sock", clock),
            used,
            Teller(facts, clock),
            house.open_peer,
            clock,
            group,
        )
        yield house
        for jti in house.open:
            house.looks.end(jti)


async def test_a_look_is_told_before_it_is_answered_and_when_it_ends(house: House) -> None:
    answer = await house.begin()
    assert (answer.id, answer.sdp) == ("t1", "answer")
    assert house.told == [("began", "")]
    house.peers[0].over.set_result("closed by viewer")
    await until(lambda: house.told[1:] == [("ended", "closed by viewer")])
    assert house.open == []


async def test_leave_that_runs_out_ends_the_look(house: House) -> None:
    await house.begin()
    await house.pass_time(1.5)
    house.looks.centre_spoke()
    assert house.open == ["t1"]
    await house.pass_time(0.6)
    assert house.open == []
    assert house.told[-1] == ("ended", "leave ran out")


async def test_a_silent_centre_gets_ten_minutes_once(house: House) -> None:
    await house.begin()
    await house.pass_time(11.5)
    assert [look.state for look in house.looks.listed()] == ["grace"]
    await house.pass_time(0.6)
    assert house.open == []


async def test_there_is_no_grace_for_a_camera_outside_its_window(house: House) -> None:
    await house.begin("t1", "cam1", "cam2")
    await house.pass_time(2.1)
    assert house.open == []


async def test_a_renewal_after_the_grace_began_makes_the_look_ordinary_again(house: House) -> None:
    await house.begin()
    await house.pass_time(4)
    later = house.clock.now() + 20 * MINUTE
    await house.looks.renew("t1", sign(house.key, Renewal(jti="t1", view_until=later)))
    assert [look.state for look in house.looks.listed()] == ["open"]
    await house.pass_time(19)
    assert house.open == ["t1"]


async def test_a_renewal_opens_no_other_look(house: House) -> None:
    await house.begin("t1")
    await house.begin("t2")
    later = house.clock.now() + 20 * MINUTE
    stolen = sign(house.key, Renewal(jti="t1", view_until=later))
    with pytest.raises(TicketRefused, match="other_look"):
        await house.looks.renew("t2", stolen)
    forged = sign(SigningKey.make(), Renewal(jti="t1", view_until=later))
    with pytest.raises(TicketRefused, match="forged"):
        await house.looks.renew("t1", forged)
    with pytest.raises(NoSuchLook):
        await house.looks.renew("t9", stolen)


async def test_a_renewal_shortens_nothing(house: House) -> None:
    await house.begin()
    soon = house.clock.now() + MINUTE / 2
    await house.looks.renew("t1", sign(house.key, Renewal(jti="t1", view_until=soon)))
    await house.pass_time(1)
    assert house.open == ["t1"]


async def test_the_centre_ends_a_look_also_in_its_grace(house: House) -> None:
    await house.begin()
    await house.pass_time(3)
    house.looks.end("t1")
    await until(lambda: house.open == [])
    assert house.told[-1] == ("ended", "ended by the centre")


async def test_a_ticket_is_good_once(house: House) -> None:
    await house.begin()
    with pytest.raises(TicketRefused, match="used"):
        await house.begin()
    assert house.told[-1] == ("refused", "used")


async def test_a_look_that_cannot_be_told_does_not_begin(house: House) -> None:
    house.facts.busy = True
    with pytest.raises(JournalBusy):
        await house.begin()
    assert house.open == []


async def test_an_end_that_cannot_be_told_is_told_later(house: House) -> None:
    teller = Teller(house.facts, house.clock)
    telling = asyncio.create_task(teller.run())
    house.facts.busy = True
    await teller.refused(None, "forged")
    assert house.told == []
    house.facts.busy = False
    await asyncio.sleep(0)
    await house.clock.advance(1)
    assert house.told == [("refused", "forged")]
    telling.cancel()
