"""Cameras and what was heard of them last."""

from orchestrator.access import Action
from orchestrator.overview import CameraSeen
from web.call import Call
from web.endpoint import Endpoint, get
from web.keys import OVERVIEW
from web.paging import page
from web.shapes import Camera, Page, Paging


async def cameras(call: Call, asked: Paging) -> Page[Camera]:
    """List the cameras by id; `live` says whether a look is allowed now."""
    known = await call.centre.site.cameras()
    names = {room.id: room.name for room in await call.centre.site.rooms()}
    seen = await call.request.app[OVERVIEW].cameras()
    allowed = await call.centre.looks.allowed_now([camera.id for camera in known])
    found = []
    for camera in known:
        state = seen.get(camera.id) or CameraSeen(camera.id)
        found.append(
            Camera(
                id=camera.id,
                room=camera.room,
                room_name=names.get(camera.room, camera.room),
                edge=camera.edge,
                switch=camera.switch,
                state=state.state,
                cause=state.cause,
                last_frame_at=state.last_frame_at,
                recording=state.recording,
                bitrate_bps=state.bitrate_bps,
                live=camera.id in allowed,
            )
        )
    return page(found, asked, key=lambda camera: camera.id)


ENDPOINTS: tuple[Endpoint, ...] = (
    get(
        "/cameras",
        cameras,
        query=Paging,
        gives=Page[Camera],
        needs=Action.see_cameras,
        summary="Cameras and what was heard of them last",
    ),
)
