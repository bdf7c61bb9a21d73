"""What of an exam is in the catalogue."""

from orchestrator.access import Action
from web import shapes
from web.call import Call, Nothing
from web.endpoint import Endpoint, get
from web.keys import COVERAGE


async def coverage(call: Call, _: Nothing) -> shapes.Coverage:
    """Compare planned and catalogued seconds of each camera of the session's room, up to now."""
    now = call.centre.clock.now()
    view = await call.centre.sessions.get(call.id("session"))
    found = await call.request.app[COVERAGE].of_room(view.session.room, view.window, now)
    return shapes.Coverage(
        session=view.session.id,
        at=now,
        window_start=view.window.start,
        window_end=view.window.end,
        cameras=tuple(
            shapes.CameraCoverage(
                camera=camera.camera,
                planned_seconds=camera.planned_s,
                recorded_seconds=camera.recorded_s,
                missing=tuple(
                    shapes.Missing(
                        start=part.span.start,
                        end=part.span.end,
                        seconds=part.span.seconds,
                        cause=part.cause,
                    )
                    for part in camera.missing
                ),
            )
            for camera in found
        ),
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    get(
        "/coverage/{session}",
        coverage,
        query=Nothing,
        gives=shapes.Coverage,
        needs=Action.see_recordings,
        summary="Planned and catalogued seconds of a session up to now, and what is missing",
    ),
)
