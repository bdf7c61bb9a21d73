"""What of an exam's window is in the catalogue, camera by camera, and what is missing."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.spans import Span, subtract, union
from orchestrator.store import Store
from orchestrator.store.tables import cameras, gaps, segments

SHORTEST_S = 1.0
"""A gap is longer than this; less is the rounding of two clocks."""
UNTOLD = "not_told"
"""The cause of a missing span of which its box has said nothing yet."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Seconds that were planned and are not in the catalogue."""

    span: Span
    cause: str


@dataclass(frozen=True, slots=True)
class CameraCoverage:
    """Planned and recorded seconds of one camera."""

    camera: str
    planned_s: float
    recorded_s: float
    missing: tuple[Missing, ...]


def cover(
    camera: str,
    planned: Span,
    recorded: Iterable[Span],
    told: Sequence[Missing],
) -> CameraCoverage:
    """Compare what was planned with what is there; a missing span takes the cause told of it."""
    holes = [hole for hole in subtract(planned, recorded) if hole.seconds > SHORTEST_S]
    missing = tuple(part for hole in holes for part in _explained(hole, told))
    lost = sum(hole.seconds for hole in holes)
    return CameraCoverage(camera, planned.seconds, planned.seconds - lost, missing)


def _explained(hole: Span, told: Sequence[Missing]) -> list[Missing]:
    """Cut a hole where causes begin and end; what nobody told of stays unexplained."""
    parts: list[Missing] = []
    open_spans = [hole]
    for gap in told:
        rest: list[Span] = []
        for span in open_spans:
            common = Span(max(span.start, gap.span.start), min(span.end, gap.span.end))
            if common.start < common.end:
                parts.append(Missing(common, gap.cause))
            rest += subtract(span, [gap.span])
        open_spans = rest
    parts += [Missing(span, UNTOLD) for span in open_spans if span.seconds > SHORTEST_S]
    return sorted(parts, key=lambda part: part.span)


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
                [Missing(span, cause) for span, cause in told[name]],
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
