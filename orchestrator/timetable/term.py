"""The term table: when week 1 begins, when sections begin and end, and which year is meant."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec

from orchestrator.timetable.book import Unreadable

_WEEKS_OF_A_TERM = 30


Clock = Annotated[str, msgspec.Meta(pattern=r"^([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?$")]
"""A time of day, `8:00` or `08:00:00`."""


class SectionTable(msgspec.Struct, frozen=True):
    """A teaching section as the term table writes it."""

    start: Clock
    end: Clock


class TermTable(msgspec.Struct, frozen=True):
    """A term as the school publishes it (校历与作息)."""

    term: str = ""
    week1_monday: date | None = None
    timezone: str = "Asia/Shanghai"
    sections: dict[str, SectionTable] = msgspec.field(default_factory=dict)
    holidays: tuple[date, ...] = ()
    slot_names: dict[str, tuple[Clock, Clock]] = msgspec.field(default_factory=dict)
    """Named sittings, as `上午第一场`."""


class Term(msgspec.Struct, frozen=True):
    """What is known beyond the row: zone, weeks, sections, and the months of a bare date."""

    zone: ZoneInfo
    week1_monday: date | None = None
    sections: Mapping[int, tuple[time, time]] = msgspec.field(default_factory=dict)
    slots: Mapping[str, tuple[time, time]] = msgspec.field(default_factory=dict)
    holidays: frozenset[date] = frozenset()
    first: date | None = None
    last: date | None = None
    """Between these two lie dates that are written without a year."""

    def day(self, week: int, weekday: int) -> date | None:
        """Give the day of a week (from 1) and weekday (Monday is 1); None without a table."""
        if self.week1_monday is None:
            return None
        return self.week1_monday + timedelta(weeks=week - 1, days=weekday - 1)

    def week_of(self, day: date) -> int | None:
        """Give the week a day is in; None without a table."""
        if self.week1_monday is None:
            return None
        return (day - self.week1_monday).days // 7 + 1

    def year_of(self, month: int, day: int) -> int | None:
        """Give the one year in which this day lies in the term; None when that is not sure."""
        if self.first is None or self.last is None:
            return None
        years = [
            year
            for year in range(self.first.year, self.last.year + 1)
            if self.first <= _clipped(year, month, day) <= self.last
        ]
        return years[0] if len(years) == 1 else None

    def titled(self, title: str) -> "Term":
        """Take the months of bare dates from a title, where no term table gave them."""
        months = None if self.first else months_of(title)
        if months is None:
            return self
        return msgspec.structs.replace(self, first=months[0], last=months[1])


def read_term(data: bytes) -> Term:
    """Read a term table's JSON; raises Unreadable."""
    try:
        table = msgspec.json.decode(data, type=TermTable)
        return term_of(table)
    except (msgspec.MsgspecError, ValueError, KeyError, UnicodeDecodeError) as error:
        raise Unreadable(
            "bad_term", f"校历作息表无法读取：{error}", f"the term table cannot be read: {error}"
        ) from error


def term_of(table: TermTable) -> Term:
    """Give the term a table describes; raises ValueError for a zone or section that is none."""
    first = last = None
    if table.week1_monday:
        if table.week1_monday.isoweekday() != 1:
            raise ValueError(f"week1_monday: {table.week1_monday} is no Monday")
        first = table.week1_monday - timedelta(weeks=4)
        last = table.week1_monday + timedelta(weeks=_WEEKS_OF_A_TERM)
    return Term(
        zone=ZoneInfo(table.timezone),
        week1_monday=table.week1_monday,
        sections={
            int(number): (_clock(section.start), _clock(section.end))
            for number, section in table.sections.items()
        },
        slots={name: (_clock(a), _clock(b)) for name, (a, b) in table.slot_names.items()},
        holidays=frozenset(table.holidays),
        first=first,
        last=last,
    )


def _clock(text: str) -> time:
    return time.fromisoformat(text.zfill(5) if text.count(":") == 1 else text.zfill(8))


_SCHOOL_YEAR = re.compile(r"(20\d\d)\s*[-—–~～至/]\s*(20\d\d)\s*学?年")
_TERM_NUMBER = re.compile(r"第?\s*([一二12])\s*学期")
_SEASON = re.compile(r"(20\d\d)\s*年?\s*([春秋])")
_MONTH = re.compile(r"(20\d\d)\s*[年.\-/]\s*(\d{1,2})\s*月?")
_YEAR = re.compile(r"(20\d\d)\s*年")


def months_of(title: str) -> tuple[date, date] | None:
    """Give first and last day of the months a title speaks of; None when it names no year."""
    if found := _SCHOOL_YEAR.search(title):
        return _half(int(found[1]), int(found[2]), _TERM_NUMBER.search(title))
    if found := _SEASON.search(title):
        year = int(found[1])
        return _spring(year) if found[2] == "春" else _autumn(year, year + 1)
    if (found := _MONTH.search(title)) and 1 <= int(found[2]) <= 12:
        day = datetime(int(found[1]), int(found[2]), 1)  # noqa: DTZ001  a calendar day
        return (day - timedelta(days=45)).date(), (day + timedelta(days=75)).date()
    if found := _YEAR.search(title):  # January and February may belong to the year after
        return date(int(found[1]), 3, 1), date(int(found[1]), 12, 31)
    return None


def _half(year: int, following: int, number: re.Match[str] | None) -> tuple[date, date] | None:
    if following != year + 1:
        return None
    if number is None:
        return date(year, 8, 1), date(following, 7, 31)
    return _autumn(year, following) if number[1] in "一1" else _spring(following)


def _autumn(year: int, following: int) -> tuple[date, date]:
    return date(year, 8, 1), date(following, 3, 10)


def _spring(year: int) -> tuple[date, date]:
    return date(year, 2, 1), date(year, 8, 31)


def _clipped(year: int, month: int, day: int) -> date:
    """Give the day, or the month's 28th where there is no such day; the caller checks that."""
    try:
        return date(year, month, day)
    except ValueError:
        return date(year, month, 28)


def zoned(timezone: str) -> Term:
    """Give the term of which only the zone is known."""
    return Term(zone=ZoneInfo(timezone))


CHINA = zoned("Asia/Shanghai")
"""No term table: only dates and clock times can be read."""
