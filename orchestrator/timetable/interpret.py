"""From rows to sessions: each row is understood or rejected, then rows are folded."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.timetable.book import Book, Row, Sheet, Unreadable, Value
from orchestrator.timetable.columns import Columns, find_columns, header_at, is_note
from orchestrator.timetable.findings import Finding, Rejected, finding, reject
from orchestrator.timetable.fold import Sitting, fold
from orchestrator.timetable.kinds import UnknownCategory, category_of
from orchestrator.timetable.people import course_of, headcount_of, names_of
from orchestrator.timetable.rooms import Place, Rooms, parts_of
from orchestrator.timetable.sessions import Exam, Reading, RowRef, verdict_of
from orchestrator.timetable.term import CHINA, Term
from orchestrator.timetable.times import read_when

_WHEN = ("date", "time", "start", "end", "duration", "week", "weekday", "section", "slot")


@dataclass(slots=True)
class _Notes:
    """What was said of each row so far."""

    findings: dict[RowRef, list[Finding]] = field(default_factory=dict)

    def of(self, row: RowRef) -> list[Finding]:
        return self.findings.setdefault(row, [])


def interpret(
    book: Book, term: Term = CHINA, rooms: Rooms | None = None, now: datetime | None = None
) -> Reading:
    """Read a book's sessions; every row of an exam gets its verdict, by `now` if it is over.

    Raises Unreadable when no sheet has a header that names a time and a room.
    """
    notes = _Notes()
    sittings: list[Sitting] = []
    headers: dict[str, str] = {}
    dropped: dict[str, None] = {}
    for sheet in book.sheets:
        columns = find_columns(sheet)
        if columns is None:
            continue
        headers = {**columns.headers, **headers}
        dropped.update(dict.fromkeys(columns.dropped))
        title = " ".join(_above(sheet, columns)) + f" {sheet.name} {book.name}"
        for row, current in _exams(sheet, columns):
            ref = RowRef(sheet.name, row.number)
            said = notes.of(ref)
            try:
                found = _sittings(ref, row, current, term.titled(title), rooms, said)
                said[:0] = _over(found, now)
                sittings.extend(found)
            except Rejected as rejected:
                said.append(rejected.finding)
    if not headers:
        raise Unreadable(
            "no_header",
            "没有找到表头：需要有考试时间和考场（考试地点）两类列",
            "no header was found: there must be columns for the time and for the room",
        )
    sessions, findings = fold(sittings)
    for ref, said in findings.items():
        notes.of(ref).extend(said)
    rows = tuple(verdict_of(ref, said) for ref, said in notes.findings.items())
    return Reading(tuple(sessions), rows, headers, term.zone.key, tuple(dropped))


def _above(sheet: Sheet, columns: Columns) -> Iterator[str]:
    for row in sheet.rows[: columns.row]:
        yield from dict.fromkeys(row.texts)


def _exams(sheet: Sheet, columns: Columns) -> Iterator[tuple[Row, Columns]]:
    """Give the rows below the header; a header that comes again renames the columns."""
    for index in range(columns.row + 1, len(sheet.rows)):
        row = sheet.rows[index]
        if is_note(row, columns):
            continue
        again = header_at(sheet, index) if row.text(0) in columns.headers.values() else None
        if again and again.row == index:
            columns = again
        else:
            yield row, columns


def _sittings(
    ref: RowRef, row: Row, columns: Columns, term: Term, rooms: Rooms | None, said: list[Finding]
) -> list[Sitting]:
    when = read_when(_cells(row, columns), term, columns.headers)
    campus = _text(row, columns, "campus")
    places = _places(row, columns, campus, rooms)
    exam = _exam(row, columns)
    said.extend(when.remarks)
    category = _category(row, columns, said)
    headcount = _headcount(row, columns, "headcount", said)
    total = _headcount(row, columns, "room_total", said)
    invigilators = _invigilators(row, columns)
    for place, remarks in places:
        said.extend(remarks)
        if place.room and place.room.cameras == 0:
            said.append(finding("room_without_camera", room=place.name))
    origin = row.origins.get((columns.columns("headcount") or (-1,))[0], row.number)
    return [
        Sitting(
            ref=ref,
            when=when,
            place=place,
            campus=campus or None,
            category=category,
            exam=exam,
            headcount=headcount if len(places) == 1 else None,
            headcount_row=origin,
            room_total=total,
            invigilators=tuple(invigilators),
        )
        for place, _ in places
    ]


def _over(sittings: list[Sitting], now: datetime | None) -> list[Finding]:
    """Say that a row's exam is over; all its sittings have the same times."""
    if now is None or not sittings or sittings[0].when.end > now:
        return []
    return [finding("in_the_past", end=f"{sittings[0].when.end:%Y-%m-%d %H:%M}")]


def _cells(row: Row, columns: Columns) -> dict[str, Value]:
    return {name: row.cell(at[0]) for name in _WHEN if (at := columns.columns(name))}


def _text(row: Row, columns: Columns, name: str) -> str:
    at = columns.columns(name)
    return row.text(at[0]) if at else ""


def _places(
    row: Row, columns: Columns, campus: str, rooms: Rooms | None
) -> list[tuple[Place, list[Finding]]]:
    raw = _text(row, columns, "room")
    building, door = _text(row, columns, "building"), _text(row, columns, "door")
    code = _text(row, columns, "room_code")
    candidates = [raw, f"{building}{raw}" if raw else "", f"{building}{door}" if door else "", code]
    candidates = [text for text in dict.fromkeys(candidates) if text]
    if not candidates or candidates[0] in ("待定", "未定", "TBA", "tba", "/", "-"):
        raise reject("no_room")
    if rooms is None:
        named = raw or candidates[0]
        full = f"{building}{named}" if building and not named.startswith(building) else named
        return [(Place(part), []) for part in parts_of(full)]
    refusals: list[Rejected] = []
    for text in candidates:
        try:
            return rooms.find_all(text, campus)
        except Rejected as rejected:
            refusals.append(rejected)
    raise refusals[0]


def _exam(row: Row, columns: Columns) -> Exam:
    code, name = course_of(_text(row, columns, "course"), _text(row, columns, "course_code"))
    if code is None and name is None:
        raise reject("no_course")
    return Exam(code, name, _text(row, columns, "teaching_class"))


def _headcount(row: Row, columns: Columns, name: str, said: list[Finding]) -> int | None:
    text = _text(row, columns, name)
    count = headcount_of(text)
    if text and count is None:
        said.append(finding("headcount_unclear", text=text))
    return count


def _category(row: Row, columns: Columns, said: list[Finding]) -> str | None:
    try:
        return category_of(_text(row, columns, "category"))
    except UnknownCategory as unknown:
        said.append(finding("category_unclear", text=unknown))
        return None


def _invigilators(row: Row, columns: Columns) -> list[str]:
    names = [name for at in columns.columns("invigilators") for name in names_of(row.text(at))]
    return list(dict.fromkeys(names))
