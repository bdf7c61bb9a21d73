"""Hold lists: signed anew every twenty minutes, so that a box always has one that is fresh."""

import asyncio
import hashlib
import logging
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contract import topics
from contract.bus import Bus, BusDown
from contract.clock import Clock
from contract.keys import Signed, canonical, sign
from contract.messages import (
    EdgeStatus,
    Hold,
    HoldList,
    HoldNotice,
    HoldReleased,
    KeptLonger,
)
from contract.retention import REISSUE_EVERY
from contract.retry import keep
from orchestrator.categories import classes
from orchestrator.covers import LIVE
from orchestrator.exams import Lead
from orchestrator.keyring import Keyring
from orchestrator.store import Store, StoreAway
from orchestrator.store.tables import (
    cameras,
    edges,
    exam_sessions,
    hold_boxes,
    hold_cameras,
    hold_lists,
    holds,
)
from orchestrator.wanted import fitting

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 30.0
"""What people do is looked at once it is done; this is for what time brings."""
_NAMED_FOR = timedelta(days=60)
"""So long a hold that ended is named to boxes that may have been away."""

Number = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a list says, without number and instant."""

    holds: tuple[Hold, ...] = ()
    released: tuple[HoldReleased, ...] = ()
    longer: tuple[KeptLonger, ...] = ()

    @property
    def digest(self) -> str:
        """Name it."""
        return hashlib.sha256(canonical([self.holds, self.released, self.longer])).hexdigest()


@dataclass(slots=True)
class _Box:
    number: Number
    boot: str
    told: str = ""
    """The boot to which a list was sent since it came."""


class HoldLists:
    """Signs every box's list and publishes it. One per site."""

    def __init__(self, store: Store, keyring: Keyring, bus: Bus, clock: Clock, lead: Lead) -> None:
        self._store = store
        self._keyring = keyring
        self._bus = bus
        self._clock = clock
        self._lead = lead
        self._boxes: dict[str, _Box] = {}
        self._work = asyncio.Event()
        self._said: set[str] = set()

    def touch(self) -> None:
        """Look soon whether a box must be told something."""
        self._work.set()

    def hear(self, edge: str, status: EdgeStatus) -> None:
        """Note which list a box has: nothing is numbered for it before it said so."""
        if status.state != "online":
            self._boxes.pop(edge, None)  # when it comes back it gets one at once
            return
        box = self._boxes.get(edge)
        number = (status.hold_epoch, status.hold_number)
        if box is None or box.boot != status.boot:
            self._boxes[edge] = _Box(number, status.boot)
            self.touch()
        else:
            box.number = number

    async def greet(self, bus: Bus) -> None:
        """Sign anew for everybody: the broker forgets."""
        del bus
        for box in self._boxes.values():
            box.told = ""
        self.touch()

    async def run(self) -> None:
        """Issue what is due until cancelled."""
        await keep("hold lists", self._issue_always, on=(StoreAway,), clock=self._clock, log=log)

    async def _issue_always(self) -> None:
        while True:
            self._work.clear()
            await self.issue()
            nap = asyncio.ensure_future(self._clock.sleep(_LOOK_EVERY_S))
            work = asyncio.ensure_future(self._work.wait())
            try:
                await asyncio.wait({nap, work}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                nap.cancel()
                work.cancel()

    async def issue(self) -> list[str]:
        """Sign and publish each box's list where it is due; gives the boxes that got one."""
        now = self._clock.now()
        epoch = self._keyring.grant().epoch
        async with self._store.read() as connection:
            contents = await read_contents(connection, self._lead, now)
            rows = await connection.execute(select(hold_lists))
            standing = {row.edge: row for row in rows}
        told = []
        for edge, content in contents.items():
            box = self._boxes.get(edge)
            if box is None:
                continue
            row = standing.get(edge)
            number = (row.epoch, row.number) if row else (0, 0)
            if self._is_behind(edge, box, number, epoch):
                continue
            is_due = (
                row is None
                or row.epoch != epoch
                or row.digest != content.digest
                or now - row.issued_at >= REISSUE_EVERY
                or box.told != box.boot
            )
            if is_due:
                following = number[1] + 1 if number[0] == epoch else 1
                await self._tell(edge, (epoch, following), content, now)
                box.told = box.boot
                told.append(edge)
        return told

    def _is_behind(self, edge: str, box: _Box, number: Number, epoch: int) -> bool:
        """A restored store would number lists again: nothing is sent until a new epoch opens."""
        behind = box.number[0] > epoch or (box.number[0] == epoch and box.number > number)
        if behind and edge not in self._said:
            log.error(
                "box %s has hold list %d.%d, the store knows %d.%d: it was restored or is new. The "
                "box deletes nothing until a new epoch is opened: xunkao epoch new --site-key FILE",
                edge,
                *box.number,
                *number,
            )
        (self._said.add if behind else self._said.discard)(edge)
        return behind

    async def _tell(self, edge: str, number: Number, content: Contents, now: datetime) -> None:
        """Sign, store, publish: in this order."""
        new = HoldList(
            edge=edge,
            epoch=number[0],
            number=number[1],
            issued_at=now,
            holds=content.holds,
            released=content.released,
            longer=content.longer,
        )
        signed = msgspec.json.decode(sign(self._keyring.hold, new), type=Signed)
        grant = self._keyring.grant().signed
        payload = msgspec.json.encode(HoldNotice(list=signed, grant=grant))
        async with self._store.write() as connection:
            await connection.execute(delete(hold_lists).where(hold_lists.c.edge == edge))
            await connection.execute(
                insert(hold_lists).values(
                    edge=edge,
                    epoch=number[0],
                    number=number[1],
                    issued_at=now,
                    digest=content.digest,
                )
            )
        await self._publish(edge, payload)

    async def _publish(self, edge: str, payload: bytes) -> None:
        try:
            await self._bus.publish(topics.holds(edge), payload, retain=True)
        except BusDown:
            return  # the next connect signs anew

    async def forget(self, edge: str) -> None:
        """Take a revoked box's list from the broker."""
        self._boxes.pop(edge, None)
        await self._publish(edge, b"")


async def read_contents(
    connection: AsyncConnection, lead: Lead, now: datetime
) -> dict[str, Contents]:
    """Read what every enrolled box must hold, may let go of, and keeps longer."""
    enrolled = edges.c.enrolled_at.is_not(None) & edges.c.revoked_at.is_(None)
    boxes = list(await connection.scalars(select(edges.c.id).where(enrolled)))
    named: dict[str, list[str]] = defaultdict(list)
    for row in await connection.execute(select(hold_cameras)):
        named[row.hold].append(row.camera)
    held: dict[str, list[Hold]] = defaultdict(list)
    released: dict[str, list[HoldReleased]] = defaultdict(list)
    query = (
        select(holds, hold_boxes.c.edge, hold_boxes.c.gone_at)
        .join(hold_boxes, hold_boxes.c.hold == holds.c.id)
        .order_by(holds.c.id)
    )
    for row in await connection.execute(query):
        if row.state in LIVE:
            held[row.edge].append(
                Hold(
                    hold=row.id,
                    kind=row.kind,
                    cameras=tuple(sorted(named[row.id])),
                    start=row.starts_at,
                    end=row.ends_at,
                )
            )
        elif row.gone_at is None or row.ended_at > now - _NAMED_FOR:
            people = () if row.state == "LAPSED" else (row.proposed_by, row.released_by)
            released[row.edge].append(
                HoldReleased(hold=row.id, ledger=row.ledger, approved_by=people)
            )
    longer = await _longer(connection, lead, now)
    return {
        edge: Contents(tuple(held[edge]), tuple(released[edge]), tuple(longer[edge]))
        for edge in boxes
    }


async def _longer(
    connection: AsyncConnection, lead: Lead, now: datetime
) -> dict[str, list[KeptLonger]]:
    """Give the windows of classes above thirty days that are over: orders tell of the others."""
    found: dict[str, list[KeptLonger]] = defaultdict(list)
    days = await classes(connection)
    if not days:
        return found
    s = exam_sessions.c
    sessions = select(s.id, s.room, s.starts_at, s.ends_at, s.category).where(
        s.category.in_(days),
        s.ends_at > now - timedelta(days=max(days.values())) - lead.after,
        s.ends_at <= now - lead.after,
    )
    in_room: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in await connection.execute(select(cameras.c.id, cameras.c.room, cameras.c.edge)):
        in_room[row.room].append((row.id, row.edge))
    for session in await connection.execute(sessions.order_by(s.starts_at, s.id)):
        window = lead.window(session.starts_at, session.ends_at)
        for camera, edge in in_room[session.room]:
            found[edge].append(
                KeptLonger(
                    window=fitting(f"{session.id}.{camera}"),
                    camera=camera,
                    start=window.start,
                    end=window.end,
                    retain_days=days[session.category],
                )
            )
    return found
