"""Desired states: built from what stands in the store, numbered, signed, published."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contract import topics
from contract.bus import Bus, BusDown
from contract.clock import Clock
from contract.keys import Signed, seal, sign
from contract.messages import Camera, DesiredState, Dispatch, EdgeStatus
from contract.retry import keep
from orchestrator.events import Events
from orchestrator.exams import Lead
from orchestrator.keyring import Grant, Keyring
from orchestrator.ledger import SYSTEM, Act, append
from orchestrator.store import Store, StoreAway
from orchestrator.store.tables import dispatches, edges
from orchestrator.wanted import (
    Number,
    Standing,
    Wanted,
    fingerprint,
    is_behind,
    is_due,
    read_wanted,
)

log = logging.getLogger(__name__)

REFRESH_S = 600.0
_LOOK_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class Behind:
    """A box has seen a newer state than the store knows: the store was restored, or is new."""

    edge: str
    box: Number
    store: Number


class Dispatcher:
    """Keeps every box's desired state as it should be. One per site."""

    def __init__(
        self,
        store: Store,
        keyring: Keyring,
        bus: Bus,
        events: Events,
        clock: Clock,
        lead: Lead,
        anchor: Callable[[], Signed | None] = lambda: None,
    ) -> None:
        """`anchor` gives what travels with each state besides."""
        self._anchor = anchor
        self._store = store
        self._keyring = keyring
        self._bus = bus
        self._events = events
        self._clock = clock
        self._lead = lead
        self._heard: dict[str, Number] = {}
        self._behind: dict[str, Behind] = {}
        self._work = asyncio.Event()
        self._seen: tuple[Any, ...] = ()
        self._passing = asyncio.Lock()

    @property
    def behind(self) -> Sequence[Behind]:
        """The boxes to which nothing is sent until a new epoch is opened."""
        return tuple(self._behind.values())

    def has_heard(self, edge: str) -> bool:
        """True when the box said, in the life of this centre, which state it has."""
        return edge in self._heard

    def touch(self) -> None:
        """Look soon whether a box must be told something."""
        self._work.set()

    def hear(self, edge: str, status: EdgeStatus) -> None:
        """Note which state a box has.

        No state is numbered for a box before it said, in the life of this centre, which it has:
        a restored store would number it again.
        """
        if status.state != "online":
            return
        number = (status.epoch, status.revision)
        if self._heard.get(edge) != number:
            self._heard[edge] = number
            self.touch()

    async def greet(self, bus: Bus) -> None:
        """Publish what stands, for the broker forgets."""
        del bus
        await self.publish_all()
        self.touch()

    async def run(self) -> None:
        """Dispatch what changes, and repeat what stands every ten minutes, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for name, work in (("dispatch", self._dispatch), ("repeat", self._repeat)):
                kept = keep(name, work, on=(StoreAway,), clock=self._clock, log=log)
                group.create_task(kept, name=name)

    async def _dispatch(self) -> None:
        self._work.set()
        while True:
            if self._work.is_set() or await self._has_changed():
                self._work.clear()
                await self.bring_up_to_date()
            await self._pause()

    async def _pause(self) -> None:
        nap = asyncio.ensure_future(self._clock.sleep(_LOOK_EVERY_S))
        work = asyncio.ensure_future(self._work.wait())
        try:
            await asyncio.wait({nap, work}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            nap.cancel()
            work.cancel()

    async def _repeat(self) -> None:
        while True:
            await self._clock.sleep(REFRESH_S)
            await self.publish_all()
            self.touch()  # exams came nearer

    async def _has_changed(self) -> bool:
        """True when something that states are made of was changed, by whomever."""
        async with self._store.read() as connection:
            seen = (self._keyring.grant().epoch, *await fingerprint(connection))
        if seen == self._seen:
            return False
        self._seen = seen
        return True

    async def bring_up_to_date(self) -> list[str]:
        """Give each box its desired state where it is due; gives the boxes that got one."""
        async with self._passing:
            now = self._clock.now()
            grant = self._keyring.grant()
            async with self._store.read() as connection:
                wanted = await read_wanted(connection, self._lead, now)
                keys = await _seal_keys(connection)
                standing = {edge: await _standing(connection, edge, grant.epoch) for edge in keys}
            told = []
            for edge, key in keys.items():
                if not await self._may_tell(edge, standing[edge], grant):
                    continue
                want = wanted.get(edge, Wanted((), (), ()))
                if is_due(standing[edge], grant.epoch, want, want.digest(key), now):
                    await self._tell(edge, standing[edge], want, key, grant)
                    told.append(edge)
            return told

    async def _may_tell(self, edge: str, standing: Standing | None, grant: Grant) -> bool:
        box = self._heard.get(edge)
        if box is None:
            return False
        number = standing.number if standing else (0, 0)
        if not is_behind(box, number, grant.epoch):
            if self._behind.pop(edge, None):
                self._events.publish("edge", edge, {"behind": False})
            return True
        if edge not in self._behind:
            self._behind[edge] = Behind(edge, box, number)
            log.error(
                "box %s has state %d.%d, the store knows %d.%d: it was restored or is new. Nothing "
                "is sent to the box until a new epoch is opened: xunkao epoch new --site-key FILE",
                edge,
                *box,
                *number,
            )
            self._events.publish("edge", edge, {"behind": True})
            why = f"the box has {box[0]}.{box[1]}"
            act = Act(SYSTEM, "withhold_state", edge, why, "store_behind")
            async with self._store.write() as connection:
                await append(connection, act, self._clock.now())
        return False

    async def _tell(
        self, edge: str, standing: Standing | None, want: Wanted, key: bytes, grant: Grant
    ) -> None:
        """Sign the next state, store it, then publish it: in this order."""
        now = self._clock.now()
        revision = standing.number[1] + 1 if standing else 1
        state = DesiredState(
            edge=edge,
            epoch=grant.epoch,
            revision=revision,
            issued_at=now,
            cameras=tuple(self._camera(row, key) for row in want.cameras),
            orders=want.orders,
            cancelled=want.cancelled,
        )
        signed = msgspec.json.decode(sign(self._keyring.plan, state), type=Signed)
        payload = msgspec.json.encode(Dispatch(state=signed, grant=grant.signed))
        async with self._store.write() as connection:
            await connection.execute(
                insert(dispatches).values(
                    edge=edge,
                    epoch=grant.epoch,
                    revision=revision,
                    issued_at=now,
                    digest=want.digest(key),
                    payload=payload,
                )
            )
        log.info("box %s: state %d.%d, %d orders", edge, grant.epoch, revision, len(want.orders))
        await self._publish(edge, payload)

    def _camera(self, row: tuple[str, str, str, str, str], key: bytes) -> Camera:
        name, room, switch, sealed, reference = row
        source = self._keyring.seal.open(sealed)
        return Camera(
            id=name, room=room, switch=switch, sealed=seal(key, source), reference=reference
        )

    async def publish_all(self) -> None:
        """Publish every box's state as it stands."""
        epoch = self._keyring.grant().epoch
        async with self._store.read() as connection:
            standing = {
                edge: await _standing(connection, edge, epoch)
                for edge in await _seal_keys(connection)
            }
        for edge, state in standing.items():
            if state is not None and edge not in self._behind:
                await self._publish(edge, state.payload)

    async def _publish(self, edge: str, payload: bytes) -> None:
        try:
            whole = _with_anchor(payload, self._anchor()) if payload else payload
            await self._bus.publish(topics.desired(edge), whole, retain=True)
        except BusDown:
            return  # the next connect publishes it

    async def forget(self, edge: str) -> None:
        """Take a revoked box's state from the broker."""
        self._heard.pop(edge, None)
        self._behind.pop(edge, None)
        await self._publish(edge, b"")


def _with_anchor(payload: bytes, anchor: Signed | None) -> bytes:
    if anchor is None:
        return payload
    dispatch = msgspec.json.decode(payload, type=Dispatch)
    return msgspec.json.encode(msgspec.structs.replace(dispatch, anchor=anchor))


async def _seal_keys(connection: AsyncConnection) -> dict[str, bytes]:
    rows = await connection.execute(
        select(edges.c.id, edges.c.seal_public)
        .where(edges.c.enrolled_at.is_not(None), edges.c.revoked_at.is_(None))
        .order_by(edges.c.id)
    )
    return {row.id: row.seal_public for row in rows}


async def _standing(connection: AsyncConnection, edge: str, epoch: int) -> Standing | None:
    """Give the newest state of an epoch."""
    newest = (
        select(dispatches)
        .where(dispatches.c.edge == edge, dispatches.c.epoch == epoch)
        .order_by(dispatches.c.revision.desc())
        .limit(1)
    )
    row = (await connection.execute(newest)).first()
    if row is None:
        return None
    body = msgspec.json.decode(row.payload, type=Dispatch).state.body
    state = msgspec.json.decode(body, type=DesiredState)
    return Standing((row.epoch, row.revision), row.digest, state, row.payload)
