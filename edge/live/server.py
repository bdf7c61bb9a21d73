"""What the centre asks of this box (contract.boxapi), over mutual TLS."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

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
from contract.boxapi import TICKET_HEADER, LiveOffer, ViewingOrder
from contract.cutting import NothingInside
from contract.fragments import Damaged, parts
from contract.ticket import TicketRefused
from edge.journal import JournalBusy
from edge.live.copies import Busy, Copies, CopyFailed
from edge.live.looks import Looks, NoSuchLook
from edge.live.playback import NoSuchRecording, Opened, Playback
from edge.live.views import ReferenceViews
from edge.live.webrtc import OfferRefused
from edge.references import NoSuchReference

log = logging.getLogger(__name__)

_LARGEST_REQUEST = 256 << 10
_LARGEST_PART = 8 << 20
_EVER = 1 << 62
_NOT_KEPT = {"Cache-Control": "no-store"}


def _json(value: object, status: int = 200) -> Response:
    return Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


def _ticket(request: Request) -> str:
    ticket = request.headers.get(TICKET_HEADER)
    if ticket is None:
        raise HTTPBadRequest(text=f"no {TICKET_HEADER}")
    return ticket


def _part_of(opened: Opened, wanted: slice) -> Response:
    """Send a part of a file that still grows; never beyond its last whole fragment."""
    start, stop, _ = wanted.indices(opened.size)
    if start >= stop:
        return Response(status=416, headers={"Content-Range": f"bytes */{opened.size}"})
    stop = min(stop, start + _LARGEST_PART)
    with opened.file.open("rb") as file:
        file.seek(start)
        body = file.read(stop - start)
    about = {"Content-Range": f"bytes {start}-{stop - 1}/{opened.size}"}
    return Response(status=206, body=body, content_type="video/mp4", headers=_NOT_KEPT | about)


Anchors = Callable[[], Awaitable[AnchorFile]]
"""Gives the box's chain of anchors."""


def application(
    looks: Looks, playback: Playback, views: ReferenceViews, copies: Copies, anchors: Anchors
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
        except NothingInside:
            return _json({"code": "nothing_inside"}, 404)
        except (CopyFailed, Damaged) as error:
            return _json({"code": "damaged", "detail": str(error)}, 422)
        except Busy:
            return _json({"code": "busy"}, 503)
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
        opened = await playback.open(request.match_info["path"], _ticket(request))
        if opened.file.suffix == ".part":
            return await asyncio.to_thread(_part_of, opened, request.http_range)
        return FileResponse(opened.file, headers=_NOT_KEPT)

    async def index(request: Request) -> Response:
        return _json(await playback.index(request.match_info["path"], _ticket(request)))

    async def keyframes(request: Request) -> Response:
        asked = request.query
        try:
            first, last = int(asked.get("from", "0")), int(asked.get("to", str(_EVER)))
        except ValueError as error:
            raise HTTPBadRequest(text="no times") from error
        path = request.match_info["path"]
        body = await playback.key_pictures(path, _ticket(request), first, last)
        return Response(body=body, content_type="video/mp4", headers=_NOT_KEPT)

    async def growing(request: Request) -> Response:
        return _json(await playback.growing(request.match_info["camera"], _ticket(request)))

    async def fragments(request: Request) -> StreamResponse:
        path = request.match_info["path"]
        begin, end = (_whole(request.query.get(name, "")) for name in ("from", "to"))
        what = f"fragments/{path}?from={begin}&to={end}"
        await playback.admit(what, _ticket(request))
        file = await playback.sealed(path)
        return await _stream(request, _off_the_loop(_fragments(file, begin, end)))

    async def viewing(request: Request) -> StreamResponse:
        body = await request.read()
        order = msgspec.json.decode(body, type=ViewingOrder)
        what = f"viewing/{order.camera}?sha256={hashlib.sha256(body).hexdigest()}"
        await playback.admit(what, _ticket(request))
        for path in order.paths:
            await playback.sealed(path)
        async with copies.making(order) as chunks:
            return await _stream(request, chunks)

    async def reference(request: Request) -> StreamResponse:
        asked = request.match_info
        file = await views.open(asked["camera"], asked["sha256"], _ticket(request))
        return FileResponse(file, headers=_NOT_KEPT)

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
    app.router.add_get("/fragments/{path:.+}", fragments)
    app.router.add_post("/viewing", viewing)
    app.router.add_get("/index/{path:.+}", index)
    app.router.add_get("/keyframes/{path:.+}", keyframes)
    app.router.add_get("/growing/{camera}", growing)
    app.router.add_get("/references/{camera}/{sha256}", reference)
    app.router.add_post("/references/{camera}", take)
    app.router.add_get("/anchors", kept)
    app.router.add_get("/health", health)
    return app


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise HTTPBadRequest(text="from and to are whole numbers")
    return int(text)


def _fragments(path: Path, begin: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from parts(file, begin, end)


async def _off_the_loop(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece


async def _stream(request: Request, pieces: AsyncIterator[bytes]) -> StreamResponse:
    """Send what comes; a piece that fails before any is a refusal, later a torn connection."""
    first = await anext(pieces, b"")
    response = StreamResponse(headers={"Cache-Control": "no-store"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    try:
        await response.write(first)
        async for piece in pieces:
            await response.write(piece)
    except (CopyFailed, OSError) as error:
        log.warning("%s broke off: %s", request.path, error)
        if request.transport is not None:
            request.transport.abort()
        return response
    await response.write_eof()
    return response
