"""Sessions with what their newest certificates say, for lists and matrices."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from orchestrator.certificates.records import newest_of
from orchestrator.sessions import Sessions, SessionView
from orchestrator.store import Store
from orchestrator.store.tables import certificates, rooms


@dataclass(frozen=True, slots=True)
class Figures:
    """What a certificate says in figures."""

    edition: int
    planned_us: int
    kept_us: int
    """Recorded, seams of files included."""


@dataclass(frozen=True, slots=True)
class Covered:
    """A session, where it is, and its certificate's figures."""

    view: SessionView
    building: str
    figures: Figures | None

    @property
    def share(self) -> float | None:
        """Recorded of planned, 0 to 1."""
        if self.figures is None or not self.figures.planned_us:
            return None
        return self.figures.kept_us / self.figures.planned_us


class CoverageOverview:
    """Reads sessions and certificates side by side."""

    def __init__(self, store: Store, sessions: Sessions) -> None:
        self._store = store
        self._sessions = sessions

    async def list(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> list[Covered]:
        """Give sessions whose windows overlap the span, by start; raises NoSuchSession."""
        views = await self._sessions.list(start, end, after=after, limit=limit)
        figures = await self._figures(view.session.id for view in views)
        async with self._store.read() as connection:
            query = select(rooms.c.id, rooms.c.building)
            building = {row.id: row.building for row in await connection.execute(query)}
        return [
            Covered(view, building.get(view.session.room, ""), figures.get(view.session.id))
            for view in views
        ]

    async def _figures(self, ids: Iterable[str]) -> dict[str, Figures]:
        c = certificates.c
        columns = (c.session, c.edition, c.planned_us, c.recorded_us, c.seams_us)
        query = newest_of(columns).where(c.session.in_(list(ids)))
        async with self._store.read() as connection:
            return {
                row.session: Figures(row.edition, row.planned_us, row.recorded_us + row.seams_us)
                for row in await connection.execute(query)
            }
