"""What of an exam's window is in the catalogue, camera by camera, and what is missing."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.coverage import Hole, account
from contract.spans import Span, union
from orchestrator.store import Store
from orchestrator.store.tables import cameras, gaps, segments

_US = 1_000_000


@dataclass(frozen=True, slots=True)
class CameraCoverage:
    """Planned and recorded seconds of one camera; seams of files count as recorded."""

    camera: str
    planned_s: float
    recorded_s: float
    missing: tuple[Hole, ...]


def cover(
    camera: str,
    planned: Span,
    recorded: Iterable[Span],
    told: Sequence[Hole],
) -> CameraCoverage:
    """Compare what was planned with what is there; a missing span takes the cause told of it."""
    found = account(planned, recorded, told)
    kept_us = found.planned_us - found.missing_us
    return CameraCoverage(camera, found.planned_us / _US, kept_us / _US, found.gaps)


class Coverage:
    """Reads the catalogue for the cameras of a room."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of_room(self, room: str, window: Span, now: datetime) -> list[CameraCoverage]:
        """Give what is there of the part of the window that is past."""
        past = Span(window.start, min(window.end, max(window.start, now)))
        async with self._store.read() as connection:
            query = select(cameras.c.id).where(cameras.c.room == room).order_by(cameras.c.id)
            names = list(await connection.scalars(query))
            recorded = await _spans(connection, segments, names, past)
            told = await _spans(connection, gaps, names, past)
        return [
            cover(
                name,
                past,
                union(span for span, _ in recorded[name]),
                [Hole(span, cause) for span, cause in told[name]],
            )
            for name in names
        ]


async def _spans(
    connection: AsyncConnection, table: Table, names: list[str], within: Span
) -> dict[str, list[tuple[Span, str]]]:
    c = table.c
    query = select(table).where(
        c.camera.in_(names),
        c.stream == "main",
        c.starts_at < within.end,
        c.ends_at > within.start,
    )
    found: dict[str, list[tuple[Span, str]]] = defaultdict(list)
    for row in (await connection.execute(query.order_by(c.starts_at))).mappings():
        found[row["camera"]].append((Span(row["starts_at"], row["ends_at"]), row.get("cause", "")))
    return found
