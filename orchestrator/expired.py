"""What boxes tell of terms, holds and deletions, kept in the store."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.messages import Deferred, Deleted, Hold, HoldsHeard, RetentionRaised
from contract.spans import Span
from orchestrator.covers import is_confirmed, is_unsettled
from orchestrator.ledger import SYSTEM, Act, append
from orchestrator.store.tables import (
    deferrals,
    deletions,
    hold_boxes,
    hold_cameras,
    holds,
    segments,
    settled_spans,
)

RECOVERED = "recovered"
"""Owner of a hold that a box had and this store did not know: the store was restored."""


def by_its_clock(why: str, at: datetime) -> str:
    """Add when a box says that it was: rows of the ledger are dated by our clock alone."""
    return f"{why} ({at:%Y-%m-%dT%H:%M:%SZ} by the box's clock)".strip()


async def raise_terms(
    connection: AsyncConnection, edge: str, at: datetime, data: RetentionRaised
) -> None:
    """Raise what the box keeps longer than was known; nothing is ever lowered.

    Of a segment whose clock was not believed the span is corrected, once, where the box knows it.
    """
    await _settle(connection, edge, at, data)
    s = segments.c
    later = (
        update(segments)
        .where(s.id == bindparam("of"), s.edge == edge, s.retain_until < bindparam("until"))
        .values(retain_until=bindparam("until"))
    )
    if data.kept:
        rows = [{"of": one.segment, "until": one.retain_until} for one in data.kept]
        await connection.execute(later, rows)
    still = [one.segment for one in data.kept]
    open_ones = (deferrals.c.edge == edge) & deferrals.c.segment.in_(still)
    over = select(s.id).where(s.id == deferrals.c.segment, s.retain_until > deferrals.c.since)
    await connection.execute(
        update(deferrals)
        .where(open_ones, deferrals.c.ended_at.is_(None), over.exists())
        .values(ended_at=deferrals.c.since)
    )


async def _settle(
    connection: AsyncConnection, edge: str, at: datetime, data: RetentionRaised
) -> None:
    true = {
        one.segment: Span(one.start, one.end)
        for one in data.kept
        if one.start is not None and one.end is not None and one.start <= one.end
    }
    if not true:
        return
    s = segments.c
    mine = select(s.id, s.starts_at, s.ends_at).where(
        s.id.in_(list(true)), s.edge == edge, is_unsettled()
    )
    for row in (await connection.execute(mine)).all():
        span = true[row.id]
        await connection.execute(
            insert(settled_spans).values(
                segment=row.id, said_start=row.starts_at, said_end=row.ends_at, settled_at=at
            )
        )
        await connection.execute(
            update(segments).where(s.id == row.id).values(starts_at=span.start, ends_at=span.end)
        )


async def note_deletion(
    connection: AsyncConnection, edge: str, now: datetime, data: Deleted
) -> None:
    """Keep the record of what is gone; of what was not there when its time came, loudly."""
    key = (edge, data.segment, data.deleted_at)
    d = deletions.c
    known = select(d.segment).where(d.edge == key[0], d.segment == key[1], d.deleted_at == key[2])
    if (await connection.scalars(known)).first() is not None:
        return
    await connection.execute(
        insert(deletions).values(
            edge=edge,
            segment=data.segment,
            deleted_at=data.deleted_at,
            camera=data.camera,
            starts_at=data.start,
            ends_at=data.end,
            path=data.path,
            bytes=data.bytes,
            root=data.root,
            retain_until=data.retain_until,
            late_s=data.late_s,
            policy=data.policy,
            missing=data.missing,
            holds=list(data.holds),
        )
    )
    await end_deferrals(connection, edge, [data.segment], data.deleted_at)
    if data.missing:
        why = by_its_clock(data.path, data.deleted_at)
        act = Act(f"edge:{edge}", "miss_recording", data.segment, why, "missing")
        await append(connection, act, now)


async def note_deferral(connection: AsyncConnection, edge: str, data: Deferred) -> None:
    """Keep since when these are late; one that had ended and is late again is open anew."""
    d = deferrals.c
    named = (d.edge == edge) & d.segment.in_(data.segments)
    known = select(d.segment).where(named)
    new = set(data.segments) - set(await connection.scalars(known))
    again = update(deferrals).where(named, d.ended_at <= data.since)
    await connection.execute(again.values(why=data.why, since=data.since, ended_at=None))
    if new:
        rows = [
            {"edge": edge, "segment": one, "why": data.why, "since": data.since}
            for one in sorted(new)
        ]
        await connection.execute(insert(deferrals), rows)


async def end_deferrals(
    connection: AsyncConnection, edge: str, named: Iterable[str], at: datetime
) -> None:
    """Keep that these are late no longer: gone, or to stay."""
    d = deferrals.c
    mine = (d.edge == edge) & d.segment.in_(list(named)) & d.ended_at.is_(None)
    await connection.execute(update(deferrals).where(mine).values(ended_at=at))


async def note_holds(
    connection: AsyncConnection, edge: str, at: datetime, now: datetime, data: HoldsHeard
) -> None:
    """Keep what a box holds; a hold that only the box knew comes back, for two to release."""
    if not data.accepted:
        why = by_its_clock(data.reason, at)
        await append(connection, Act(f"edge:{edge}", "refuse_hold_list", edge, why, "refused"), now)
        return
    held = {one.hold: one for one in data.holds}
    b = hold_boxes.c
    mine = {
        row.hold: row for row in await connection.execute(select(hold_boxes).where(b.edge == edge))
    }
    for name, one in held.items():
        if name not in mine:
            await _recover(connection, edge, at, now, one)
        else:
            confirmed = mine[name].confirmed_at or now
            await connection.execute(
                update(hold_boxes)
                .where(b.edge == edge, b.hold == name)
                .values(confirmed_at=confirmed, gone_at=None)
            )
    whole = (holds.c.id.in_(list(held)), is_confirmed())
    await connection.execute(update(holds).where(*whole).values(state="ACTIVE"))
    for name, row in mine.items():
        if name not in held and row.gone_at is None and row.confirmed_at is not None:
            which = (b.edge == edge) & (b.hold == name)
            await connection.execute(update(hold_boxes).where(which).values(gone_at=now))


async def _recover(
    connection: AsyncConnection, edge: str, at: datetime, now: datetime, one: Hold
) -> None:
    if (await connection.scalars(select(holds.c.id).where(holds.c.id == one.hold))).first() is None:
        why = by_its_clock("the store did not know it", at)
        await append(connection, Act(SYSTEM, "recover_hold", f"{one.hold} from {edge}", why), now)
        await connection.execute(
            insert(holds).values(
                id=one.hold,
                kind="integrity" if one.kind == "request" else one.kind,
                state="REVIEW_DUE",
                starts_at=one.start,
                ends_at=one.end,
                owner=RECOVERED,
                reason=RECOVERED,
                review_at=now,
                placed_by=SYSTEM,
                placed_at=now,
            )
        )
        rows = [{"hold": one.hold, "camera": camera} for camera in one.cameras]
        await connection.execute(insert(hold_cameras), rows)
    await connection.execute(insert(hold_boxes).values(hold=one.hold, edge=edge, confirmed_at=now))
