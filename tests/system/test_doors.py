from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from contract import topics
from contract.clock import SystemClock
from contract.messages import RoomSession
from orchestrator.centre import Centre
from orchestrator.config import BrokerConfig, Config
from orchestrator.doors import Doors
from orchestrator.events import Mailbox
from orchestrator.exams import Lead
from tests.fakes.broker import Listening
from tests.fakes.centre import add_site, hold_exam, running_centre
from tests.fakes.clock import ManualClock
from tests.fakes.waiting import until

LEAD = Lead(timedelta(minutes=30), timedelta(minutes=15))


@pytest.fixture
async def centre(tmp_path: Path) -> AsyncGenerator[Centre]:
    config = Config(data=tmp_path, camera_subnets=("127.0.0.0/8",), broker=BrokerConfig(port=0))
    async with Centre.open(config, SystemClock()) as opened:
        await add_site(opened, ("cam1", "r1", "b1"))
        yield opened


def states(mailbox: Mailbox) -> list[object]:
    return [
        event.data["state"]
        for event in mailbox._events
        if event.type == "session" and isinstance(event.data, dict)
    ]


async def test_each_state_of_a_session_is_told_once(centre: Centre) -> None:
    clock = ManualClock()
    doors = Doors(centre.store, centre.bus, centre.events, clock, LEAD)
    await hold_exam(centre, "r1", clock.now() + timedelta(minutes=32), minutes=60)
    async with centre.events.subscribe() as mailbox:
        for _ in range(120):
            await doors.look()
            await clock.advance(60)
        assert states(mailbox) == ["PLANNED", "ARMED", "RUNNING", "ENDING", "ENDED"]


async def test_what_stands_at_the_start_is_no_news(centre: Centre) -> None:
    clock = ManualClock()
    await hold_exam(centre, "r1", clock.now())
    doors = Doors(centre.store, centre.bus, centre.events, clock, LEAD)
    async with centre.events.subscribe() as mailbox:
        await doors.look()
        assert states(mailbox) == []


async def test_the_running_exam_stands_on_the_rooms_door(tmp_path: Path) -> None:
    async with running_centre(tmp_path) as centre:
        await add_site(centre, ("cam1", "r1", "b1"))
        now = centre.clock.now()
        await hold_exam(centre, "r1", now - timedelta(minutes=70), minutes=60, id="ending")
        await hold_exam(centre, "r1", now + timedelta(minutes=20), id="coming")
        running = await hold_exam(centre, "r1", now - timedelta(minutes=5), id="running")
        topic = topics.session("r1")
        async with Listening(centre.broker.address, "watcher", topic).on() as watcher:
            await until(lambda: watcher.payloads(topic))
        door = msgspec.json.decode(watcher.payloads(topic)[-1], type=RoomSession)
        assert (door.session, door.state, door.start) == (running.id, "RUNNING", running.start)
