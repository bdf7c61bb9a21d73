"""The agent at a real broker: plan in, facts out, heartbeat and last will."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from contract import topics
from contract.anchors import hash_of, witnesses
from contract.bus import Bus
from contract.clock import SystemClock
from contract.messages import (
    AnchorKept,
    EdgeStatus,
    Fact,
    Heard,
    ShelfTrouble,
    Source,
    StateHeard,
    data_of,
    verify_fact,
)
from edge import orders as in_force
from edge.agent import Agent, _load
from edge.anchors import all_anchors
from edge.config import EdgeConfig
from edge.identity import BoxKeys, NotEnrolled, broker_of, pinned
from edge.journal import Journal
from edge.notes import Notes
from orchestrator.logins import user_of
from tests.fakes.broker import Listening, running_broker
from tests.fakes.enrolled import Centre, anchor_of, enrolled_box, state_for
from tests.fakes.waiting import until, until_async

CAMERA = {"cam-01": Source(main="rtsp://127.0.0.1:1/a/main", sub="rtsp://127.0.0.1:1/a/sub")}


@dataclass
class Scene:
    """A running agent and the centre that a test plays."""

    centre: Centre
    config: EdgeConfig
    keys: BoxKeys
    journal: Journal
    ear: Listening

    def facts(self) -> list[Fact]:
        """The facts heard so far, as they came."""
        raw = self.ear.payloads(topics.fact("box-1"))
        return [msgspec.json.decode(payload, type=Fact) for payload in raw]

    def last_status(self) -> EdgeStatus | None:
        """What the box said of itself last."""
        raw = self.ear.payloads(topics.status("box-1"))
        return msgspec.json.decode(raw[-1], type=EdgeStatus) if raw else None

    async def send(self, payload: bytes) -> None:
        """Publish a desired state, retained."""
        await self.ear.bus.publish(topics.desired("box-1"), payload, retain=True)


@asynccontextmanager
async def an_agent(config: EdgeConfig, keys: BoxKeys) -> AsyncIterator[Agent]:
    enrolled = pinned(config.keys)
    clock = SystemClock()
    bus = Bus(broker_of(enrolled, keys), "edge-box-1", clock)
    agent = Agent(config, keys, enrolled, Notes(clock), bus, clock, "boot1")
    task = asyncio.create_task(agent.run())
    try:
        yield agent
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    centre = Centre.make()
    async with running_broker(tmp_path / "broker", {"box-1": "secret-of-box-1"}) as broker:
        config, keys = enrolled_box(
            tmp_path / "box",
            centre,
            port=broker.port,
            user=user_of("box-1"),
            password="secret-of-box-1",
        )
        config.run.mkdir(parents=True)
        ear = Listening(broker.address, "test-centre", topics.EVERY_STATUS, topics.EVERY_FACT)
        async with (
            ear.on(),
            Journal.open(config.journal) as journal,
            an_agent(config, keys),
        ):
            yield Scene(centre, config, keys, journal, ear)


async def test_a_signed_state_reaches_the_disk_and_is_said(scene: Scene) -> None:
    await until(scene.last_status, what="a first status")
    await scene.send(scene.centre.dispatch(state_for(scene.keys, CAMERA)))
    await until(lambda: in_force.load(scene.config.orders).revision == 1, what="orders on disk")
    await until(lambda: (s := scene.last_status()) and s.revision == 1, what="status with revision")
    await until(scene.facts, what="the fact")
    said = data_of(scene.facts()[0])
    assert isinstance(said, StateHeard)
    assert said.accepted
    verify_fact(scene.keys.signing.public, scene.facts()[0])


async def test_a_box_believes_its_clock_once_the_centre_gave_it_a_floor(scene: Scene) -> None:
    await scene.send(scene.centre.dispatch(state_for(scene.keys, CAMERA)))
    await until(lambda: (s := scene.last_status()) and s.revision == 1, what="status with revision")
    status = scene.last_status()
    assert status is not None
    assert status.clock_trusted


async def test_the_ledgers_head_is_kept_once_in_the_boxs_own_chain_and_told(scene: Scene) -> None:
    now = SystemClock().now()
    first, second = (anchor_of(scene.centre, row, now) for row in (7, 9))
    state = state_for(scene.keys, CAMERA)
    await until(scene.last_status, what="a first status")
    forged = anchor_of(Centre.make(), 8, now)
    for anchor in (first, first, forged, second):
        await scene.send(scene.centre.dispatch(state, anchor))

    def kept() -> list[AnchorKept]:
        said = map(data_of, scene.facts())
        return [data for data in said if isinstance(data, AnchorKept)]

    await until(lambda: len(kept()) == 2, what="two anchors")
    links = await scene.journal.anchors()
    assert [(one.row, one.number) for one in kept()] == [(7, 1), (9, 2)]
    assert [one.link for one in kept()] == [hash_of(link) for link in links]
    found = witnesses(await all_anchors(scene.config))
    assert [witness.anchor.row for witness in found] == [7, 9]


async def test_an_empty_retained_topic_changes_nothing(scene: Scene) -> None:
    await scene.send(scene.centre.dispatch(state_for(scene.keys, CAMERA)))
    await until(lambda: in_force.load(scene.config.orders).revision == 1)
    await scene.send(b"")
    await scene.send(scene.centre.dispatch(state_for(scene.keys, {}, revision=2)))
    await until(lambda: in_force.load(scene.config.orders).revision == 2)
    assert [order.camera for order in in_force.load(scene.config.orders).orders] == ["cam-01"]


async def test_a_stranger_s_state_is_refused_and_said(scene: Scene) -> None:
    await until(scene.last_status)
    await scene.send(Centre.make().dispatch(state_for(scene.keys, CAMERA)))
    await until(scene.facts)
    said = data_of(scene.facts()[0])
    assert isinstance(said, StateHeard)
    assert not said.accepted
    assert in_force.load(scene.config.orders).orders == ()


async def test_facts_come_again_until_heard_and_then_no_more(scene: Scene) -> None:
    await until(scene.last_status)
    at = SystemClock().now()
    for number in range(5):
        await scene.journal.add_fact(ShelfTrouble(kind="recovered", detail=str(number)), at)
    await until(lambda: len(scene.facts()) >= 5)
    assert [fact.seq for fact in scene.facts()[:5]] == [1, 2, 3, 4, 5]
    await scene.ear.bus.publish(topics.heard("box-1"), msgspec.json.encode(Heard(up_to=5)))

    async def marked() -> bool:
        return await scene.journal.heard() == 5

    await until_async(marked)


async def test_the_status_tells_what_the_recorder_sees(scene: Scene) -> None:
    (scene.config.run / "recorder.json").write_text(
        '[{"camera":"cam-01","stream":"main","state":"streaming","recording":true}]'
    )
    await until(lambda: (s := scene.last_status()) and s.cameras, what="cameras in the status")
    status = scene.last_status()
    assert status is not None
    assert status.cameras[0].recording


async def test_cameras_of_which_no_recorder_speaks_are_off(scene: Scene) -> None:
    await scene.send(scene.centre.dispatch(state_for(scene.keys, CAMERA)))
    await until(lambda: (s := scene.last_status()) and s.cameras, what="cameras in the status")
    status = scene.last_status()
    assert status is not None
    seen = [(one.camera, one.stream, one.state, one.recording) for one in status.cameras]
    assert seen == [("cam-01", "main", "off", False), ("cam-01", "sub", "off", False)]


async def test_a_box_without_enrolment_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(NotEnrolled, match="xunkao edge invite"):
        pinned(tmp_path)


async def test_a_locked_journal_delays_telling_and_ends_nothing(scene: Scene) -> None:
    await until(scene.last_status)
    with closing(sqlite3.connect(scene.config.journal, isolation_level=None)) as other:
        other.execute("begin immediate")
        await scene.send(scene.centre.dispatch(state_for(scene.keys, CAMERA)))
        await until(lambda: in_force.load(scene.config.orders).revision == 1, what="orders on disk")
        beats = len(scene.ear.payloads(topics.status("box-1")))
        await until(lambda: len(scene.ear.payloads(topics.status("box-1"))) > beats + 1, 30)
        assert scene.facts() == []
        other.execute("rollback")
    await until(scene.facts, 30, "the fact, told afterwards")
    assert isinstance(data_of(scene.facts()[0]), StateHeard)


async def test_a_locked_journal_withholds_no_plan_that_brings_an_anchor(scene: Scene) -> None:
    await until(scene.last_status)
    payload = scene.centre.dispatch(
        state_for(scene.keys, CAMERA), anchor_of(scene.centre, 7, SystemClock().now())
    )
    with closing(sqlite3.connect(scene.config.journal, isolation_level=None)) as other:
        other.execute("begin immediate")
        await scene.send(payload)
        await until(lambda: in_force.load(scene.config.orders).revision == 1, 10, "orders on disk")
        other.execute("rollback")

    async def kept() -> bool:
        return len(await scene.journal.anchors()) == 1

    await until_async(kept, 30, "the anchor")


async def test_a_plan_that_cannot_be_read_is_set_aside_and_comes_again(tmp_path: Path) -> None:
    path = tmp_path / "orders.json"
    path.write_text("{")
    assert _load(path) == in_force.OrdersInForce()
    assert (tmp_path / "orders.broken").read_text() == "{"
