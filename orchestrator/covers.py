"""Which recordings a hold covers, and which are over: what lists, sums and expiry share."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.retention import CLOCKS_AGREE
from orchestrator.agreedtime import read_agreed_time
from orchestrator.store.columns import InstantType
from orchestrator.store.tables import (
    deletions,
    hold_boxes,
    hold_cameras,
    holds,
    segments,
    settled_spans,
)

LIVE = ("PLACED", "ACTIVE", "REVIEW_DUE", "RELEASE_PROPOSED")
"""States in which a hold holds. It does from the moment it is placed, as far as the centre goes."""

_UNTRUSTED: ColumnElement[str] = literal_column("'untrusted'")
"""As the index of such segments writes it: for a parameter it would not be used."""
LONGEST_SEGMENT = timedelta(hours=2)
"""None is longer; so what began earlier need not be looked at. A camera's past is a long list."""
_LONGEST_US = LONGEST_SEGMENT // timedelta(microseconds=1)


def touched_by_hold() -> ColumnElement[bool]:
    """A hold's span touches a segment's; one without length stands at its start.

    What a clock wrote that was not believed may be of any time: its camera's holds all touch it.
    """
    s = segments.c
    touches = or_(s.ends_at > holds.c.starts_at, s.starts_at == holds.c.starts_at)
    earliest = type_coerce(holds.c.starts_at, BigInteger) - _LONGEST_US
    is_near = and_(s.starts_at < holds.c.ends_at, type_coerce(s.starts_at, BigInteger) > earliest)
    mine = hold_cameras.c.camera == s.camera
    # each side names the camera, so that each is found by an index of its own
    return or_(and_(mine, is_near, touches), and_(mine, is_unsettled()))


def touching(wanted: Iterable[str], start: datetime, end: datetime) -> ColumnElement[bool]:
    """True for these cameras' segments that touch a span."""
    s = segments.c
    is_near = and_(s.starts_at < end, s.starts_at > start - LONGEST_SEGMENT)
    return and_(s.camera.in_(list(wanted)), is_near, s.ends_at > start)


def touched_by(wanted: Iterable[str], start: datetime, end: datetime) -> ColumnElement[bool]:
    """True for what a hold of these cameras and this span would touch."""
    named = list(wanted)
    of_any_time = and_(segments.c.camera.in_(named), is_unsettled())
    return or_(touching(named, start, end), of_any_time)


def is_unsettled() -> ColumnElement[bool]:
    """True for segments whose clock was not believed, and whose span nobody corrected since."""
    settled = select(settled_spans.c.segment).where(settled_spans.c.segment == segments.c.id)
    return and_(segments.c.clock == _UNTRUSTED, ~exists(settled.correlate(segments)))


def is_ours_to_judge() -> ColumnElement[bool]:
    """False while nobody knows of what time a segment is: then its box goes first."""
    return or_(~is_unsettled(), is_deleted())


def is_held(*but: str) -> ColumnElement[bool]:
    """True for segments that a live hold covers, other than these."""
    return _is_under(holds.c.id.not_in(but))


def _is_under(*which: ColumnElement[bool]) -> ColumnElement[bool]:
    live = (
        select(holds.c.id)
        .join(hold_cameras, hold_cameras.c.hold == holds.c.id)
        .where(holds.c.state.in_(LIVE), touched_by_hold(), *which)
        .correlate(segments)
    )
    return exists(live)


def held_ids() -> Select[tuple[str]]:
    """Select the segments that live holds touch: found from the holds, which are few."""
    return (
        select(segments.c.id)
        .select_from(holds)
        .join(hold_cameras, hold_cameras.c.hold == holds.c.id)
        .join(segments, touched_by_hold())
        .where(holds.c.state.in_(LIVE))
    )


def stays() -> ColumnElement[bool]:
    """True for segments under a live hold that has no end yet: people must release it."""
    return _is_under(holds.c.lapses_at.is_(None))


def goes_at() -> ColumnElement[datetime]:
    """Give when a segment's term ends, and the last of the holds on it that lapse by themselves."""
    lapse = (
        select(func.max(holds.c.lapses_at))
        .join(hold_cameras, hold_cameras.c.hold == holds.c.id)
        .where(holds.c.state.in_(LIVE), holds.c.lapses_at.is_not(None), touched_by_hold())
        .correlate(segments)
        .scalar_subquery()
    )
    term = segments.c.retain_until
    return type_coerce(case((lapse > term, lapse), else_=term), InstantType())


def is_confirmed() -> ColumnElement[bool]:
    """True for holds that were placed, and that every box concerned has said it holds."""
    waiting = select(hold_boxes.c.hold).where(hold_boxes.c.confirmed_at.is_(None))
    h = holds.c
    return and_(h.state == "PLACED", h.id.not_in(waiting), h.id.in_(select(hold_boxes.c.hold)))


def is_deleted() -> ColumnElement[bool]:
    """True for segments whose box said that they are gone."""
    gone = select(deletions.c.segment).where(
        deletions.c.segment == segments.c.id, deletions.c.edge == segments.c.edge
    )
    return exists(gone.correlate(segments))


async def is_over(connection: AsyncConnection, segment: str, now: datetime) -> bool:
    """Say whether nothing keeps a segment any more: its term is over by both clocks, and no hold.

    Ours alone says nothing: a box heard lately says the same, and none says otherwise. Three clocks
    may each be wrong by `CLOCKS_AGREE`: the segment's, its window's and the one it is judged by.
    """
    agreed = await read_agreed_time(connection, now)
    if agreed is None:
        return False
    s = segments.c
    over = s.retain_until <= agreed - 3 * CLOCKS_AGREE
    query = select(s.id).where(s.id == segment, over, is_ours_to_judge(), ~is_held())
    return (await connection.execute(query)).first() is not None
