"""What is wrong with a box's shelf: kept until its word, or footage sealed since, ends it."""

from collections.abc import Collection, Mapping
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.messages import ShelfTrouble
from orchestrator.alerts.classes import OF_BOX
from orchestrator.store.tables import box_troubles

_ENDED_BY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "recovered": ("write_failed", "wrong_volume"),
        "archive_back": ("archive",),
        "second_back": ("second_away",),
    }
)


async def note_trouble(
    connection: AsyncConnection, edge: str, at: datetime, said: ShelfTrouble
) -> None:
    """Keep a trouble that lasts, from when it was first told on; end those that are over."""
    await end_troubles(connection, edge, _ENDED_BY.get(said.kind, ()), at)
    if said.kind not in OF_BOX:
        return
    t = box_troubles.c
    mine = (t.edge == edge) & (t.kind == said.kind)
    before = (await connection.execute(select(t.ended_at).where(mine))).first()
    if before is None:
        row = {"edge": edge, "kind": said.kind, "detail": said.detail, "since": at}
        await connection.execute(insert(box_troubles).values(**row))
    elif before.ended_at is None:
        await connection.execute(update(box_troubles).where(mine).values(detail=said.detail))
    else:
        begun = {"detail": said.detail, "since": at, "ended_at": None}
        await connection.execute(update(box_troubles).where(mine).values(**begun))


async def end_by_footage(connection: AsyncConnection, edge: str, begun: datetime) -> None:
    """Note that a box's disk is the right one and takes bytes: a segment begun then is sealed."""
    await end_troubles(connection, edge, _ENDED_BY["recovered"], begun, before=begun)


async def end_troubles(
    connection: AsyncConnection,
    edge: str,
    kinds: Collection[str],
    at: datetime,
    *,
    before: datetime | None = None,
) -> None:
    """Note that these are over; `before`: those alone that began before then."""
    if kinds:
        t = box_troubles.c
        standing = (t.edge == edge) & t.kind.in_(list(kinds)) & t.ended_at.is_(None)
        if before is not None:
            standing &= t.since < before
        await connection.execute(update(box_troubles).where(standing).values(ended_at=at))
