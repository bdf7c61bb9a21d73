"""A real Mosquitto for tests, on a free port."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Awaitable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from contract.bus import Arrival, BrokerAddress, Bus
from contract.clock import SystemClock
from orchestrator.broker import Broker
from orchestrator.logins import box, user_of
from tests.fakes.waiting import until


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def running_broker(
    folder: Path, edges: Mapping[str, str] | None = None
) -> AsyncGenerator[Broker]:
    """A broker that is watched, until the test ends."""
    async with (
        Broker.open(
            folder,
            free_port(),
            SystemClock(),
            [box(edge, password) for edge, password in (edges or {}).items()],
        ) as broker,
        background(broker.run()),
    ):
        yield broker


@asynccontextmanager
async def background(work: Awaitable[None]) -> AsyncGenerator[asyncio.Future[None]]:
    """Do `work` beside the test; a failure of it fails the test."""
    task = asyncio.ensure_future(work)
    try:
        yield task
    finally:
        if task.done():
            task.result()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def edge_address(broker: Broker, edge: str, password: str) -> BrokerAddress:
    """How a box logs in at a test's broker."""
    return BrokerAddress("127.0.0.1", broker.port, user_of(edge), password)


class Listening:
    """A client that keeps what it hears."""

    def __init__(self, address: BrokerAddress, name: str, *topics: str) -> None:
        self.bus = Bus(address, name, SystemClock())
        self.heard: list[Arrival] = []
        self.connects = 0
        self._topics = topics

    async def _greet(self, _: Bus) -> None:
        self.connects += 1

    async def _hear(self, arrival: Arrival) -> None:
        self.heard.append(arrival)

    @asynccontextmanager
    async def on(self) -> AsyncGenerator["Listening"]:
        """Connected, until the end."""
        async with background(self.bus.run(self._topics, self._greet, self._hear)):
            await until(lambda: self.bus.is_up)
            yield self

    def payloads(self, topic: str) -> list[bytes]:
        """What came on one topic."""
        return [arrival.payload for arrival in self.heard if arrival.topic == topic]
