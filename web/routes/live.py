"""Live pictures: a page's offer, a player's offer, and the end of a look."""

from aiohttp.web import Response, StreamResponse

from contract.messages import Stream
from orchestrator.access import Action
from orchestrator.looks import Look
from web import shapes
from web.call import Call
from web.endpoint import BASE, Endpoint, end, post, reply
from web.problems import Problem

SDP = "application/sdp"
_REFUSALS = (
    "box_refused",
    "box_unreachable",
    "outside_window",
    "no_such",
    "bad_request",
    "too_many_looks",
)


class WhepQuery(shapes.Request, frozen=True, kw_only=True):
    """Which of the camera's streams."""

    stream: Stream = "sub"


async def open_live(call: Call) -> StreamResponse:
    """Begin a look at up to 16 cameras of one box."""
    asked = await call.body(shapes.LiveRequest)
    wishes = [(camera.id, camera.stream) for camera in asked.cameras]
    look = await call.centre.looks.open_live(
        call.person, asked.edge, wishes, asked.sdp, call.source
    )
    return reply(_live(look), 201, {"Location": address_of(look)})


async def open_whep(call: Call) -> StreamResponse:
    """Begin a look at one camera with a player that speaks WHEP."""
    if call.request.content_type != SDP:
        raise Problem("wrong_type", f"the body must be {SDP}")
    camera, asked = call.id(), call.query(WhepQuery)
    look = await call.centre.looks.open_whep(
        call.person, camera, await call.text(), call.source, asked.stream
    )
    return Response(
        text=look.sdp, status=201, content_type=SDP, headers={"Location": address_of(look)}
    )


async def end_live(call: Call) -> None:
    """End one's own look."""
    await call.centre.looks.end(call.id(), call.person)


async def issue_token(call: Call, asked: shapes.LiveTokenRequest) -> shapes.LiveToken:
    """Make a bearer with which a player may begin one camera's look within a minute."""
    made = await call.centre.looks.issue_live_token(call.person, asked.camera, call.source)
    return shapes.LiveToken(token=made.token, expires_at=made.expires_at)


def address_of(look: Look) -> str:
    """Give the address whose DELETE ends the look."""
    return f"{BASE}/live/{look.id}"


def _live(look: Look) -> shapes.Live:
    return shapes.Live(
        sdp=look.sdp,
        tracks=tuple(shapes.LiveTrack(mid=track.mid, camera=track.camera) for track in look.tracks),
        refused=tuple(shapes.NoPicture(camera=camera, code=code) for camera, code in look.refused),
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        method="POST",
        path=f"{BASE}/live",
        handle=open_live,
        needs=Action.see_live,
        summary="Begin a look at up to 16 cameras of one box",
        status=201,
        takes=shapes.LiveRequest,
        gives=shapes.Live,
        located=True,
        errors=_REFUSALS,
    ),
    Endpoint(
        method="POST",
        path=f"{BASE}/cameras/{{id}}/whep",
        handle=open_whep,
        needs=Action.see_live,
        summary="Begin a look at one camera (WHEP); by cookie or live token",
        status=201,
        query=WhepQuery,
        takes_type=SDP,
        gives_type=SDP,
        located=True,
        bearer=True,
        errors=(*_REFUSALS, "wrong_type"),
    ),
    end(
        "/live/{id}",
        end_live,
        needs=Action.see_live,
        bearer=True,
        summary="End one's own look, begun by /live or by WHEP",
    ),
    post(
        "/live-tokens",
        issue_token,
        takes=shapes.LiveTokenRequest,
        gives=shapes.LiveToken,
        needs=Action.see_live,
        status=201,
        summary="A bearer with which a player may begin one camera's look within a minute",
        errors=("outside_window", "no_such"),
    ),
)
