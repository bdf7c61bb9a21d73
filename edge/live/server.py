"""What the centre asks of this box (contract.boxapi), over mutual TLS."""

import logging
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp.typedefs import Handler
from aiohttp.web import (
    Application,
    FileResponse,
    HTTPBadRequest,
    Request,
    Response,
    StreamResponse,
    middleware,
)

from contract.anchors import AnchorFile
from contract.boxapi import TICKET_HEADER, LiveOffer
from contract.ticket import TicketRefused
from edge.journal import JournalBusy
from edge.live.looks import Looks, NoSuchLook
from edge.live.playback import NoSuchRecording, Playback
from edge.live.views import ReferenceViews
from edge.live.webrtc import OfferRefused
from edge.references import NoSuchReference

log = logging.getLogger(__name__)

_LARGEST_REQUEST = 256 << 10


def _json(value: object, status: int = 200) -> Response:
    return Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


def _ticket(request: Request) -> str:
    ticket = request.headers.get(TICKET_HEADER)
    if ticket is None:
        raise HTTPBadRequest(text=f"no {TICKET_HEADER}")
    return ticket


Anchors = Callable[[], Awaitable[AnchorFile]]
"""Gives the box's chain of anchors."""


def application(
    looks: Looks, playback: Playback, views: ReferenceViews, anchors: Anchors
) -> Application:
    """Make the application; its callers were checked by TLS."""

    @middleware
    async def answer(request: Request, handler: Handler) -> StreamResponse:
        looks.centre_spoke()
        try:
            return await handler(request)
        except TicketRefused as refusal:
            return _json({"code": refusal.code}, 403)
        except (NoSuchLook, NoSuchRecording, NoSuchReference) as error:
            return _json({"code": "no_such", "detail": str(error)}, 404)
        except (OfferRefused, msgspec.MsgspecError) as error:
            return _json({"code": "bad_offer", "detail": str(error)}, 400)
        except JournalBusy as error:
            return _json({"code": "journal_busy", "detail": str(error)}, 503)

    async def begin(request: Request) -> Response:
        offer = msgspec.json.decode(await request.read(), type=LiveOffer)
        return _json(await looks.begin(offer), 201)

    async def renew(request: Request) -> Response:
        await looks.renew(request.match_info["id"], await request.read())
        return Response(status=204)

    async def end(request: Request) -> Response:
        looks.end(request.match_info["id"])
        return Response(status=204)

    async def listed(_: Request) -> Response:
        return _json(looks.listed())

    async def shelf(request: Request) -> StreamResponse:
        file = await playback.open(request.match_info["path"], _ticket(request))
        return FileResponse(file, headers={"Cache-Control": "no-store"})

    async def reference(request: Request) -> StreamResponse:
        asked = request.match_info
        file = await views.open(asked["camera"], asked["sha256"], _ticket(request))
        return FileResponse(file, headers={"Cache-Control": "no-store"})

    async def take(request: Request) -> Response:
        await views.take(request.match_info["camera"], _ticket(request))
        return Response(status=202)

    async def kept(_: Request) -> Response:
        return _json(await anchors())

    async def health(_: Request) -> Response:
        return _json({"state": "ok", "looks": len(looks.listed())})

    app = Application(middlewares=[answer], client_max_size=_LARGEST_REQUEST)
    app.router.add_post("/live", begin)
    app.router.add_get("/live", listed)
    app.router.add_post("/live/{id}/renew", renew)
    app.router.add_delete("/live/{id}", end)
    app.router.add_get("/shelf/{path:.+}", shelf)
    app.router.add_get("/references/{camera}/{sha256}", reference)
    app.router.add_post("/references/{camera}", take)
    app.router.add_get("/anchors", kept)
    app.router.add_get("/health", health)
    return app
