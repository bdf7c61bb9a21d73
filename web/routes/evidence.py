"""Evidence packages: asked for, watched, fetched once by a link."""

import asyncio
from typing import BinaryIO, Literal, cast

from aiohttp.web import StreamResponse

from contract.keys import to_base64
from contract.spans import Span
from orchestrator.access import Action
from orchestrator.evidence.exports import Asked, Export
from web import shapes
from web.call import Call, Nothing
from web.endpoint import BASE, Endpoint, end, get, post
from web.shapes import EvidencePackage, Page, Paging

_CHUNK = 256 << 10

_State = Literal["waiting", "making", "made", "failed", "cancelled", "removed"]
_REFUSED = ("expired", "no_footage", "no_such", "not_over", "too_long")


async def packages(call: Call, asked: Paging) -> Page[EvidencePackage]:
    """List packages, newest first."""
    found = await call.centre.exports.list(asked.limit + 1, asked.after)
    shown = found[: asked.limit]
    return Page(
        items=tuple(map(_package, shown)),
        next=shown[-1].id if len(found) > len(shown) else None,
    )


async def key(call: Call, _: Nothing) -> shapes.EvidenceKey:
    """Give the public key that recipients need."""
    public = call.centre.keyring.evidence
    return shapes.EvidenceKey(kid=public.kid, public=to_base64(public.public))


async def estimate(call: Call, asked: shapes.EvidenceSpan) -> shapes.EvidenceEstimate:
    """Say how large a package would be, and what is missing."""
    span = Span(asked.start, asked.end)
    plan = await call.centre.exports.estimate(call.person, asked.cameras, span)
    return shapes.EvidenceEstimate(
        bytes=plan.bytes,
        segments=len(plan.pieces),
        missing=tuple(
            shapes.EvidenceHole(camera=camera, start=hole.start, end=hole.end)
            for camera, hole in plan.missing
        ),
    )


async def ask(call: Call, asked: shapes.EvidenceWish) -> EvidencePackage:
    """Have a package made."""
    wish = Asked(
        cameras=asked.cameras,
        span=Span(asked.start, asked.end),
        reason=asked.reason,
        request=asked.request,
        recipient=asked.recipient,
        requester=asked.requester,
        approved_by=asked.approved_by,
        undertaking=asked.undertaking,
    )
    return _package(await call.centre.exports.ask(call.person, wish, call.source))


async def package(call: Call, _: Nothing) -> EvidencePackage:
    """Show one package."""
    return _package(await call.centre.exports.get(call.id()))


async def cancel(call: Call) -> None:
    """Give up a package that is not made yet."""
    await call.centre.exports.cancel(call.person, call.id(), call.source)


async def link(call: Call, _: Nothing) -> shapes.EvidenceLink:
    """Make a link that opens the package once."""
    made = await call.centre.exports.link(call.person, call.id(), call.source)
    url = f"{BASE}/evidence/{call.id()}/file?link={made.token}"
    return shapes.EvidenceLink(url=url, expires_at=made.until)


async def file(call: Call) -> StreamResponse:
    """Send the package; the link is used up by it."""
    asked = call.query(shapes.EvidenceLinkQuery)
    fetching = call.centre.exports.fetch(call.person, call.id(), asked.link, call.source)
    async with fetching as (export, content):
        answer = StreamResponse(
            headers={
                "Content-Type": "application/zip",
                "Content-Disposition": f'attachment; filename="{export.id}.zip"',
            }
        )
        answer.content_length = export.bytes
        await answer.prepare(call.request)
        await _send(answer, content)
        await answer.write_eof()
    return answer


async def _send(answer: StreamResponse, content: BinaryIO) -> None:
    while data := await asyncio.to_thread(content.read, _CHUNK):
        await answer.write(data)


def _package(export: Export) -> EvidencePackage:
    return EvidencePackage(
        id=export.id,
        state=cast("_State", export.state),
        cameras=export.cameras,
        start=export.start,
        end=export.end,
        reason=export.reason,
        request=export.request,
        requester=export.requester,
        approved_by=export.approved_by,
        recipient=export.recipient,
        asked_by=export.asked_by,
        asked_at=export.asked_at,
        expected_bytes=export.expected_bytes,
        done_bytes=export.done_bytes,
        problem=export.problem,
        sha256=export.sha256,
        bytes=export.bytes,
        made_at=export.made_at,
        retain_until=export.retain_until,
        fetched_at=export.fetched_at,
        handed_out=export.handed_out,
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    get(
        "/evidence",
        packages,
        query=Paging,
        gives=Page[EvidencePackage],
        needs=Action.export_evidence,
        summary="Evidence packages, newest first",
    ),
    post(
        "/evidence",
        ask,
        takes=shapes.EvidenceWish,
        gives=EvidencePackage,
        needs=Action.export_evidence,
        summary="Have an evidence package made; its making is watched at its own address",
        status=202,
        location=lambda made: f"{BASE}/evidence/{made.id}",
        errors=(*_REFUSED, "conflict", "reason_required", "undertaking_required"),
    ),
    post(
        "/evidence/estimate",
        estimate,
        takes=shapes.EvidenceSpan,
        gives=shapes.EvidenceEstimate,
        needs=Action.export_evidence,
        summary="How large a package would be, and what of the span is missing",
        errors=_REFUSED,
    ),
    get(
        "/evidence/key",
        key,
        query=Nothing,
        gives=shapes.EvidenceKey,
        needs=Action.export_evidence,
        summary="The public key with which recipients check packages of this site",
    ),
    get(
        "/evidence/{id}",
        package,
        query=Nothing,
        gives=EvidencePackage,
        needs=Action.export_evidence,
        summary="An evidence package and how it stands with it",
    ),
    end(
        "/evidence/{id}",
        cancel,
        needs=Action.export_evidence,
        summary="Give up a package that is not made yet",
        errors=("conflict",),
    ),
    post(
        "/evidence/{id}/link",
        link,
        takes=Nothing,
        gives=shapes.EvidenceLink,
        needs=Action.export_evidence,
        summary="A link that opens the package once; an earlier one is worth nothing then",
        status=201,
        errors=("conflict",),
    ),
    Endpoint(
        method="GET",
        path=f"{BASE}/evidence/{{id}}/file",
        handle=file,
        needs=Action.export_evidence,
        summary="The package (zip), once per link; written down before",
        query=shapes.EvidenceLinkQuery,
        gives_type="application/zip",
        errors=("expired", "link_used"),
    ),
)
