"""Reference views for the centre: each by its ticket, and a new one on request."""

import asyncio
from pathlib import Path

from edge import orders as in_force
from edge.live.playback import Playback
from edge.references import NoSuchReference, References


class ReferenceViews:
    """Gives out stored views and passes on wishes for new ones."""

    def __init__(self, playback: Playback, references: References, orders: Path) -> None:
        self._playback = playback
        self._references = references
        self._orders = orders

    async def open(self, camera: str, sha256: str, signed: str) -> Path:
        """Give the file a ticket opens; raises TicketRefused, NoSuchReference or JournalBusy."""
        await self._playback.admit(f"references/{camera}/{sha256}", signed)
        return await asyncio.to_thread(self._references.find, camera, sha256)

    async def take(self, camera: str, signed: str) -> None:
        """Wish for a new view; raises TicketRefused, JournalBusy, or NoSuchReference.

        The last is for a camera that this box does not have.
        """
        await self._playback.admit(f"references/{camera}", signed)
        known = await asyncio.to_thread(in_force.load, self._orders)
        if all(other.id != camera for other in known.cameras):
            raise NoSuchReference(camera)
        await asyncio.to_thread(self._references.ask, camera)
