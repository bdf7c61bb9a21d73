"""What a row's cells say together: one span of time, or why not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from orchestrator.timetable.book import Value
from orchestrator.timetable.findings import Finding, Rejected, finding, reject
from orchestrator.timetable.scan import (
    Day,
    Found,
    Moment,
    duration_of,
    plain,
    scan,
    written,
)
from orchestrator.timetable.term import Term

LONGEST = timedelta(hours=12)
_USUAL = (timedelta(minutes=15), timedelta(hours=6))
_NIGHT = (time(6, 0), time(23, 30))
_COMPLETE = ("date", "time", "start", "end")


@dataclass(frozen=True, slots=True)
class When:
    """An exam's span in the zone of the timetable, and what was odd about it."""

    start: datetime
    end: datetime
    remarks: tuple[Finding, ...] = ()


def read_when(
    cells: Mapping[str, Value], term: Term, headers: Mapping[str, str] | None = None
) -> When:
    """Read the span out of a row's cells, by field; raises Rejected saying what is missing.

    Fields: `date`, `time`, `start`, `end`, `duration`, `week`, `weekday`, `section`, `slot`.
    """
    found = _gather(cells, term)
    text = found.text
    if found.undecided or not text:
        raise reject("no_time", text=text or "空 / empty")
    _only_understood(found)
    days, remarks = _days(found, term)
    length = _length(cells, found, headers or {})
    moments = found.moments or _by_table(found, term)
    if len(moments) == 1:
        if length is None:
            raise reject("no_end", text=text)
        start = _instant(days[0], moments[0], "", term, text)
        end = start + length
    else:
        start, end = _range(days, moments, term, text)
    return When(start, end, (*remarks, *_checked(start, end, length, text, term)))


def _gather(cells: Mapping[str, Value], term: Term) -> Found:
    names = tuple(term.slots)
    found = Found()
    for name in _COMPLETE:
        found.join(scan(_cell_text(name, cells.get(name, "")), names))
    if not found.days:
        found.join(scan(_unit(cells, "week", "周"), names))
    found.join(scan(_unit(cells, "weekday", "星期"), names))
    if not found.moments:
        found.join(scan(_unit(cells, "section", "节"), names))
    if not found.moments and not found.sections and not found.slots:
        found.join(scan(written(cells.get("slot", "")), names))
    return found


def _cell_text(name: str, value: Value) -> str:
    text = written(value)
    for midnight in (" 00:00:00", " 0:00:00", " 00:00", " 0:00"):
        if name == "date":
            text = text.removesuffix(midnight)
    return text


def _unit(cells: Mapping[str, Value], name: str, unit: str) -> str:
    """Write a bare `18` in the column of weeks as `18周`, a `3` under weekday as `星期3`."""
    text = written(cells.get(name, "")).strip()
    bare = plain(text).strip("第 ")
    if not bare or not all(sign in "0123456789一二三四五六七八九十日天-,、 " for sign in bare):
        return text
    return f"{unit}{bare}" if unit == "星期" else f"第{bare}{unit}"


def _only_understood(found: Found) -> None:
    if found.rest:
        raise reject("unclear_time", text=found.text, detail=found.rest)
    if len(found.moments) > 2 or len(set(found.sections)) > 1 or len(set(found.weeks)) > 1:
        raise reject("several_times", text=found.text)
    if len(set(found.weekdays)) > 1:
        raise _contradiction(found, "两个星期", "two weekdays")


def _days(found: Found, term: Term) -> tuple[list[date], list[Finding]]:
    """Give the dates, checked against weekday and week where those are written too."""
    days = list(dict.fromkeys(_date(day, term, found.text) for day in found.days))
    remarks: list[Finding] = []
    if not days:
        days = [_by_week(found, term)]
    elif len(days) > 2 or (len(days) == 2 and len(found.moments) != 2):
        raise _contradiction(found, "两个日期", "two dates")
    else:
        if found.weekdays and days[0].isoweekday() != found.weekdays[0]:
            raise _contradiction(found, "星期与日期不符", "the weekday is not that of the date")
        week = term.week_of(days[0])
        if found.weeks and week is not None and week != found.weeks[0]:
            remarks.append(finding("week_differs", date=days[0], week=found.weeks[0]))
    if days[0] in term.holidays:
        remarks.append(finding("holiday", date=days[0]))
    return days, remarks


def _date(day: Day, term: Term, text: str) -> date:
    year = day.year
    if year is None:
        if not 1 <= day.month <= 12:
            raise reject("no_such_date", text=text)
        year = term.year_of(day.month, day.day)
        if year is None:
            raise reject("no_year", text=text)
    try:
        return date(year, day.month, day.day)
    except ValueError:
        raise reject("no_such_date", text=text) from None


def _by_week(found: Found, term: Term) -> date:
    if not found.weeks or not found.weekdays:
        raise reject("no_date", text=found.text)
    day = term.day(found.weeks[0], found.weekdays[0])
    if day is None:
        raise reject("needs_term", text=found.text)
    return day


def _by_table(found: Found, term: Term) -> list[Moment]:
    """Give begin and end of the sections or the named sitting, from the term table."""
    if found.sections:
        first, last = found.sections[0]
        if not term.sections:
            raise reject("needs_term", text=found.text)
        if first not in term.sections or last not in term.sections:
            raise reject("no_such_section", text=found.text)
        return _moments(term.sections[first][0], term.sections[last][1])
    if found.slots:
        spans = {term.slots[slot] for slot in found.slots if slot in term.slots}
        if not spans:
            raise reject("needs_term", text=found.text)
        if len(spans) > 1:
            raise reject("several_times", text=found.text)
        return _moments(*spans.pop())
    raise reject("no_clock_time", text=found.text)


def _moments(start: time, end: time) -> list[Moment]:
    return [Moment(start.hour, start.minute), Moment(end.hour, end.minute)]


def _range(
    days: list[date], moments: list[Moment], term: Term, text: str
) -> tuple[datetime, datetime]:
    first, last = moments
    forward = first.half if first.half in ("pm", "PM", "noon") else ""
    start = _instant(days[0], first, last.half if last.half == "PM" else "", term, text)
    return start, _instant(days[-1], last, forward, term, text)


def _instant(day: date, moment: Moment, inherited: str, term: Term, text: str) -> datetime:
    """Give the instant; a moment without half of the day takes the other end's."""
    hour = _hour(moment.hour, moment.half or inherited, text)
    if hour == 24 and moment.minute == 0:
        hour, day = 0, day + timedelta(days=1)
    if hour > 23 or moment.minute > 59:
        raise reject("no_such_time", text=text)
    if moment.next_day:
        day += timedelta(days=1)
    written_in = moment.zone or term.zone
    instant = datetime(day.year, day.month, day.day, hour, moment.minute, tzinfo=written_in)
    return instant.astimezone(term.zone)


def _hour(hour: int, half: str, text: str) -> int:
    if half in ("am", "AM"):
        if hour > 12:
            raise reject("no_such_time", text=text)
        return 0 if half == "AM" and hour == 12 else hour
    if half == "noon":
        return hour + 12 if hour < 4 else hour
    if half in ("pm", "PM") and hour < 12:
        return hour + 12
    return hour


def _length(
    cells: Mapping[str, Value], found: Found, headers: Mapping[str, str]
) -> timedelta | None:
    text = written(cells.get("duration", ""))
    if text:
        return duration_of(text, headers.get("duration", ""))
    return found.durations[0] if len(found.durations) == 1 else None


def _checked(
    start: datetime, end: datetime, given: timedelta | None, text: str, term: Term
) -> list[Finding]:
    length = end - start
    if length <= timedelta():
        raise reject("end_before_start", text=text)
    if length > LONGEST:
        raise reject("too_long", text=text)
    remarks = []
    minutes = round(length.total_seconds() / 60)
    if given is not None and given != length:
        told = round(given.total_seconds() / 60)
        remarks.append(finding("duration_differs", given=told, minutes=minutes))
    if start.time() < _NIGHT[0] or end.time() > _NIGHT[1] or end.date() != start.date():
        remarks.append(finding("unlikely_hour", start=f"{start:%H:%M}", end=f"{end:%H:%M}"))
    if not _USUAL[0] <= length <= _USUAL[1]:
        remarks.append(finding("odd_length", minutes=minutes))
    return remarks


def _contradiction(found: Found, zh: str, en: str) -> Rejected:
    return reject("contradiction", text=found.text, detail=f"{zh} / {en}")
