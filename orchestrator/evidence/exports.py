"""Evidence packages from asking to removal: who may, one at a time, on record at every step."""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Row, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.clock import Clock
from contract.retry import keep
from contract.spans import Span
from orchestrator.access import Action, may
from orchestrator.accounts import Person
from orchestrator.boxes import BoxUnreachable
from orchestrator.events import Events
from orchestrator.evidence.maker import Maker
from orchestrator.evidence.manifest import Wish
from orchestrator.evidence.plan import EvidenceRefused, Plan, plan
from orchestrator.ledger import SYSTEM, Act, Ledger, append
from orchestrator.store import Store, StoreAway
from orchestrator.store.tables import exports

log = logging.getLogger(__name__)

KEPT_FOR = timedelta(hours=24)
"""A package that nobody fetched again is removed then."""
MOST_WAITING = 20
HANDED_OUT_WITHIN = timedelta(hours=24)
"""A package that a command makes itself is made by then, or its command was killed."""
_LOOK_EVERY_S = 2.0
_TELL_EVERY = timedelta(seconds=0.5)
_UNMADE = {"state": "waiting", "sha256": None, "bytes": None, "made_at": None, "retain_until": None}


@dataclass(frozen=True, slots=True)
class Export:
    """A package and how it stands with it."""

    id: str
    state: str
    cameras: tuple[str, ...]
    start: datetime
    end: datetime
    reason: str
    request: str
    requester: str
    approved_by: tuple[str, ...]
    recipient: str
    asked_by: str
    asked_at: datetime
    expected_bytes: int
    problem: str
    sha256: str | None
    bytes: int | None
    made_at: datetime | None
    retain_until: datetime | None
    fetched_at: datetime | None
    handed_out: bool
    done_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to have exported."""

    cameras: tuple[str, ...]
    span: Span
    reason: str
    request: str
    recipient: str
    requester: str = ""
    approved_by: tuple[str, ...] = ()
    undertaking: bool = False
    """The recipient has signed that it is kept secret."""


@dataclass(frozen=True, slots=True)
class Link:
    """Leave to fetch a package once."""

    token: str
    until: datetime


class Exports:
    """All packages. `run` makes those that wait, and removes those whose day is over."""

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        events: Events,
        clock: Clock,
        maker: Maker,
        folder: Path,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._events = events
        self._clock = clock
        self._maker = maker
        self._folder = folder
        self._asked = asyncio.Event()
        self._making: tuple[str, asyncio.Task[None]] | None = None
        self._done: dict[str, int] = {}
        self._told_at = clock.now() - _TELL_EVERY

    # ------------------------------------------------------------ asking

    async def estimate(self, person: Person, cameras: Sequence[str], span: Span) -> Plan:
        """Say what a package would hold; raises EvidenceRefused."""
        _check_leave(person)
        return await plan(self._store, cameras, span, self._clock.now())

    async def ask(self, person: Person, asked: Asked, source: str = "") -> Export:
        """Have a package made; raises EvidenceRefused. Both outcomes stand in the ledger."""
        return await self._write_down(person, asked, source, handed_out=False)

    async def hand_out(self, person: Person, asked: Asked, place: Path, source: str = "") -> Export:
        """Make a package at a path of the asker's, now; raises EvidenceRefused, BoxUnreachable."""
        export = await self._write_down(person, asked, source, handed_out=True)
        try:
            await self._make(export, place, person.login)
        except (asyncio.CancelledError, OSError) as error:
            was_told = isinstance(error, asyncio.CancelledError)
            await self._end(export.id, "cancelled" if was_told else "failed", "no_space")
            raise
        return await self.get(export.id)

    async def _write_down(
        self, person: Person, asked: Asked, source: str, *, handed_out: bool
    ) -> Export:
        export = "ev-" + secrets.token_hex(6)
        act = Act(
            person.user, "ask_evidence", _what(export, asked), asked.reason[:500], "ok", source
        )
        try:
            expected = await self._leave(person, asked)
        except EvidenceRefused as refusal:
            await self._ledger.record(replace(act, result=refusal.code))
            raise
        now = self._clock.now()
        row = {
            "id": export,
            "state": "making" if handed_out else "waiting",
            "cameras": list(asked.cameras),
            "starts_at": asked.span.start,
            "ends_at": asked.span.end,
            "reason": asked.reason.strip(),
            "request": asked.request.strip(),
            "requester": asked.requester.strip() or person.name,
            "approved_by": list(asked.approved_by),
            "recipient": asked.recipient.strip(),
            "asked_by": person.user,
            "login": person.login,
            "asked_at": now,
            "expected_bytes": expected.bytes,
            "handed_out": handed_out,
            "problem": "",
        }
        async with self._store.write() as connection:
            await append(connection, act, now)
            await connection.execute(insert(exports).values(**row))
        self._asked.set()
        self._events.publish("evidence", export, {"state": row["state"]})
        return await self.get(export)

    async def _leave(self, person: Person, asked: Asked) -> Plan:
        _check_leave(person)
        if not asked.reason.strip():
            raise EvidenceRefused("reason_required")
        if not asked.request.strip() or not asked.recipient.strip():
            raise EvidenceRefused("bad_request", "request and recipient must be named")
        if not asked.undertaking:
            raise EvidenceRefused("undertaking_required")
        queued = exports.c.state.in_(("waiting", "making")) & exports.c.handed_out.is_(False)
        waiting = select(func.count()).where(queued)
        async with self._store.read() as connection:
            if (await connection.scalar(waiting) or 0) >= MOST_WAITING:
                raise EvidenceRefused("conflict", "too many packages wait already")
        return await plan(self._store, asked.cameras, asked.span, self._clock.now())

    # ------------------------------------------------------------ looking

    async def list(self, limit: int = 100, after: str = "") -> list[Export]:
        """Give packages, newest first, those behind `after`."""
        query = select(exports).order_by(exports.c.asked_at.desc(), exports.c.id).limit(limit)
        async with self._store.read() as connection:
            if after:
                one = (await connection.execute(_one(after))).first()
                if one is None:
                    return []
                same = (exports.c.asked_at == one.asked_at) & (exports.c.id > after)
                query = query.where(or_(exports.c.asked_at < one.asked_at, same))
            return [self._export(row) for row in await connection.execute(query)]

    async def get(self, export: str) -> Export:
        """Give one package; raises EvidenceRefused."""
        return self._export(await self._row(export))

    async def _row(self, export: str) -> Row[Any]:
        async with self._store.read() as connection:
            row = (await connection.execute(_one(export))).first()
        if row is None:
            raise EvidenceRefused("no_such")
        return row

    def _export(self, row: Row[Any]) -> Export:
        return Export(
            id=row.id,
            state=row.state,
            cameras=tuple(row.cameras),
            start=row.starts_at,
            end=row.ends_at,
            reason=row.reason,
            request=row.request,
            requester=row.requester,
            approved_by=tuple(row.approved_by),
            recipient=row.recipient,
            asked_by=row.asked_by,
            asked_at=row.asked_at,
            expected_bytes=row.expected_bytes,
            problem=row.problem,
            sha256=row.sha256,
            bytes=row.bytes,
            made_at=row.made_at,
            retain_until=row.retain_until,
            fetched_at=row.fetched_at,
            handed_out=row.handed_out,
            done_bytes=self._done.get(row.id, 0),
        )

    # ------------------------------------------------------------ fetching, cancelling

    async def link(self, person: Person, export: str, source: str = "") -> Link:
        """Give a link that opens the package once; an earlier one is worth nothing then."""
        _check_leave(person)
        row = await self._row(export)
        act = Act(person.user, "link_evidence", export, row.request, source=source)
        if row.state != "made" or row.handed_out:
            await self._ledger.record(replace(act, result="conflict"))
            raise EvidenceRefused("conflict", f"the package is {row.state}")
        token = secrets.token_urlsafe(24)
        now = self._clock.now()
        values = {"link_sha256": _digest(token), "link_until": row.retain_until}
        async with self._store.write() as connection:
            await append(connection, act, now)
            await connection.execute(update(exports).where(exports.c.id == export).values(**values))
        return Link(token, row.retain_until)

    @asynccontextmanager
    async def fetch(
        self, person: Person, export: str, token: str, source: str = ""
    ) -> AsyncGenerator[tuple[Export, BinaryIO]]:
        """Open a package by its link, once; the ledger says so before. Raises EvidenceRefused."""
        _check_leave(person)
        row = await self._row(export)
        now = self._clock.now()
        act = Act(person.user, "fetch_evidence", export, row.recipient, source=source)
        if row.state != "made" or row.link_until is None or row.link_until <= now:
            await self._ledger.record(replace(act, result="expired"))
            raise EvidenceRefused("expired")
        path = self._place(export)
        file = await asyncio.to_thread(path.open, "rb")
        try:
            async with self._store.write() as connection:
                mine = (exports.c.id == export) & (exports.c.link_sha256 == _digest(token))
                used = await connection.execute(
                    update(exports).where(mine).values(link_sha256=None, fetched_at=now)
                )
                result = "ok" if used.rowcount else "link_used"
                await append(connection, replace(act, result=result), now)
            if not used.rowcount:
                raise EvidenceRefused("link_used")
            self._events.publish("evidence", export, {"fetched": True})
            yield self._export(row), file
        finally:
            file.close()

    async def cancel(self, person: Person, export: str, source: str = "") -> None:
        """Give up a package that is not made yet; raises EvidenceRefused."""
        _check_leave(person)
        row = await self._row(export)
        act = Act(person.user, "cancel_evidence", export, source=source)
        if row.state not in ("waiting", "making"):
            await self._ledger.record(replace(act, result="conflict"))
            raise EvidenceRefused("conflict", f"the package is {row.state}")
        await self._ledger.record(act)
        if not await self._end(export, "cancelled"):
            raise EvidenceRefused("conflict", "it was made meanwhile")
        if self._making is not None and self._making[0] == export:
            self._making[1].cancel()

    # ------------------------------------------------------------ working

    async def run(self) -> None:
        """Make what waits, one package at a time, and remove what is over, until cancelled.

        A making takes hours, and what is over waits for none.
        """
        works = {"evidence": self._make_all, "evidence that is over": self._remove_all}
        async with asyncio.TaskGroup() as group:
            for name, work in works.items():
                kept = keep(name, work, on=(StoreAway,), clock=self._clock, log=log)
                group.create_task(kept, name=name)

    async def _remove_all(self) -> None:
        while True:
            await self.remove_due()
            await self._clock.sleep(_LOOK_EVERY_S)

    async def _make_all(self) -> None:
        await self.recover()
        while True:
            if not await self.make_next():
                self._asked.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_EVERY_S):
                        await self._asked.wait()

    async def recover(self) -> None:
        """Take up again what was being made when the centre ended.

        Half packages are removed, and whole ones that should have been.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for half in self._folder.glob(".*.part"):
            half.unlink(missing_ok=True)
        ours = exports.c.handed_out.is_(False)
        made = select(exports.c.id).where(exports.c.state == "made", ours)
        making = select(exports.c.id).where(exports.c.state == "making", ours)
        now = self._clock.now()
        async with self._store.write() as connection:
            broken = list(await connection.scalars(making))
            sealed = await connection.scalars(made)
            kept = {self._place(export) for export in sealed}
            broken += [place.stem for place in sorted(kept) if not place.exists()]
            for export in broken:
                again = Act(SYSTEM, "restart_evidence", export, "the centre had ended")
                await append(connection, again, now)
                await _set(connection, export, **_UNMADE)
        for left in set(self._folder.glob("ev-*.zip")) - kept:
            log.warning("removing %s, whose day was over when the centre ended", left.name)
            left.unlink(missing_ok=True)

    async def make_next(self) -> bool:
        """Make the package that waits longest; False when none does."""
        waiting = select(exports).where(exports.c.state == "waiting")
        async with self._store.read() as connection:
            query = waiting.order_by(exports.c.asked_at, exports.c.id).limit(1)
            row = (await connection.execute(query)).first()
        if row is None:
            return False
        mine = (exports.c.id == row.id) & (exports.c.state == "waiting")
        async with self._store.write() as connection:
            begun = await connection.execute(update(exports).where(mine).values(state="making"))
        if begun.rowcount:
            await self._make_apart(self._export(row), row.login)
        return True

    async def _make_apart(self, export: Export, login: str) -> None:
        """Make it in a task of its own, so that giving it up ends nothing else."""
        work = asyncio.create_task(
            self._make(export, self._place(export.id), login), name=f"evidence {export.id}"
        )
        self._making = export.id, work
        try:
            await asyncio.wait([work])
            if not work.cancelled() and (error := work.exception()) is not None:
                if not isinstance(error, (EvidenceRefused, BoxUnreachable, OSError)):
                    raise error
                log.warning("package %s was not made: %s", export.id, error)
        finally:
            self._making = None
            if not work.done():  # the centre ends: the package waits for its next run
                work.cancel()
                await asyncio.wait([work])

    async def _make(self, export: Export, place: Path, login: str) -> None:
        """Make one package; whatever ends it otherwise stands in its row."""
        self._events.publish("evidence", export.id, {"state": "making"})

        def tell(done: int) -> None:
            self._done[export.id] = done
            now = self._clock.now()
            if now - self._told_at >= _TELL_EVERY:
                self._told_at = now
                self._events.publish("evidence", export.id, {"done_bytes": done})

        async def on_sealed(sha256: str, size: int) -> None:
            await self._seal(export, sha256, size)

        span = Span(export.start, export.end)
        try:
            found = await plan(self._store, export.cameras, span, self._clock.now())
            await self._maker.make(_wish(export), found, place, login, tell, on_sealed)
        except EvidenceRefused as refusal:
            await self._end(export.id, "failed", refusal.code)
            raise
        except BoxUnreachable:
            await self._end(export.id, "failed", "box_unreachable")
            raise
        except OSError:
            await self._end(export.id, "failed", "no_space")
            raise
        finally:
            self._done.pop(export.id, None)
        self._events.publish("evidence", export.id, {"state": "made"})

    async def _seal(self, export: Export, sha256: str, size: int) -> None:
        """Write down the package's hash before it stands in its place."""
        now = self._clock.now()
        act = Act(export.asked_by, "make_evidence", export.id, f"sha256 {sha256}")
        values = {
            "state": "made",
            "sha256": sha256,
            "bytes": size,
            "made_at": now,
            "retain_until": now + KEPT_FOR,
        }
        mine = (exports.c.id == export.id) & (exports.c.state == "making")
        async with self._store.write() as connection:
            done = await connection.execute(update(exports).where(mine).values(**values))
            if not done.rowcount:
                raise EvidenceRefused("conflict", "it was given up meanwhile")
            await append(connection, act, now)

    async def _end(self, export: str, state: str, problem: str = "") -> bool:
        """End a package that is not made; False when it is not open any more."""
        now = self._clock.now()
        problem = problem if state == "failed" else ""
        open_yet = exports.c.state.in_(("waiting", "making"))
        async with self._store.write() as connection:
            done = await connection.execute(
                update(exports)
                .where(exports.c.id == export, open_yet)
                .values(state=state, problem=problem)
            )
            if done.rowcount and state == "failed":
                await append(connection, Act(SYSTEM, "fail_evidence", export, problem), now)
        self._events.publish("evidence", export, {"state": state})
        return bool(done.rowcount)

    async def remove_due(self) -> None:
        """Remove packages whose day is over, and give up what a killed command was making.

        Each removal stands in the ledger first.
        """
        now = self._clock.now()
        due = (exports.c.state == "made") & (exports.c.retain_until <= now)
        due &= exports.c.handed_out.is_(False)
        stale = exports.c.handed_out & (exports.c.state == "making")
        stale &= exports.c.asked_at <= now - HANDED_OUT_WITHIN
        async with self._store.read() as connection:
            found = list(await connection.scalars(select(exports.c.id).where(due)))
            killed = list(await connection.scalars(select(exports.c.id).where(stale)))
        for export in found:
            await self._remove(export, now)
        for export in killed:
            act = Act(SYSTEM, "cancel_evidence", export, "its command had ended")
            await self._ledger.record(act)
            await self._end(export, "cancelled")

    async def _remove(self, export: str, now: datetime) -> None:
        async with self._store.write() as connection:
            await append(connection, Act(SYSTEM, "remove_evidence", export, "its day is over"), now)
            await _set(connection, export, state="removed", link_sha256=None)
        self._place(export).unlink(missing_ok=True)
        self._events.publish("evidence", export, {"state": "removed"})

    def _place(self, export: str) -> Path:
        return self._folder / f"{export}.zip"


def _check_leave(person: Person) -> None:
    if not may(person.roles, Action.export_evidence):
        raise EvidenceRefused("forbidden")


def _one(export: str) -> Any:
    return select(exports).where(exports.c.id == export)


async def _set(connection: AsyncConnection, export: str, **values: object) -> None:
    await connection.execute(update(exports).where(exports.c.id == export).values(**values))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _what(export: str, asked: Asked) -> str:
    span = f"{asked.span.start:%Y-%m-%dT%H:%M:%SZ}/{asked.span.end:%Y-%m-%dT%H:%M:%SZ}"
    return f"{export} {' '.join(asked.cameras)} {span} {asked.request}"[:500]


def _wish(export: Export) -> Wish:
    return Wish(
        id=export.id,
        cameras=export.cameras,
        span=Span(export.start, export.end),
        reason=export.reason,
        request=export.request,
        recipient=export.recipient,
        requester=export.requester,
        exported_by=export.asked_by,
        approved_by=export.approved_by,
    )
