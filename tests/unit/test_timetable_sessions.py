"""From rows to sessions: folding, verdicts, and what is never kept."""

import io
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as some
from openpyxl.worksheet.worksheet import Worksheet

from orchestrator.timetable.book import Unreadable
from orchestrator.timetable.findings import codes, finding
from orchestrator.timetable.interpret import interpret
from orchestrator.timetable.reading import read
from orchestrator.timetable.rooms import Rooms, read_room_file
from orchestrator.timetable.sessions import Reading, checked
from orchestrator.timetable.term import read_term

DATA = Path(__file__).parents[1] / "data/timetables"
TERM = read_term((DATA / "term.json").read_bytes())
ROOMS = Rooms(read_room_file((DATA / "rooms.json").read_bytes()).rooms)
HEAD = "课程代码,课程名称,教学班,考试时间,考场,人数,监考"


def _read(*lines: str, rooms: Rooms | None = None) -> Reading:
    return interpret(read("\n".join(lines).encode(), "期末.csv"), TERM, rooms)


def _codes(reading: Reading) -> list[tuple[int, str, str]]:
    return [(row.row, row.verdict, row.code) for row in reading.rows]


def _dirty() -> Reading:
    return interpret(read((DATA / "dirty.csv").read_bytes(), "dirty.csv"), TERM, ROOMS)


def test_each_bad_row_is_named_with_its_reason_and_no_other_row_suffers() -> None:
    assert _codes(_dirty()) == [
        (2, "ok", "ok"),
        (3, "ok", "merged"),
        (4, "reject", "no_time"),
        (5, "reject", "no_such_date"),
        (6, "reject", "end_before_start"),
        (7, "warn", "overlap"),
        (8, "reject", "no_room"),
        (9, "reject", "unknown_room"),
        (10, "reject", "ambiguous_room"),
        (11, "reject", "no_course"),
        (12, "warn", "headcount_unclear"),
        (13, "warn", "room_without_camera"),
        (14, "reject", "contradiction"),
    ]


def test_only_rows_that_were_not_rejected_become_sessions() -> None:
    named = {exam.code for session in _dirty().sessions for exam in session.courses}
    assert named == {"M1", "M2", "M6", "M10", "M11"}


@pytest.mark.parametrize(
    ("row", "zh", "en"),
    [
        (
            3,
            "与第 2 行同考场同时间，合并为一场",
            "same room and times as row 2: one session",
        ),
        (4, "没有考试时间（待定）", "no time is given (待定)"),
        (
            7,
            "北楼101 与第 2 行的考试时间重叠",
            "overlaps the session of row 2 in 北楼101",
        ),
        (8, "没有考场", "no room is given"),
        (
            12,
            "人数“三十几”不是数字，按未知处理",
            "headcount “三十几” is no number; taken as unknown",
        ),
    ],
)
def test_a_row_is_judged_in_both_languages(row: int, zh: str, en: str) -> None:
    (verdict,) = [one for one in _dirty().rows if one.row == row]
    assert (verdict.message_zh, verdict.message_en) == (zh, en)


def test_rows_of_one_room_and_time_fold_into_one_session() -> None:
    reading = _read(
        HEAD,
        "M1,高数,A班,2027-01-13 09:00-11:00,101,30,甲、乙",
        "M2,线代,B班,2027/1/13 9:00—11:00,１０１,20,乙、丙",
        "M1,高数,C班,2027-01-13 09:00-11:00,102,25,丁",
    )
    first, second = reading.sessions
    assert (first.room, first.headcount, first.invigilators) == ("101", 50, ("甲", "乙", "丙"))
    assert [exam.code for exam in first.courses] == ["M1", "M2"]
    assert [(ref.sheet, ref.row) for ref in first.rows] == [("期末", 2), ("期末", 3)]
    assert (second.room, second.headcount) == ("102", 25)


def test_two_classes_of_one_course_are_added_up_and_a_repeated_row_is_not() -> None:
    row = "M1,高数,A班,2027-01-13 09:00-11:00,101,30,甲"
    reading = _read(HEAD, row, row, row.replace("A班", "B班"))
    (session,) = reading.sessions
    assert session.headcount == 60
    assert len(session.courses) == 2
    (shown,) = json.loads(json.dumps(checked(reading)))["sessions"]
    assert shown["courses"] == [{"code": "M1", "name": "高数"}]


def test_a_headcount_that_one_row_does_not_tell_is_unknown() -> None:
    reading = _read(
        HEAD,
        "M1,高数,A班,2027-01-13 09:00-11:00,101,30,",
        "M2,线代,A班,2027-01-13 09:00-11:00,101,,",
    )
    assert reading.sessions[0].headcount is None


def test_the_total_of_the_room_serves_where_rows_have_none() -> None:
    reading = _read(
        "课程名称,考试时间,考场,考场总人数",
        "高数,2027-01-13 09:00-11:00,101,64",
        "线代,2027-01-13 09:00-11:00,101,64",
    )
    assert reading.sessions[0].headcount == 64


def test_one_row_with_several_rooms_is_a_session_in_each() -> None:
    reading = _read(
        HEAD, 'M1,高数,A班,2027-01-13 09:00-11:00,"北楼101、北楼102",80,甲', rooms=ROOMS
    )
    assert [(s.room, s.headcount) for s in reading.sessions] == [
        ("北楼101", None),
        ("北楼102", None),
    ]
    assert [row.code for row in reading.rows] == ["ok"]


def test_building_and_door_in_columns_of_their_own_make_the_room() -> None:
    lines = ("课程,考试时间,教学楼,房间号", "高数,2027-01-13 09:00-11:00,北楼,101")
    assert _read(*lines, rooms=ROOMS).sessions[0].room_code == "N101"
    assert _read(*lines).sessions[0].room == "北楼101"


def test_the_campus_is_what_the_file_says() -> None:
    lines = ("课程,考试时间,考场,校区", "高数,2027-01-13 09:00-11:00,101,南校区")
    (session,) = _read(*lines, rooms=ROOMS).sessions
    assert (session.room_code, session.campus) == ("S101", "南校区")
    assert _read("课程,考试时间,考场", "高数,2027-01-13 09:00-11:00,101").sessions[0].campus is None


def test_sessions_that_touch_do_not_overlap() -> None:
    reading = _read(
        HEAD,
        "M1,高数,,2027-01-13 09:00-11:00,101,30,",
        "M2,线代,,2027-01-13 11:00-13:00,101,30,",
        "M3,物理,,2027-01-13 10:30-11:30,101,30,",
    )
    assert _codes(reading) == [(2, "ok", "ok"), (3, "ok", "ok"), (4, "warn", "overlap")]
    assert "第 2 行" in reading.rows[2].message_zh
    assert "第 3 行" in reading.rows[2].message_zh


def test_what_names_a_candidate_is_never_read() -> None:
    reading = _read(
        "学号,姓名,身份证号,课程名称,考试时间,考场,座位号",
        "20260001,张三丰,450321200001011234,高数,2027-01-13 09:00-11:00,101,7",
        "20260002,李四光,450321200001015678,高数,2027-01-13 09:00-11:00,101,8",
    )
    told = json.dumps(checked(reading), ensure_ascii=False) + repr(reading)
    assert reading.dropped == ("学号", "姓名", "身份证号", "座位号")
    for secret in ("20260001", "张三丰", "450321200001011234", "李四光"):
        assert secret not in told
    assert reading.sessions[0].headcount is None


def test_a_header_that_comes_again_is_no_row() -> None:
    row = "M1,高数,A班,2027-01-1{} 09:00-11:00,101,30,甲"
    reading = _read(HEAD, row.format(3), HEAD, row.format(4))
    assert _codes(reading) == [(2, "ok", "ok"), (4, "ok", "ok")]


def test_english_tables_are_read() -> None:
    reading = _read(
        "Final examinations 2027,,,,,,,",
        "Course code,Course name,Date,Start time,End time,Room,Students,Invigilators",
        "CS101,Data structures,2027-01-13,09:00,11:00,Hall 1,120,John Smith; Mary Jones",
        'CS102,Compilers,"13 Jan 2027",2:00 PM,4:00 PM,Hall 2,35,',
    )
    first, second = reading.sessions
    assert first.invigilators == ("John Smith", "Mary Jones")
    assert (second.start.hour, second.end.hour, second.room) == (14, 16, "Hall 2")


def test_a_bare_date_is_dated_by_the_title_above_it() -> None:
    lines = ("2025-2026学年第二学期期末考试,,", "课程,考试时间,考场", "高数,6月30日 9:00-11:00,101")
    book = read("\n".join(lines).encode(), "a.csv")
    (session,) = interpret(book).sessions
    assert session.start.date() == date(2026, 6, 30)


def test_a_file_without_header_is_unreadable() -> None:
    with pytest.raises(Unreadable) as unreadable:
        _read("高数,2027-01-13 09:00-11:00,101", "线代,2027-01-13 09:00-11:00,102")
    assert unreadable.value.code == "no_header"


def _workbook(*rows: list[object], merge: tuple[str, ...] = ()) -> Reading:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert isinstance(sheet, Worksheet)
    for row in rows:
        sheet.append(row)
    for cells in merge:
        sheet.merge_cells(cells)
    workbook.create_sheet("监考员设置").append(["姓名", "电话"])
    out = io.BytesIO()
    workbook.save(out)
    return interpret(read(out.getvalue(), "a.xlsx"), TERM, ROOMS)


def test_one_exam_merged_over_several_rooms_is_a_session_in_each() -> None:
    reading = _workbook(
        ["期末考试安排（按课程）"],
        ["序号", "课程", "考试时间", "考试地点", "人数", "监考教师"],
        [1, "[MA01]高等数学", "2027-01-13(19周 星期三)14:00-16:00", "北楼101", 25, "周海燕"],
        [None, None, None, "北楼102", 12, "吴志强;冯丽"],
        [2, "[M2]物理", date(2027, 1, 14), "北楼101", 30, None],
        ["注：1.请提前30分钟到场。"],
        merge=("A1:F1", "A3:A4", "B3:B4", "C3:C4", "A6:F6"),
    )
    assert [(s.room, s.headcount, s.invigilators) for s in reading.sessions] == [
        ("北楼101", 25, ("周海燕",)),
        ("北楼102", 12, ("吴志强", "冯丽")),
    ]
    assert _codes(reading) == [(3, "ok", "ok"), (4, "ok", "ok"), (5, "reject", "no_clock_time")]
    assert reading.sessions[0].courses[0].code == "MA01"


def test_a_headcount_merged_over_two_rooms_is_known_of_neither() -> None:
    reading = _workbook(
        ["课程", "考试时间", "考试地点", "人数"],
        ["高数", "2027-01-13 14:00-16:00", "北楼101", 60],
        ["高数", "2027-01-13 14:00-16:00", "北楼102", None],
        merge=("D2:D3",),
    )
    assert [session.headcount for session in reading.sessions] == [None, None]


def test_a_headcount_merged_over_two_courses_of_one_room_counts_once() -> None:
    reading = _workbook(
        ["课程", "考试时间", "考试地点", "人数"],
        ["高数", "2027-01-13 14:00-16:00", "北楼101", 60],
        ["线代", "2027-01-13 14:00-16:00", "北楼101", None],
        merge=("D2:D3",),
    )
    assert [session.headcount for session in reading.sessions] == [60]


def test_the_answer_has_the_promised_shape() -> None:
    reading = _read(HEAD, "M1,高数,A班,2027-01-13 09:00-11:00,N101,30,甲", rooms=ROOMS)
    assert checked(reading) == {
        "sessions": [
            {
                "start": "2027-01-13T09:00:00+08:00",
                "end": "2027-01-13T11:00:00+08:00",
                "room": "北楼101",
                "campus": None,
                "headcount": 30,
                "courses": [{"code": "M1", "name": "高数"}],
                "invigilators": ["甲"],
            }
        ],
        "rows": [
            {
                "sheet": "期末",
                "row": 2,
                "verdict": "ok",
                "code": "ok",
                "message_zh": "正常",
                "message_en": "read",
            }
        ],
    }


def test_every_sentence_can_be_said_in_both_languages() -> None:
    words = "room raw rooms proposal_zh proposal_en text detail date week start end minutes given "
    words += "category"
    facts = dict.fromkeys(words.split(), "x")
    for code in codes():
        said = finding(code, row=1, **facts)
        assert said.message_zh
        assert said.message_en


_ROWS = some.lists(
    some.tuples(
        some.sampled_from(["M1", "M2", "M3"]),
        some.integers(8, 18),
        some.sampled_from(["101", "102"]),
        some.integers(1, 90),
    ),
    min_size=1,
    max_size=12,
)


@given(_ROWS, some.randoms(use_true_random=False))
def test_the_order_of_rows_makes_no_other_sessions(
    rows: list[tuple[str, int, str, int]], random: object
) -> None:
    lines = [
        f"{code},x,c{number},2027-01-13 {hour}:00-{hour + 2}:00,{room},{count},"
        for number, (code, hour, room, count) in enumerate(rows)
    ]
    shuffled = [*lines]
    getattr(random, "shuffle")(shuffled)  # noqa: B009  hypothesis gives it no narrower type
    one, other = _read(HEAD, *lines), _read(HEAD, *shuffled)
    assert [(s.room, s.start, s.headcount) for s in one.sessions] == [
        (s.room, s.start, s.headcount) for s in other.sessions
    ]
    assert {frozenset(s.courses) for s in one.sessions} == {
        frozenset(s.courses) for s in other.sessions
    }


def test_an_exam_that_is_over_is_named_by_its_end_and_still_read() -> None:
    row = "M1,高等数学,A班,2027-01-13 09:00-11:00,北楼101,30,"
    book = read(f"{HEAD}\n{row}".encode(), "期末.csv")
    ends = datetime(2027, 1, 13, 3, 0, tzinfo=UTC)
    early, late = (interpret(book, TERM, None, at) for at in (ends - timedelta(minutes=1), ends))
    assert _codes(early) == [(2, "ok", "ok")]
    assert _codes(late) == [(2, "warn", "in_the_past")]
    assert "2027-01-13 11:00" in late.rows[0].message_zh
    assert early.sessions == late.sessions


@given(_ROWS)
def test_every_row_has_one_verdict_and_every_session_its_rows(
    rows: list[tuple[str, int, str, int]],
) -> None:
    lines = [f"{c},x,,2027-01-13 {h}:00-{h + 2}:00,{r},{n}," for c, h, r, n in rows]
    reading = _read(HEAD, *lines)
    assert [row.row for row in reading.rows] == [*range(2, len(rows) + 2)]
    told = [ref.row for session in reading.sessions for ref in session.rows]
    assert sorted(told) == [*range(2, len(rows) + 2)]
    merged = sum(row.code == "merged" for row in reading.rows)
    assert len(reading.sessions) + merged == len(rows)


@pytest.mark.parametrize(
    ("word", "category"),
    [
        ("国家教育考试", "国家教育考试"),
        ("国家级", "国家教育考试"),
        ("校级", "校级课程考试"),
        ("院级考试", "院系考试"),
        ("Other", "其他"),
        ("", None),
        ("补考", None),
    ],
)
def test_a_category_is_read_from_its_column(word: str, category: str | None) -> None:
    row = f"M1,高等数学,A班,2027-01-13 09:00-11:00,101,30,周海燕,{word}"
    found = _read(f"{HEAD},考试性质", row)
    assert [session.category for session in found.sessions] == [category]
    assert _codes(found) == [(2, "ok", "ok")]


def test_a_word_that_is_no_category_is_warned_of_and_the_row_is_read() -> None:
    row = "M1,高等数学,A班,2027-01-13 09:00-11:00,101,30,周海燕,奥赛"
    found = _read(f"{HEAD},考试类别", row)
    assert [session.category for session in found.sessions] == [None]
    assert _codes(found) == [(2, "warn", "category_unclear")]
    assert "奥赛" in found.rows[0].message_en


def test_the_graver_of_two_categories_in_one_room_counts() -> None:
    maths = "M1,高等数学,A班,2027-01-13 09:00-11:00,101,30,周海燕,院系考试"
    law = "L1,民航法规,A班,2027-01-13 09:00-11:00,101,30,周海燕,国家教育考试"
    found = _read(f"{HEAD},考试类别", maths, law)
    assert [session.category for session in found.sessions] == ["国家教育考试"]
    assert _codes(found) == [(2, "ok", "ok"), (3, "warn", "category_differs")]
