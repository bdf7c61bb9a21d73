"""What a box may speak of: cameras that are or were its own, and looks through itself."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.messages import DesiredState, Dispatch, LookChanged, Message
from orchestrator.store.tables import cameras, dispatches, looks

_STATES_BACK = 500
"""How many of a box's desired states are read for a camera that moved away."""
_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Belongings:
    """Which of the things that were named are not the box's."""

    cameras: frozenset[str]
    looks: frozenset[str]

    def __contains__(self, said: Message) -> bool:
        """True when the box may say this."""
        if isinstance(said, LookChanged):
            return said.jti not in self.looks
        return getattr(said, "camera", None) not in self.cameras


class Ordered:
    """Which cameras each box was ever told to watch. What was read once is not read again."""

    def __init__(self) -> None:
        self._read: dict[str, tuple[tuple[int, int], frozenset[str]]] = {}

    async def cameras(self, connection: AsyncConnection, edge: str) -> frozenset[str]:
        """Read what is new of a box's desired states, a few at a time, and give all cameras."""
        number, known = self._read.get(edge, ((0, 0), frozenset[str]()))
        d = dispatches.c
        later = or_(d.epoch > number[0], and_(d.epoch == number[0], d.revision > number[1]))
        query = (
            select(d.epoch, d.revision, d.payload)
            .where(d.edge == edge, later)
            .order_by(d.epoch.desc(), d.revision.desc())
            .limit(_STATES_BACK)
            .execution_options(yield_per=_AT_ONCE)
        )
        found = set(known)
        async for row in await connection.stream(query):
            number = max(number, (row.epoch, row.revision))
            body = msgspec.json.decode(row.payload, type=Dispatch).state.body
            state = msgspec.json.decode(body, type=DesiredState)
            found |= {camera.id for camera in state.cameras}
        self._read[edge] = number, frozenset(found)
        return self._read[edge][1]


async def own_cameras(connection: AsyncConnection, edge: str, named: Iterable[str]) -> set[str]:
    """Give those of the cameras that the box looks after now."""
    mine = select(cameras.c.id).where(cameras.c.edge == edge, cameras.c.id.in_(set(named)))
    return set(await connection.scalars(mine))


async def belongings(
    connection: AsyncConnection, edge: str, said: Iterable[Message], ordered: Ordered
) -> Belongings:
    """Read of which cameras and looks, among those named, the box may not speak."""
    named = list(said)
    strange = {one.camera for one in named if hasattr(one, "camera")} - {""}
    if strange:
        strange -= await own_cameras(connection, edge, strange)
    if strange:
        strange -= await ordered.cameras(connection, edge)
    watched = {one.jti for one in named if isinstance(one, LookChanged)} - {""}
    watched = {jti for jti in watched if "\0" not in jti}  # PostgreSQL knows no such text
    if watched:
        others = select(looks.c.id).where(looks.c.edge != edge, looks.c.id.in_(watched))
        watched = set(await connection.scalars(others))
    return Belongings(frozenset(strange), frozenset(watched))
