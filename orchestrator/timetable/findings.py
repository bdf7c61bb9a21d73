"""What can be said of a row: the codes, their verdicts, and the sentences in both languages."""

from typing import Literal

import msgspec

Verdict = Literal["ok", "warn", "reject"]

_SAYINGS: dict[str, tuple[Verdict, str, str]] = {
    "ok": ("ok", "正常", "read"),
    "merged": (
        "ok",
        "与第 {row} 行同考场同时间，合并为一场",
        "same room and times as row {row}: one session",
    ),
    "overlap": (
        "warn",
        "{room} 与第 {row} 行的考试时间重叠",
        "overlaps the session of row {row} in {room}",
    ),
    "overlap_standing": (
        "warn",
        "{room} 与已有的场次（{start}–{end}）时间重叠",
        "overlaps a session that already stands in {room} ({start}–{end})",
    ),
    "out_of_use": (
        "warn",
        "{room} 已报备停用（{start}–{end}），停用期间不会录像",
        "an outage of {room} is filed ({start}–{end}): nothing is recorded then",
    ),
    "room_read_as": (
        "warn",
        "考场“{raw}”按“{room}”读取，请核对",
        "room “{raw}” was read as “{room}”; please check",
    ),
    "room_without_camera": (
        "warn",
        "考场 {room} 没有摄像机，本场不会录像",
        "room {room} has no camera: nothing will be recorded",
    ),
    "week_differs": (
        "warn",
        "日期 {date} 不在校历第 {week} 周，按日期读取",
        "{date} is not in week {week} of the term; the date was taken",
    ),
    "in_the_past": (
        "warn",
        "考试已于 {end} 结束，请核对年份",
        "the exam ended at {end}; please check the year",
    ),
    "holiday": ("warn", "{date} 是放假日", "{date} is a holiday"),
    "unlikely_hour": (
        "warn",
        "考试时间 {start}–{end} 在夜间，请核对是否漏写“下午”",
        "{start}–{end} is at night; is an afternoon meant?",
    ),
    "odd_length": (
        "warn",
        "考试时长 {minutes} 分钟，请核对",
        "the exam takes {minutes} minutes; please check",
    ),
    "duration_differs": (
        "warn",
        "时长 {given} 分钟与起止时刻（{minutes} 分钟）不符，按起止时刻读取",
        "{given} minutes are given, but the hours make {minutes}; the hours were taken",
    ),
    "headcount_unclear": (
        "warn",
        "人数“{text}”不是数字，按未知处理",
        "headcount “{text}” is no number; taken as unknown",
    ),
    "category_unclear": (
        "warn",
        "考试类别“{text}”不在办法所列类别中，按未知处理",
        "exam category “{text}” is none of the rule's; taken as unknown",
    ),
    "category_differs": (
        "warn",
        "与第 {row} 行同考场同时间而类别不同，按“{category}”读取",
        "another category than row {row} in the same room and times; “{category}” was taken",
    ),
    "no_time": ("reject", "没有考试时间（{text}）", "no time is given ({text})"),
    "no_date": ("reject", "“{text}”没有日期", "“{text}” gives no date"),
    "no_clock_time": ("reject", "“{text}”没有起止时刻", "“{text}” gives no hours"),
    "no_end": (
        "reject",
        "“{text}”没有结束时刻或时长",
        "“{text}” gives neither an end nor a duration",
    ),
    "no_year": (
        "reject",
        "“{text}”没有年份，标题和校历也不能确定",
        "“{text}” has no year, and neither title nor term tells it",
    ),
    "no_such_date": ("reject", "没有这一天：{text}", "there is no such date: {text}"),
    "no_such_time": ("reject", "没有这个时刻：{text}", "there is no such time of day: {text}"),
    "end_before_start": (
        "reject",
        "结束时间不晚于开始时间：{text}",
        "the end is not after the start: {text}",
    ),
    "too_long": ("reject", "考试时间超过 12 小时：{text}", "longer than 12 hours: {text}"),
    "ambiguous_date": (
        "reject",
        "“{text}”日月次序不明，请写成 年-月-日",
        "day and month of “{text}” can be swapped; write year-month-day",
    ),
    "contradiction": (
        "reject",
        "“{text}”自相矛盾：{detail}",
        "“{text}” contradicts itself: {detail}",
    ),
    "several_times": (
        "reject",
        "“{text}”含有多个时间段，请分行填写",
        "“{text}” holds several spans; give each a row",
    ),
    "needs_term": (
        "reject",
        "“{text}”按周次或节次书写，需要校历作息表",
        "“{text}” is given in weeks or sections; a term table is needed",
    ),
    "no_such_section": (
        "reject",
        "作息表没有“{text}”中的节次",
        "the term table has no section as in “{text}”",
    ),
    "unclear_time": (
        "reject",
        "读不懂时间“{text}”（{detail}）",
        "the time “{text}” is not understood ({detail})",
    ),
    "no_room": ("reject", "没有考场", "no room is given"),
    "unknown_room": (
        "reject",
        "考场“{raw}”不在教室表中{proposal_zh}",
        "room “{raw}” is not in the list of rooms{proposal_en}",
    ),
    "ambiguous_room": (
        "reject",
        "考场“{raw}”可能是 {rooms}，请写明",
        "room “{raw}” may be any of {rooms}; please say which",
    ),
    "no_course": ("reject", "没有课程名称或代码", "no course is given"),
}


class Finding(msgspec.Struct, frozen=True):
    """One thing said of a row."""

    code: str
    verdict: Verdict
    message_zh: str
    message_en: str


class Rejected(Exception):
    """A row cannot become a session; the finding says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message_en)
        self.finding = finding


def finding(code: str, **facts: object) -> Finding:
    """Say it; `facts` fill the sentences of that code."""
    verdict, zh, en = _SAYINGS[code]
    return Finding(code, verdict, zh.format(**facts), en.format(**facts))


def reject(code: str, **facts: object) -> Rejected:
    """Say why a row cannot be taken, to be raised."""
    return Rejected(finding(code, **facts))


def codes() -> frozenset[str]:
    """Every code a row can carry."""
    return frozenset(_SAYINGS)
