"""Issuing certificates: one edition when a session is over, another when what is known changes."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.clock import Clock
from contract.keys import SigningKey, to_base64
from contract.messages import Archived, CoverageStated, Fact, GapFound, SegmentClosed, data_of
from contract.retry import keep
from contract.spans import Span
from orchestrator.certificates.building import Facts, build, is_ready, words_of
from orchestrator.certificates.document import (
    FORMAT,
    BoxWord,
    Certificate,
    Content,
    LedgerHead,
    SignedCertificate,
    Silence,
    content_sha256,
    signed,
)
from orchestrator.certificates.overview import CoverageOverview
from orchestrator.certificates.reading import Site, read_evidence, read_facts
from orchestrator.certificates.records import Kept, columns_of, digests, kept_of
from orchestrator.certificates.silence import judge
from orchestrator.events import Events
from orchestrator.ledger import SYSTEM, Act, append
from orchestrator.planning import Session
from orchestrator.sessions import Sessions, session_of
from orchestrator.store import Store, StoreAway
from orchestrator.store.tables import cameras, certificates, exam_sessions, facts, segments
from orchestrator.store.tables import ledger as ledger_rows

log = logging.getLogger(__name__)

SETTLED = timedelta(seconds=12)
"""So long after a window a box may still be writing and judging."""
RECONSIDERED = timedelta(days=29)
"""A day before the first footage expires: a certificate is not told by what was deleted since."""
SPOKEN = timedelta(seconds=60)
"""A box that works is heard every few seconds: what is younger is not judged yet."""
_LOOK_S = 2.0
_ALL_EVERY = timedelta(seconds=30)
_OVERLAP = timedelta(minutes=10)
_AT_ONCE = 20
_MANY = 500
_FACTS = {
    "segment": SegmentClosed,
    "gap": GapFound,
    "coverage": CoverageStated,
    "archived": Archived,
}


class Certificates:
    """Issues, keeps and shows certificates; older editions stay."""

    def __init__(
        self, store: Store, key: SigningKey, events: Events, clock: Clock, site: Site
    ) -> None:
        self.overview = CoverageOverview(store, Sessions(store, clock, site.lead))
        self._store = store
        self._key = key
        self._events = events
        self._clock = clock
        self._site = site
        self._heard_until: datetime | None = None
        self._all_at: datetime | None = None

    @property
    def public(self) -> bytes:
        """The key by which certificates are known."""
        return self._key.public

    async def run(self) -> None:
        """Issue what is due until cancelled; a database that is away ends nothing."""
        await keep("certificates", self._always, on=(StoreAway,), clock=self._clock, log=log)

    async def _always(self) -> None:
        while True:
            await self.look()
            await self._clock.sleep(_LOOK_S)

    async def look(self) -> list[Kept]:
        """Issue what is due now; gives it."""
        now = self._clock.now()
        async with self._store.read() as connection:
            due = await self._touched(connection, now)
            if self._all_at is None or now - self._all_at >= _ALL_EVERY:
                due |= await self._without(connection, now)
                self._all_at = now
        self._heard_until = now
        issued: list[Kept] = []
        wanted = sorted(due)
        for start in range(0, len(wanted), _AT_ONCE):
            issued += await self.consider(wanted[start : start + _AT_ONCE])
        return issued

    async def consider(self, ids: Sequence[str]) -> list[Kept]:
        """Issue a first or another edition for those of the sessions that need one."""
        now = self._clock.now()
        async with self._store.read() as connection:
            s = exam_sessions.c
            query = select(exam_sessions).where(s.id.in_(ids), s.cancelled_at.is_(None))
            sessions = [session_of(row) for row in await connection.execute(query)]
            over = [one for one in sessions if self._is_over(one, now)]
            found = await read_facts(connection, self._site, over)
            before = await digests(connection, [one.id for one in over])
        issued = []
        for facts_of_one in found:
            session = facts_of_one.sitting.id
            if session not in before and not is_ready(facts_of_one, now):
                continue
            content = build(facts_of_one)
            if before.get(session) != content_sha256(content):
                issued.append(await self._issue(facts_of_one, content))
        return issued

    async def _issue(self, known: Facts, content: Content) -> Kept:
        """The act, the head it makes and the edition: one transaction."""
        session, now = known.sitting.id, self._clock.now()
        async with self._store.write() as connection:
            last = select(func.max(certificates.c.edition)).where(certificates.c.session == session)
            edition = int(await connection.scalar(last) or 0) + 1
            act = Act(SYSTEM, "issue_certificate", f"{session} {edition}", content.verdict)
            number = await append(connection, act, now)
            hashed = select(ledger_rows.c.hash).where(ledger_rows.c.id == number)
            head = LedgerHead(id=number, hash=str(await connection.scalar(hashed)))
            certificate = Certificate(
                format=FORMAT, edition=edition, issued_at=now, ledger=head, content=content
            )
            document = SignedCertificate(
                certificate=signed(self._key, certificate),
                public=to_base64(self._key.public),
                statements=tuple(
                    BoxWord(fact=word.body, public=to_base64(word.public))
                    for word in words_of(known, content)
                ),
            )
            await connection.execute(
                insert(certificates).values(**columns_of(document, certificate))
            )
        log.info("session %s: certificate %d, %s", session, edition, content.verdict)
        data = {"state": content.verdict, "edition": edition}
        self._events.publish("session", session, data, now)
        return Kept(session, edition, now, document)

    def _is_over(self, session: Session, now: datetime) -> bool:
        end = self._site.lead.window(session.start, session.end).end
        return end + SETTLED <= now < end + RECONSIDERED

    async def _without(self, connection: AsyncConnection, now: datetime) -> set[str]:
        """Give the sessions that are over and have no certificate yet."""
        s = exam_sessions.c
        after = self._site.lead.after
        has_one = select(certificates.c.session).where(certificates.c.session == s.id).exists()
        query = select(s.id).where(
            s.cancelled_at.is_(None),
            s.ends_at <= now - after - SETTLED,
            s.ends_at > now - after - RECONSIDERED,
            ~has_one,
        )
        return set(await connection.scalars(query))

    async def _touched(self, connection: AsyncConnection, now: datetime) -> set[str]:
        """Give the sessions of which something was heard since we looked last."""
        since = self._heard_until
        if since is None:
            newest = await connection.scalar(select(func.max(certificates.c.issued_at)))
            since = (newest or now) - _OVERLAP
        rows = await connection.execute(
            select(facts.c.body).where(
                facts.c.type.in_(list(_FACTS)), facts.c.heard_at >= since - timedelta(seconds=5)
            )
        )
        named: set[str] = set()
        spans: dict[str, list[Span]] = {}
        copied: list[str] = []
        for body in rows.scalars():
            try:
                said = data_of(msgspec.json.decode(body, type=Fact))
            except msgspec.MsgspecError:
                continue
            if isinstance(said, CoverageStated):
                named.add(said.session)
            elif isinstance(said, SegmentClosed | GapFound):
                spans.setdefault(said.camera, []).append(Span(said.start, said.end))
            elif isinstance(said, Archived):
                copied.append(said.segment)
        for camera, span in await _spans_of(connection, copied):
            spans.setdefault(camera, []).append(span)
        return named | await self._sessions_of(connection, spans, now)

    async def _sessions_of(
        self, connection: AsyncConnection, spans: dict[str, list[Span]], now: datetime
    ) -> set[str]:
        if not spans:
            return set()
        lead, s = self._site.lead, exam_sessions.c
        first = min(span.start for own in spans.values() for span in own)
        last = max(span.end for own in spans.values() for span in own)
        query = (
            select(s.id, s.starts_at, s.ends_at, cameras.c.id.label("camera"))
            .join(cameras, cameras.c.room == s.room)
            .where(
                s.starts_at < last + lead.before,
                s.ends_at > first - lead.after,
                s.ends_at <= now - lead.after,
            )
        )
        found = set()
        for row in await connection.execute(query):
            window = lead.window(row.starts_at, row.ends_at)
            own = spans.get(row.camera, [])
            if any(span.start < window.end and window.start < span.end for span in own):
                found.add(row.id)
        return found

    # ------------------------------------------------------------ showing

    async def get(self, session: str, edition: int | None = None) -> Kept | None:
        """Give an edition, by default the newest; None when there is none."""
        c = certificates.c
        query = select(certificates).where(c.session == session).order_by(c.edition.desc()).limit(1)
        if edition is not None:
            query = query.where(c.edition == edition)
        async with self._store.read() as connection:
            row = (await connection.execute(query)).first()
        return kept_of(row) if row else None

    async def editions(self, session: str) -> list[tuple[int, datetime, str]]:
        """Give all editions of a session's certificate: number, when, verdict."""
        c = certificates.c
        query = select(c.edition, c.issued_at, c.verdict).where(c.session == session)
        async with self._store.read() as connection:
            rows = await connection.execute(query.order_by(c.edition))
            return [(row.edition, row.issued_at, row.verdict) for row in rows]

    async def silence(self, span: Span, room: str | None = None) -> Silence:
        """Say whether anything was recorded outside windows, up to a minute ago.

        Raises ValueError for a span that is empty or not over, or in which too much lies outside.
        """
        span = Span(span.start, min(span.end, self._clock.now() - SPOKEN))
        if not span.start < span.end:
            raise ValueError("the span is empty or lies ahead")
        async with self._store.read() as connection:
            return judge(await read_evidence(connection, self._site.lead, span, room))


async def _spans_of(connection: AsyncConnection, ids: list[str]) -> list[tuple[str, Span]]:
    """Give camera and span of these segments."""
    s = segments.c
    found: list[tuple[str, Span]] = []
    for first in range(0, len(ids), _MANY):
        query = select(s.camera, s.starts_at, s.ends_at).where(s.id.in_(ids[first : first + _MANY]))
        rows = await connection.execute(query)
        found += [(row.camera, Span(row.starts_at, row.ends_at)) for row in rows]
    return found
