"""Proof of coverage and of silence: what of an exam is recorded, certified and printed."""

from datetime import timedelta

from aiohttp.web import Response, StreamResponse

from contract.spans import Span
from orchestrator.access import Action
from orchestrator.certificates.document import SignedCertificate
from orchestrator.certificates.overview import Covered
from orchestrator.certificates.printing import printed
from orchestrator.certificates.records import Kept
from web import shapes
from web.call import Call, Nothing
from web.endpoint import BASE, Endpoint, get
from web.keys import COVERAGE
from web.problems import Problem
from web.routes.sessions import courses_of

_US = 1_000_000
_LONGEST = timedelta(days=31)


async def coverage(call: Call, _: Nothing) -> shapes.Coverage:
    """Compare planned and catalogued seconds of each camera of the session's room, up to now."""
    now = call.centre.clock.now()
    view = await call.centre.sessions.get(call.id("session"))
    found = await call.request.app[COVERAGE].of_room(view.session.room, view.window, now)
    kept = await call.centre.certificates.get(view.session.id)
    editions = await call.centre.certificates.editions(view.session.id)
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
                growing_since=camera.growing_since,
            )
            for camera in found
        ),
        state=view.state,
        certificate=kept.certificate if kept else None,
        editions=tuple(
            shapes.Edition(edition=number, issued_at=at, verdict=verdict)
            for number, at, verdict in editions
        ),
    )


async def covered(call: Call, asked: shapes.CoverageQuery) -> shapes.Page[shapes.CoverageRow]:
    """List sessions by start with their states and certified seconds."""
    found = await call.centre.certificates.overview.list(
        asked.start, asked.end, asked.after or None, asked.limit + 1
    )
    shown = found[: asked.limit]
    return shapes.Page(
        items=tuple(map(_row, shown)),
        next=shown[-1].view.session.id if len(found) > len(shown) else None,
    )


async def certificate(call: Call, asked: shapes.EditionQuery) -> SignedCertificate:
    """Give a certificate with all its signatures, as `xunkao coverage verify` reads it."""
    return (await _kept(call, asked.edition)).document


async def paper(call: Call) -> StreamResponse:
    """Print a certificate."""
    asked = call.query(shapes.PrintQuery)
    kept = await _kept(call, asked.edition)
    body = await printed(kept.document, asked.lang)
    name = f"coverage-{kept.session}-{kept.edition}-{asked.lang}.pdf"
    return Response(
        body=body,
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{name}"'},
    )


async def silence(call: Call, asked: shapes.SpanQuery) -> shapes.SilenceFound:
    """Say whether anything was recorded outside windows in a span of the past."""
    if asked.end - asked.start > _LONGEST:
        raise Problem("bad_request", "the span is longer than 31 days")
    try:
        found = await call.centre.certificates.silence(Span(asked.start, asked.end))
    except ValueError as error:
        raise Problem("bad_request", str(error)) from error
    return shapes.SilenceFound(
        start=found.start,
        end=found.end,
        silent=found.silent,
        cameras=found.cameras,
        segments=found.segments,
        contacts=found.contacts,
        lead_in_seconds=found.lead_in_us / _US,
        exceptions=found.exceptions,
        untrusted=found.untrusted,
        unproved=found.unproved,
    )


async def _kept(call: Call, edition: int | None) -> Kept:
    kept = await call.centre.certificates.get(call.id("session"), edition)
    if kept is None:
        raise Problem("no_such", "no certificate yet")
    return kept


def _row(found: Covered) -> shapes.CoverageRow:
    view, figures = found.view, found.figures
    return shapes.CoverageRow(
        session=view.session.id,
        room=view.session.room,
        room_name=view.room_name,
        building=found.building,
        start=view.session.start,
        end=view.session.end,
        window_start=view.window.start,
        window_end=view.window.end,
        state=view.state,
        courses=courses_of(view.session),
        edition=figures.edition if figures else None,
        planned_seconds=figures.planned_us / _US if figures else None,
        recorded_seconds=figures.kept_us / _US if figures else None,
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    get(
        "/coverage",
        covered,
        query=shapes.CoverageQuery,
        gives=shapes.Page[shapes.CoverageRow],
        needs=Action.see_coverage,
        summary="Sessions by start with their states and what their certificates say",
    ),
    get(
        "/coverage/silence",
        silence,
        query=shapes.SpanQuery,
        gives=shapes.SilenceFound,
        needs=Action.see_coverage,
        summary="Whether anything was recorded outside windows in a span of at most 31 days",
    ),
    Endpoint(
        method="GET",
        path=f"{BASE}/coverage/{{session}}.pdf",
        handle=paper,
        needs=Action.see_coverage,
        summary="A certificate on paper, in Chinese or English",
        query=shapes.PrintQuery,
        gives_type="application/pdf",
    ),
    get(
        "/coverage/{session}/certificate",
        certificate,
        query=shapes.EditionQuery,
        gives=SignedCertificate,
        needs=Action.see_coverage,
        summary="A certificate with all its signatures, for `xunkao coverage verify`",
    ),
    get(
        "/coverage/{session}",
        coverage,
        query=Nothing,
        gives=shapes.Coverage,
        needs=Action.see_coverage,
        summary="Planned and catalogued seconds of a session up to now, and its certificate",
    ),
)
