"""What of an exam's window is in the catalogue, camera by camera, and what is missing."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.coverage import UNTOLD, Hole, account
from contract.spans import Span, union
from orchestrator.store import Store
from orchestrator.store.tables import camera_states, cameras, gaps, segments

_US = 1_000_000
_LONGEST_UNSEALED = timedelta(minutes=11)
"""A file is sealed after ten minutes at most (`segment_seconds`), and told of within another."""


@dataclass(frozen=True, slots=True)
class CameraCoverage:
    """Planned and recorded seconds of one camera; seams of files count as recorded."""

    camera: str
    planned_s: float
    """Up to where a file is still growing: what comes after is neither there nor missing."""
    recorded_s: float
    missing: tuple[Hole, ...]
    growing_since: datetime | None = None
    """From then on it is being recorded, into a file that is not sealed yet; None: it is not."""


def cover(
    camera: str,
    planned: Span,
    recorded: Iterable[Span],
    told: Sequence[Hole],
    *,
    is_recording: bool = False,
) -> CameraCoverage:
    """Compare what was planned with what is there; a missing span takes the cause told of it.

    `is_recording`: its box says that a file grows now.
    """
    spans = list(recorded)
    found = account(planned, spans, told)
    since = None
    if is_recording and found.gaps and _may_grow(found.gaps[-1], planned):
        since = found.gaps[-1].span.start
        found = account(Span(planned.start, since), spans, told)
    kept_us = found.planned_us - found.missing_us
    return CameraCoverage(camera, found.planned_us / _US, kept_us / _US, found.gaps, since)


def _may_grow(last: Hole, planned: Span) -> bool:
    """True if this gap is what a file that is not sealed yet looks like."""
    span = last.span
    reaches_now = last.cause == UNTOLD and span.end == planned.end
    return reaches_now and span.end - span.start <= _LONGEST_UNSEALED


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
            growing = await _recording(connection, names) if now < window.end else frozenset()
        return [
            cover(
                name,
                past,
                union(span for span, _ in recorded[name]),
                [Hole(span, cause) for span, cause in told[name]],
                is_recording=name in growing,
            )
            for name in names
        ]


async def _recording(connection: AsyncConnection, names: list[str]) -> frozenset[str]:
    """Give those of the cameras of which a box that is heard says that a file grows."""
    c = camera_states.c
    query = select(c.camera).where(c.camera.in_(names), c.stream == "main", c.recording)
    return frozenset(await connection.scalars(query))


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
