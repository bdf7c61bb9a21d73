"""The boxes: which there are, how they join, how they leave."""

from aiohttp.web import Response, StreamResponse

from contract.enrolment import Enrol
from orchestrator.access import Action
from web.call import Call, Nothing
from web.endpoint import BASE, Endpoint, Gate, get, post
from web.keys import OVERVIEW
from web.paging import page
from web.shapes import Because, Edge, Invitation, Page, Paging


async def edges(call: Call, asked: Paging) -> Page[Edge]:
    """List the boxes by id, with what was heard of them last."""
    states = await call.request.app[OVERVIEW].edges()
    cameras = await call.centre.site.cameras()
    found = []
    for edge in await call.centre.enrolment.edges():
        state = states.get(edge.id)
        found.append(
            Edge(
                id=edge.id,
                state=state.state if state else "unknown",
                at=state.at if state else None,
                epoch=state.epoch if state else 0,
                revision=state.revision if state else 0,
                clock_trusted=state.clock_trusted if state else False,
                free_bytes=state.free_bytes if state else None,
                enrolled_at=edge.enrolled_at,
                revoked_at=edge.revoked_at,
                cameras=tuple(camera.id for camera in cameras if camera.edge == edge.id),
            )
        )
    return page(found, asked, key=lambda edge: edge.id)


async def invite(call: Call, _: Nothing) -> Invitation:
    """Make a one-time code for a box; it is in no log."""
    made = await call.centre.enrolment.invite(call.id(), call.person.user, call.source)
    return Invitation(code=str(made.code), expires_at=made.expires_at)


async def revoke(call: Call) -> StreamResponse:
    """Refuse a box everywhere from now on."""
    asked = await call.body(Because)
    await call.centre.revoke(call.id(), call.person.user, asked.reason, call.source)
    return Response(status=204)


async def enrol(call: Call) -> StreamResponse:
    """Let in a box that holds a code; the answer is signed with the centre's identity key."""
    signed = await call.centre.enrol(await call.body(Enrol), call.source)
    return Response(body=signed, status=201, content_type="application/json")


ENDPOINTS: tuple[Endpoint, ...] = (
    get(
        "/edges",
        edges,
        query=Paging,
        gives=Page[Edge],
        needs=Action.see_edges,
        summary="Boxes and what was heard of them last",
    ),
    post(
        "/edges/{id}/invite",
        invite,
        takes=Nothing,
        gives=Invitation,
        needs=Action.manage_edges,
        status=201,
        summary="A one-time code with which a box may join, valid 15 min",
        errors=("bad_id",),
    ),
    Endpoint(
        method="POST",
        path=f"{BASE}/edges/{{id}}/revoke",
        handle=revoke,
        needs=Action.manage_edges,
        summary="Refuse a box everywhere from now on",
        status=204,
        takes=Because,
    ),
    Endpoint(
        method="POST",
        path=f"{BASE}/enrol",
        handle=enrol,
        needs=Gate.PUBLIC,
        summary="A box joins with a one-time code; the answer is a signed Enrolled",
        status=201,
        takes=Enrol,
        gives_type="application/json",
        attempt=True,
        errors=("bad_code",),
    ),
)
