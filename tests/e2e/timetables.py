"""Timetable files that the end-to-end tests load."""

import io
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import openpyxl

ZONE = ZoneInfo("Asia/Shanghai")
HEAD = ("课程代码", "课程名称", "考试日期", "考试时间", "考场", "考试人数", "监考教师")


def room(number: int) -> str:
    """The demo's n-th room."""
    return f"A{number // 6 + 1}{number % 6 + 1:02d}"


def tomorrow(rooms: int, *, bad_row: bool = False) -> bytes:
    """One exam per room tomorrow morning; with a last row that has no time, on request."""
    day = (datetime.now(ZONE) + timedelta(days=1)).date().isoformat()
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEAD)
    for number in range(rooms):
        course = (f"HIST{number:04d}", f"中国近现代史纲要（{number + 1}班）")
        sheet.append((*course, day, "09:00-11:00", room(number), 40 + number, "周海燕、吴志强"))
    if bad_row:
        sheet.append(("HIST9999", "书法", day, "待定", room(0), 12, "郑晓东"))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
