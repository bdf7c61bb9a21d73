"""What a timetable's preview warns of: others who have the room, and rooms out of use."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import tzinfo

from sqlalchemy.ext.asyncio import AsyncConnection

from contract.spans import Span
from orchestrator.outages import standing_in
from orchestrator.planning import Difference, Session
from orchestrator.timetable.findings import Finding, finding
from orchestrator.timetable.sessions import Reading, RowRef, RowVerdict, with_finding


async def closed_over(
    connection: AsyncConnection,
    wanted: Sequence[Session],
    window_of: Callable[[Session], Span],
) -> dict[str, Span]:
    """Give by session the first outage that was filed for its room and recording window."""
    windows = {session.id: window_of(session) for session in wanted}
    if not windows:
        return {}
    whole = Span(
        min(window.start for window in windows.values()),
        max(window.end for window in windows.values()),
    )
    by_room = await standing_in(connection, whole)
    return {
        session.id: span
        for session in wanted
        for span in reversed(by_room.get(session.room, []))
        if span.start < windows[session.id].end and span.end > windows[session.id].start
    }


def staying(current: Iterable[Session], difference: Difference) -> list[Session]:
    """Give the sessions that stand and stay though this file does not mention them."""
    known = {session.id for session in (*difference.removed, *difference.unchanged)}
    known |= {change.before.id for change in difference.changed}
    return [session for session in current if session.id not in known]


def warned(
    reading: Reading,
    wanted: Sequence[Session],
    others: Iterable[Session],
    closed: Mapping[str, Span],
) -> list[RowVerdict]:
    """Give the rows; with a warning where another file's session, or an outage, has the room."""
    by_room: dict[str, list[Session]] = defaultdict(list)
    for other in others:
        by_room[other.room].append(other)
    warnings: dict[RowRef, Finding] = {}
    for read, session in zip(reading.sessions, wanted, strict=True):
        zone = read.start.tzinfo
        if session.id in closed:
            warnings[read.rows[0]] = _found("out_of_use", read.room, closed[session.id], zone)
        for other in by_room[session.room]:
            if session.start < other.end and other.start < session.end:
                span = Span(other.start, other.end)
                warnings[read.rows[0]] = _found("overlap_standing", read.room, span, zone)
    return [with_finding(row, warnings.get(RowRef(row.sheet, row.row))) for row in reading.rows]


def _found(code: str, room: str, span: Span, zone: tzinfo | None) -> Finding:
    start, end = span.start.astimezone(zone), span.end.astimezone(zone)
    is_short = start.date() == end.date()
    return finding(
        code,
        room=room,
        start=f"{start:%Y-%m-%d %H:%M}",
        end=f"{end:%H:%M}" if is_short else f"{end:%Y-%m-%d %H:%M}",
    )
