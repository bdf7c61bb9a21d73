"""The agent: keeps the box's processes running, its plan fresh and its facts told."""

import asyncio
import fcntl
import logging
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import msgspec

from contract import topics
from contract.bus import Arrival, Bus, BusDown, Will
from contract.clock import Clock
from contract.keys import BadSignature
from contract.messages import (
    Booted,
    CameraStatus,
    EdgeStatus,
    ProcessLost,
    ShelfTrouble,
    StateHeard,
)
from edge import orders as in_force
from edge.children import Child, tend
from edge.clocktrust import ClockTrust
from edge.config import EdgeConfig
from edge.identity import BoxKeys, box_keys, broker_of, pinned, trusted_for
from edge.journal import Journal
from edge.orders import OrdersInForce, StateRefused
from edge.outbox import Outbox
from edge.plan import take

log = logging.getLogger(__name__)

VERSION = "0.1.0"
PROCESSES: tuple[Literal["recorder", "live", "eyes"], ...] = ("recorder", "live", "eyes")
_HEARTBEAT_S = 5.0
_LOOK_S = 1.0
_FLOOR_EVERY = timedelta(minutes=1)


class AlreadyRunning(Exception):
    """Another agent works on this data folder."""


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "agent.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(f"another box runs on {folder.parent}") from error
        lock.write(str(os.getpid()))
        lock.flush()
        yield


async def run(config: EdgeConfig, config_path: Path, clock: Clock) -> None:
    """Run the box until cancelled; raises NotEnrolled, AlreadyRunning or ConfigError."""
    keys = box_keys(config.keys, config.edge)
    enrolled = pinned(config.keys)
    boot = secrets.token_hex(8)
    with _alone(config.run):
        async with Journal.open(config.journal) as journal:
            bus = Bus(
                broker_of(enrolled, keys),
                f"edge-{config.edge}-{boot[:6]}",
                clock,
                _will(config, boot, clock),
            )
            agent = Agent(
                config,
                keys,
                trusted_for(enrolled.site_public),
                journal,
                bus,
                clock,
                boot,
                enrolled.at,
            )
            await journal.add_fact(
                Booted(boot=boot, version=VERSION, clock_trusted=agent.trust.trusted()),
                clock.now(),
            )
            async with asyncio.TaskGroup() as group:
                for name in PROCESSES:
                    child = _child(config, config_path, name)
                    group.create_task(tend(child, clock, agent.on_lost(name)), name=name)
                group.create_task(agent.run(), name="agent")


def _will(config: EdgeConfig, boot: str, clock: Clock) -> Will:
    last = EdgeStatus(state="offline", at=clock.now(), boot=boot, epoch=0, revision=0)
    return Will(topics.status(config.edge), msgspec.json.encode(last))


def _child(config: EdgeConfig, config_path: Path, name: str) -> Child:
    command = (sys.executable, "-m", "edge", name, "--config", str(config_path))
    return Child(name, command, config.run / f"{name}.alive")


class Agent:
    """What the agent does besides keeping processes: plan, facts, heartbeat."""

    def __init__(
        self,
        config: EdgeConfig,
        keys: BoxKeys,
        site: dict[str, bytes],
        journal: Journal,
        bus: Bus,
        clock: Clock,
        boot: str,
        enrolled_at: datetime,
    ) -> None:
        self._config = config
        self._site = site
        self._journal = journal
        self._bus = bus
        self._clock = clock
        self._boot = boot
        self._orders = in_force.load(config.orders)
        self._outbox = Outbox(config.edge, keys.signing, journal, bus, clock)
        self._refused: set[tuple[int, int]] = set()
        self.trust = ClockTrust(config.data / "clock.json", clock)
        self.trust.raise_floor(enrolled_at)

    async def run(self) -> None:
        """Serve the broker, the outbox and the heartbeat until cancelled."""
        edge = self._config.edge
        wanted = (topics.desired(edge), topics.heard(edge))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._bus.run(wanted, self._on_connect, self._on_message), name="bus")
            group.create_task(self._outbox.run(), name="outbox")
            group.create_task(self._beat(), name="heartbeat")

    def on_lost(self, name: Literal["recorder", "live", "eyes"]) -> "_Lost":
        """Give what records that a process ended on its own."""
        return _Lost(name, self._journal, self._clock)

    async def _on_connect(self, bus: Bus) -> None:
        del bus
        self._outbox.reconnected()
        await self._publish_status()

    async def _on_message(self, arrival: Arrival) -> None:
        try:
            if arrival.topic == topics.heard(self._config.edge):
                await self._outbox.on_heard(arrival.payload)
            elif arrival.payload:  # an empty retained topic changes nothing
                await self._on_desired(arrival.payload)
        except msgspec.MsgspecError as error:
            log.warning("ignored a message on %s: %s", arrival.topic, error)

    async def _on_desired(self, payload: bytes) -> None:
        now = self._clock.now()
        try:
            state, after = take(self._orders, payload, self._config.edge, self._site, now)
        except BadSignature as error:
            log.warning("refused a desired state: %s", error)
            await self._say(StateHeard(epoch=0, revision=0, accepted=False, reason="signature"))
            return
        except StateRefused as error:
            await self._refuse(str(error))
            return
        if after is None:
            return
        await asyncio.to_thread(self._keep, after)
        self.trust.raise_floor(state.issued_at)  # the centre's word, signed
        await self._say(StateHeard(epoch=state.epoch, revision=state.revision, accepted=True))
        await self._publish_status()

    async def _refuse(self, reason: str) -> None:
        have = (self._orders.epoch, self._orders.revision)
        if have not in self._refused:  # the same retained state comes with every connect
            self._refused = {have}
            log.warning("refused a desired state: %s", reason)
            await self._say(
                StateHeard(epoch=have[0], revision=have[1], accepted=False, reason=reason[:200])
            )

    def _keep(self, after: OrdersInForce) -> None:
        in_force.save(self._config.orders, after)
        self._orders = after

    async def _say(self, data: StateHeard) -> None:
        await self._journal.add_fact(data, self._clock.now())

    async def _beat(self) -> None:
        told: tuple[object, ...] = ()
        told_at = -_HEARTBEAT_S
        floor_at = self._clock.now() - _FLOOR_EVERY
        is_full = False
        while True:
            is_full = await self._look_at_disk(is_full)
            now = self._clock.now()
            if now - floor_at >= _FLOOR_EVERY and self.trust.trusted():
                floor_at = now
                await asyncio.to_thread(self.trust.raise_floor, now)
            states = tuple((c.camera, c.stream, c.state, c.recording) for c in self._cameras())
            if states != told or self._clock.monotonic() - told_at >= _HEARTBEAT_S:
                told, told_at = states, self._clock.monotonic()
                await self._publish_status()
            await self._clock.sleep(_LOOK_S)

    async def _look_at_disk(self, was_full: bool) -> bool:
        free = shutil.disk_usage(self._config.data).free
        is_full = free < self._config.minimum_free_bytes
        if is_full and not was_full:
            detail = f"{free} bytes free, below {self._config.minimum_free_bytes}"
            await self._journal.add_fact(
                ShelfTrouble(kind="disk_full", detail=detail), self._clock.now()
            )
        return is_full

    def _cameras(self) -> tuple[CameraStatus, ...]:
        try:
            raw = (self._config.run / "recorder.json").read_bytes()
            return msgspec.json.decode(raw, type=tuple[CameraStatus, ...])
        except (FileNotFoundError, msgspec.MsgspecError):
            return ()

    async def _publish_status(self) -> None:
        status = EdgeStatus(
            state="online",
            at=self._clock.now(),
            boot=self._boot,
            epoch=self._orders.epoch,
            revision=self._orders.revision,
            clock_trusted=self.trust.trusted(),
            free_bytes=shutil.disk_usage(self._config.data).free,
            cameras=self._cameras(),
        )
        try:
            topic = topics.status(self._config.edge)
            await self._bus.publish(topic, msgspec.json.encode(status), retain=True)
        except BusDown:
            return  # the next connect publishes it


class _Lost:
    """Records that a process ended on its own."""

    def __init__(
        self, name: Literal["recorder", "live", "eyes"], journal: Journal, clock: Clock
    ) -> None:
        self._name = name
        self._journal = journal
        self._clock = clock

    async def __call__(self, how: str) -> None:
        await self._journal.add_fact(ProcessLost(process=self._name, how=how), self._clock.now())
