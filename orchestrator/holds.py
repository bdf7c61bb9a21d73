"""Holds: footage that outlives its term, placed by one person and released by two."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, case, func, insert, select, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.clock import Clock
from contract.messages import HoldKind
from contract.retention import REQUEST_GRACE
from contract.retry import keep
from orchestrator.accounts import Person
from orchestrator.covers import (
    LIVE,
    is_confirmed,
    is_deleted,
    is_held,
    touched_by,
    touched_by_hold,
)
from orchestrator.events import Events
from orchestrator.ledger import SYSTEM, Act, append
from orchestrator.store import Store, StoreAway
from orchestrator.store.columns import InstantType
from orchestrator.store.tables import (
    cameras,
    hold_boxes,
    hold_cameras,
    holds,
    segments,
    users,
)

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 30.0
_LONGEST = timedelta(days=366)


class HoldRefused(Exception):
    """A hold is not placed, extended or released; `code` says why.

    Codes: `no_such`, `conflict`, `same_person`, `hold_limit`, `bad_request`.
    """

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be held beyond its term at once."""

    owner_bytes: int
    site_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHold:
    """What somebody wants held, and why."""

    cameras: tuple[str, ...]
    start: datetime
    end: datetime
    kind: HoldKind
    reason: str
    review_at: datetime
    owner: str = ""
    """For whom; empty: for the one who places it."""


@dataclass(frozen=True, slots=True)
class Covered:
    """What is on disk of a hold's footage."""

    segments: int = 0
    bytes: int = 0
    freed_segments: int = 0
    """Of these, what nothing else holds."""
    freed_bytes: int = 0
    over_segments: int = 0
    """Of these again, what is past its term: gone within the hour once the hold ends."""
    over_bytes: int = 0
    next_at: datetime | None = None
    """When the first of the others is past its term."""
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A hold as it stands."""

    id: str
    kind: str
    state: str
    cameras: tuple[str, ...]
    start: datetime
    end: datetime
    owner: str
    reason: str
    review_at: datetime
    lapses_at: datetime | None
    placed_by: str
    placed_at: datetime
    proposed_by: str | None
    proposed_at: datetime | None
    proposed_why: str | None
    released_by: str | None
    ended_at: datetime | None
    names: dict[str, str] = field(default_factory=dict)
    """Of the accounts concerned: how people know them."""
    boxes: dict[str, bool] = field(default_factory=dict)
    """The boxes concerned, and whether each confirmed it."""
    covered: Covered = Covered()


class Holds:
    """Places, extends and releases holds."""

    def __init__(
        self,
        store: Store,
        events: Events,
        clock: Clock,
        limits: Limits,
        on_changed: Callable[[], None],
    ) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self._limits = limits
        self._on_changed = on_changed
        self._placing = asyncio.Lock()

    # ------------------------------------------------------------ what is

    async def list(self, limit: int, after: str = "", *, ended: bool = False) -> list[Held]:
        """Give so many holds by id, those behind `after`; ended ones on demand."""
        query = select(holds).where(holds.c.id > after).order_by(holds.c.id).limit(limit)
        if not ended:
            query = query.where(holds.c.state.in_(LIVE))
        async with self._store.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
            return [await self._shown(connection, row) for row in rows]

    async def one(self, id: str) -> Held:
        """Give a hold; raises HoldRefused."""
        async with self._store.read() as connection:
            return await self._shown(connection, await _row(connection, id))

    async def cover(self, wanted: Iterable[str], start: datetime, end: datetime) -> Covered:
        """Give what a hold of these cameras and this span would cover now."""
        which = [touched_by(wanted, start, end), ~is_deleted()]
        async with self._store.read() as connection:
            return await _sum(connection, which, self._clock.now(), ())

    async def _shown(self, connection: AsyncConnection, row: RowMapping) -> Held:
        named = select(hold_cameras.c.camera).where(hold_cameras.c.hold == row["id"])
        boxes = select(hold_boxes).where(hold_boxes.c.hold == row["id"])
        alike = {
            name: row[name]
            for name in Held.__dataclass_fields__
            if name not in ("cameras", "start", "end", "names", "boxes", "covered")
        }
        mine = {row["owner"], row["placed_by"], row["proposed_by"], row["released_by"]} - {None}
        people = select(users.c.user, users.c.name).where(users.c.user.in_(mine))
        which = [
            holds.c.id == row["id"],
            hold_cameras.c.hold == row["id"],
            touched_by_hold(),
            ~is_deleted(),
        ]
        return Held(
            **alike,
            start=row["starts_at"],
            end=row["ends_at"],
            cameras=tuple(sorted(await connection.scalars(named))),
            names={one.user: one.name for one in await connection.execute(people)},
            boxes={
                box.edge: box.confirmed_at is not None
                for box in await connection.execute(boxes.order_by(hold_boxes.c.edge))
            },
            covered=await _sum(connection, which, self._clock.now(), (row["id"],)),
        )

    # ------------------------------------------------------------ what people do

    async def place(self, person: Person, new: NewHold, source: str = "") -> Held:
        """Hold footage from now on; raises HoldRefused. Bytes held are limited by owner and site.

        It is PLACED until every box concerned has said that it holds it.
        """
        now = self._clock.now()
        name = f"h{now:%Y%m%d}-{secrets.token_hex(4)}"
        owner = new.owner.strip() or person.user
        what = f"{name} {','.join(new.cameras)} {new.start.isoformat()}/{new.end.isoformat()}"
        act = Act(person.user, "place_hold", what[:500], new.reason, source=source)
        refusal: HoldRefused | None = None
        boxes: set[str] = set()
        async with self._placing:  # what is held beyond its term is summed while others write
            async with self._store.read() as connection:
                try:
                    await self._check(connection, new, owner, now)
                    boxes = await _boxes_of(connection, new)
                except HoldRefused as error:
                    refusal = error
            async with self._store.write() as connection:
                result = "ok" if refusal is None else refusal.code
                await append(connection, replace(act, result=result), now)
                if refusal is None:
                    await connection.execute(
                        insert(holds).values(
                            id=name,
                            kind=new.kind,
                            state="PLACED",
                            starts_at=new.start,
                            ends_at=new.end,
                            owner=owner,
                            reason=new.reason,
                            review_at=new.review_at,
                            placed_by=person.user,
                            placed_at=now,
                        )
                    )
                    rows = [{"hold": name, "camera": camera} for camera in sorted(set(new.cameras))]
                    await connection.execute(insert(hold_cameras), rows)
                    await _name_boxes(connection, {(name, edge) for edge in boxes})
        if refusal is not None:
            raise refusal
        self._changed(name, "PLACED")
        return await self.one(name)

    async def _check(
        self, connection: AsyncConnection, new: NewHold, owner: str, now: datetime
    ) -> None:
        if not timedelta() < new.end - new.start <= _LONGEST or not new.cameras:
            raise HoldRefused("bad_request", "the span is empty, or longer than a year")
        if new.review_at <= now:
            raise HoldRefused("bad_request", "the date of review lies in the past")
        known = select(cameras.c.id).where(cameras.c.id.in_(new.cameras))
        recorded = select(segments.c.camera).where(segments.c.camera.in_(new.cameras)).distinct()
        strange = set(new.cameras) - {
            *await connection.scalars(known),
            *await connection.scalars(recorded),
        }
        if strange:
            raise HoldRefused("no_such", f"no camera {min(strange)}")
        which = [touched_by(new.cameras, new.start, new.end), ~is_deleted()]
        wanted = (await _sum(connection, which, now, ())).bytes
        for who, most in ((owner, self._limits.owner_bytes), ("", self._limits.site_bytes)):
            have = await held_bytes(connection, who)
            if have + wanted > most:
                raise HoldRefused(
                    "hold_limit", f"{have} bytes are held {who}, {wanted} more exceed {most}"
                )

    async def extend(
        self, person: Person, id: str, review_at: datetime, reason: str, source: str = ""
    ) -> Held:
        """Look at it again later; a release that was proposed is off. Raises HoldRefused."""

        def change(row: RowMapping, now: datetime) -> dict[str, Any]:
            if review_at <= now:
                raise HoldRefused("bad_request", "the date of review lies in the past")
            state = "PLACED" if row["state"] == "PLACED" else "ACTIVE"
            return {"review_at": review_at, "state": state, **_NO_PROPOSAL}

        act = Act(person.user, "extend_hold", f"{id} {review_at.isoformat()}", reason)
        return await self._do(id, replace(act, source=source), change)

    async def release(self, person: Person, id: str, reason: str, source: str = "") -> Held:
        """Propose that it ends, or agree with another person who did. Raises HoldRefused."""

        def change(row: RowMapping, now: datetime) -> dict[str, Any]:
            if row["kind"] == "request":
                raise HoldRefused("conflict", "a request's hold lapses with its request")
            if row["state"] != "RELEASE_PROPOSED":
                return {
                    "state": "RELEASE_PROPOSED",
                    "proposed_by": person.user,
                    "proposed_at": now,
                    "proposed_why": reason,
                }
            if row["proposed_by"] == person.user:
                raise HoldRefused("same_person", "another person must agree")
            return {"state": "RELEASED", "released_by": person.user, "ended_at": now}

        act = Act(person.user, "release_hold", id, reason, source=source)
        return await self._do(id, act, change)

    async def lapse(self, id: str, ended_at: datetime, by: str = SYSTEM) -> Held:
        """A request ended: its hold goes on for 72 h and lapses then. Raises HoldRefused."""

        def change(row: RowMapping, _: datetime) -> dict[str, Any]:
            if row["kind"] != "request":
                raise HoldRefused("conflict", "only a request's hold lapses")
            return {"lapses_at": ended_at + REQUEST_GRACE}

        return await self._do(id, Act(by, "end_request_hold", id), change)

    async def _do(
        self, id: str, act: Act, change: Callable[[RowMapping, datetime], dict[str, Any]]
    ) -> Held:
        now = self._clock.now()
        refusal: HoldRefused | None = None
        values: dict[str, Any] = {}
        async with self._store.write() as connection:
            try:
                row = await _row(connection, id)
                if row["state"] not in LIVE:
                    raise HoldRefused("conflict", "it is over")
                values = change(row, now)
                if values.get("state") == "RELEASE_PROPOSED":
                    act = replace(act, action="propose_release")
            except HoldRefused as error:
                refusal = error
            result = "ok" if refusal is None else refusal.code
            number = await append(connection, replace(act, result=result), now)
            if refusal is None:
                if "ended_at" in values:
                    values["ledger"] = number
                await connection.execute(update(holds).where(holds.c.id == id).values(**values))
        if refusal is not None:
            raise refusal
        self._changed(id, str(values.get("state", "")))
        return await self.one(id)

    # ------------------------------------------------------------ by itself

    async def run(self) -> None:
        """Let time act on holds until cancelled."""
        await keep("holds", self._look_always, on=(StoreAway,), clock=self._clock, log=log)

    async def _look_always(self) -> None:
        while True:
            await self.look()
            await self._clock.sleep(_LOOK_EVERY_S)

    async def look(self) -> None:
        """Note confirmations and dates of review, and let requests' holds lapse."""
        now = self._clock.now()
        h = holds.c
        steps = (
            ("ACTIVE", (is_confirmed(),)),
            ("REVIEW_DUE", (h.state == "ACTIVE", h.review_at <= now)),
        )
        over = select(h.id).where(h.state.in_(LIVE), h.lapses_at <= now)
        async with self._store.read() as connection:  # others write meanwhile
            new = await _unnamed(connection)
            due = [select(h.id).where(*which) for _, which in steps]
            found = [list(await connection.scalars(query)) for query in (*due, over)]
        if not new and not any(found):
            return
        changed: list[tuple[str, str]] = []
        async with self._store.write() as connection:
            await _name_boxes(connection, new)
            for state, which in steps:
                for one in list(await connection.scalars(select(h.id).where(*which))):
                    await connection.execute(update(holds).where(h.id == one).values(state=state))
                    changed.append((one, state))
            for one in list(await connection.scalars(over)):
                act = Act(SYSTEM, "lapse_hold", one, "its request ended 72 h ago")
                number = await append(connection, act, now)
                ended = {"state": "LAPSED", "ended_at": now, "ledger": number}
                await connection.execute(update(holds).where(h.id == one).values(**ended))
                changed.append((one, "LAPSED"))
        for one, state in changed:
            self._changed(one, state)
        if new:
            self._on_changed()

    def _changed(self, id: str, state: str) -> None:
        self._events.publish("hold", id, {"state": state})
        self._on_changed()


_NO_PROPOSAL: dict[str, Any] = {"proposed_by": None, "proposed_at": None, "proposed_why": None}


async def _unnamed(connection: AsyncConnection) -> set[tuple[str, str]]:
    """Give, with its hold, each box that looks after its cameras or has its footage, if new."""
    live = (
        select(hold_cameras.c.hold, cameras.c.edge)
        .join(holds, holds.c.id == hold_cameras.c.hold)
        .join(cameras, cameras.c.id == hold_cameras.c.camera)
        .where(holds.c.state.in_(LIVE))
    )
    recorded = (
        select(hold_cameras.c.hold, segments.c.edge)
        .join(holds, holds.c.id == hold_cameras.c.hold)
        .join(segments, touched_by_hold())
        .where(holds.c.state.in_(LIVE), ~is_deleted())
    )
    wanted = {
        (row.hold, row.edge)
        for query in (live, recorded)
        for row in await connection.execute(query.distinct())
    }
    return wanted - await _named(connection)


async def _boxes_of(connection: AsyncConnection, new: NewHold) -> set[str]:
    """Give the boxes that look after the cameras of a hold, or have its footage."""
    live = select(cameras.c.edge).where(cameras.c.id.in_(new.cameras))
    recorded = select(segments.c.edge).where(
        touched_by(new.cameras, new.start, new.end), ~is_deleted()
    )
    return {
        *await connection.scalars(live.distinct()),
        *await connection.scalars(recorded.distinct()),
    }


async def _named(connection: AsyncConnection) -> set[tuple[str, str]]:
    known = await connection.execute(select(hold_boxes.c.hold, hold_boxes.c.edge))
    return {(row.hold, row.edge) for row in known}


async def _name_boxes(connection: AsyncConnection, wanted: set[tuple[str, str]]) -> None:
    if new := wanted - await _named(connection):
        rows = [{"hold": hold, "edge": edge} for hold, edge in sorted(new)]
        await connection.execute(insert(hold_boxes), rows)


async def held_bytes(connection: AsyncConnection, owner: str = "") -> int:
    """Give the bytes that live holds cover, for one owner or the whole site."""
    which = [holds.c.state.in_(LIVE), touched_by_hold(), ~is_deleted()]
    if owner:
        which.append(holds.c.owner == owner)
    covered = (
        select(segments.c.id, segments.c.bytes)
        .join(hold_cameras, hold_cameras.c.camera == segments.c.camera)
        .join(holds, holds.c.id == hold_cameras.c.hold)
        .where(*which)
        .distinct()
        .subquery()
    )
    return int(await connection.scalar(select(func.sum(covered.c.bytes))) or 0)


async def _row(connection: AsyncConnection, id: str) -> RowMapping:
    row = (await connection.execute(select(holds).where(holds.c.id == id))).mappings().first()
    if row is None:
        raise HoldRefused("no_such")
    return row


async def _sum(
    connection: AsyncConnection, which: Iterable[Any], now: datetime, but: tuple[str, ...]
) -> Covered:
    s = segments.c
    of_each = (
        select(
            s.bytes,
            s.retain_until.label("until"),
            case((is_held(*but), 0), else_=1).label("free"),
            case((s.retain_until <= now, 1), else_=0).label("over"),
        )
        .where(*which)
        .subquery()
    )
    c = of_each.c
    later = case(((c.free == 1) & (c.over == 0), c.until))
    query = select(
        func.count().label("segments"),
        func.coalesce(func.sum(c.bytes), 0).label("bytes"),
        func.coalesce(func.sum(c.free), 0).label("freed_segments"),
        func.coalesce(func.sum(c.free * c.bytes), 0).label("freed_bytes"),
        func.coalesce(func.sum(c.free * c.over), 0).label("over_segments"),
        func.coalesce(func.sum(c.free * c.over * c.bytes), 0).label("over_bytes"),
        type_coerce(func.min(later), InstantType).label("next_at"),
        type_coerce(func.max(later), InstantType).label("last_at"),
    ).select_from(of_each)
    row = (await connection.execute(query)).one()
    numbers = {name: int(getattr(row, name)) for name in _NUMBERS}
    return Covered(**numbers, next_at=row.next_at, last_at=row.last_at)


_NUMBERS = (
    "segments",
    "bytes",
    "freed_segments",
    "freed_bytes",
    "over_segments",
    "over_bytes",
)
