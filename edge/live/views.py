"""Reference views for the centre: each by its ticket, and a new one on request."""

import asyncio
from pathlib import Path

from edge import orders as in_force
from edge.live.playback import Playback
from edge.references import PLACE, NoSuchReference, References


class ReferenceViews:
    """Gives out stored views and passes on wishes for new ones."""

    def __init__(self, playback: Playback, references: References, orders: Path) -> None:
        self._playback = playback
        self._references = references
        self._orders = orders

    async def open(self, camera: str, sha256: str, signed: str) -> Path:
        """Give the file a ticket opens; raises TicketRefused, NoSuchReference or JournalBusy.

        Only a view that is in use: others show people and wait for the end of their term.
        """
        await self._playback.admit(f"references/{camera}/{sha256}", signed)
        return await asyncio.to_thread(self._find, camera, sha256)

    def _find(self, camera: str, sha256: str) -> Path:
        file = self._references.find(camera, sha256)
        mine = [one for one in in_force.load(self._orders).cameras if one.id == camera]
        if f"{PLACE}/{camera}/{sha256}.png" not in self._references.in_use(mine):
            raise NoSuchReference(f"{camera}/{sha256} is not in use")
        return file

    async def take(self, camera: str, signed: str) -> None:
        """Wish for a new view; raises TicketRefused, JournalBusy, or NoSuchReference.

        The last is for a camera that this box does not have.
        """
        await self._playback.admit(f"references/{camera}", signed)
        known = await asyncio.to_thread(in_force.load, self._orders)
        if all(other.id != camera for other in known.cameras):
            raise NoSuchReference(camera)
        await asyncio.to_thread(self._references.ask, camera)
