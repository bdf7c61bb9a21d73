"""Terms at the centre, raised by the classes of exams: archive copies of a lost box go by these."""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, or_, select, update

from contract.retention import period
from contract.spans import Span
from orchestrator.categories import classes
from orchestrator.exams import Lead
from orchestrator.store import Store
from orchestrator.store.tables import cameras, segments
from orchestrator.windows import sessions_in

_BATCH = 100
"""Windows in one transaction, so that others may write between."""


async def raise_terms(store: Store, lead: Lead, now: datetime) -> None:
    """Keep what touches a window of a longer class so long; nothing is ever lowered.

    Boxes do the same with what they have and tell of it; of what a box that is away had, they
    cannot. Done again it changes nothing.
    """
    async with store.read() as connection:
        days = await classes(connection)
        if not days:
            return
        span = Span(now - timedelta(days=max(days.values())), now)
        sessions = await sessions_in(connection, lead, span, cancelled=True)
    longer = []
    for session in sessions:
        if session.category in days:
            window = lead.window(session.start, session.end)
            until = window.end + period(days[session.category])
            longer.append(
                {"in": session.room, "from": window.start, "to": window.end, "until": until}
            )
    s = segments.c
    there = select(cameras.c.id).where(cameras.c.room == bindparam("in"))
    # One without length stands at its start, as in `contract.retention.touches`.
    ends_later = or_(s.ends_at > bindparam("from"), s.starts_at == bindparam("from"))
    raised = (
        update(segments)
        .where(s.camera.in_(there), s.starts_at < bindparam("to"), ends_later)
        .where(s.retain_until < bindparam("until"))
        .values(retain_until=bindparam("until"))
    )
    for first in range(0, len(longer), _BATCH):
        async with store.write() as connection:
            await connection.execute(raised, longer[first : first + _BATCH])
