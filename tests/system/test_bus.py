import asyncio
import os
import signal
import socket
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from typing import cast

import aiomqtt
import pytest

from contract import topics
from contract.bus import Arrival, BrokerAddress, Bus, BusDown, Will
from contract.clock import SystemClock
from orchestrator.broker import Broker
from tests.fakes.broker import Listening, background, free_port, running_broker
from tests.fakes.waiting import until

TOPIC = topics.session("r1")


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncGenerator[Broker]:
    async with running_broker(tmp_path / "broker") as running:
        yield running


async def test_messages_come_in_the_order_they_were_sent(broker: Broker) -> None:
    async with Listening(broker.address, "a", TOPIC).on() as bus:
        for number in range(200):
            await bus.bus.publish(TOPIC, str(number).encode())
        await until(lambda: len(bus.heard) == 200)
    assert bus.payloads(TOPIC) == [str(number).encode() for number in range(200)]


async def test_what_is_published_while_down_is_an_error() -> None:
    bus = Bus(BrokerAddress("127.0.0.1", free_port(), "u", "p"), "a", SystemClock())
    with pytest.raises(BusDown):
        await bus.publish(TOPIC, b"x")
    with pytest.raises(BusDown):
        await bus.subscribe(TOPIC)


async def test_the_connection_comes_back_and_greets_again(broker: Broker) -> None:
    async with Listening(broker.address, "a", TOPIC).on() as bus:
        assert broker.pid
        os.kill(broker.pid, signal.SIGKILL)
        await until(lambda: not bus.bus.is_up)
        await until(lambda: bus.bus.is_up)
        await bus.bus.publish(TOPIC, b"after")
        await until(lambda: bus.heard)
    assert bus.connects == 2


async def test_an_answer_to_a_broker_that_died_fails_at_once_and_is_not_torn(
    broker: Broker,
) -> None:
    connects = 0
    failed: list[str] = []
    finished: list[bool] = []

    async def greet(_: Bus) -> None:
        nonlocal connects
        connects += 1

    async def hear(_: Arrival) -> None:
        assert broker.pid
        os.kill(broker.pid, signal.SIGSTOP)
        answering = asyncio.create_task(bus.publish(topics.session("r2"), b"answer"))
        await asyncio.sleep(0)
        os.kill(broker.pid, signal.SIGKILL)
        try:
            await answering
        except BusDown as error:
            failed.append(str(error))
        await asyncio.to_thread(lambda: None)  # writes what it heard, say
        finished.append(True)

    bus = Bus(broker.address, "a", SystemClock())
    async with background(bus.run((TOPIC,), greet, hear)):
        await until(lambda: connects == 1)
        with suppress(BusDown):  # it may die before it confirms what it passed on
            await bus.publish(TOPIC, b"x")
        await until(lambda: finished)
        assert failed == ["connection lost"]
        await until(lambda: connects == 2)


async def test_a_message_that_is_never_done_with_does_not_keep_the_bus_away(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contract.bus._FINISHES_WITHIN_S", 0.1)
    connects, heard = 0, asyncio.Event()

    async def greet(_: Bus) -> None:
        nonlocal connects
        connects += 1

    async def hear(_: Arrival) -> None:
        heard.set()
        await asyncio.Event().wait()

    bus = Bus(broker.address, "a", SystemClock())
    async with background(bus.run((TOPIC,), greet, hear)):
        await until(lambda: connects == 1)
        await bus.publish(TOPIC, b"x")
        await heard.wait()
        assert broker.pid
        os.kill(broker.pid, signal.SIGKILL)
        await until(lambda: connects == 2)


async def test_the_last_will_is_told_and_kept_when_a_client_is_cut_off(broker: Broker) -> None:
    will = Will(TOPIC, b"gone")
    async with Listening(broker.address, "watcher", TOPIC).on() as watcher:
        doomed = Bus(broker.address, "doomed", SystemClock(), will)

        async def nothing(_: object) -> None:
            pass

        async with background(doomed.run((), nothing, nothing)):
            await until(lambda: doomed.is_up)
            client = doomed._client
            assert client is not None
            plug = client._client.socket()
            assert isinstance(plug, socket.socket)
            plug.shutdown(socket.SHUT_RDWR)
            await until(lambda: watcher.heard)
    async with Listening(broker.address, "late", TOPIC).on() as late:
        await until(lambda: late.heard)
    assert (late.heard[0].payload, late.heard[0].retained) == (b"gone", True)


async def test_a_greeting_that_fails_for_the_brokers_sake_is_made_again(broker: Broker) -> None:
    greetings = 0

    async def greet(_: Bus) -> None:
        nonlocal greetings
        greetings += 1
        if greetings == 1:
            raise BusDown("lost while greeting")

    async def hear(_: Arrival) -> None:
        pass

    bus = Bus(broker.address, "a", SystemClock())
    async with background(bus.run((), greet, hear)):
        await until(lambda: greetings == 2)


async def test_a_bug_in_a_listener_is_not_hidden(broker: Broker) -> None:
    async def greet(bus: Bus) -> None:
        await bus.publish(TOPIC, b"x")

    async def hear(_: Arrival) -> None:
        raise ValueError("a bug")

    bus = Bus(broker.address, "a", SystemClock())
    with pytest.raises(ValueError, match="a bug"):
        async with asyncio.timeout(10):
            await bus.run((TOPIC,), greet, hear)
    assert not bus.is_up


async def test_a_refused_subscription_is_an_error(broker: Broker) -> None:
    async with Listening(broker.address, "a").on() as bus:
        with pytest.raises(BusDown, match="may not subscribe"):
            await bus.bus.subscribe("elsewhere/#")


async def test_a_cancellation_that_the_library_swallows_still_ends_the_publishing() -> None:
    publishing = asyncio.Event()

    class Swallowing:
        """As aiomqtt on Python 3.11, when the answer comes together with the cancellation."""

        async def publish(self, *_: object, **__: object) -> None:
            publishing.set()
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    bus = Bus(BrokerAddress("127.0.0.1", free_port(), "u", "p"), "a", SystemClock())
    bus._client = cast("aiomqtt.Client", Swallowing())
    task = asyncio.create_task(bus.publish(TOPIC, b"x"))
    await publishing.wait()
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
