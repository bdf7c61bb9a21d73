"""Rows of the same room and the same times are one session; overlaps are named."""

from collections import defaultdict
from dataclasses import dataclass

from orchestrator.timetable.findings import Finding, finding
from orchestrator.timetable.kinds import gravest
from orchestrator.timetable.rooms import Place
from orchestrator.timetable.sessions import Exam, RowRef, Session
from orchestrator.timetable.times import When


@dataclass(frozen=True, slots=True)
class Sitting:
    """One row's exam in one room."""

    ref: RowRef
    when: When
    place: Place
    campus: str | None
    category: str | None
    exam: Exam
    headcount: int | None
    headcount_row: int
    """The row in which the headcount stands; another one where cells are merged."""
    room_total: int | None
    invigilators: tuple[str, ...]


Findings = dict[RowRef, list[Finding]]


def fold(sittings: list[Sitting]) -> tuple[list[Session], Findings]:
    """Give the sessions, by time and room, and what is to be said of their rows."""
    groups: dict[tuple[object, ...], list[Sitting]] = defaultdict(list)
    rooms_of_count: dict[tuple[str, int], set[tuple[object, ...]]] = defaultdict(set)
    for sitting in sittings:
        key = _key(sitting)
        groups[key].append(sitting)
        rooms_of_count[_counted(sitting)].add(key)
    shared = {count for count, keys in rooms_of_count.items() if len(keys) > 1}
    findings: Findings = defaultdict(list)
    for group in groups.values():
        _tell_merged(group, findings)
    sessions = [_session(group, shared) for group in groups.values()]
    _tell_overlaps(sessions, findings)
    return sorted(sessions, key=lambda session: (session.start, session.room)), findings


def _key(sitting: Sitting) -> tuple[object, ...]:
    place = sitting.place
    where = (place.name,) if place.room else (place.name, sitting.campus)
    return (*where, sitting.when.start, sitting.when.end)


def _counted(sitting: Sitting) -> tuple[str, int]:
    return (sitting.ref.sheet, sitting.headcount_row)


def _session(group: list[Sitting], shared: set[tuple[str, int]]) -> Session:
    first = group[0]
    return Session(
        start=first.when.start,
        end=first.when.end,
        room=first.place.name,
        room_code=first.place.room.code if first.place.room else "",
        campus=next((sitting.campus for sitting in group if sitting.campus), None),
        category=_category(group),
        headcount=_headcount(group, shared),
        courses=tuple(dict.fromkeys(sitting.exam for sitting in group)),
        invigilators=tuple(dict.fromkeys(n for sitting in group for n in sitting.invigilators)),
        rows=tuple(dict.fromkeys(sitting.ref for sitting in group)),
    )


def _headcount(group: list[Sitting], shared: set[tuple[str, int]]) -> int | None:
    """Add the rows up, a merged cell or a repeated row once; unknown when any row's is."""
    counts: dict[object, int] = {}
    for sitting in group:
        if sitting.headcount is None or _counted(sitting) in shared:
            totals = [one.room_total for one in group if one.room_total is not None]
            return max(totals) if totals else None
        exam = sitting.exam
        once = exam if exam.teaching_class else _counted(sitting)
        counts[once] = sitting.headcount
    return sum(counts.values())


def _tell_merged(group: list[Sitting], findings: Findings) -> None:
    first = group[0].ref
    category = _category(group)
    for sitting in group[1:]:
        if sitting.ref != first:
            row = _named(first, sitting.ref)
            findings[sitting.ref].append(finding("merged", row=row))
            if sitting.category != group[0].category:
                differs = finding("category_differs", row=row, category=category)
                findings[sitting.ref].append(differs)


def _category(group: list[Sitting]) -> str | None:
    return gravest({sitting.category for sitting in group if sitting.category})


def _tell_overlaps(sessions: list[Session], findings: Findings) -> None:
    """Say it at the later row of two sessions that want one room at one time."""
    by_room: dict[tuple[str, str | None], list[Session]] = defaultdict(list)
    for session in sessions:
        campus = None if session.room_code else session.campus
        by_room[(session.room, campus)].append(session)
    order = {session.rows[0]: index for index, session in enumerate(sessions)}
    for room_sessions in by_room.values():
        open_ones: list[Session] = []
        for session in sorted(room_sessions, key=lambda one: one.start):
            open_ones = [other for other in open_ones if other.end > session.start]
            for other in open_ones:
                pair = sorted((other.rows[0], session.rows[0]), key=order.__getitem__)
                findings[pair[1]].append(
                    finding("overlap", room=session.room, row=_named(pair[0], pair[1]))
                )
            open_ones.append(session)


def _named(row: RowRef, seen_from: RowRef) -> str:
    return str(row.row) if row.sheet == seen_from.sheet else f"{row.sheet}!{row.row}"
