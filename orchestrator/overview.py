"""What was heard last of cameras and boxes, and how much there is, for those who look on."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from orchestrator.store import Store
from orchestrator.store.tables import camera_states, edge_states, facts, looks, segments


@dataclass(frozen=True, slots=True)
class CameraSeen:
    """A camera's main stream as its box described it last."""

    camera: str
    state: str = "unknown"
    cause: str = ""
    last_frame_at: datetime | None = None
    recording: bool = False
    bitrate_bps: int = 0


@dataclass(frozen=True, slots=True)
class EdgeSeen:
    """A box as it described itself last."""

    edge: str
    state: str
    at: datetime
    epoch: int
    revision: int
    clock_trusted: bool
    free_bytes: int | None


@dataclass(frozen=True, slots=True)
class Figures:
    """How much there is now."""

    boxes: int
    boxes_online: int
    cameras_streaming: int
    cameras_recording: int
    segments: int
    looks_open: int
    facts_lag_s: float
    """How long the newest fact of the slowest box was under way."""


class Overview:
    """Reads what the catalogue keeps."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def cameras(self) -> dict[str, CameraSeen]:
        """Give what is known of each camera's main stream, by camera."""
        c = camera_states.c
        query = select(
            c.camera, c.state, c.cause, c.last_frame_at, c.recording, c.bitrate_bps
        ).where(c.stream == "main")
        async with self._store.read() as connection:
            return {row.camera: CameraSeen(*row) for row in await connection.execute(query)}

    async def edges(self) -> dict[str, EdgeSeen]:
        """Give what is known of each box that ever spoke, by box."""
        c = edge_states.c
        query = select(c.edge, c.state, c.at, c.epoch, c.revision, c.clock_trusted, c.free_bytes)
        async with self._store.read() as connection:
            return {row.edge: EdgeSeen(*row) for row in await connection.execute(query)}

    async def figures(self) -> Figures:
        """Count what there is."""
        cameras = list((await self.cameras()).values())
        edges = await self.edges()
        async with self._store.read() as connection:
            stored = await connection.scalar(select(func.count()).select_from(segments))
            is_open = looks.c.ended_at.is_(None)
            looking = await connection.scalar(select(func.count(looks.c.id)).where(is_open))
            lags = []
            for edge in edges:
                newest = (
                    select(facts.c.at, facts.c.heard_at)
                    .where(facts.c.edge == edge)
                    .order_by(facts.c.seq.desc())
                    .limit(1)
                )
                row = (await connection.execute(newest)).first()
                lags.append((row.heard_at - row.at).total_seconds() if row else 0.0)
        return Figures(
            boxes=len(edges),
            boxes_online=sum(edge.state == "online" for edge in edges.values()),
            cameras_streaming=sum(camera.state == "streaming" for camera in cameras),
            cameras_recording=sum(camera.recording for camera in cameras),
            segments=int(stored or 0),
            looks_open=int(looking or 0),
            facts_lag_s=max(lags, default=0.0),
        )
