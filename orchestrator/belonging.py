"""What a box may speak of: cameras that are or were its own, and looks through itself."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.messages import DesiredState, Dispatch, LookChanged, Message
from orchestrator.store.tables import cameras, dispatches, looks

_STATES_BACK = 500
"""How many of a box's desired states are read for a camera that moved away."""


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


async def belongings(connection: AsyncConnection, edge: str, said: Iterable[Message]) -> Belongings:
    """Read of which cameras and looks, among those named, the box may not speak."""
    named = list(said)
    strange = {one.camera for one in named if hasattr(one, "camera")} - {""}
    if strange:
        mine = select(cameras.c.id).where(cameras.c.edge == edge, cameras.c.id.in_(strange))
        strange -= set(await connection.scalars(mine))
    if strange:
        strange -= await _once_ordered(connection, edge, strange)
    watched = {one.jti for one in named if isinstance(one, LookChanged)} - {""}
    watched = {jti for jti in watched if "\0" not in jti}  # PostgreSQL knows no such text
    if watched:
        others = select(looks.c.id).where(looks.c.edge != edge, looks.c.id.in_(watched))
        watched = set(await connection.scalars(others))
    return Belongings(frozenset(strange), frozenset(watched))


async def _once_ordered(connection: AsyncConnection, edge: str, wanted: set[str]) -> set[str]:
    """Give those of the cameras that the box was told to watch once: it may have moved since."""
    newest = (
        select(dispatches.c.payload)
        .where(dispatches.c.edge == edge)
        .order_by(dispatches.c.epoch.desc(), dispatches.c.revision.desc())
        .limit(_STATES_BACK)
    )
    found: set[str] = set()
    for payload in await connection.scalars(newest):
        body = msgspec.json.decode(payload, type=Dispatch).state.body
        state = msgspec.json.decode(body, type=DesiredState)
        found |= wanted & {camera.id for camera in state.cameras}
        if found == wanted:
            break
    return found
