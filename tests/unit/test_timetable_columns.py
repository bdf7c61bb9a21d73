"""Finding the header, and what each of its words means."""

import pytest

from orchestrator.timetable.book import Row, Sheet
from orchestrator.timetable.columns import Columns, field_of, find_columns, is_note


def _sheet(*rows: str) -> Sheet:
    return Sheet(
        "表", tuple(Row(number, tuple(row.split(","))) for number, row in enumerate(rows, 1))
    )


def _columns(*rows: str) -> Columns:
    columns = find_columns(_sheet(*rows))
    assert columns is not None
    return columns


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("考试时间", "time"),
        (" 考 试 时 间 ", "time"),
        ("考试时间：", "time"),
        ("考试时间 Exam time", "time"),
        ("考试时间/Exam time", "time"),
        ("考试时间（北京时间）", "time"),
        ("Exam Date", "date"),
        ("exam_date", "date"),
        ("EXAM DATE", "date"),
        ("监考教师1", "invigilators"),
        ("监考老师二", "invigilators"),
        ("副监考", "invigilators"),
        ("Invigilator 2", "invigilators"),
        ("Invigilator(s)", "invigilators"),
        ("课程编号", "course_code"),
        ("Course Title", "course"),
        ("考试所在校区", "campus"),
        ("人数(人)", "headcount"),
        ("No. of students", "headcount"),
        ("考试时长（分钟）", "duration"),
        ("Duration (min)", "duration"),
        ("身份证号", "personal"),
        ("学号", "personal"),
        ("Student ID", "personal"),
        ("乘车地点1", "ignored"),
        ("授课教师", "ignored"),
    ],
)
def test_a_header_word_names_its_field(header: str, field: str) -> None:
    found = field_of(header)
    assert found is not None
    assert found[0] == field


@pytest.mark.parametrize("header", ["", "-", "天气", "weather", "2027"])
def test_an_unknown_word_names_nothing(header: str) -> None:
    assert field_of(header) is None


@pytest.mark.parametrize(
    "header",
    [
        "课程编码,课程名称,授课教师,教学班名称,人数,考试地点,考试时间,主监考,副监考,考试所在校区",
        "课程名称,考试时间,任课教师,监考教室,考试人数,监考教师1,乘车地点1,监考教师2",
        "序号,校区,考试场次,课程编号,课程名称,授课教师,考试时间,考场,考生人数,监考教师",
        "序号,课程,承担单位,考核方式,考试时间,考试地点,人数,监考教师,备注",
        "课程序号,课程名称,考试日期,考试安排,考试地点,考试情况",
        "kch,kcmc,kssj,cdmc,cdxqmc",
        "课程,教室,周次,星期,节次",
        "Course code,Course name,Date,Start time,End time,Room,Students,Invigilators",
        "Module,Exam date,Time,Venue,Candidates,Chief invigilator",
    ],
)
def test_the_headers_of_known_systems_are_found_below_their_titles(header: str) -> None:
    columns = _columns("2026-2027学年第一学期期末考试安排表", "", header, "1,2,3")
    assert columns.row == 2
    assert columns.columns("room")


def test_of_two_columns_for_one_field_the_more_telling_wins() -> None:
    columns = _columns("考场,考试地点,开课校区,考试所在校区,时间,考试时间")
    assert columns.columns("room") == (1,)
    assert columns.columns("campus") == (3,)
    assert columns.columns("time") == (5,)


def test_all_columns_of_invigilators_are_taken() -> None:
    columns = _columns("考试时间,考场,主监考,副监考,监考教师3")
    assert columns.columns("invigilators") == (2, 3, 4)
    assert columns.headers["invigilators"] == "主监考、副监考、监考教师3"


def test_personal_columns_are_named_as_dropped_and_have_no_field() -> None:
    columns = _columns("学号,姓名,身份证号,准考证号,考试时间,考场")
    assert columns.dropped == ("学号", "姓名", "身份证号", "准考证号")
    assert set(columns.at) == {"time", "room"}


def test_a_header_of_two_storeys_is_read_as_one() -> None:
    columns = _columns("课程,考试安排,考试安排,考试安排,监考", ",日期,时间,地点,", "1,2,3,4,5")
    assert columns.row == 1
    assert {field: at[0] for field, at in columns.at.items()} == {
        "course": 0,
        "date": 1,
        "time": 2,
        "room": 3,
        "invigilators": 4,
    }


@pytest.mark.parametrize(
    "rows",
    [("姓名,电话", "甲,1"), ("考试时间,课程", "1,2"), ("考场,人数", "101,2"), ("",), ()],
)
def test_a_sheet_without_time_or_room_has_no_timetable(rows: tuple[str, ...]) -> None:
    assert find_columns(_sheet(*rows)) is None


@pytest.mark.parametrize(
    ("row", "note"),
    [
        ("数据结构,2027-01-13 09:00-11:00,101,,", False),
        ("数据结构,,,,", False),
        (",,101,,", False),
        (",,,,", True),
        ("注：请提前30分钟到场,,,,", True),
        ("备注,,,,", True),
        ("合计,,,244,", True),
        ("Total,,,244,", True),
        (",,,244,", True),
        (",,,,教务处考试中心", True),
    ],
)
def test_remarks_sums_and_signatures_are_told_from_exams(row: str, note: bool) -> None:
    columns = _columns("课程,考试时间,考场,人数,制表")
    assert is_note(Row(9, tuple(row.split(","))), columns) is note
