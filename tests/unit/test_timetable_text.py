"""Tables in text: encodings, separators, quotes."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as some

from orchestrator.timetable import book
from orchestrator.timetable.book import Unreadable
from orchestrator.timetable.delimited import decode, read_delimited
from orchestrator.timetable.reading import read

TABLE = "考试时间,考场,课程\n2027-01-13 09:00-11:00,教2-101,高等数学（上）\n"


def _code(data: bytes, name: str = "a.csv") -> str:
    with pytest.raises(Unreadable) as unreadable:
        read(data, name)
    assert unreadable.value.zh
    assert unreadable.value.en
    return unreadable.value.code


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be"]
)
def test_a_table_is_the_same_in_every_encoding(encoding: str) -> None:
    (sheet,) = read(TABLE.encode(encoding), "期末.csv").sheets
    assert sheet.name == "期末"
    assert sheet.rows[0].texts == ["考试时间", "考场", "课程"]
    assert sheet.rows[1].texts == ["2027-01-13 09:00-11:00", "教2-101", "高等数学（上）"]


def test_a_sign_beyond_gbk_is_read_as_gb18030() -> None:
    assert decode("监考：𠮷田\n".encode("gb18030")) == "监考：𠮷田\n"


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_separator_is_found(delimiter: str) -> None:
    text = TABLE.replace(",", delimiter)
    (sheet,) = read(text.encode(), "table.txt").sheets
    assert [len(row.cells) for row in sheet.rows] == [3, 3]


def test_commas_inside_cells_do_not_make_the_separator() -> None:
    text = "时间\t考场\t监考\n1\t2\t甲,乙,丙\n3\t4\t丁,戊\n"
    (sheet,) = read(text.encode(), "a.tsv").sheets
    assert sheet.rows[1].texts == ["1", "2", "甲,乙,丙"]


def test_rows_are_numbered_as_a_spreadsheet_shows_them() -> None:
    text = '考试时间,考场\n"两行的\n单元格",教2-101\n\n最后,教2-102\n'
    (sheet,) = read(text.encode(), "a.csv").sheets
    assert [(row.number, len(row.cells)) for row in sheet.rows] == [(1, 2), (2, 2), (3, 0), (4, 2)]
    assert sheet.rows[1].cells[0] == "两行的\n单元格"


def test_an_open_quote_swallows_no_rows_silently() -> None:
    text = TABLE + '"2027-01-14 09:00-11:00,教2-101,x\n' + "2027-01-15 09:00-11:00,教2-101,y\n"
    assert _code(text.encode()) == "malformed"


def test_the_broken_row_is_named() -> None:
    with pytest.raises(Unreadable, match="row 3") as unreadable:
        read((TABLE + '"高数"上,教2-101,x\n').encode(), "a.csv")
    assert "第 3 行" in unreadable.value.zh


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"  \r\n\r\n", "empty"),
        ("\ufeff".encode(), "empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(64), "unknown_content"),
        (b"%PDF-1.7\n" + bytes(64), "unknown_content"),
        (b"PK\x03\x04" + bytes(64), "unknown_content"),
        (b"\xff\xff\xff\x81\x20 not text", "unknown_encoding"),
        (b"\xff\xfe\x00", "unknown_encoding"),
    ],
)
def test_what_is_no_table_is_refused_by_its_content(data: bytes, code: str) -> None:
    assert _code(data) == code


def test_a_table_too_long_is_refused() -> None:
    assert _code(b"a,b\n" * (book.MOST_ROWS + 1)) == "too_large"


def test_a_table_too_wide_is_refused() -> None:
    assert _code(b"," * (book.MOST_COLUMNS + 1)) == "too_large"


def test_a_file_too_large_is_refused() -> None:
    assert _code(b"a" * (book.MOST_BYTES + 1)) == "too_large"


@given(some.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(Unreadable):
        assert read(data, "x.csv").sheets


@given(
    some.lists(
        some.lists(some.text(alphabet='高数A1 ,"\n；-', min_size=1), min_size=2, max_size=4),
        min_size=1,
        max_size=5,
    )
)
def test_quoted_cells_come_back_as_they_were(table: list[list[str]]) -> None:
    text = "\n".join(",".join('"' + c.replace('"', '""') + '"' for c in row) for row in table)
    (sheet,) = read_delimited(text.encode(), "a.csv").sheets
    assert [[*row.cells] for row in sheet.rows] == [[c.strip() for c in row] for row in table]
