"""Recordings: which there are, and their bytes for one who says why."""

from typing import Annotated
from urllib.parse import unquote

from aiohttp import ClientError
from aiohttp.web import Request, StreamResponse
from msgspec import Meta

from contract.archive import ArchiveBroken
from contract.objects import NoSuchObject, StoreAway
from orchestrator.access import Action
from orchestrator.recordings import Media, Segment
from web import shapes
from web.call import Call
from web.endpoint import BASE, Endpoint, get
from web.keys import PACE, PLAYBACKS
from web.shapes import DaysQuery, Page, Reason, RecordedDays, Recording, RecordingsQuery

REASON_HEADER = "X-Reason"
"""Percent-encoded UTF-8, for callers that keep the reason out of addresses."""
SOURCE_HEADER = "X-Footage-Source"
"""`archive`: the bytes are the second copy's, because the box could not give them."""


class MediaQuery(shapes.Request, frozen=True, kw_only=True):
    """Why somebody looks; else the header X-Reason says it, or a play session stands for it."""

    reason: Reason = ""
    play: Annotated[str, Meta(max_length=64, pattern="^[A-Za-z0-9]*$")] = ""


async def recordings(call: Call, asked: RecordingsQuery) -> Page[Recording]:
    """List recordings of the main streams by start."""
    found = await call.centre.recordings.segments(
        asked.camera, asked.start, asked.end, limit=asked.limit + 1, after=asked.after
    )
    shown = found[: asked.limit]
    return Page(
        items=tuple(map(_recording, shown)),
        next=shown[-1].id if len(found) > len(shown) else None,
    )


async def days(call: Call, asked: DaysQuery) -> RecordedDays:
    """Give the days of the site on which a camera has recordings."""
    found = await call.centre.recordings.days(
        asked.camera, asked.first, asked.last, call.centre.config.zone
    )
    return RecordedDays(days=tuple(found))


async def media(call: Call) -> StreamResponse:
    """Pass the bytes of a recording on as they come, or the part that Range names."""
    asked = call.query(MediaQuery)
    reason = asked.reason or unquote(call.request.headers.get(REASON_HEADER, ""))
    wanted = call.request.headers.get("Range", "")
    opened = (
        call.centre.screening.media(call.person, asked.play, call.id(), wanted, call.source)
        if asked.play
        else call.centre.recordings.open_media(call.person, call.id(), reason, wanted, call.source)
    )
    with call.request.app[PLAYBACKS].one_of(call.person.id):
        async with opened as found:
            return await pass_on(call.request, found, call.person.id)


async def pass_on(request: Request, found: Media, person: str = "") -> StreamResponse:
    """Send what the box sends, chunk by chunk, at the pace a person has; nothing is kept."""
    pace = request.app.get(PACE)
    headers = {"Accept-Ranges": "bytes", "Content-Type": "video/mp4"}
    if found.content_range:
        headers["Content-Range"] = found.content_range
    if found.is_copy:
        headers[SOURCE_HEADER] = "archive"
    answer = StreamResponse(status=found.status, headers=headers)
    answer.content_length = found.length
    await answer.prepare(request)
    try:
        async for chunk in found.chunks:
            if pace is not None:
                await pace.take(person, len(chunk))
            await answer.write(chunk)
    except (ClientError, TimeoutError, OSError, StoreAway, NoSuchObject, ArchiveBroken):
        # The head is sent: the only honest end is a torn connection, never a short file.
        if request.transport is not None:
            request.transport.abort()
        return answer
    await answer.write_eof()
    return answer


def _recording(segment: Segment) -> Recording:
    return Recording(
        id=segment.id,
        camera=segment.camera,
        start=segment.start,
        end=segment.end,
        bytes=segment.bytes,
        root=segment.root,
        retain_until=segment.retain_until,
        held=segment.held,
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    get(
        "/recordings",
        recordings,
        query=RecordingsQuery,
        gives=Page[Recording],
        needs=Action.see_recordings,
        summary="Recordings of the main streams, by start",
    ),
    get(
        "/recordings/days",
        days,
        query=DaysQuery,
        gives=RecordedDays,
        needs=Action.see_recordings,
        summary="Days of the site on which a camera has recordings, of at most 62",
    ),
    Endpoint(
        method="GET",
        path=f"{BASE}/recordings/{{id}}/media",
        handle=media,
        needs=Action.watch_footage,
        summary="The bytes of a recording (fMP4; Range); a play session or, for the exam office, a "
        "reason is needed and written down; `X-Footage-Source: archive`: the box cannot give it",
        query=MediaQuery,
        gives_type="video/mp4",
        errors=(
            "alert_closed",
            "box_refused",
            "box_unreachable",
            "expired",
            "not_on_duty",
            "outside_span",
            "playback_ended",
            "rate_limited",
            "reason_required",
            "unsatisfiable_range",
        ),
    ),
)
