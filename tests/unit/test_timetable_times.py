"""The grammar of dates and times."""

from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from orchestrator.timetable.book import Unreadable, Value
from orchestrator.timetable.findings import Rejected
from orchestrator.timetable.scan import duration_of, number_of
from orchestrator.timetable.term import CHINA, Term, months_of, read_term
from orchestrator.timetable.times import When, read_when

TERM = read_term((Path(__file__).parents[1] / "data/timetables/term.json").read_bytes())
ZONE = CHINA.zone
MIDNIGHT = datetime(2027, 1, 13)  # noqa: DTZ001  as a spreadsheet has it
TWO_HOURS = timedelta(hours=2)


def _when(text: str, term: Term = CHINA) -> When:
    return read_when({"time": text}, term)


def _why(cells: dict[str, Value], term: Term = CHINA) -> str:
    with pytest.raises(Rejected) as rejected:
        read_when(cells, term)
    assert rejected.value.finding.verdict == "reject"
    return rejected.value.finding.code


@pytest.mark.parametrize(
    "text",
    [
        "2027-01-13(14:00-16:00)",
        "2027-01-13（14：00－16：00）",
        "2027年01月13日(14:00-16:00)",
        "2027年1月13日 14:00—16:00",
        "2027-01-13 14:00~16:00",
        "2027-01-13 14:00～16:00",
        "2027/1/13 14:00至16:00",
        "2027.1.13 14.00-16.00",
        "20270113 1400-1600",
        "2027-01-13(19周 星期三)14:00-16:00",
        "第19周 星期三(2027-01-13) 14:00-16:00",
        "第19周周3【2027-01-13】14:00-16:00",
        "[1-3]2027-01-13 14:00-16:00",
        "２０２７年１月１３日　１４：００－１６：００",
        "2027年1月13日下午2:00-4:00",
        "2027年1月13日下午2点至4点",
        "2027年1月13日14时00分-16时",
        "2027-01-13 14:00:00-16:00:00",
        "2027-01-13 14:00 - 2027-01-13 16:00",
        "2027-01-13T14:00:00+08:00/2027-01-13T16:00:00+08:00",
        "2027-01-13T06:00:00Z-2027-01-13T08:00:00Z",
        "2027-01-13 14:00开始，120分钟",
        "2027-01-13 14:00 (2小时)",
        "13 January 2027, 2:00 PM - 4:00 PM",
        "Wed 13 Jan 2027 14:00-16:00",
        "January 13th, 2027 2-4pm",
        "01/13/2027 14:00-16:00",
        "13.01.2027 14:00 to 16:00",
        "考试时间：2027-01-13 星期三 14:00-16:00",
    ],
)
def test_one_span_is_read_however_it_is_written(text: str) -> None:
    when = _when(text)
    assert when.start == datetime(2027, 1, 13, 14, tzinfo=ZONE)
    assert when.end == datetime(2027, 1, 13, 16, tzinfo=ZONE)
    assert when.remarks == ()


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("第19周 星期三 第5-6节", "14:00", "15:40"),
        ("第19周 星期3 第5 - 6节", "14:00", "15:40"),
        ("第十九周 周三 第五、六节", "14:00", "15:40"),
        ("第19周星期三3-4节", "10:00", "11:40"),
        ("第19周 星期三 第1节", "08:00", "08:45"),
        ("Week 19 Wednesday 14:00-15:40", "14:00", "15:40"),
        ("1月13日 上午第一场", "08:30", "10:30"),
        ("1月13日 第三场", "14:30", "16:30"),
        ("2027-01-13 第三场", "14:30", "16:30"),
    ],
)
def test_weeks_sections_and_named_sittings_are_read_by_the_term_table(
    text: str, start: str, end: str
) -> None:
    when = _when(text, TERM)
    assert (f"{when.start:%F %H:%M}", f"{when.end:%H:%M}") == (f"2027-01-13 {start}", end)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "no_time"),
        ("待定", "no_time"),
        ("另行通知", "no_time"),
        ("TBA", "no_time"),
        ("第19周", "no_date"),
        ("09:00-11:00", "no_date"),
        ("星期三 09:00-11:00", "no_date"),
        ("2027-01-13", "no_clock_time"),
        ("2027-01-13 09:00", "no_end"),
        ("2027-01-13 16:00-14:00", "end_before_start"),
        ("2027-01-13 14:00-14:00", "end_before_start"),
        ("2027-01-13 08:00-21:00", "too_long"),
        ("2027-02-29 09:00-11:00", "no_such_date"),
        ("2027-13-01 09:00-11:00", "no_such_date"),
        ("13月1日 09:00-11:00", "no_such_date"),
        ("2027-01-13 25:00-26:00", "no_such_time"),
        ("2027-01-13 09:75-11:00", "no_such_time"),
        ("2027-01-13 上午14:00-16:00", "no_such_time"),
        ("1月13日 09:00-11:00", "no_year"),
        ("06/07/2027 09:00-11:00", "ambiguous_date"),
        ("第19周 星期三 09:00-11:00", "needs_term"),
        ("2027-01-13 第5-6节", "needs_term"),
        ("2027-01-13 第三场", "needs_term"),
        ("2027-01-13 星期四 09:00-11:00", "contradiction"),
        ("2027-01-13 周一 周三 09:00-11:00", "contradiction"),
        ("2027-01-13 2027-01-14 2027-01-15 09:00-11:00", "contradiction"),
        ("2027-01-13 09:00-11:00或14:00-16:00", "unclear_time"),
        ("2027-01-13 09:00左右", "unclear_time"),
        ("第1-16周 星期三 1-2节", "unclear_time"),
        ("2027-01-13 第1,3节", "unclear_time"),
        ("2027-01-13 09:00-11:00 14:00-16:00", "several_times"),
        ("2027-01-13 九点到十一点", "unclear_time"),
    ],
)
def test_what_is_missing_or_unclear_is_refused_with_its_reason(text: str, code: str) -> None:
    assert _why({"time": text}) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("第19周 星期三 第11-12节", "no_such_section"),
        ("第19周 星期三 晚上场", "unclear_time"),
        ("6月31日 09:00-11:00", "no_year"),
    ],
)
def test_what_the_term_table_does_not_know_is_refused(text: str, code: str) -> None:
    assert _why({"time": text}, TERM) == code


@pytest.mark.parametrize(
    ("cells", "start", "end"),
    [
        ({"date": "2027-01-13", "time": "09:00-11:00"}, "13 09:00", "13 11:00"),
        ({"date": date(2027, 1, 13), "time": "8:00—10:30"}, "13 08:00", "13 10:30"),
        ({"date": MIDNIGHT, "start": time(9), "end": time(11)}, "13 09:00", "13 11:00"),
        ({"date": "2027-01-13 00:00:00", "time": "9:00-11:00"}, "13 09:00", "13 11:00"),
        ({"date": 20270113.0, "time": "9:00-11:00"}, "13 09:00", "13 11:00"),
        ({"start": "2027-01-13 22:30", "end": "2027-01-14 00:30"}, "13 22:30", "14 00:30"),
        ({"time": "2027-01-13 23:00-次日01:00"}, "13 23:00", "14 01:00"),
        ({"time": "2027-01-13 22:00-24:00"}, "13 22:00", "14 00:00"),
        ({"time": "2027-01-13 上午11:00-下午1:00"}, "13 11:00", "13 13:00"),
        ({"time": "2027-01-13 中午12:00-2:00"}, "13 12:00", "13 14:00"),
        ({"time": "2027-01-13 12:00 AM-2:00 AM"}, "13 00:00", "13 02:00"),
        ({"date": "2027-01-13", "start": "9:00", "duration": "120"}, "13 09:00", "13 11:00"),
        ({"date": "2027-01-13", "start": "9:00", "duration": "1:30"}, "13 09:00", "13 10:30"),
        ({"date": "2027-01-13", "start": "9:00", "duration": TWO_HOURS}, "13 09:00", "13 11:00"),
        ({"week": "19", "weekday": "三", "section": "5-6"}, "13 14:00", "13 15:40"),
        ({"week": "第19周", "weekday": "星期三", "section": "5、6"}, "13 14:00", "13 15:40"),
        ({"week": 19.0, "weekday": 3.0, "section": "5,6"}, "13 14:00", "13 15:40"),
        ({"date": "2027-01-13", "slot": "上午第一场"}, "13 08:30", "13 10:30"),
        ({"date": "2027-01-13", "time": "9:00-11:00", "slot": "第1场"}, "13 09:00", "13 11:00"),
    ],
)  # fmt: skip
def test_the_parts_of_a_span_may_stand_in_columns_of_their_own(
    cells: dict[str, Value], start: str, end: str
) -> None:
    when = read_when(cells, TERM)
    assert (f"{when.start:%d %H:%M}", f"{when.end:%d %H:%M}") == (start, end)


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"time": "2027-01-12(19周 星期二)09:00-11:00"}, None),
        ({"time": "2027-01-12(18周 星期二)09:00-11:00"}, "week_differs"),
        ({"time": "2027-01-01 09:00-11:00"}, "holiday"),
        ({"time": "2027-01-12 2:30-4:30"}, "unlikely_hour"),
        ({"time": "2027-01-12 08:00-18:00"}, "odd_length"),
        ({"time": "2027-01-12 08:00-08:05"}, "odd_length"),
        ({"time": "2027-01-12 09:00-11:00", "duration": "90"}, "duration_differs"),
    ],
)
def test_what_is_odd_is_read_with_a_warning(cells: dict[str, Value], code: str | None) -> None:
    remarks = read_when(cells, TERM).remarks
    assert [remark.code for remark in remarks] == ([code] if code else [])
    assert all(remark.verdict == "warn" for remark in remarks)


def test_dates_in_two_columns_must_agree() -> None:
    cells: dict[str, Value] = {"date": "2027-01-13", "time": "2027-01-14 09:00"}
    assert _why({**cells, "duration": "120"}) == "contradiction"


def test_a_reason_is_given_in_both_languages() -> None:
    with pytest.raises(Rejected) as rejected:
        _when("2027-02-29 09:00-11:00")
    assert rejected.value.finding.message_zh == "没有这一天：2027-02-29 09:00-11:00"
    assert rejected.value.finding.message_en == "there is no such date: 2027-02-29 09:00-11:00"


@pytest.mark.parametrize(
    ("title", "text", "start"),
    [
        ("2026-2027学年第一学期期末考试安排表", "1月13日 9:00-11:00", "2027-01-13"),
        ("2026-2027学年第一学期期末考试安排表", "12月30日 9:00-11:00", "2026-12-30"),
        ("2026—2027学年 第2学期", "6月30日 9:00-11:00", "2027-06-30"),
        ("2026-2027学年考试", "9月1日 9:00-11:00", "2026-09-01"),
        ("2026年秋季学期", "1月5日 9:00-11:00", "2027-01-05"),
        ("2027年春季期末", "7月1日 9:00-11:00", "2027-07-01"),
        ("2027年1月期末考试", "1月13日 9:00-11:00", "2027-01-13"),
        ("2026年期末考试", "6月30日 9:00-11:00", "2026-06-30"),
    ],
)
def test_a_bare_date_takes_its_year_from_the_title(title: str, text: str, start: str) -> None:
    assert f"{_when(text, CHINA.titled(title)).start:%F}" == start


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("2026年期末考试", "1月13日 9:00-11:00"),
        ("2026-2027学年第二学期", "12月1日 9:00-11:00"),
        ("期末考试", "6月30日 9:00-11:00"),
        ("2026-2029学年", "6月30日 9:00-11:00"),
    ],
)
def test_a_year_that_is_not_sure_is_not_guessed(title: str, text: str) -> None:
    with pytest.raises(Rejected) as rejected:
        _when(text, CHINA.titled(title))
    assert rejected.value.finding.code == "no_year"


def test_the_term_table_goes_before_the_title() -> None:
    assert TERM.titled("2020年春季") == TERM
    assert months_of("期末考试") is None


@given(
    some.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001
    some.integers(min_value=15, max_value=360),
)
def test_what_is_written_is_read_back(naive: datetime, minutes: int) -> None:
    start = naive.replace(second=0, microsecond=0, tzinfo=ZONE)
    end = start + timedelta(minutes=minutes)
    when = _when(f"{start:%Y年%m月%d日}({start:%H:%M}) - {end:%Y年%m月%d日}({end:%H:%M})")
    assert (when.start, when.end) == (start, end)


@given(some.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        when = _when(text, TERM)
    except Rejected:
        return
    assert when.start < when.end


@given(some.text(alphabet="0123456789年月日周节场第星期上下午点时分-/.:~ ()一三", max_size=30))
def test_any_text_of_time_words_is_read_or_refused(text: str) -> None:
    try:
        when = _when(text, TERM)
    except Rejected:
        return
    assert when.start < when.end


@pytest.mark.parametrize(
    ("text", "number"),
    [("7", 7), ("十", 10), ("十八", 18), ("二十", 20), ("二十一", 21), ("九", 9), ("一八", 18)],
)
def test_numerals_of_both_kinds_are_numbers(text: str, number: int) -> None:
    assert number_of(text) == number


@pytest.mark.parametrize(
    ("text", "header", "minutes"),
    [
        ("120", "时长(分钟)", 120),
        ("2", "时长（小时）", 120),
        ("1.5", "Duration (hours)", 90),
        ("120分钟", "", 120),
        ("2小时", "", 120),
        ("90 min", "Duration", 90),
        ("01:30", "", 90),
    ],
)
def test_a_duration_takes_its_unit_from_cell_or_header(
    text: str, header: str, minutes: int
) -> None:
    assert duration_of(text, header) == timedelta(minutes=minutes)


def test_a_small_bare_number_is_no_duration() -> None:
    assert duration_of("2", "考试时长") is None


@pytest.mark.parametrize(
    "table",
    [
        b"{",
        b'{"week1_monday": "2026-09-08"}',
        b'{"timezone": "Mars/Olympus"}',
        b'{"sections": {"first": {"start": "08:00", "end": "09:00"}}}',
        b'{"sections": {"1": {"start": "8 o\'clock", "end": "09:00"}}}',
        b"\xff\xfe",
    ],
)
def test_a_broken_term_table_is_said_to_be_one(table: bytes) -> None:
    with pytest.raises(Unreadable) as unreadable:
        read_term(table)
    assert unreadable.value.code == "bad_term"
