"""What the boxes tell: facts stored once and answered, states kept as they were last heard."""

import asyncio
import logging
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from contract import topics
from contract.bus import Arrival, Bus, BusDown
from contract.clock import Clock
from contract.keys import BadSignature
from contract.messages import (
    AnchorKept,
    EdgeStatus,
    Fact,
    Heard,
    Message,
    SegmentClosed,
    data_of,
    verify_fact,
)
from contract.retry import keep
from orchestrator import told
from orchestrator.belonging import Belongings, Ordered, belongings, own_cameras
from orchestrator.events import Events
from orchestrator.exams import Lead
from orchestrator.ledger import SYSTEM, Act, append
from orchestrator.marks import Hole, contiguous
from orchestrator.store import Store, StoreAway
from orchestrator.store.tables import edges, fact_marks, facts

log = logging.getLogger(__name__)

SILENT_AFTER = timedelta(seconds=45)
_MOST_AT_ONCE = 50
_ROOM_FOR = 5000
_LOOK_EVERY_S = 5.0
_HIGHEST_SEQ = 1 << 53
_TYPE = re.compile(r"[a-z_]{1,40}")
_COMPLAIN_EVERY = timedelta(minutes=10)

OnStatus = Callable[[str, EdgeStatus], None]


@dataclass(slots=True)
class _Batch:
    """What was heard of one box, not stored yet."""

    facts: dict[str, Fact] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    status: EdgeStatus | None = None


@dataclass(slots=True)
class _Heard:
    """What one box has signed, by number, and what it may say."""

    genuine: list[Fact]
    said: dict[str, Message]
    """By the fact's id; of kinds that we do not know, nothing."""
    own: Belongings
    is_forged: bool
    is_strange: bool = False
    """Its heartbeat names cameras that were never its own."""


class Catalogue:
    """Takes in what boxes say. `hear` is quick; `run` stores, answers and tells."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        events: Events,
        clock: Clock,
        lead: Lead,
        on_status: OnStatus = lambda edge, status: None,
    ) -> None:
        self._store = store
        self._bus = bus
        self._events = events
        self._clock = clock
        self._lead = lead
        self._on_status = on_status
        self._arrivals: asyncio.Queue[Arrival] = asyncio.Queue(_ROOM_FOR)
        self._holes: dict[str, Hole] = defaultdict(Hole)
        self._complained: dict[tuple[str, str], datetime] = {}
        self._ordered = Ordered()

    async def hear(self, arrival: Arrival) -> None:
        """Take a message in; waits when so many are waiting already."""
        await self._arrivals.put(arrival)

    async def run(self) -> None:
        """Store and answer what comes, and notice who falls silent, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for name, work in (("facts", self._store_all), ("silence", self._watch_silence)):
                kept = keep(
                    name,
                    work,
                    on=(StoreAway,),
                    clock=self._clock,
                    log=log,
                )
                group.create_task(kept, name=name)

    async def _store_all(self) -> None:
        while True:
            arrivals = [await self._arrivals.get()]
            while not self._arrivals.empty() and len(arrivals) < _MOST_AT_ONCE:
                arrivals.append(self._arrivals.get_nowait())
            await self.take(arrivals)

    async def take(self, arrivals: list[Arrival]) -> None:
        """Store one batch in one transaction, then answer its boxes and tell who watches."""
        batches: dict[str, _Batch] = defaultdict(_Batch)
        for arrival in arrivals:
            self._sort(arrival, batches)
        happened: list[told.Happened] = []
        marks: dict[str, int] = {}
        now = self._clock.now()
        async with self._store.read() as connection:
            keys = await _keys(connection, batches)
            sorted_out = {
                edge: await self._sort_out(connection, edge, keys[edge], batches[edge])
                for edge in keys
            }
        async with self._store.write() as connection:
            still = await _keys(connection, batches)
            for edge, batch in batches.items():
                if edge not in keys or still.get(edge) != keys[edge]:
                    await self._complain(connection, edge, "unknown_box", now)
                    batch.status = None
                    continue
                heard = sorted_out[edge]
                if batch.status is not None:
                    work = partial(told.keep_status, connection, edge, batch.status, now)
                    happened += await _safely(connection, work, edge)
                if heard.is_strange:
                    await self._complain(connection, edge, "not_its_own", now)
                if heard.is_forged:
                    await self._complain(connection, edge, "forged", now)
                if heard.genuine:
                    marks[edge] = await self._keep(connection, edge, heard, batch, now, happened)
        for event in happened:
            self._events.publish(event.type, event.id, event.data, now)
        for edge, batch in batches.items():
            if batch.status is not None:
                self._on_status(edge, batch.status)
        for edge, up_to in marks.items():
            await self._answer(edge, up_to)

    def _sort(self, arrival: Arrival, batches: dict[str, _Batch]) -> None:
        try:
            edge = topics.edge_in(arrival.topic)
            if arrival.topic == topics.status(edge):
                if arrival.payload:
                    batches[edge].status = msgspec.json.decode(arrival.payload, type=EdgeStatus)
            else:
                fact = msgspec.json.decode(arrival.payload, type=Fact)
                if fact.edge != edge:
                    raise ValueError(f"{fact.edge} speaks as {edge}")
                if fact.seq > _HIGHEST_SEQ or not _TYPE.fullmatch(fact.type):
                    raise ValueError("no such number or type")
                batches[edge].facts[fact.id] = fact
                batches[edge].bodies[fact.id] = arrival.payload
        except (msgspec.MsgspecError, ValueError) as error:
            log.warning("ignored what came on %s: %s", arrival.topic, error)

    async def _sort_out(
        self, connection: AsyncConnection, edge: str, public: bytes, batch: _Batch
    ) -> _Heard:
        """Find out what the box signed and what of it is its own, before the store is locked.

        Of a camera's state only the box that looks after it now has a say.
        """
        genuine, is_forged = _genuine(public, batch)
        said = {fact.id: data for fact in genuine if (data := _data(fact)) is not None}
        own = await belongings(connection, edge, said.values(), self._ordered)
        heard = _Heard(genuine, said, own, is_forged)
        if batch.status is not None and batch.status.cameras:
            seen = batch.status.cameras
            current = await own_cameras(connection, edge, (one.camera for one in seen))
            mine = tuple(one for one in seen if one.camera in current)
            batch.status = msgspec.structs.replace(batch.status, cameras=mine)
            others = [one for one in seen if one.camera not in current]
            once = await belongings(connection, edge, others, self._ordered)
            heard.is_strange = any(one not in once for one in others)
        return heard

    async def _keep(
        self,
        connection: AsyncConnection,
        edge: str,
        heard: _Heard,
        batch: _Batch,
        now: datetime,
        happened: list[told.Happened],
    ) -> int:
        """Store what is new, once; gives up to where everything is stored."""
        genuine = heard.genuine
        named = facts.c.id.in_([fact.id for fact in genuine])
        known = set(await connection.scalars(select(facts.c.id).where(facts.c.edge == edge, named)))
        new = [fact for fact in genuine if fact.id not in known]
        happened += await self._apply(connection, edge, new, heard, now)
        if new:
            rows = [
                {
                    "edge": edge,
                    "id": fact.id,
                    "seq": fact.seq,
                    "type": fact.type,
                    "at": fact.at,
                    "heard_at": now,
                    "body": batch.bodies[fact.id],
                }
                for fact in new
            ]
            await connection.execute(insert(facts), rows)
        return await self._mark(connection, edge, genuine, new, now)

    async def _apply(
        self, connection: AsyncConnection, edge: str, new: list[Fact], heard: _Heard, now: datetime
    ) -> list[told.Happened]:
        """Change the store by what the box may say; the rest is stored as it came, no more."""
        said = [(fact, heard.said[fact.id]) for fact in new if fact.id in heard.said]
        if any(data not in heard.own for _, data in said):
            await self._complain(connection, edge, "not_its_own", now)
        allowed = [(fact, data) for fact, data in said if data in heard.own]
        closed = [data for _, data in allowed if isinstance(data, SegmentClosed)]
        at_once = partial(told.keep_segments, connection, edge, closed, self._lead, now)
        kept = await _wholly(connection, at_once, f"{edge}: {len(closed)} segments at once")
        for _, data in allowed:
            if isinstance(data, AnchorKept):  # the head of the box's own chain stands in ours
                what = f"{edge}#{data.number}"
                act = Act(f"edge:{edge}", "keep_anchor", what, f"row {data.row}: {data.link}")
                await append(connection, act, now)
        happened = kept or []
        for fact, data in allowed:
            if kept is None or not isinstance(data, SegmentClosed):
                work = partial(told.apply, connection, edge, fact.at, now, data, self._lead)
                happened += await _safely(connection, work, f"{edge}: {fact.id}")
        return happened

    async def _mark(
        self,
        connection: AsyncConnection,
        edge: str,
        genuine: list[Fact],
        new: list[Fact],
        now: datetime,
    ) -> int:
        row = (
            await connection.execute(select(fact_marks).where(fact_marks.c.edge == edge))
        ).first()
        before, since = (row.up_to, row.since) if row else (0, now)
        up_to = before
        if new and new[0].seq <= before:  # a new fact under an old number: it counts anew
            log.warning("box %s numbers its facts from %d again", edge, new[0].seq)
            up_to, since = new[0].seq - 1, now
            self._holes.pop(edge, None)
        above = select(facts.c.seq).where(
            facts.c.edge == edge, facts.c.seq > up_to, facts.c.heard_at >= since
        )
        stored = set(await connection.scalars(above))
        up_to = contiguous(up_to, stored)
        waiting = [fact.seq for fact in genuine if fact.seq > up_to]
        if not waiting:
            self._holes.pop(edge, None)
        elif self._holes[edge].see(waiting[0]):
            log.warning("box %s: facts %d to %d are lost", edge, up_to + 1, waiting[0] - 1)
            what = f"{edge} {up_to + 1}-{waiting[0] - 1}"
            await append(connection, Act(SYSTEM, "miss_facts", what, "told elsewhere"), now)
            up_to = contiguous(waiting[0] - 1, stored)
            self._holes.pop(edge, None)
        values: dict[str, Any] = {"up_to": up_to, "since": since}
        if row is None:
            await connection.execute(insert(fact_marks).values(edge=edge, **values))
        elif (up_to, since) != (row.up_to, row.since):
            await connection.execute(
                update(fact_marks).where(fact_marks.c.edge == edge).values(**values)
            )
        return up_to

    async def _answer(self, edge: str, up_to: int) -> None:
        try:
            await self._bus.publish(topics.heard(edge), msgspec.json.encode(Heard(up_to=up_to)))
        except BusDown:
            return  # the box sends again and is answered then

    async def _complain(
        self, connection: AsyncConnection, edge: str, code: str, now: datetime
    ) -> None:
        """Write a refusal into the ledger, at most every ten minutes a box."""
        last = self._complained.get((edge, code))
        if last is not None and now - last < _COMPLAIN_EVERY:
            return
        self._complained[edge, code] = now
        log.warning("box %s: facts refused: %s", edge, code)
        await append(connection, Act(f"edge:{edge}", "tell_fact", edge, result=code), now)

    # ------------------------------------------------------------ silence

    async def _watch_silence(self) -> None:
        while True:
            await self.notice_silence()
            await self._clock.sleep(_LOOK_EVERY_S)

    async def notice_silence(self) -> None:
        """Mark as offline every box that said nothing for 45 s."""
        now = self._clock.now()
        async with self._store.read() as connection:
            silent = await told.silent_since(connection, now - SILENT_AFTER)
        if not silent:
            return
        happened: list[told.Happened] = []
        async with self._store.write() as connection:
            for edge in silent:
                happened += await told.lose(connection, edge, "silent")
        for event in happened:
            self._events.publish(event.type, event.id, event.data, now)


def _genuine(public: bytes, batch: _Batch) -> tuple[list[Fact], bool]:
    """Give the facts that the box signed, by number, and whether there were others."""
    genuine = []
    for fact in batch.facts.values():
        try:
            verify_fact(public, fact)
        except BadSignature:
            continue
        genuine.append(fact)
    return sorted(genuine, key=lambda fact: fact.seq), len(genuine) < len(batch.facts)


def _data(fact: Fact) -> Message | None:
    try:
        return data_of(fact)
    except msgspec.MsgspecError as error:
        log.warning("box %s: fact %s is not what it says: %s", fact.edge, fact.id, error)
        return None


_Work = Callable[[], Awaitable[list[told.Happened]]]


async def _safely(connection: AsyncConnection, work: _Work, what: str) -> list[told.Happened]:
    """Do it wholly or not at all: nothing that a box says keeps the others' facts from us."""
    return await _wholly(connection, work, what) or []


async def _wholly(
    connection: AsyncConnection, work: _Work, what: str
) -> list[told.Happened] | None:
    """Do it wholly and give what happened, or not at all and give None."""
    await connection.exec_driver_sql("SAVEPOINT before_work")
    try:
        happened = await work()
    except (DBAPIError, OverflowError, ValueError) as error:
        await connection.exec_driver_sql("ROLLBACK TO SAVEPOINT before_work")
        log.warning("what box %s said cannot be kept: %s", what, error)
        return None
    await connection.exec_driver_sql("RELEASE SAVEPOINT before_work")
    return happened


async def _keys(connection: AsyncConnection, names: dict[str, _Batch]) -> dict[str, bytes]:
    """Give the keys of the boxes among these that are enrolled and not revoked."""
    rows = await connection.execute(
        select(edges.c.id, edges.c.sign_public).where(
            edges.c.id.in_(list(names)),
            edges.c.enrolled_at.is_not(None),
            edges.c.revoked_at.is_(None),
        )
    )
    return {row.id: row.sign_public for row in rows}
