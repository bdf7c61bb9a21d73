import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import psutil
import pytest

from contract import topics
from contract.bus import BusDown
from contract.clock import SystemClock
from orchestrator.broker import Broker, BrokerFailed
from orchestrator.logins import new_password, user_of
from tests.fakes.broker import Listening, background, edge_address, free_port, running_broker
from tests.fakes.waiting import until

ONE, TWO = new_password(), new_password()


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncGenerator[Broker]:
    async with running_broker(tmp_path / "broker", {"b1": ONE, "b2": TWO}) as running:
        yield running


async def test_a_box_tells_and_hears_what_is_its_own(broker: Broker) -> None:
    centre = Listening(broker.address, "centre", topics.EVERY_FACT, topics.EVERY_STATUS)
    box = Listening(edge_address(broker, "b1", ONE), "b1", topics.desired("b1"))
    async with centre.on(), box.on():
        await box.bus.publish(topics.fact("b1"), b"fact")
        await box.bus.publish(topics.status("b1"), b"status", retain=True)
        await centre.bus.publish(topics.desired("b1"), b"state", retain=True)
        await until(lambda: len(centre.heard) == 2 and box.heard)
    assert box.payloads(topics.desired("b1")) == [b"state"]
    assert centre.payloads(topics.fact("b1")) == [b"fact"]


async def test_a_retained_state_reaches_a_box_that_comes_late(broker: Broker) -> None:
    async with Listening(broker.address, "centre").on() as centre:
        await centre.bus.publish(topics.desired("b1"), b"state", retain=True)
    box = Listening(edge_address(broker, "b1", ONE), "b1", topics.desired("b1"))
    async with box.on():
        await until(lambda: box.heard)
    assert box.heard[0].retained


@pytest.mark.parametrize(
    "topic",
    [topics.desired("b2"), topics.EVERY_FACT, topics.fact("b1"), "#", "$SYS/#", "$CONTROL/#"],
)
async def test_a_box_may_not_listen_to_others(broker: Broker, topic: str) -> None:
    async with Listening(edge_address(broker, "b1", ONE), "b1").on() as box:
        with pytest.raises(BusDown, match="may not subscribe"):
            await box.bus.subscribe(topic)


@pytest.mark.parametrize(
    "topic",
    [topics.fact("b2"), topics.status("b2"), topics.desired("b1"), topics.heard("b1"), "other"],
)
async def test_what_a_box_says_in_anothers_name_reaches_nobody(broker: Broker, topic: str) -> None:
    centre = Listening(broker.address, "centre", f"{topics.ROOT}/#")
    box = Listening(edge_address(broker, "b1", ONE), "b1")
    async with centre.on(), box.on():
        await box.bus.publish(topic, b"forged", retain=True)
        await box.bus.publish(topics.fact("b1"), b"true")
        await until(lambda: centre.heard)
    assert [arrival.payload for arrival in centre.heard] == [b"true"]


@pytest.mark.parametrize("password", ["", "wrong", TWO], ids=["empty", "wrong", "another"])
async def test_a_wrong_password_opens_nothing(broker: Broker, password: str) -> None:
    box = Listening(edge_address(broker, "b1", password), "b1")
    async with background(box.bus.run((), box._greet, box._hear)):
        await asyncio.sleep(0.3)
        assert not box.bus.is_up


async def test_a_box_is_let_in_while_the_broker_runs(broker: Broker) -> None:
    password = new_password()
    await until(lambda: broker.book.is_open)
    await broker.book.add_edge("b3", password)
    box = Listening(edge_address(broker, "b3", password), "b3", topics.heard("b3"))
    async with box.on():
        pass


async def test_a_removed_box_is_cut_off_and_stays_out(broker: Broker) -> None:
    await until(lambda: broker.book.is_open)
    async with Listening(edge_address(broker, "b1", ONE), "b1", topics.desired("b1")).on() as box:
        await broker.book.remove_edge("b1")
        await until(lambda: not box.bus.is_up)
        with pytest.raises(AssertionError):
            await until(lambda: box.bus.is_up, 1.5)


async def test_a_killed_broker_is_back_within_two_seconds_with_its_log_ins(broker: Broker) -> None:
    password = new_password()
    await until(lambda: broker.book.is_open)
    await broker.book.add_edge("b3", password)
    async with Listening(
        edge_address(broker, "b3", password), "b3", topics.heard("b3")
    ).on() as box:
        assert broker.pid
        os.kill(broker.pid, signal.SIGKILL)
        await until(lambda: not box.bus.is_up)
        await until(lambda: broker.pid is not None, 2)
        await until(lambda: box.bus.is_up)
    assert box.connects == 2


async def test_what_changed_while_the_broker_was_away_holds_when_it_is_back(
    broker: Broker,
) -> None:
    password = new_password()
    await until(lambda: broker.book.is_open)
    assert broker.pid
    os.kill(broker.pid, signal.SIGKILL)
    await until(lambda: not broker.book.is_open)
    await broker.book.add_edge("b3", password)
    await broker.book.remove_edge("b1")
    async with Listening(edge_address(broker, "b3", password), "b3").on():
        pass
    thrown_out = Listening(edge_address(broker, "b1", ONE), "b1")
    async with background(thrown_out.bus.run((), thrown_out._greet, thrown_out._hear)):
        await asyncio.sleep(0.3)
        assert not thrown_out.bus.is_up


async def test_a_log_in_that_nobody_here_made_is_removed(broker: Broker) -> None:
    await until(lambda: broker.book.is_open)
    await broker.book.add_edge("stranger", ONE)
    del broker.book._guests[user_of("stranger")]
    await broker.book._make_equal()
    assert user_of("stranger") not in await broker.book.users()


async def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(BrokerFailed, match=f"port {port} .* is in use"):
            async with Broker.open(tmp_path, port, SystemClock(), []):
                pass


async def test_a_missing_mosquitto_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(BrokerFailed, match="apt install mosquitto"):
        async with Broker.open(tmp_path, free_port(), SystemClock(), []):
            pass


async def test_the_process_ends_with_its_owner(tmp_path: Path) -> None:
    async with running_broker(tmp_path) as broker:
        pid = broker.pid
        assert pid
        assert psutil.pid_exists(pid)
    assert not psutil.pid_exists(pid)


async def test_no_password_is_readable_in_the_brokers_folder(tmp_path: Path) -> None:
    async with running_broker(tmp_path, {"b1": ONE}):
        kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert ONE.encode() not in kept


async def test_the_broker_dies_with_an_owner_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from contract.clock import SystemClock\n"
        "from orchestrator.broker import Broker\n"
        "async def main():\n"
        "    async with Broker.open(Path(sys.argv[1]), int(sys.argv[2]), SystemClock(), []) as b:\n"
        "        print(b.pid, flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    owner = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        script,
        str(tmp_path),
        str(free_port()),
        stdout=asyncio.subprocess.PIPE,
    )
    assert owner.stdout
    pid = int(await owner.stdout.readline())
    owner.kill()
    await owner.communicate()
    await until(lambda: not psutil.pid_exists(pid))
