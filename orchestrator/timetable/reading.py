"""Reading a file by what it holds, not by its name."""

from collections.abc import Callable

from orchestrator.timetable.book import MOST_BYTES, Book, Unreadable
from orchestrator.timetable.delimited import is_text, read_delimited
from orchestrator.timetable.workbook import is_workbook, read_workbook

Recognise = Callable[[bytes], bool]
Read = Callable[[bytes, str], Book]

READERS: tuple[tuple[Recognise, Read], ...] = (
    (is_workbook, read_workbook),
    (is_text, read_delimited),
)
"""Asked in order; the first that recognises the content reads it."""


def read(data: bytes, name: str) -> Book:
    """Give the tables of a file; raises Unreadable for what is no timetable file."""
    if len(data) > MOST_BYTES:
        raise Unreadable(
            "too_large",
            f"文件超过 {MOST_BYTES >> 20} MB",
            f"the file is larger than {MOST_BYTES >> 20} MB",
        )
    if not data.strip():
        raise Unreadable("empty", "文件是空的", "the file is empty")
    for recognises, reads in READERS:
        if recognises(data):
            return reads(data, name)
    raise Unreadable(
        "unknown_content",
        "无法识别的文件；请提供 .xlsx 或 .csv",
        "the content is not recognised; .xlsx and .csv are read",
    )
