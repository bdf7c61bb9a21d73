"""What comes out of a file: sessions, verdicts of rows, and which column was read as what."""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from orchestrator.timetable.findings import Finding, Verdict, finding


class Exam(msgspec.Struct, frozen=True):
    """A course examined, with the teaching class where the file names it."""

    code: str | None
    name: str | None
    teaching_class: str = ""


class RowRef(msgspec.Struct, frozen=True):
    """A row of a sheet, from 1."""

    sheet: str
    row: int


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One room in one unbroken span with at least one exam."""

    start: datetime
    end: datetime
    room: str
    """Canonical, or as the file writes it when no list of rooms is known."""
    room_code: str = ""
    """The listed room's code; empty without a list."""
    campus: str | None
    category: str | None = None
    """One of `kinds.CATEGORIES`; None where the file says none."""
    headcount: int | None
    courses: tuple[Exam, ...]
    invigilators: tuple[str, ...]
    rows: tuple[RowRef, ...]


class RowVerdict(msgspec.Struct, frozen=True):
    """What became of a row."""

    sheet: str
    row: int
    verdict: Verdict
    code: str
    message_zh: str
    message_en: str


_GRAVITY = {"reject": 0, "warn": 1, "ok": 2}


def verdict_of(ref: RowRef, said: list[Finding]) -> RowVerdict:
    """Give the gravest thing said of a row, with the sentences of its equals."""
    said = said or [finding("ok")]
    gravest = min(said, key=lambda one: _GRAVITY[one.verdict])
    equals = [one for one in said if one.verdict == gravest.verdict]
    return RowVerdict(
        ref.sheet,
        ref.row,
        gravest.verdict,
        gravest.code,
        "；".join(dict.fromkeys(one.message_zh for one in equals)),
        "; ".join(dict.fromkeys(one.message_en for one in equals)),
    )


def with_finding(row: RowVerdict, one: Finding | None) -> RowVerdict:
    """Give the verdict with one thing more said of the row."""
    if one is None:
        return row
    before = Finding(row.code, row.verdict, row.message_zh, row.message_en)
    return verdict_of(RowRef(row.sheet, row.row), [before, one])


class Reading(msgspec.Struct, frozen=True, tag="reading"):
    """All that a file says."""

    sessions: tuple[Session, ...]
    rows: tuple[RowVerdict, ...]
    columns: dict[str, str]
    """Field -> header it was read from."""
    timezone: str
    """The zone the file's times are written in."""
    dropped: tuple[str, ...] = ()
    """Headers of personal data that was not read."""


def localised(reading: Reading) -> Reading:
    """Give the sessions' times in the file's zone; sent between processes they become UTC."""
    zone = ZoneInfo(reading.timezone)
    sessions = tuple(
        msgspec.structs.replace(
            session, start=session.start.astimezone(zone), end=session.end.astimezone(zone)
        )
        for session in reading.sessions
    )
    return msgspec.structs.replace(reading, sessions=sessions)


def checked(reading: Reading) -> dict[str, object]:
    """Give the answer of `xunkao timetable check --json`."""
    return {
        "sessions": [
            {
                "start": session.start.isoformat(),
                "end": session.end.isoformat(),
                "room": session.room,
                "campus": session.campus,
                "headcount": session.headcount,
                "courses": [{"code": exam.code, "name": exam.name} for exam in session.courses],
                "invigilators": list(session.invigilators),
            }
            for session in map(_courses_once, reading.sessions)
        ],
        "rows": [msgspec.structs.asdict(row) for row in reading.rows],
    }


def _courses_once(session: Session) -> Session:
    """Name a course once, however many classes sit it."""
    exams = {(exam.code, exam.name): exam for exam in session.courses}
    return msgspec.structs.replace(session, courses=tuple(exams.values()))
