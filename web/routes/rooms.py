"""Rooms and their cameras."""

from orchestrator.access import Action
from web.call import Call
from web.endpoint import Endpoint, get
from web.paging import page
from web.shapes import Page, Paging, Room


async def rooms(call: Call, asked: Paging) -> Page[Room]:
    """List the rooms by id, with their cameras."""
    found = [
        Room(
            id=room.id,
            name=room.name,
            building=room.building,
            campus=room.campus,
            capacity=room.capacity,
            cameras=room.cameras,
        )
        for room in await call.centre.site.rooms()
    ]
    return page(found, asked, key=lambda room: room.id)


ENDPOINTS: tuple[Endpoint, ...] = (
    get(
        "/rooms",
        rooms,
        query=Paging,
        gives=Page[Room],
        needs=Action.see_rooms,
        summary="Rooms and their cameras",
    ),
)
