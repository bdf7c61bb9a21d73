"""A certificate on paper. What people wrote travels as data: none of it is ever read as layout."""

import asyncio
import hashlib
import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pylopdf_fonts_zh_cn
import typst

from contract.coverage import length_us
from contract.spans import Span
from orchestrator.certificates import words
from orchestrator.certificates.document import (
    CameraPart,
    Certificate,
    Copy,
    Outside,
    SignedCertificate,
    Silence,
    StreamPart,
    read,
)
from orchestrator.certificates.words import Language

TEMPLATE = Path(__file__).with_name("certificate.typ")
_MOST_GAPS = 200
_MOST_LISTED = 20
_SHORT = 16
_US = 1_000_000


async def printed(
    document: SignedCertificate, lang: Language, kind: Literal["pdf", "png"] = "pdf"
) -> bytes:
    """Give the certificate as PDF, or its first page as a picture."""
    return await asyncio.to_thread(compiled, document, lang, kind)


def compiled(
    document: SignedCertificate, lang: Language, kind: Literal["pdf", "png"] = "pdf"
) -> bytes:
    """Lay it out. Needs no network and no font but those that are installed with us."""
    certificate = read(document.certificate.body)
    data = json.dumps(_page(document, certificate, lang), ensure_ascii=False)
    made: object = typst.compile(
        TEMPLATE.read_bytes(),
        format=kind,
        ppi=144,
        font_paths=_fonts(),
        sys_inputs={"data": data},
        timestamp=certificate.issued_at,
    )
    first = made[0] if isinstance(made, list) else made
    if not isinstance(first, bytes):
        raise TypeError("typst gave no pages")
    return first


@cache
def _fonts() -> typst.Fonts:
    folder = pylopdf_fonts_zh_cn.sans_path().parent
    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=True, font_paths=[str(folder)]
    )


def _page(document: SignedCertificate, certificate: Certificate, lang: Language) -> dict[str, Any]:
    """Give all that stands on it as text; the template only places it."""
    w, content = words.words(lang), certificate.content
    sitting = content.session
    when = _When(content.timezone)
    kept = content.recorded_us + content.seams_us
    place = " · ".join(filter(None, (sitting.campus, sitting.building)))
    courses = "、".join(f"{one.name} {one.code}".strip() for one in sitting.courses)
    return {
        "lang": lang,
        "w": w,
        "site": content.site,
        "number": f"{sitting.id} / {certificate.edition}",
        "edition": w["edition"].format(n=certificate.edition),
        "verdict": w[content.verdict],
        "verified": content.verdict == "VERIFIED",
        "facts": [
            [w["room"], " · ".join(filter(None, (sitting.room_name, place)))],
            [w["exam"], when.span(sitting.start, sitting.end)],
            [w["window"], when.span(sitting.window_start, sitting.window_end)],
            [w["courses"], courses or "—"],
            [w["headcount"], "—" if sitting.headcount is None else str(sitting.headcount)],
            [w["session"], sitting.id],
            [w["issued"], when.full(certificate.issued_at)],
        ],
        "figures": [
            [w["planned"], _seconds(content.planned_us, w)],
            [w["recorded"], _seconds(kept, w)],
            [w["missing"], _seconds(content.missing_us, w)],
            [w["coverage"], share(kept, content.planned_us)],
        ],
        "cameras": [
            _camera(camera, part, w) for camera in content.cameras for part in camera.streams
        ],
        "gaps": _gaps(certificate, when, lang, w),
        "reasons": [
            f"{reason.camera} {words.reason(reason.code, lang)}".strip()
            for reason in content.reasons
        ],
        "silence": _silence(content.silence, when, w),
        "signatures": _signatures(document, certificate, lang, w),
        "zone": w["time_zone"].format(zone=content.timezone),
    }


def share(kept_us: int, planned_us: int) -> str:
    """Give recorded of planned in percent, rounded down: only the whole is called 100."""
    if not planned_us:
        return "—"
    return f"{kept_us * 10_000 // planned_us / 100:.2f} %"


class _When:
    """Instants as people of the site read them."""

    def __init__(self, timezone: str) -> None:
        self._zone = ZoneInfo(timezone)

    def full(self, at: datetime) -> str:
        return f"{at.astimezone(self._zone):%Y-%m-%d %H:%M:%S}"

    def minute(self, at: datetime) -> str:
        return f"{at.astimezone(self._zone):%Y-%m-%d %H:%M}"

    def tenth(self, at: datetime) -> str:
        local = at.astimezone(self._zone)
        return f"{local:%H:%M:%S}.{local.microsecond // 100_000}"

    def span(self, start: datetime, end: datetime) -> str:
        a, b = start.astimezone(self._zone), end.astimezone(self._zone)
        last = f"{b:%H:%M}" if a.date() == b.date() else f"{b:%Y-%m-%d %H:%M}"
        return f"{a:%Y-%m-%d %H:%M} – {last}"


def _seconds(us: int, w: dict[str, str]) -> str:
    return w["seconds"].format(s=f"{us / _US:,.1f}")


def _short(digest: str) -> str:
    return digest[:_SHORT] + "…" if len(digest) > _SHORT else digest or "—"


def _camera(camera: CameraPart, part: StreamPart, w: dict[str, str]) -> list[str]:
    missing = sum(gap.us for gap in part.gaps)
    clock = w["clock_bad"].format(n=part.untrusted) if part.untrusted else w["clock_ok"]
    clock = clock if part.segments else "—"
    if part.worst_offset_ms is not None:
        clock += "\n" + w["offset"].format(ms=f"{part.worst_offset_ms:.0f}")
    return [
        camera.camera,
        camera.edge,
        _seconds(part.planned_us, w),
        _seconds(part.recorded_us + part.seams_us, w),
        _seconds(missing, w),
        str(len(part.segments)),
        _short(part.chain_head),
        "\n".join(_copy(copy, w) for copy in part.copies) or "—",
        clock,
    ]


def _copy(copy: Copy, w: dict[str, str]) -> str:
    verified = f"（{w['copy_verified']} {copy.verified_at:%m-%d}）" if copy.verified_at else ""
    return f"{w[f'copy_{copy.where}']} {copy.name} × {copy.segments}{verified}"


def _gaps(
    certificate: Certificate, when: _When, lang: Language, w: dict[str, str]
) -> dict[str, Any]:
    rows = [
        [
            camera.camera,
            when.tenth(gap.start),
            when.tenth(gap.end),
            _seconds(gap.us, w),
            words.cause(gap.cause, lang),
        ]
        for camera in certificate.content.cameras
        for part in camera.streams
        for gap in part.gaps
    ]
    return {"rows": rows[:_MOST_GAPS], "more": _more(len(rows) - _MOST_GAPS, w)}


def _more(left: int, w: dict[str, str]) -> str:
    return w["more"].format(n=left) if left > 0 else ""


def _silence(found: Silence, when: _When, w: dict[str, str]) -> dict[str, Any]:
    text = w["silent" if found.silent else "not_silent"].format(
        start=when.minute(found.start), end=when.minute(found.end), cameras=found.cameras
    )
    rows = [_outside(one, w[f"outside_{one.kind}"], when, w) for one in found.exceptions]
    rows += [
        _outside(one, f"{w[f'outside_{one.kind}']}（{w['untrusted']}）", when, w)
        for one in found.untrusted
    ]
    rows += [
        [one.edge, when.full(one.start), when.full(one.end), w[one.why]] for one in found.unproved
    ]
    return {"text": text, "rows": rows[:_MOST_LISTED], "more": _more(len(rows) - _MOST_LISTED, w)}


def _outside(one: Outside, what: str, when: _When, w: dict[str, str]) -> list[str]:
    length = _seconds(length_us(Span(one.start, one.end)), w)
    return [
        f"{one.camera} {one.stream}",
        when.full(one.start),
        when.full(one.end),
        f"{what} {length}",
    ]


def _signatures(
    document: SignedCertificate, certificate: Certificate, lang: Language, w: dict[str, str]
) -> list[list[str]]:
    head, signed = certificate.ledger, document.certificate
    body = hashlib.sha256(signed.body.encode()).hexdigest()
    rows = [
        [w["centre"], f"{w['key']} {signed.kid} · {w['signature']} {_short(signed.sig)}"],
        [w["body"], body],
        [w["ledger"], f"#{head.id} {head.hash}"],
    ]
    for camera in certificate.content.cameras:
        for part in camera.streams:
            if not part.statements:
                rows.append([w["box"], w["no_word"].format(camera=camera.camera)])
            for stated in part.statements:
                what = "、".join(words.difference(code, lang) for code in stated.differs)
                agrees = w["differs"].format(what=what) if what else w["agrees"]
                rows.append(
                    [
                        f"{w['box']} {stated.edge} · {camera.camera}",
                        (
                            f"{w['key']} {stated.kid} · {w['statement']} {_short(stated.sha256)} · "
                            f"{agrees}"
                        ),
                    ]
                )
    return rows
