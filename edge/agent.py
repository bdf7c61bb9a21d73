"""The agent: keeps the box's processes running, its plan fresh and its facts told."""

import asyncio
import fcntl
import logging
import os
import secrets
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
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
    Dispatch,
    EdgeStatus,
    HoldsHeard,
    ProcessLost,
    StateHeard,
)
from contract.retry import keep
from contract.running import causes
from edge import orders as in_force
from edge.anchors import keep_anchor
from edge.archive.outgoing import keep_only
from edge.archive.trouble import forget_trouble
from edge.children import Child, tend
from edge.clockrun import boot_id
from edge.clocktrust import ClockTrust
from edge.config import EdgeConfig
from edge.diskwatch import DiskWatch
from edge.expiry import CentreTime
from edge.holds import HoldsInForce, ListRefused
from edge.holds import adopt as adopt_holds
from edge.holds import believed as believed_holds
from edge.holds import load as load_holds
from edge.holds import save as save_holds
from edge.identity import BoxKeys, box_keys, broker_of, pinned, trusted_for
from edge.journal import Journal, JournalBusy, JournalDamaged
from edge.notes import Notes
from edge.orders import OrdersInForce, StateRefused
from edge.outbox import Outbox
from edge.patrol import Patrol
from edge.plan import take
from edge.recorderseen import RecorderSeen
from edge.remover import Remover
from edge.terms import Terms

log = logging.getLogger(__name__)

VERSION = version("xunkao")
Process = Literal["recorder", "live", "eyes", "archive"]
PROCESSES: tuple[Process, ...] = ("recorder", "live", "eyes")
_HEARTBEAT_S = 5.0
_LOOK_S = 1.0
_DECIDED_WITHIN_S = 30.0
_FLOOR_EVERY = timedelta(minutes=1)
_PASSING = (JournalBusy, JournalDamaged, sqlite3.Error, OSError)
"""A damaged journal too: the recorder sets it aside, and must live to do so."""


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
            for name in processes(config):
                child = _child(config, config_path, name)
                lost = notes.saying(partial(_lost, name))
                group.create_task(tend(child, clock, lost), name=name)
            group.create_task(
                keep("telling the centre", agent.run, on=(Stumbled,), clock=clock, log=log),
                name="agent",
            )


def processes(config: EdgeConfig) -> tuple[Process, ...]:
    """Give the processes that this box runs: with an archive, one that makes second copies."""
    return PROCESSES if config.archive is None else (*PROCESSES, "archive")


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
        self._centre_public = from_base64(enrolled.identity_public)
        self._enrolled_at = enrolled.at
        self._notes = notes
        self._bus = bus
        self._clock = clock
        self._boot = boot
        self._orders = OrdersInForce()
        self._refused: set[tuple[int, int]] = set()
        self._anchor: Signed | None = None
        self._outbox: Outbox | None = None
        self._holds = HoldsInForce()
        self._hold_refusal = ""
        self._holds_said = False
        self._remover: Remover | None = None
        self._centre = CentreTime()
        self._hold_key = from_base64(enrolled.hold_public)
        self._disk = DiskWatch(config.data, config.minimum_free_bytes, notes.say)
        self._journal: Journal | None = None
        self._recorder = RecorderSeen(config.run / "recorder.json", clock)
        self.trust = ClockTrust(config.data / "clock.json", clock)

    async def run(self) -> None:
        """Serve broker, outbox and heartbeat until cancelled; raises Stumbled."""
        try:
            await self._run()
        except _PASSING as error:
            raise Stumbled(str(error)) from error
        except ExceptionGroup as group:
            if not all(isinstance(error, _PASSING) for error in causes(group)):
                raise
            raise Stumbled(str(causes(group)[0])) from group

    async def _run(self) -> None:
        edge = self._config.edge
        self.trust.raise_floor(self._enrolled_at)
        self._orders = _load(self._config.orders)
        self._holds = _load_holds(self._config.holds)
        self._say_holds_once()
        async with Journal.open(self._config.journal) as journal:
            self._journal = journal
            if self._config.archive is None:
                await forget_trouble(journal, self._clock)
                await asyncio.to_thread(keep_only, self._config, ())
            self._outbox = outbox = Outbox(
                edge, self._keys.signing, journal, self._bus, self._clock
            )
            self._remover = remover = Remover(
                self._config.data,
                await Terms.open(journal),
                journal,
                self._centre,
                self._clock,
                boot_id(),
                lambda: self._orders,
                lambda: self._holds,
                self.trust.trusted,
            )
            wanted = (topics.desired(edge), topics.heard(edge), topics.holds(edge))
            async with asyncio.TaskGroup() as group:
                group.create_task(
                    self._bus.run(wanted, self._on_connect, self._on_message), name="bus"
                )
                group.create_task(outbox.run(), name="outbox")
                group.create_task(self._notes.write(journal), name="notes")
                group.create_task(self._beat(), name="heartbeat")
                group.create_task(remover.run(), name="expiry")
                patrol = Patrol(self._config, journal, self._clock)
                group.create_task(patrol.run(), name="patrol")

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
            elif not arrival.payload:
                return  # an empty retained topic changes nothing
            elif arrival.topic == topics.holds(self._config.edge):
                await self._on_holds(arrival.payload)
            else:
                await self._on_desired(arrival.payload)
                await self._on_anchor(arrival.payload)
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

    async def _on_holds(self, payload: bytes) -> None:
        heard_at = self._clock.monotonic()
        have = (self._holds.epoch, self._holds.number)
        try:
            new = believed_holds(payload, self._config.edge, self._site, self._hold_key)
            if (new.epoch, new.number) == have:  # retained: it comes again with every connect
                return self._centre.hear(new.issued_at, heard_at)
            after = adopt_holds(self._holds, new)
        except (BadSignature, ListRefused) as error:
            log.warning("refused a hold list: %s", error)
            if str(error) != self._hold_refusal:
                self._hold_refusal = str(error)
                reason = "signature" if isinstance(error, BadSignature) else str(error)[:200]
                self._notes.say(
                    HoldsHeard(epoch=have[0], number=have[1], accepted=False, reason=reason)
                )
            return None
        told = self._holds.holds != after.holds or self._holds.epoch != after.epoch
        try:
            async with asyncio.timeout(_DECIDED_WITHIN_S), self._deciding():
                await asyncio.to_thread(save_holds, self._config.holds, after)
                self._holds = after
        except TimeoutError:  # a disk hangs; not confirmed, and it comes again
            log.error("hold list %d.%d waits: a deletion does not end", new.epoch, new.number)
            return None
        self._centre.hear(new.issued_at, heard_at)
        self.trust.raise_floor(new.issued_at)  # the centre's word, signed
        if self._remover is not None:
            self._remover.touch()
        if told:
            self._say_holds()
        return None

    def _deciding(self) -> AbstractAsyncContextManager[object]:
        return self._remover.deciding if self._remover is not None else nullcontext()

    def _say_holds_once(self) -> None:
        """Say them at each start: who was killed between keeping and saying them says them now."""
        if not self._holds_said and self._holds.epoch:
            self._say_holds()
        self._holds_said = True

    def _say_holds(self) -> None:
        now = self._holds
        self._notes.say(
            HoldsHeard(epoch=now.epoch, number=now.number, accepted=True, holds=now.holds)
        )

    async def _on_anchor(self, payload: bytes) -> None:
        """Keep the ledger's head that came along; it comes again until another does.

        A journal that is busy ends nothing: the plan that came with it is in force already.
        """
        anchor = msgspec.json.decode(payload, type=Dispatch).anchor
        if anchor is None or anchor == self._anchor or self._journal is None:
            return
        try:
            await keep_anchor(
                self._journal,
                self._keys,
                self._config.edge,
                self._centre_public,
                anchor,
                self._clock.now(),
            )
        except BadSignature as error:
            log.warning("refused an anchor: %s", error)
        except JournalBusy as error:
            log.warning("an anchor is kept when it comes again: %s", error)
            return
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
        while True:
            pressure = self._disk.look().pressure
            now = self._clock.now()
            if now - floor_at >= _FLOOR_EVERY and self.trust.trusted():
                floor_at = now
                await asyncio.to_thread(self.trust.raise_floor, now)
            cameras = self._recorder.cameras(self._orders)
            states = (pressure, *((c.camera, c.stream, c.state, c.recording) for c in cameras))
            if states != told or self._clock.monotonic() - told_at >= _HEARTBEAT_S:
                told, told_at = states, self._clock.monotonic()
                await self._publish_status()
            await self._clock.sleep(_LOOK_S)

    async def _publish_status(self) -> None:
        disk = self._disk.look()
        status = EdgeStatus(
            state="online",
            at=self._clock.now(),
            boot=self._boot,
            epoch=self._orders.epoch,
            revision=self._orders.revision,
            clock_trusted=self.trust.trusted(),
            free_bytes=disk.free_bytes,
            total_bytes=disk.total_bytes,
            pressure=disk.pressure,
            cameras=self._recorder.cameras(self._orders),
            hold_epoch=self._holds.epoch,
            hold_number=self._holds.number,
        )
        try:
            topic = topics.status(self._config.edge)
            await self._bus.publish(topic, msgspec.json.encode(status), retain=True)
        except BusDown:
            return  # the next connect publishes it


def _load_holds(path: Path) -> HoldsInForce:
    """Read the holds in force; without a file that can be read nothing is deleted."""
    try:
        return load_holds(path)
    except ValueError:
        log.exception("the holds in force cannot be read and are set aside")
        path.replace(path.with_suffix(".broken"))
        return HoldsInForce()


def _load(path: Path) -> OrdersInForce:
    """Read the orders in force; a file that cannot be read is set aside, the plan comes again."""
    try:
        return in_force.load(path)
    except ValueError:
        log.exception("the orders in force cannot be read and are set aside")
        path.replace(path.with_suffix(".broken"))
        return OrdersInForce()
