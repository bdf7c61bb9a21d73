"""The words that times are written in: dates, clock times, weeks, weekdays, sections, durations."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

from orchestrator.timetable.book import Value, text_of
from orchestrator.timetable.findings import reject

_DASHES = re.compile(r"\s*(?:[‐-―−⁓〜~至—–]|到)\s*|--+")
_BRACKETS = str.maketrans("【】〔〕[]{}「」", "()()()()()")
_UNDECIDED = re.compile(
    r"待定|未定|待安排|另行通知|另行安排|自行安排|随堂|\btb[acd]\b|to be (announced|confirmed)"
)
_NUMBER = r"\d{1,2}|[一二三四五六七八九十]{1,3}"
_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")}
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_WEEKDAYS = {name: day for day, name in enumerate("一二三四五六日", 1)} | {"天": 7}
_WEEKDAYS |= {
    name: day for day, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), 1)
}
_WEEKDAYS |= {str(day): day for day in range(1, 8)}
_HALVES = {
    "上午": "am",
    "早上": "am",
    "早晨": "am",
    "凌晨": "am",
    "中午": "noon",
    "下午": "pm",
    "傍晚": "pm",
    "晚上": "pm",
    "晚间": "pm",
    "夜间": "pm",
    "am": "AM",
    "pm": "PM",
}


@dataclass(frozen=True, slots=True)
class Day:
    """A date as written; the year may be missing."""

    year: int | None
    month: int
    day: int


@dataclass(frozen=True, slots=True)
class Moment:
    """A time of day as written."""

    hour: int
    minute: int
    half: str = ""
    next_day: bool = False
    zone: tzinfo | None = None


@dataclass(slots=True)
class Found:
    """All that one text says of time, in the order written."""

    text: str = ""
    days: list[Day] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    weeks: list[int] = field(default_factory=list)
    weekdays: list[int] = field(default_factory=list)
    sections: list[tuple[int, int]] = field(default_factory=list)
    slots: list[str] = field(default_factory=list)
    durations: list[timedelta] = field(default_factory=list)
    undecided: bool = False
    rest: str = ""
    """What was not understood."""

    def join(self, other: "Found") -> None:
        """Take what another text says besides."""
        self.text = " ".join(part for part in (self.text, other.text) if part)
        self.rest = " ".join(part for part in (self.rest, other.rest) if part)
        self.undecided = self.undecided or other.undecided
        for name in ("days", "moments", "weeks", "weekdays", "sections", "slots", "durations"):
            getattr(self, name).extend(getattr(other, name))


def plain(text: str) -> str:
    """Give the text with one form for each digit, dash and bracket, in lower case."""
    return _DASHES.sub("-", unicodedata.normalize("NFKC", text)).translate(_BRACKETS).lower()


def written(value: Value) -> str:
    """Give a cell that holds a date or time as a person would have written it."""
    if isinstance(value, datetime):
        clock = "" if value.time() == time() else f"{value:%H:%M}"
        return f"{value:%Y-%m-%d} {clock}".strip()
    if isinstance(value, date):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, timedelta):
        minutes = round(value.total_seconds() / 60)
        return f"{minutes // 60:02d}:{minutes % 60:02d}"
    return text_of(value)


def scan(text: str, slots: tuple[str, ...] = ()) -> Found:
    """Find every statement of time in the text; `slots` are names of sittings."""
    found = Found(text=text)
    left = _whole_hours(plain(text))
    if _UNDECIDED.search(left):
        found.undecided = True
        return found
    left = re.sub(r"^\s*\(\d{1,2}-\d{1,2}\)", "|", left)  # a batch number before the time
    for slot in sorted(slots, key=len, reverse=True):
        if plain(slot) in left:
            found.slots.append(slot)
            left = left.replace(plain(slot), "|")
    for pattern, take in _WORDS:
        left = pattern.sub(_taking(take, found), left)
    found.rest = _NOISE.sub("", left)
    return found


def _whole_hours(text: str) -> str:
    """Write `3pm` as `3:00 pm`, that one word may read both."""
    text = re.sub(r"(?<![\d:.-])(\d{1,2})\s*-\s*(\d{1,2}\s*[ap]\.?m\b)", r"\1:00-\2", text)
    return re.sub(r"(?<![\d:.])(\d{1,2})\s*([ap])\.?m\b\.?", r"\1:00 \2m", text)


def number_of(text: str) -> int:
    """Give the number that digits or Chinese numerals up to 99 write."""
    if text.isdigit():
        return int(text)
    tens, ten, ones = text.rpartition("十")
    if not ten:
        return _DIGITS[text] if len(text) == 1 else int("".join(str(_DIGITS[c]) for c in text))
    return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0)


def duration_of(text: str, header: str = "") -> timedelta | None:
    """Read a duration cell; a bare number takes the unit of its header, else minutes from 30 on."""
    cleaned = plain(text).strip()
    if match := re.fullmatch(r"(\d{1,2}):(\d\d)(?::\d\d)?", cleaned):
        return timedelta(hours=int(match[1]), minutes=int(match[2]))
    if re.fullmatch(r"\d+(\.\d+)?", cleaned):
        if "时" in header.replace("时长", "").replace("时间", "") or "hour" in header.lower():
            return timedelta(hours=float(cleaned))
        known = "分" in header or "min" in header.lower() or float(cleaned) >= 30
        return timedelta(minutes=float(cleaned)) if known else None
    durations = scan(text).durations
    return durations[0] if len(durations) == 1 else None


_Take = Callable[[re.Match[str], Found], None]


def _taking(take: _Take, found: Found) -> Callable[[re.Match[str]], str]:
    def note(match: re.Match[str]) -> str:
        take(match, found)
        return "|"

    return note


def _year_first(match: re.Match[str], found: Found) -> None:
    found.days.append(Day(int(match[1]), int(match[2]), int(match[3])))


def _month_day(match: re.Match[str], found: Found) -> None:
    found.days.append(Day(None, int(match[1]), int(match[2])))


def _english(day: int, month: int, year: int) -> _Take:
    def take(match: re.Match[str], found: Found) -> None:
        written_year = int(match[year]) if match[year] else None
        found.days.append(Day(written_year, _MONTHS[match[month]], int(match[day])))

    return take


def _year_last(match: re.Match[str], found: Found) -> None:
    first, second, year = int(match[1]), int(match[2]), int(match[3])
    if first <= 12 and second <= 12 and first != second:
        raise reject("ambiguous_date", text=match[0].strip())
    month, day = (first, second) if second > 12 else (second, first)
    found.days.append(Day(year, month, day))


def _week(match: re.Match[str], found: Found) -> None:
    found.weeks.append(number_of(match[1] or match[2] or match[3]))


def _weekday(match: re.Match[str], found: Found) -> None:
    found.weekdays.append(_WEEKDAYS[match[1]])


def _sections(match: re.Match[str], found: Found) -> None:
    numbers = [number_of(part) for part in re.findall(_NUMBER, match[0])]
    found.sections.append((numbers[0], numbers[-1]))
    if sorted(numbers) != numbers or (
        "-" not in match[0] and numbers != [*range(numbers[0], numbers[-1] + 1)]
    ):
        raise reject("unclear_time", text=found.text, detail=match[0].strip())


def _sitting(match: re.Match[str], found: Found) -> None:
    found.slots.append(match[0].strip())


def _moment(match: re.Match[str], found: Found) -> None:
    later, before, hour, minute, spoken, half_past, after = match.groups()
    after = (after or "").replace(".", "")
    half = _HALVES.get((before or "").replace(".", "")) or _HALVES.get(after, "")
    minutes = 30 if half_past else int(minute or spoken or 0)
    found.moments.append(Moment(int(hour), minutes, half, bool(later), _zone(after)))


def _pair(match: re.Match[str], found: Found) -> None:
    found.moments.append(Moment(int(match[1]), int(match[2])))
    found.moments.append(Moment(int(match[3]), int(match[4])))


def _zone(suffix: str) -> tzinfo | None:
    if suffix == "z":
        return UTC
    if suffix.startswith("+"):
        digits = suffix[1:].replace(":", "")
        return timezone(timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))
    return None


def _duration(match: re.Match[str], found: Found) -> None:
    count = float(match[1])
    hours = match[2][0] == "h" or "时" in match[2]
    found.durations.append(timedelta(hours=count) if hours else timedelta(minutes=count))


def _nothing(_match: re.Match[str], _found: Found) -> None:
    return


_HALF = r"(上午|下午|中午|晚上|晚间|早上|早晨|凌晨|傍晚|夜间|[ap]\.?m\.?)"
_LIST = rf"(?:{_NUMBER})(?:\s*节?\s*[-、,]\s*第?\s*(?:{_NUMBER}))*"

_WEEK = rf"(?:第\s*({_NUMBER})|(?<!\d)(\d{{1,2}}))\s*(?:教学)?周|\bweek\s*(\d{{1,2}})\b"
_YEAR_FIRST = (
    r"(?<!\d)((?:19|20)\d\d)\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})(?!\d)"
    r"\s*[日号]?(?:t(?=\d))?"
)
_CLOCK = (
    rf"(次日|翌日|第二天)?\s*{_HALF}?\s*(?<!\d)(\d{{1,2}})\s*"
    r"(?::\s*(\d\d)(?::\d\d(?:\.\d+)?)?(?!\d)"
    r"|[点时]\s*(?:(\d{1,2})(?!\s*[\d点时:])\s*分?|(半)|整)?)"
    r"\s*([ap]\.?m\b\.?|z\b|\+\d\d:?\d\d)?"
)

_WORDS: tuple[tuple[re.Pattern[str], _Take], ...] = tuple(
    (re.compile(pattern), take)
    for pattern, take in (
        (_YEAR_FIRST, _year_first),
        (r"(?<!\d)(20\d\d)(\d\d)(\d\d)(?!\d)", _year_first),
        (r"(?<!\d)(\d{1,2})\s*月\s*(\d{1,2})(?!\d)\s*[日号]?", _month_day),
        (
            rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th)?[\s-]+{_MONTH}[\s,-]*(20\d\d)?(?![\d:])",
            _english(1, 2, 3),
        ),
        (
            rf"\b{_MONTH}\s*(\d{{1,2}})(?:st|nd|rd|th)?(?![\d:])[\s,]*(20\d\d)?(?![\d:])",
            _english(2, 1, 3),
        ),
        (r"(?<!\d)(\d{1,2})[-/.](\d{1,2})[-/.](20\d\d)(?!\d)", _year_last),
        (_WEEK, _week),
        (r"(?:星期|礼拜|周)\s*([一二三四五六日天]|[1-7](?![\d-]))", _weekday),
        (
            r"\b(mon|tue|wed|thu|fri|sat|sun)(?:s?day|nesday|r?s?day|urday|s|rs?)?\b\.?",
            _weekday,
        ),
        (rf"第?\s*{_LIST}\s*节", _sections),
        (rf"第\s*(?:{_NUMBER})\s*场", _sitting),
        (_CLOCK, _moment),
        (
            r"(?<!\d)([01]\d|2[0-4])([0-5]\d)\s*-\s*([01]\d|2[0-4])([0-5]\d)(?!\d)",
            _pair,
        ),
        (r"(?<![\d.])(\d{1,2})\.(\d\d)\s*-\s*(\d{1,2})\.(\d\d)(?![\d.])", _pair),
        (r"(\d+(?:\.\d+)?)\s*(个?小时|hours?|hrs?|h\b|分钟|分|minutes?|mins?|m\b)", _duration),
        (
            r"考试|时间|日期|北京时间|开始|结束|\b(?:from|to|at|on|exam|time|date|the|local)\b",
            _nothing,
        ),
    )
)
_NOISE = re.compile(r"[\s()\-,;:、。./|共计]+")
