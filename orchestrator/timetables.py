"""Timetable files: staged with a preview of what they change, then applied whole."""

import asyncio
import hashlib
import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.clock import Clock
from contract.spans import Span
from orchestrator.accounts import Person
from orchestrator.applying import Applied, carry_out, touched_edges
from orchestrator.capacity import Capacity, Check, DoesNotFit
from orchestrator.exams import Lead
from orchestrator.ledger import Act, Ledger, append
from orchestrator.planning import Change, Course, Difference, Session, diff
from orchestrator.sessions import columns_of, session_of, standing
from orchestrator.store import Store
from orchestrator.store.tables import (
    cameras,
    exam_sessions,
    rooms,
    staged_sessions,
    timetable_rows,
    timetables,
)
from orchestrator.timetable.book import Unreadable
from orchestrator.timetable.job import Job
from orchestrator.timetable.rooms import KnownRoom
from orchestrator.timetable.sessions import RowVerdict
from orchestrator.timetable.sessions import Session as ReadSession
from orchestrator.timetable_reader import TimetableReader
from orchestrator.timetable_warnings import closed_over, staying, warned

_BATCH = 500
_COPY = re.compile(r"(?:\s*[(（]\d+[)）]|\s*-\s*(?:副本|copy)|[\s_-]*v\d+)$", re.IGNORECASE)

OnApplied = Callable[[frozenset[str]], Awaitable[None]]
"""Told, once it is done, which boxes have other orders now."""


class NoSuchTimetable(Exception):
    """No staged timetable has this id."""


class ReasonRequired(Exception):
    """What is asked is only done for a reason that can be written down."""

    code = "reason_required"


class RunningSession(Exception):
    """The timetable would end or move a session whose recording runs; one person may not."""

    def __init__(self, sessions: Sequence[Session]) -> None:
        super().__init__(", ".join(session.id for session in sessions))
        self.code = "running_session"
        self.sessions = tuple(sessions)


@dataclass(frozen=True, slots=True)
class Staged:
    """A file that was read and changes nothing yet: its rows, and what applying it would do."""

    id: str
    name: str
    rows: tuple[RowVerdict, ...]
    sessions: tuple[Session, ...]
    diff: Difference
    columns: dict[str, str]
    room_names: dict[str, str]
    kept: tuple[Session, ...] = ()
    """Sessions the file no longer mentions, kept because some of its rows were rejected."""
    applied_at: datetime | None = None
    capacity: Check | None = None
    """What it does to the boxes' disks; None where nobody forecasts."""


def source_of(name: str) -> str:
    """Give what editions of one file share: its name without folder, ending and copy marks."""
    stem = re.split(r"[\\/]", name)[-1].rpartition(".")[0] or name
    while (shorter := _COPY.sub("", stem)) != stem and shorter:
        stem = shorter
    return stem.strip()


class Timetables:
    """Stages and applies timetable files."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        lead: Lead,
        timezone: str,
        on_applied: OnApplied | None = None,
        term: bytes = b"",
        capacity: Capacity | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._lead = lead
        self._timezone = timezone
        self._on_applied = on_applied
        self._term = term
        self._capacity = capacity
        self._reader = TimetableReader()
        self._ledger = Ledger(store, clock)
        self._applying = asyncio.Lock()

    async def stage(
        self, data: bytes, name: str, person: Person, source: str = "", term: bytes = b""
    ) -> Staged:
        """Read a file and keep it; raises Unreadable, then nothing was kept."""
        new = f"t{secrets.token_hex(6)}"
        act = Act(person.user, "import_timetable", new, name, source=source)
        await self._ledger.record(act)
        async with self._store.read() as connection:
            known = await _known_rooms(connection)
        job = Job(
            data=data,
            name=name,
            timezone=self._timezone,
            term=term or self._term,
            rooms=known,
            now=self._clock.now(),
        )
        try:
            reading = await self._reader.read(job)
        except Unreadable as error:
            refusal = Act(act.actor, act.action, new, f"{name}: {error}", "unreadable_file", source)
            await self._ledger.record(refusal)
            raise
        wanted = [_session(session) for session in reading.sessions]
        async with self._store.read() as connection:
            difference, _ = await self._difference(connection, name, wanted, complete=True)
            current = await standing(connection, min(s.start for s in wanted)) if wanted else []
            closed = await closed_over(connection, wanted, self._window)
        rows = warned(reading, wanted, staying(current, difference), closed)
        await self._keep(new, data, name, person.user, reading.columns, rows, wanted)
        return await self.get(new)

    async def get(self, id: str) -> Staged:
        """Give a staged timetable, compared with what stands now; raises NoSuchTimetable."""
        async with self._store.read() as connection:
            head = await _head(connection, id)
            t = timetable_rows.c
            query = select(timetable_rows).where(t.timetable == id).order_by(t.number)
            rows = tuple(
                RowVerdict(r.sheet, r.row, r.verdict, r.code, r.message_zh, r.message_en)
                for r in await connection.execute(query)
            )
            wanted = await _wanted(connection, id)
            complete = await _is_complete(connection, id)
            difference, kept = await self._difference(
                connection, head.name, wanted, complete=complete
            )
            names = {
                r.id: r.name for r in await connection.execute(select(rooms.c.id, rooms.c.name))
            }
        return Staged(
            id=id,
            name=head.name,
            rows=rows,
            sessions=tuple(wanted),
            diff=difference,
            columns=head.columns,
            room_names=names,
            kept=kept,
            applied_at=head.applied_at,
            capacity=None if self._capacity is None else await self._capacity.check(difference),
        )

    async def apply(
        self,
        id: str,
        person: Person,
        reason: str = "",
        source: str = "",
        *,
        override: bool = False,
    ) -> Applied:
        """Make the sessions those of the file, all or none; what it does not mention stays.

        Applied again it changes nothing, unless another timetable came between: then it takes that
        one's changes back. Raises NoSuchTimetable, RunningSession naming what it may not touch, or
        DoesNotFit when a disk is too small for it; that, `override` does in spite of, for a reason:
        ReasonRequired without one.
        """
        if override and not reason.strip():
            raise ReasonRequired("say why the disks are to be overfilled")
        act = Act(person.user, "apply_timetable", id, reason, source=source)
        try:
            async with self._applying:
                await self._make_sure_it_fits(id, act, override=override)
                applied, edges = await self._apply(id, act)
        except (RunningSession, DoesNotFit) as refused:
            refusal = Act(act.actor, act.action, id, str(refused), refused.code, source)
            await self._ledger.record(refusal)
            raise
        if self._on_applied is not None and edges:
            await self._on_applied(edges)
        return applied

    async def _make_sure_it_fits(self, id: str, act: Act, *, override: bool) -> None:
        """Raise DoesNotFit, or write down who takes it upon himself. Outside the transaction:
        the whole catalogue is asked, and no other timetable is applied meanwhile.
        """
        if self._capacity is None:
            return
        async with self._store.read() as connection:
            head = await _head(connection, id)
            wanted = await _wanted(connection, id)
            complete = await _is_complete(connection, id)
            difference, _ = await self._difference(connection, head.name, wanted, complete=complete)
        worst = (await self._capacity.check(difference)).worst
        if worst is None:
            return
        refusal = DoesNotFit(worst)
        if not override:
            raise refusal
        done = Act(act.actor, "override_capacity", id, act.reason, str(refusal), act.source)
        await self._ledger.record(done)

    async def _apply(self, id: str, act: Act) -> tuple[Applied, frozenset[str]]:
        now = self._clock.now()
        async with self._store.write() as connection:
            head = await _head(connection, id)
            row = await append(connection, act, now)
            wanted = await _wanted(connection, id)
            complete = await _is_complete(connection, id)
            difference, _ = await self._difference(connection, head.name, wanted, complete=complete)
            self._refuse_running(difference, now)
            reason = act.reason or head.name
            applied = await carry_out(
                connection, difference, id, self._lead, (act.actor, reason, row), now
            )
            await connection.execute(
                update(timetables)
                .where(timetables.c.id == id)
                .values(applied_at=now, applied_by=act.actor)
            )
            return applied, await touched_edges(connection, difference)

    def _window(self, session: Session) -> Span:
        return session.window(self._lead.before, self._lead.after)

    def _refuse_running(self, difference: Difference, now: datetime) -> None:
        gone = [s for s in difference.removed if now in self._window(s)]
        moved = [
            change.before
            for change in difference.changed
            if now in self._window(change.before) and not _only_longer(change)
        ]
        if gone or moved:
            raise RunningSession([*gone, *moved])

    async def _difference(
        self, connection: AsyncConnection, name: str, wanted: list[Session], *, complete: bool
    ) -> tuple[Difference, tuple[Session, ...]]:
        """Compare with what stands; a file with rejected rows removes nothing, it may be a slip."""
        now = self._clock.now()
        since = min([now, *(session.start for session in wanted)])
        current = await standing(connection, since)
        own = await _of_source(connection, source_of(name))
        removable = {session.id for session in current if session.id in own and session.end > now}
        difference = _without_history(diff(current, wanted, removable), now)
        if complete:
            return difference, ()
        return replace(difference, removed=()), difference.removed

    async def _keep(
        self,
        id: str,
        data: bytes,
        name: str,
        user: str,
        columns: dict[str, str],
        rows: Sequence[RowVerdict],
        wanted: Sequence[Session],
    ) -> None:
        """Write file, rows and sessions in short steps; the last one makes it staged."""
        head = {
            "id": id,
            "name": name,
            "sha256": hashlib.sha256(data).hexdigest(),
            "columns": columns,
            "uploaded_by": user,
            "uploaded_at": self._clock.now(),
        }
        async with self._store.write() as connection:
            await connection.execute(insert(timetables).values(**head))
        told = [
            {
                "timetable": id,
                "number": number,
                "sheet": row.sheet,
                "row": row.row,
                "verdict": row.verdict,
                "code": row.code,
                "message_zh": row.message_zh,
                "message_en": row.message_en,
            }
            for number, row in enumerate(rows)
        ]
        sessions = [{**columns_of(session), "timetable": id} for session in wanted]
        for table, values in ((timetable_rows, told), (staged_sessions, sessions)):
            for first in range(0, len(values), _BATCH):
                async with self._store.write() as connection:
                    await connection.execute(insert(table), values[first : first + _BATCH])
        async with self._store.write() as connection:
            await connection.execute(
                update(timetables).where(timetables.c.id == id).values(staged_at=self._clock.now())
            )


def _only_longer(change: Change) -> bool:
    """True when a running session keeps its room and start, and ends no earlier."""
    before, after = change.before, change.after
    same_place = (before.room, before.start) == (after.room, after.start)
    return same_place and after.end >= before.end


def _without_history(difference: Difference, now: datetime) -> Difference:
    """Leave sessions alone that are over: what was, was."""
    over = [change for change in difference.changed if change.before.end <= now]
    return Difference(
        added=difference.added,
        removed=difference.removed,
        changed=tuple(change for change in difference.changed if change not in over),
        unchanged=(*difference.unchanged, *(change.before for change in over)),
    )


def _session(read: ReadSession) -> Session:
    return Session(
        id=f"s{secrets.token_hex(6)}",
        room=read.room_code,
        start=read.start.astimezone(UTC),
        end=read.end.astimezone(UTC),
        courses=tuple(
            Course(exam.code or "", exam.name or "", exam.teaching_class) for exam in read.courses
        ),
        headcount=read.headcount,
        invigilators=read.invigilators,
        campus=read.campus or "",
        category=read.category or "",
    )


async def _head(connection: AsyncConnection, id: str) -> Any:
    t = timetables.c
    query = select(t.name, t.columns, t.applied_at).where(t.id == id, t.staged_at.is_not(None))
    head = (await connection.execute(query)).first()
    if head is None:
        raise NoSuchTimetable(id)
    return head


async def _wanted(connection: AsyncConnection, id: str) -> list[Session]:
    query = select(staged_sessions).where(staged_sessions.c.timetable == id)
    return [session_of(row) for row in await connection.execute(query)]


async def _is_complete(connection: AsyncConnection, id: str) -> bool:
    """True when the file has rows and none was rejected."""
    t = timetable_rows.c
    verdicts = select(t.verdict).where(t.timetable == id).distinct()
    found = set(await connection.scalars(verdicts))
    return bool(found) and "reject" not in found


async def _of_source(connection: AsyncConnection, source: str) -> set[str]:
    """Give the ids of sessions that an earlier edition of the same file brought."""
    query = select(timetables.c.id, timetables.c.name).where(timetables.c.applied_at.is_not(None))
    own = [row.id for row in await connection.execute(query) if source_of(row.name) == source]
    if not own:
        return set()
    ids = select(exam_sessions.c.id).where(exam_sessions.c.timetable.in_(own))
    return set((await connection.execute(ids)).scalars())


async def _known_rooms(connection: AsyncConnection) -> tuple[KnownRoom, ...]:
    seen = func.count(cameras.c.id).label("cameras")
    query = (
        select(rooms, seen)
        .join(cameras, cameras.c.room == rooms.c.id, isouter=True)
        .group_by(rooms.c.id)
    )
    return tuple(
        KnownRoom(
            name=row.name,
            code=row.id,
            aliases=tuple(row.aliases),
            campus=row.campus,
            building=row.building,
            capacity=row.capacity,
            cameras=row.cameras,
        )
        for row in await connection.execute(query)
    )
