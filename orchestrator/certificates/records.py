"""Certificates as they are kept: rows in, documents out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Row, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.keys import Signed
from contract.spans import Span
from orchestrator.certificates.document import (
    BoxWord,
    Certificate,
    SignedCertificate,
    content_sha256,
    read,
)
from orchestrator.store.tables import certificates, exam_sessions

_LONGEST_LEAD = timedelta(days=1)
"""A window may begin before its session and end after it; never by so much."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An edition of a session's certificate, as it is kept."""

    session: str
    edition: int
    issued_at: datetime
    document: SignedCertificate

    @property
    def certificate(self) -> Certificate:
        """What it says."""
        return read(self.document.certificate.body)


def newest_of(columns: Iterable[Any]) -> Select[Any]:
    """Select columns of the newest edition of every session."""
    c = certificates.c
    last = select(c.session, func.max(c.edition).label("edition")).group_by(c.session).subquery()
    return select(*columns).join(
        last, (last.c.session == c.session) & (last.c.edition == c.edition)
    )


async def of_span(connection: AsyncConnection, wanted: Sequence[str], span: Span) -> list[Kept]:
    """Give what certifies these cameras in this span: each session's newest edition, by start.

    By what the certificates say: a camera may hang in another room since.
    """
    c, s = certificates.c, exam_sessions.c
    near = select(s.id).where(
        s.starts_at < span.end + _LONGEST_LEAD, s.ends_at > span.start - _LONGEST_LEAD
    )
    named = or_(*(c.body.contains(f'"camera":"{one}"', autoescape=True) for one in wanted))
    query = newest_of(certificates.c).where(c.session.in_(near), named)
    found = [
        (kept.certificate.content, kept) for kept in map(kept_of, await connection.execute(query))
    ]
    mine = [
        (content.session.window_start, content.session.id, kept)
        for content, kept in found
        if content.session.window_start < span.end and content.session.window_end > span.start
        if any(part.camera in wanted for part in content.cameras)
    ]
    return [kept for _, _, kept in sorted(mine, key=lambda one: one[:2])]


async def digests(connection: AsyncConnection, sessions: Sequence[str]) -> dict[str, str]:
    """Give what the newest edition of each of these sessions says, by its hash."""
    c = certificates.c
    query = newest_of([c.session, c.content_sha256]).where(c.session.in_(sessions))
    return {row.session: row.content_sha256 for row in await connection.execute(query)}


def columns_of(document: SignedCertificate, certificate: Certificate) -> dict[str, Any]:
    """Give an edition as a row."""
    content = certificate.content
    return {
        "session": content.session.id,
        "edition": certificate.edition,
        "issued_at": certificate.issued_at,
        "verdict": content.verdict,
        "planned_us": content.planned_us,
        "recorded_us": content.recorded_us,
        "seams_us": content.seams_us,
        "content_sha256": content_sha256(content),
        "kid": document.certificate.kid,
        "public": document.public,
        "body": document.certificate.body,
        "sig": document.certificate.sig,
        "statements": msgspec.to_builtins(document.statements),
    }


def kept_of(row: Row[Any]) -> Kept:
    """Give the edition a row holds."""
    document = SignedCertificate(
        certificate=Signed(row.kid, row.body, row.sig),
        public=row.public,
        statements=msgspec.convert(row.statements, type=tuple[BoxWord, ...]),
    )
    return Kept(row.session, row.edition, row.issued_at, document)
