"""Spreadsheets: .xlsx and the older .xls, with merged cells filled in."""

import io
import zipfile
from collections.abc import Iterable
from typing import Any

from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from orchestrator.timetable.book import Book, Row, Sheet, Unreadable, Value, text_of, within_limits

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MOST_UNPACKED = 512 * 2**20
_BANNER_COLUMNS = 3

Range = tuple[tuple[int, int], tuple[int, int]]


def is_workbook(data: bytes) -> bool:
    """True for a zip that holds a workbook, and for the older compound file."""
    if data.startswith(_OLE):
        return True
    if not data.startswith(_ZIP):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            return any(name.startswith("xl/") for name in packed.namelist())
    except (zipfile.BadZipFile, ValueError, OSError):
        return False


def read_workbook(data: bytes, name: str) -> Book:
    """Read every visible sheet; raises Unreadable."""
    _not_a_bomb(data)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(data)) as workbook:
            sheets = [
                _sheet(workbook.get_sheet_by_name(meta.name))
                for meta in workbook.sheets_metadata
                if meta.visible == SheetVisibleEnum.Visible and meta.typ == SheetTypeEnum.WorkSheet
            ]
    except PasswordError as error:
        raise Unreadable(
            "encrypted", "文件有密码保护，请取消后再导入", "the workbook is protected by a password"
        ) from error
    except (CalamineError, OSError, ValueError) as error:
        raise Unreadable(
            "broken_workbook", f"电子表格已损坏：{error}", f"the workbook is broken: {error}"
        ) from error
    return Book(name, tuple(sheets))


def _not_a_bomb(data: bytes) -> None:
    if not data.startswith(_ZIP):
        return
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        size = sum(entry.file_size for entry in packed.infolist())
    if size > _MOST_UNPACKED:
        raise Unreadable(
            "too_large",
            f"文件解压后有 {size >> 20} MB，超过上限",
            f"the file unpacks to {size >> 20} MB, more than is read",
        )


def _sheet(sheet: Any) -> Sheet:
    within_limits(sheet.total_height, sheet.total_width)
    table: list[list[Value]] = sheet.to_python(skip_empty_area=False)
    merged: Iterable[Range] = sheet.merged_cell_ranges or ()
    origins = _fill(table, merged)
    banners = {top for (top, left), (_, right) in merged if right - left + 1 >= _BANNER_COLUMNS}
    rows = []
    for index, cells in enumerate(table):
        said = {text_of(cell) for cell in cells} - {""}
        banner = index in banners and len(said) == 1
        rows.append(Row(index + 1, tuple(cells), origins.get(index, {}), banner))
    return Sheet(sheet.name, tuple(rows))


def _fill(table: list[list[Value]], merged: Iterable[Range]) -> dict[int, dict[int, int]]:
    """Write a merged cell's value into all its cells; gives row -> column -> origin's row."""
    origins: dict[int, dict[int, int]] = {}
    for (top, left), (bottom, right) in merged:
        if top >= len(table) or left >= len(table[top]):
            continue
        value = table[top][left]
        for row in range(top, min(bottom + 1, len(table))):
            for column in range(left, min(right + 1, len(table[row]))):
                table[row][column] = value
                origins.setdefault(row, {})[column] = top + 1
    return origins
