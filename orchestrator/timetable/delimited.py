"""Tables in text: CSV, TSV and their kin, in the encodings they come in."""

import csv
import io
from collections import Counter

from orchestrator.timetable.book import MOST_ROWS, Book, Row, Sheet, Unreadable, within_limits

_DELIMITERS = ",\t;|"
_SAMPLE_LINES = 50


def is_text(data: bytes) -> bool:
    """True for what may be a table in text: no binary signs, or UTF-16."""
    return _utf16(data) is not None or b"\0" not in data[:65536]


def read_delimited(data: bytes, name: str) -> Book:
    """Read a CSV or TSV; raises Unreadable naming the row that is broken."""
    text = decode(data)
    if not text.strip():
        raise Unreadable("empty", "文件是空的", "the file is empty")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    rows: list[Row] = []
    try:
        for number, cells in enumerate(reader, 1):
            rows.append(Row(number, tuple(cell.strip() for cell in cells)))
            if number > MOST_ROWS:
                break
    except csv.Error as error:
        raise Unreadable(
            "malformed",
            f"第 {len(rows) + 1} 行的引号或分隔符有误：{error}",
            f"row {len(rows) + 1} has a broken quote or separator: {error}",
        ) from error
    within_limits(len(rows), max((len(row.cells) for row in rows), default=0))
    return Book(name, (Sheet(name.rpartition(".")[0] or name, tuple(rows)),))


def decode(data: bytes) -> str:
    """Give the text of UTF-8 (with or without mark), UTF-16 or GB18030; raises Unreadable."""
    encoding = _utf16(data) or "utf-8-sig"
    for candidate in (encoding, "gb18030"):
        try:
            text = data.decode(candidate)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text.removeprefix("\ufeff")
    raise Unreadable(
        "unknown_encoding",
        "文字编码无法识别，请另存为 UTF-8 或 GB18030",
        "the encoding is neither UTF-8, UTF-16 nor GB18030",
    )


def _utf16(data: bytes) -> str | None:
    """Name the UTF-16 a file is in: by its mark, or by the zeros beside its separators."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    head = data[:4096]
    little = sum(head.count(sign + b"\0") for sign in (b",", b"\t", b"\n", b"-"))
    big = sum(head.count(b"\0" + sign) for sign in (b",", b"\t", b"\n", b"-"))
    if max(little, big) < 3:
        return None
    return "utf-16-le" if little >= big else "utf-16-be"


def _delimiter(text: str) -> str:
    """Give the separator that most lines have equally often."""
    lines = [line for line in text.splitlines()[: _SAMPLE_LINES * 2] if line.strip()]
    best, most = ",", 0
    for delimiter in _DELIMITERS:
        counts = Counter(line.count(delimiter) for line in lines[:_SAMPLE_LINES])
        counts.pop(0, None)
        score = max((times * min(width, 4) for width, times in counts.items()), default=0)
        if score > most:
            best, most = delimiter, score
    return best
