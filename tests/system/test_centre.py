import asyncio
import os
import signal
import socket
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from contract.clock import SystemClock
from contract.messages import Booted
from orchestrator.broker import BrokerFailed
from orchestrator.centre import Centre
from orchestrator.config import BrokerConfig, Config
from orchestrator.keyring import KeysDamaged
from orchestrator.overview import Overview
from orchestrator.store.tables import facts
from tests.fakes.box import segment
from tests.fakes.centre import add_site, config_in, count, hold_exam, join, running_centre
from tests.fakes.waiting import until, until_async


async def test_the_sites_key_is_told_at_the_first_opening_alone(tmp_path: Path) -> None:
    async with Centre.open(config_in(tmp_path), SystemClock()) as centre:
        assert centre.set_up_secret
        assert "PRIVATE" not in repr(centre)
    async with Centre.open(config_in(tmp_path), SystemClock()) as centre:
        assert centre.set_up_secret is None


async def test_a_port_in_use_is_named_and_nothing_is_left_behind(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        config = Config(data=tmp_path / "centre", broker=BrokerConfig(port=port))
        with pytest.raises(BrokerFailed, match=str(port)):
            async with Centre.open(config, SystemClock()):
                pass
    assert brokers() == []


async def test_keys_that_are_not_whole_stop_the_start(tmp_path: Path) -> None:
    async with Centre.open(config_in(tmp_path), SystemClock()) as centre:
        (centre.config.keys / "plan.pem").unlink()
    with pytest.raises(KeysDamaged, match="backup"):
        async with Centre.open(config_in(tmp_path), SystemClock()):
            pass


async def test_a_stopped_centre_leaves_no_process(tmp_path: Path) -> None:
    async with running_centre(tmp_path) as centre:
        assert centre.broker.pid
    assert brokers() == []


async def test_facts_of_a_broker_that_died_arrive_once(tmp_path: Path) -> None:
    async with running_centre(tmp_path) as centre:
        await add_site(centre, ("cam1", "r1", "b1"))
        box = await join(centre, tmp_path, "b1")
        now = centre.clock.now()
        told = [box.fact(segment("cam1", now, 1 + n)) for n in range(3)]
        async with box.online():
            await box.tell(told[0])
            await until(lambda: box.heard == [1])
            assert centre.broker.pid
            os.kill(centre.broker.pid, signal.SIGKILL)
            await asyncio.gather(  # each by itself: one may be back before the other noticed
                until(lambda: not centre.bus.is_up), until(lambda: not box.bus_is_up)
            )
            await until(lambda: centre.bus.is_up and box.bus_is_up)
            await box.tell(*told)
            await until(lambda: box.heard[-1] == 3)
        assert await count(centre, facts) == 3


async def test_a_stopped_centre_hears_everything_afterwards_once(tmp_path: Path) -> None:
    booted = Booted(boot="b", version="1", clock_trusted=True)
    async with running_centre(tmp_path) as centre:
        box = await join(centre, tmp_path, "b1")
        async with box.online():
            await box.tell(box.fact(booted))
            await until(lambda: box.heard == [1])
    outbox = [box.fact(booted) for _ in range(4)]
    async with running_centre(tmp_path) as centre:
        box.broker_port = centre.broker.port
        async with box.online():
            await box.tell(*outbox)
            await until(lambda: box.heard[-1] == 5)
        assert await count(centre, facts) == 5


async def test_a_box_by_tls_pins_the_brokers_certificate(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        tls_port = probe.getsockname()[1]
    broker = BrokerConfig(port=0, tls_port=tls_port)
    config = Config(data=tmp_path / "centre", broker=broker)
    async with Centre.open(config, SystemClock()) as centre:
        running = asyncio.ensure_future(centre.run())
        box = await join(centre, tmp_path, "b1")
        assert (box.login.port, box.login.certificate) == (tls_port, centre.keyring.certificate)
        async with box.online():
            await until_async(lambda: _is_online(centre))
        running.cancel()
        await asyncio.wait({running})


async def _is_online(centre: Centre) -> bool:
    state = (await Overview(centre.store).edges()).get("b1")
    return state is not None and state.state == "online"


async def test_an_exam_reaches_boxes_and_watchers(tmp_path: Path) -> None:
    async with running_centre(tmp_path) as centre:
        await add_site(centre, ("cam1", "r1", "b1"))
        box = await join(centre, tmp_path, "b1")
        async with box.online(), centre.events.subscribe() as mailbox:
            await hold_exam(centre, "r1", centre.clock.now())
            await until(lambda: box.states and box.states[-1].orders)
            async with asyncio.timeout(5):
                while (event := await mailbox.get()).type != "session":
                    pass
    assert event.data == {"state": "RUNNING", "room": "r1"}


def brokers() -> list[int]:
    """The brokers that this process started and that still run."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):  # ended meanwhile, or not yet waited for
            if child.name() == "mosquitto" and child.status() != psutil.STATUS_ZOMBIE:
                found.append(child.pid)
    return found
