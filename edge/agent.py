"""The agent: keeps the box's processes running, its plan fresh and its facts told."""

import asyncio
import fcntl
import logging
import os
import secrets
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import msgspec

from contract import topics
from contract.bus import Arrival, Bus, BusDown, Will
from contract.clock import Clock
from contract.enrolment import Enrolled
from contract.keys import BadSignature, Signed, from_base64
from contract.messages import (
    Booted,
    CameraStatus,
    Dispatch,
    EdgeStatus,
    ProcessLost,
    ShelfTrouble,
    StateHeard,
)
from contract.retry import keep
from contract.running import causes
from edge import orders as in_force
from edge.anchors import keep_anchor
from edge.children import Child, tend
from edge.clocktrust import ClockTrust
from edge.config import EdgeConfig
from edge.identity import BoxKeys, box_keys, broker_of, pinned, trusted_for
from edge.journal import Journal, JournalBusy
from edge.notes import Notes
from edge.orders import OrdersInForce, StateRefused
from edge.outbox import Outbox
from edge.plan import take

log = logging.getLogger(__name__)

VERSION = version("xunkao")
Process = Literal["recorder", "live", "eyes"]
PROCESSES: tuple[Process, ...] = ("recorder", "live", "eyes")
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
    """Run the box until cancelled; raises NotEnrolled or AlreadyRunning.

    Nothing that happens to journal, broker or plan ends the processes: telling begins again.
    """
    keys = box_keys(config.keys, config.edge)
    enrolled = pinned(config.keys)
    boot = secrets.token_hex(8)
    notes = Notes(clock)
    with _alone(config.run):
        bus = Bus(
            broker_of(enrolled, keys),
            f"edge-{config.edge}-{boot[:6]}",
            clock,
            _will(config, boot, clock),
        )
        agent = Agent(config, keys, enrolled, notes, bus, clock, boot)
        notes.say(Booted(boot=boot, version=VERSION, clock_trusted=agent.trust.trusted()))
        async with asyncio.TaskGroup() as group:
            for name in PROCESSES:
                child = _child(config, config_path, name)
                lost = notes.saying(partial(_lost, name))
                group.create_task(tend(child, clock, lost), name=name)
            group.create_task(
                keep("telling the centre", agent.run, on=(Stumbled,), clock=clock, log=log),
                name="agent",
            )


def _lost(name: Process, how: str) -> ProcessLost:
    return ProcessLost(process=name, how=how)


def _will(config: EdgeConfig, boot: str, clock: Clock) -> Will:
    last = EdgeStatus(state="offline", at=clock.now(), boot=boot, epoch=0, revision=0)
    return Will(topics.status(config.edge), msgspec.json.encode(last))


def _child(config: EdgeConfig, config_path: Path, name: str) -> Child:
    command = (sys.executable, "-m", "edge", name, "--config", str(config_path))
    return Child(name, command, config.run / f"{name}.alive")


class Stumbled(Exception):
    """The journal, the disk or a file of the plan failed the agent; it tries again."""


class Agent:
    """What the agent does besides keeping processes: plan, facts, heartbeat."""

    def __init__(
        self,
        config: EdgeConfig,
        keys: BoxKeys,
        enrolled: Enrolled,
        notes: Notes,
        bus: Bus,
        clock: Clock,
        boot: str,
    ) -> None:
        self._config = config
        self._keys = keys
        self._site = trusted_for(enrolled.site_public)
        self._centre = from_base64(enrolled.identity_public)
        self._enrolled_at = enrolled.at
        self._notes = notes
        self._bus = bus
        self._clock = clock
        self._boot = boot
        self._orders = OrdersInForce()
        self._refused: set[tuple[int, int]] = set()
        self._anchor: Signed | None = None
        self._outbox: Outbox | None = None
        self._journal: Journal | None = None
        self.trust = ClockTrust(config.data / "clock.json", clock)

    async def run(self) -> None:
        """Serve broker, outbox and heartbeat until cancelled; raises Stumbled."""
        try:
            await self._run()
        except (JournalBusy, sqlite3.Error, OSError) as error:
            raise Stumbled(str(error)) from error
        except ExceptionGroup as group:
            if not all(isinstance(e, JournalBusy | sqlite3.Error | OSError) for e in causes(group)):
                raise
            raise Stumbled(str(causes(group)[0])) from group

    async def _run(self) -> None:
        edge = self._config.edge
        self.trust.raise_floor(self._enrolled_at)
        self._orders = _load(self._config.orders)
        async with Journal.open(self._config.journal) as journal:
            self._journal = journal
            self._outbox = outbox = Outbox(
                edge, self._keys.signing, journal, self._bus, self._clock
            )
            wanted = (topics.desired(edge), topics.heard(edge))
            async with asyncio.TaskGroup() as group:
                group.create_task(
                    self._bus.run(wanted, self._on_connect, self._on_message), name="bus"
                )
                group.create_task(outbox.run(), name="outbox")
                group.create_task(self._notes.write(journal), name="notes")
                group.create_task(self._beat(), name="heartbeat")

    async def _on_connect(self, bus: Bus) -> None:
        del bus
        if self._outbox is not None:
            self._outbox.reconnected()
        await self._publish_status()

    async def _on_message(self, arrival: Arrival) -> None:
        try:
            if arrival.topic == topics.heard(self._config.edge):
                if self._outbox is not None:
                    self._outbox.on_heard(arrival.payload)
            elif arrival.payload:  # an empty retained topic changes nothing
                await self._on_anchor(arrival.payload)
                await self._on_desired(arrival.payload)
        except msgspec.MsgspecError as error:
            log.warning("ignored a message on %s: %s", arrival.topic, error)

    async def _on_desired(self, payload: bytes) -> None:
        now = self._clock.now()
        try:
            state, after = take(
                self._orders, payload, self._config.edge, self._site, now, self.trust.earliest()
            )
        except BadSignature as error:
            log.warning("refused a desired state: %s", error)
            self._notes.say(StateHeard(epoch=0, revision=0, accepted=False, reason="signature"))
            return
        except StateRefused as error:
            self._refuse(str(error))
            return
        if after is None:
            return
        await asyncio.to_thread(self._keep, after)
        self.trust.raise_floor(state.issued_at)  # the centre's word, signed
        self._notes.say(StateHeard(epoch=state.epoch, revision=state.revision, accepted=True))
        await self._publish_status()

    async def _on_anchor(self, payload: bytes) -> None:
        """Keep the ledger's head that came along; it comes again until another does."""
        anchor = msgspec.json.decode(payload, type=Dispatch).anchor
        if anchor is None or anchor == self._anchor or self._journal is None:
            return
        try:
            await keep_anchor(
                self._journal,
                self._keys,
                self._config.edge,
                self._centre,
                anchor,
                self._clock.now(),
            )
        except BadSignature as error:
            log.warning("refused an anchor: %s", error)
        self._anchor = anchor

    def _refuse(self, reason: str) -> None:
        have = (self._orders.epoch, self._orders.revision)
        if have not in self._refused:  # the same retained state comes with every connect
            self._refused = {have}
            log.warning("refused a desired state: %s", reason)
            self._notes.say(
                StateHeard(epoch=have[0], revision=have[1], accepted=False, reason=reason[:200])
            )

    def _keep(self, after: OrdersInForce) -> None:
        in_force.save(self._config.orders, after)
        self._orders = after

    async def _beat(self) -> None:
        told: tuple[object, ...] = ()
        told_at = -_HEARTBEAT_S
        floor_at = self._clock.now() - _FLOOR_EVERY
        is_full = False
        while True:
            is_full = self._look_at_disk(is_full)
            now = self._clock.now()
            if now - floor_at >= _FLOOR_EVERY and self.trust.trusted():
                floor_at = now
                await asyncio.to_thread(self.trust.raise_floor, now)
            states = tuple((c.camera, c.stream, c.state, c.recording) for c in self._cameras())
            if states != told or self._clock.monotonic() - told_at >= _HEARTBEAT_S:
                told, told_at = states, self._clock.monotonic()
                await self._publish_status()
            await self._clock.sleep(_LOOK_S)

    def _look_at_disk(self, was_full: bool) -> bool:
        free = shutil.disk_usage(self._config.data).free
        is_full = free < self._config.minimum_free_bytes
        if is_full and not was_full:
            detail = f"{free} bytes free, below {self._config.minimum_free_bytes}"
            self._notes.say(ShelfTrouble(kind="disk_full", detail=detail))
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


def _load(path: Path) -> OrdersInForce:
    """Read the orders in force; a file that cannot be read is set aside, the plan comes again."""
    try:
        return in_force.load(path)
    except ValueError:
        log.exception("the orders in force cannot be read and are set aside")
        path.replace(path.with_suffix(".broken"))
        return OrdersInForce()
