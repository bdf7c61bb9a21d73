"""Which column is which: header words of the known systems, in Chinese and English."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.timetable.book import Row, Sheet

_SYNONYMS: dict[str, str] = {
    # the exam; earlier words win over later ones where a table has several
    "course": "课程名称 课程 课程名 科目名称 考试科目 考试课程 科目 kcmc kskcmc 考试名称 ksmc | "
    "course name, course title, module title, subject name, exam name, course, subject, module, "
    "exam, title, paper, examination",
    "course_code": "课程代码 课程编码 课程编号 课程号 科目代码 科目编号 kch kcdm 课程序号 | "
    "course code, course id, course no, course number, module code, subject code, exam code, "
    "paper code, code",
    "teaching_class": "教学班名称 教学班 教学班号 课堂号 jxbmc 学生班级 上课班级 考试班级 "
    "教学班组成 班级 班级名称 jxbzc | teaching class, class name, class, group, class group",
    # when
    "date": "考试日期 日期 考试日 考试时间日期 ksrq | exam date, date, day of exam",
    "time": "考试时间 考试安排 考试时段 起止时间 时间段 时间 考试起止时间 kssj | "
    "exam time, date and time, date/time, date & time, datetime, time, when, schedule, hours",
    "start": "考试开始时间 开始时间 起始时间 开考时间 开始 kskssj startdatetime | "
    "start time, starts at, start, begins, begin, from, exam start, starts",
    "end": "考试结束时间 结束时间 终止时间 结束 ksjssj | "
    "end time, ends at, end, ends, finish, to, until, exam end, finish time",
    "duration": "考试时长 时长 考试用时 时间长度 | duration, exam duration, length, minutes",
    "week": "考试周次 周次 教学周 周 zc | week, week no, teaching week",
    "weekday": "星期 星期几 周几 考试星期 xqj | weekday, day of week, day",
    "section": "考试节次 节次 节 小节 jc 考试小节 | sections, section, periods",
    "slot": "考试场次 场次 考试批次 ksccmc | slot, exam session, period, sitting, session",
    # where
    "room": "考试地点 考试教室 监考教室 考场教室 教室名称 教室 考试场地 考场名称 考场 地点 场地 "
    "cdmc jsmc js_mc | room name, exam room, room, venue, location, place, exam venue, hall, "
    "classroom",
    "room_code": "教室编号 教室代码 场地编号 cdbh | room code, room id, venue code",
    "building": "教学楼 教学楼名称 楼宇 楼栋 楼名 楼 | building, block",
    "door": "房间号 房号 门牌号 房间 教室号 | room no, room number, door",
    "campus": "考试所在校区 考试校区 校区 校区名称 所在校区 cdxqmc xqmc 开课校区 | campus, site",
    # who
    "headcount": "人数 考试人数 考生人数 学生人数 应考人数 参考人数 选课人数 skrs ksrs | "
    "headcount, students, number of students, no of students, candidates, enrolment, enrollment, "
    "enrolled, size, students count, count",
    "category": "考试类别 考试级别 考试性质 kslb | exam category, category",
    "room_total": "考场总人数 考场人数 总人数 | room total, total students, total",
    "invigilators": "监考教师 监考老师 监考人员 监考员 监考人 监考 主监考 副监考 主监考教师 "
    "副监考教师 主监考员 副监考员 主监考老师 副监考老师 主监考人 副监考人 甲监考 乙监考 主考 "
    "主考人员 主考教师 jkjs | invigilator, invigilators, proctor, proctors, supervisor, "
    "chief invigilator, assistant invigilator, invigilation, exam supervisor",
    # known, and not wanted
    "ignored": "序号 授课教师 任课教师 任课老师 授课老师 教师 教师姓名 jsxm 开课院系 上课院系 "
    "开课学院 学院 承担单位 试卷编号 乘车地点 考场容量 容量 考核方式 考试方式 学分 备注 轮次 "
    "考试情况 巡考 年级 专业 学期 学年 | no, #, teacher, lecturer, department, faculty, remarks, "
    "notes, capacity, credits, term, year",
    # never kept
    "personal": "学号 姓名 学生姓名 考生姓名 身份证 身份证号 身份证号码 证件号 证件号码 准考证 "
    "准考证号 准考证号码 考生号 手机 手机号 手机号码 电话 联系电话 性别 出生日期 座位号 座号 xh xm "
    "zjhm zkzh zwh | student id, student no, student number, student name, name, candidate name, "
    "candidate number, id number, id card, phone, mobile, gender, date of birth, seat, seat no",
}
SEVERAL = frozenset({"invigilators"})
"""Fields that are gathered from all their columns."""
_WHEN = frozenset({"date", "time", "start", "week", "weekday", "section", "slot"})
_WHERE = frozenset({"room", "door", "room_code"})
_LOOK_AT_ROWS = 60


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each field of a table stands."""

    row: int
    """Index in the sheet of the last row of the header."""
    at: dict[str, tuple[int, ...]]
    headers: dict[str, str]
    """Field -> header as the file writes it."""
    dropped: tuple[str, ...] = ()
    """Headers of personal data; their cells are not read."""

    def columns(self, field: str) -> tuple[int, ...]:
        """Give the columns of a field, none if the table has none."""
        return self.at.get(field, ())


def _key(text: str) -> str:
    return re.sub(r"[\s_\-:：*＊.、]+", "", unicodedata.normalize("NFKC", text)).lower()


def _words() -> dict[str, tuple[str, int]]:
    words: dict[str, tuple[str, int]] = {}
    for field, text in _SYNONYMS.items():
        chinese, _, english = text.partition("|")
        for rank, word in enumerate([*chinese.split(), *english.split(",")]):
            words[_key(word)] = (field, rank)
    return words


_WORDS = _words()


def field_of(header: str) -> tuple[str, int] | None:
    """Give the field a header names, with its rank among that field's words; None if unknown."""
    for candidate in _readings(header):
        if found := _WORDS.get(candidate):
            return found
    return None


def _readings(header: str) -> Iterator[str]:
    """Give the header whole, without numbers, without brackets, and each of two languages alone."""
    text = unicodedata.normalize("NFKC", header)
    key = _key(text)
    yield key
    yield re.sub(r"(\d{1,2}|[一二三四甲乙])$", "", key)
    bare = _key(re.sub(r"\([^)]*\)", "", text))
    yield bare
    yield re.sub(r"\d{1,2}$", "", bare)
    yield re.sub(r"\(s\)$", "", key)
    for part in re.split(r"[()/|\n]", text):
        yield _key(part)
    yield "".join(re.findall(r"[一-鿿]", text))
    yield _key(" ".join(re.findall(r"[A-Za-z]+", text)))


def find_columns(sheet: Sheet) -> Columns | None:
    """Find the header in the first rows of a sheet; None when it has no timetable."""
    best: Columns | None = None
    for index in range(min(len(sheet.rows), _LOOK_AT_ROWS)):
        columns = header_at(sheet, index)
        if columns and (best is None or len(columns.at) > len(best.at)):
            best = columns
    return best


def header_at(sheet: Sheet, index: int) -> Columns | None:
    """Give the columns when this row is a header that names a time and a room."""
    row = sheet.rows[index]
    if row.banner or len(row.texts) < 2 or any(len(text) > 40 for text in row.texts):
        return None
    labels = [row.text(column) for column in range(len(row.cells))]
    columns = _assign(index, labels)
    below = _two_storeyed(sheet, index, labels)
    if below is not None and (columns is None or len(below.at) > len(columns.at)):
        return below
    return columns


def _two_storeyed(sheet: Sheet, index: int, labels: list[str]) -> Columns | None:
    """Read two rows as one header: the lower word where it is one, else the upper."""
    if index + 1 >= len(sheet.rows):
        return None
    lower = sheet.rows[index + 1]
    width = max(len(labels), len(lower.cells))
    words = [lower.text(column) for column in range(width)]
    if sum(field_of(word) is not None for word in words if word) < 2:
        return None
    upper = [*labels, *[""] * (width - len(labels))]
    return _assign(
        index + 1,
        [
            word if word and field_of(word) else over
            for word, over in zip(words, upper, strict=True)
        ],
    )


def _assign(index: int, labels: list[str]) -> Columns | None:
    known = [(column, label, field_of(label)) for column, label in enumerate(labels) if label]
    at: dict[str, tuple[int, ...]] = {}
    rank: dict[str, int] = {}
    headers: dict[str, str] = {}
    for column, label, found in known:
        if found is None or found[0] in ("ignored", "personal"):
            continue
        field, order = found
        if field in SEVERAL:
            at[field] = (*at.get(field, ()), column)
            headers[field] = "、".join(filter(None, (headers.get(field, ""), label)))
        elif field not in at or order < rank[field]:
            at[field], rank[field], headers[field] = (column,), order, label
    if not (_WHEN & at.keys() and _WHERE & at.keys()):
        return None
    dropped = tuple(label for _, label, found in known if found and found[0] == "personal")
    return Columns(index, at, headers, dropped)


def is_note(row: Row, columns: Columns) -> bool:
    """True for a row that holds a remark, a signature or a sum instead of an exam."""
    texts = row.texts
    if not texts or row.banner or _NOTE.match(texts[0]):
        return True
    told = {column for field in _TELLING for column in columns.columns(field)}
    return not any(row.text(column) for column in told)


_NOTE = re.compile(
    r"(备?注|说明|合计|总计|小计|共计|附[:：]|制表|审核|notes?\b|total|remarks?\b)", re.IGNORECASE
)
_TELLING = ("course", "course_code", "date", "time", "start", "week", "room", "room_code", "door")
