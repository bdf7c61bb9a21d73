"""Reference views: what each camera should see."""

from aiohttp.web import Response, StreamResponse

from orchestrator.access import Action
from web.call import Call
from web.endpoint import BASE, Endpoint, end, get
from web.paging import page
from web.shapes import Approve, Page, Paging, Reference, ReferencePicture


async def references(call: Call, asked: Paging) -> Page[Reference]:
    """List the cameras' references by camera."""
    found = [
        Reference(
            camera=one.camera,
            room=one.room,
            room_name=one.room_name,
            state=one.state,
            sha256=one.sha256,
            taken_at=one.taken_at,
            approved=one.approved,
            approved_by=one.approved_by,
            approved_at=one.approved_at,
        )
        for one in await call.centre.references.list()
    ]
    return page(found, asked, key=lambda one: one.camera)


async def picture(call: Call) -> StreamResponse:
    """Pass a view on from its box; the look stands in the ledger."""
    asked = call.query(ReferencePicture)
    body = await call.centre.references.picture(
        call.person, call.id("camera"), asked.sha256, call.source
    )
    return Response(body=body, content_type="image/png")


async def approve(call: Call) -> StreamResponse:
    """Compare the camera with this view from now on."""
    asked = await call.body(Approve)
    await call.centre.references.approve(call.person, call.id("camera"), asked.sha256, call.source)
    return Response(status=204)


async def take(call: Call) -> None:
    """Have the box take a new view."""
    await call.centre.references.take(call.person, call.id("camera"), call.source)


ENDPOINTS: tuple[Endpoint, ...] = (
    get(
        "/references",
        references,
        query=Paging,
        gives=Page[Reference],
        needs=Action.approve_reference,
        summary="Reference views by camera: none, a candidate that waits, or an approved one",
    ),
    Endpoint(
        method="GET",
        path=f"{BASE}/references/{{camera}}/picture",
        handle=picture,
        needs=Action.approve_reference,
        summary="A reference view as its box took it; the look stands in the ledger",
        query=ReferencePicture,
        gives_type="image/png",
        errors=("box_refused", "box_unreachable"),
    ),
    Endpoint(
        method="POST",
        path=f"{BASE}/references/{{camera}}/approve",
        handle=approve,
        needs=Action.approve_reference,
        summary="Compare the camera with this view from now on",
        status=204,
        takes=Approve,
        errors=("too_large",),
    ),
    end(
        "/references/{camera}/take",
        take,
        method="POST",
        needs=Action.approve_reference,
        summary="Have the box take a new view; it comes as a candidate",
        errors=("box_refused", "box_unreachable"),
    ),
)
