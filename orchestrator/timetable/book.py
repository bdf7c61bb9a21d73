"""What any file is read into: sheets of rows of cells, numbered as the file shows them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

Value = str | int | float | bool | date | datetime | time | timedelta
"""A cell's value; an empty cell is the empty text."""

MOST_BYTES = 32 * 2**20
MOST_ROWS = 200_000
MOST_COLUMNS = 512


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a sheet, with merged cells filled in."""

    number: int
    """From 1, as the file shows it."""
    cells: tuple[Value, ...]
    origins: Mapping[int, int] = field(default_factory=dict)
    """Column -> row in which a cell that is merged downwards stands."""
    banner: bool = False
    """All it says stands in one cell that runs over several columns."""

    def cell(self, column: int) -> Value:
        """Give a cell's value; empty beyond the end of the row."""
        return self.cells[column] if column < len(self.cells) else ""

    def text(self, column: int) -> str:
        """Give a cell's value as text, trimmed."""
        return text_of(self.cell(column))

    @property
    def texts(self) -> list[str]:
        """What it says, without the empty cells."""
        return [text for text in map(text_of, self.cells) if text]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A named table."""

    name: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Book:
    """A file's tables."""

    name: str
    """The file's name, without folder."""
    sheets: tuple[Sheet, ...]


class Unreadable(Exception):
    """The file as a whole cannot be read; says why in both languages."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.code = code
        self.zh = zh
        self.en = en


def text_of(value: Value) -> str:
    """Give a cell as a person would read it; whole numbers without their `.0`."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def within_limits(rows: int, columns: int) -> None:
    """Return when a table is of a size we take; raises Unreadable otherwise."""
    if rows > MOST_ROWS or columns > MOST_COLUMNS:
        raise Unreadable(
            "too_large",
            f"表格过大：{rows} 行 {columns} 列，最多 {MOST_ROWS} 行 {MOST_COLUMNS} 列",
            f"the table has {rows} rows and {columns} columns; "
            f"at most {MOST_ROWS} and {MOST_COLUMNS} are read",
        )
