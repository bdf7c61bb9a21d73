"""Spreadsheets: values, merged cells, sheets, and files that are broken or hostile."""

import io
import zipfile
from datetime import date, datetime, time

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from orchestrator.timetable.book import Book, Unreadable
from orchestrator.timetable.reading import read


def _workbook() -> tuple[openpyxl.Workbook, Worksheet]:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert isinstance(sheet, Worksheet)
    return workbook, sheet


def _bytes(workbook: openpyxl.Workbook) -> bytes:
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def _book(workbook: openpyxl.Workbook) -> Book:
    return read(_bytes(workbook), "a.xlsx")


def test_a_workbook_is_known_by_its_content_not_its_name() -> None:
    workbook, sheet = _workbook()
    sheet.append(["考试时间", "考场"])
    (read_sheet,) = read(_bytes(workbook), "timetable.csv").sheets
    assert read_sheet.rows[0].texts == ["考试时间", "考场"]


def test_rows_keep_their_numbers_when_the_top_is_empty() -> None:
    workbook, sheet = _workbook()
    sheet["B3"] = "考场"
    (read_sheet,) = _book(workbook).sheets
    assert [(row.number, row.texts) for row in read_sheet.rows if row.texts] == [(3, ["考场"])]


def test_dates_times_and_numbers_keep_their_kind() -> None:
    workbook, sheet = _workbook()
    sheet.append([date(2027, 1, 13), time(9, 0), datetime(2027, 1, 13, 9, 30), 40, 7.5, "文字"])  # noqa: DTZ001
    (read_sheet,) = _book(workbook).sheets
    row = read_sheet.rows[0]
    assert row.cells[0] == date(2027, 1, 13)
    assert row.cells[1] == time(9, 0)
    assert row.cells[2] == datetime(2027, 1, 13, 9, 30)  # noqa: DTZ001
    assert [row.text(column) for column in (3, 4, 5, 9)] == ["40", "7.5", "文字", ""]


def test_a_merged_cell_stands_in_all_its_rows_and_names_its_origin() -> None:
    workbook, sheet = _workbook()
    for row in (["日期", "考场"], ["2027-01-13", "101"], [None, "102"], [None, "103"]):
        sheet.append(row)
    sheet.merge_cells("A2:A3")
    (read_sheet,) = _book(workbook).sheets
    assert [row.text(0) for row in read_sheet.rows] == ["日期", "2027-01-13", "2027-01-13", ""]
    assert [row.origins.get(0) for row in read_sheet.rows] == [None, 2, 2, None]


def test_a_row_merged_across_is_a_banner() -> None:
    workbook, sheet = _workbook()
    sheet.append(["期末考试安排表"])
    sheet.append(["日期", "时间", "考场"])
    sheet.merge_cells("A1:C1")
    (read_sheet,) = _book(workbook).sheets
    assert [row.banner for row in read_sheet.rows] == [True, False]


def test_hidden_sheets_are_left_out() -> None:
    workbook, sheet = _workbook()
    sheet.title = "安排"
    sheet.append(["考试时间", "考场"])
    workbook.create_sheet("旧").sheet_state = "hidden"
    assert [read_sheet.name for read_sheet in _book(workbook).sheets] == ["安排"]


def _code(data: bytes) -> str:
    with pytest.raises(Unreadable) as unreadable:
        read(data, "a.xlsx")
    return unreadable.value.code


def test_a_torn_workbook_is_refused() -> None:
    workbook, sheet = _workbook()
    sheet.append(["考试时间", "考场"])
    whole = _bytes(workbook)
    assert _code(whole[: len(whole) // 2]) == "unknown_content"


def test_a_workbook_without_its_parts_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("xl/workbook.xml", "<workbook")
    assert _code(out.getvalue()) == "broken_workbook"


def test_a_broken_old_workbook_is_refused() -> None:
    assert _code(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2048)) == "broken_workbook"


def test_a_zip_that_swells_is_refused_before_it_is_unpacked() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for number in range(9):
            packed.writestr(f"xl/sheet{number}.xml", bytes(64 * 2**20))
    assert len(out.getvalue()) < 2**20
    assert _code(out.getvalue()) == "too_large"
