"""Play sessions: begun with a reason or for an open alert, fed, reported on, ended."""

from typing import Annotated, Any

import msgspec
from aiohttp.web import Response, StreamResponse
from msgspec import Meta

from contract.boxapi import SegmentIndex
from contract.clock import Instant
from contract.spans import Span
from orchestrator.access import Action
from orchestrator.playbacks import Playback as Session
from orchestrator.playedspans import Played
from web import shapes
from web.call import Call, Nothing
from web.endpoint import BASE, Endpoint, end, get, post
from web.keys import PLAYBACKS
from web.problems import Problem
from web.routes.recordings import pass_on
from web.shapes import Footage, Intervals, NewPlayback, Page, Playback

_OF_FOOTAGE = (
    "alert_closed",
    "box_refused",
    "box_unreachable",
    "expired",
    "not_on_duty",
    "outside_span",
    "playback_ended",
    "rate_limited",
)

PlaybackId = Annotated[str, Meta(min_length=1, max_length=64, pattern="^[A-Za-z0-9]+$")]


class OfPlayback(shapes.Request, frozen=True, kw_only=True):
    """Under which play session."""

    play: PlaybackId


class KeyPictures(shapes.Request, frozen=True, kw_only=True):
    """Under which play session, and which part; the whole where none is named."""

    play: PlaybackId
    start: Instant | None = msgspec.field(default=None, name="from")
    end: Instant | None = msgspec.field(default=None, name="to")


async def begin(call: Call, asked: NewPlayback) -> Playback:
    """Begin a play session."""
    if asked.end <= asked.start:
        raise Problem("bad_request", "it ends before it begins")
    span = Span(asked.start, asked.end)
    made = call.centre.playbacks.open(call.person, asked.cameras, span, asked.reason, call.source)
    return _playback(await made)


async def replay(call: Call, _: Nothing) -> Playback:
    """Begin a short play session of an alert's camera."""
    return _playback(await call.centre.playbacks.replay(call.person, call.id(), call.source))


async def footage(call: Call, _: Nothing) -> Page[Footage]:
    """List what a session may show."""
    found = await call.centre.screening.footage(call.person, call.id())
    return Page(
        items=tuple(
            Footage(
                id=one.id,
                camera=one.camera,
                start=one.start,
                end=one.end,
                bytes=one.bytes,
                growing=one.growing,
            )
            for one in found
        )
    )


async def report(call: Call) -> StreamResponse:
    """Take in what the page says it showed."""
    asked = await call.body(Intervals)
    said = [
        Played(one.camera, Span(one.start, one.end), one.speed)
        for one in asked.items
        if one.start < one.end
    ]
    await call.centre.playbacks.report(call.person, call.id(), said)
    if asked.ended:
        await call.centre.playbacks.end(call.person, call.id())
    return Response(status=204)


async def finish(call: Call) -> None:
    """End one's own session."""
    await call.centre.playbacks.end(call.person, call.id())


async def index(call: Call) -> StreamResponse:
    """Give where each picture of a recording stands, as the box wrote it."""
    asked = call.query(OfPlayback)
    raw = await call.centre.screening.index(call.person, asked.play, call.id(), call.source)
    return Response(body=raw, content_type="application/json")


async def keyframes(call: Call) -> StreamResponse:
    """Pass the key pictures of a recording on."""
    asked = call.query(KeyPictures)
    part = None
    if asked.start is not None and asked.end is not None:
        part = Span(asked.start, asked.end)
    with call.request.app[PLAYBACKS].one_of(call.person.id):
        async with call.centre.screening.key_pictures(
            call.person, asked.play, call.id(), part, call.source
        ) as found:
            return await pass_on(call.request, found, call.person.id)


def _playback(made: Session) -> Playback:
    return Playback(
        id=made.id,
        cameras=made.cameras,
        start=made.span.start,
        end=made.span.end,
        until=made.until,
        alert=made.alert,
    )


def _address(made: Any) -> str:
    return f"{BASE}/playbacks/{made.id}"


ENDPOINTS: tuple[Endpoint, ...] = (
    post(
        "/playbacks",
        begin,
        takes=NewPlayback,
        gives=Playback,
        needs=Action.play_recording,
        status=201,
        location=_address,
        summary="Begin a play session of up to 4 cameras, with a reason; `from` and `to` bound it",
        errors=("no_such", "reason_required", "too_many_playbacks"),
    ),
    get(
        "/playbacks/{id}/recordings",
        footage,
        query=Nothing,
        gives=Page[Footage],
        needs=Action.watch_footage,
        summary="What one's own play session may show; a replay's ends with the file that grows",
        errors=("alert_closed", "not_on_duty", "playback_ended"),
    ),
    Endpoint(
        method="POST",
        path=f"{BASE}/playbacks/{{id}}/intervals",
        handle=report,
        needs=Action.watch_footage,
        summary="What the page showed and how fast, beside what was sent; `ended` ends the session",
        status=204,
        takes=Intervals,
        errors=("alert_closed", "not_on_duty", "outside_span", "playback_ended", "too_large"),
    ),
    end(
        "/playbacks/{id}",
        finish,
        needs=Action.watch_footage,
        summary="End one's own play session",
    ),
    Endpoint(
        method="GET",
        path=f"{BASE}/recordings/{{id}}/index",
        handle=index,
        needs=Action.watch_footage,
        summary="Fragments of a recording: bytes, times in 90 kHz, key pictures; under a play "
        "session",
        query=OfPlayback,
        gives=SegmentIndex,
        errors=_OF_FOOTAGE,
    ),
    Endpoint(
        method="GET",
        path=f"{BASE}/recordings/{{id}}/keyframes",
        handle=keyframes,
        needs=Action.watch_footage,
        summary="The key pictures of a recording alone (fMP4), or of a part; under a play session",
        query=KeyPictures,
        gives_type="video/mp4",
        errors=_OF_FOOTAGE,
    ),
    post(
        "/alerts/{id}/replay",
        replay,
        takes=Nothing,
        gives=Playback,
        needs=Action.handle_alerts,
        status=201,
        location=_address,
        summary="Begin a play session of an open alert's camera from 30 s before it was raised, "
        "for whoever took it or was sent it",
        errors=("alert_closed", "no_camera", "not_on_duty", "too_many_playbacks"),
    ),
)
