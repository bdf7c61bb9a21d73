"""Files are read in a process of their own, and what they do to it stays there."""

import asyncio
import io
import os
import zipfile
from contextlib import suppress
from pathlib import Path

import openpyxl
import psutil
import pytest

from orchestrator.timetable import book
from orchestrator.timetable.book import Unreadable
from orchestrator.timetable.job import Job
from orchestrator.timetable_reader import TimetableReader

DATA = Path(__file__).parents[1] / "data/timetables"
TABLE = "课程,考试时间,考场\n高数,2027-01-13 09:00-11:00,101\n".encode()


async def _code(job: Job, seconds: float = 30.0) -> str:
    with pytest.raises(Unreadable) as unreadable:
        await TimetableReader(seconds).read(job)
    return unreadable.value.code


async def test_a_file_is_read_with_its_term_table_and_zone() -> None:
    weeks = "课程,考试时间,考场\n高数,第19周 星期三 第1-2节,101\n".encode()
    term = (DATA / "term.json").read_bytes()
    reading = await TimetableReader().read(Job(data=weeks, name="a.csv", term=term))
    assert reading.sessions[0].start.isoformat() == "2027-01-13T08:00:00+08:00"
    plain = await TimetableReader().read(Job(data=TABLE, name="a.csv", timezone="Europe/Berlin"))
    assert plain.sessions[0].start.isoformat() == "2027-01-13T09:00:00+01:00"


async def test_what_is_wrong_with_a_file_is_said() -> None:
    assert await _code(Job(data=b"a,b\n1,2\n", name="a.csv")) == "no_header"


async def test_a_broken_term_table_is_said() -> None:
    assert await _code(Job(data=TABLE, name="a.csv", term=b"{")) == "bad_term"


async def test_a_sheet_that_reaches_to_the_end_of_the_world_is_refused() -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet["A1"], sheet["B1"] = "考试时间", "考场"
    sheet["XFD1048576"] = "x"
    out = io.BytesIO()
    workbook.save(out)
    assert await _code(Job(data=out.getvalue(), name="a.xlsx")) in ("took_too_much", "too_large")


async def test_a_zip_that_hides_its_size_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", bytes(200 * 2**20))
    lying = out.getvalue().replace((200 * 2**20).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    code = await _code(Job(data=lying, name="a.xlsx", memory_bytes=256 * 2**20))
    assert code in ("took_too_much", "too_large", "broken_workbook")


async def test_a_file_larger_than_we_take_starts_no_process() -> None:
    before = len(psutil.Process().children())
    assert await _code(Job(data=bytes(book.MOST_BYTES + 1), name="a.csv")) == "too_large"
    assert len(psutil.Process().children()) == before


async def test_a_file_that_takes_too_long_is_given_up_and_its_process_ended() -> None:
    many = TABLE + "高数,2027-01-13 09:00-11:00,101\n".encode() * 150_000
    assert await _code(Job(data=many, name="a.csv"), seconds=0.3) == "took_too_much"
    assert _readers() == []


async def test_too_little_memory_ends_the_reading_not_the_centre() -> None:
    many = TABLE + "高数,2027-01-13 09:00-11:00,101\n".encode() * 150_000
    job = Job(data=many, name="a.csv", memory_bytes=96 * 2**20)
    assert await _code(job) in ("took_too_much", "too_large")


async def test_a_reading_that_is_cancelled_leaves_no_process() -> None:
    many = TABLE + "高数,2027-01-13 09:00-11:00,101\n".encode() * 150_000
    reading = asyncio.ensure_future(TimetableReader().read(Job(data=many, name="a.csv")))
    async with asyncio.timeout(10):
        while not _readers():
            await asyncio.sleep(0.01)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert _readers() == []


def _readers() -> list[int]:
    found = []
    for child in psutil.Process(os.getpid()).children():
        with suppress(psutil.NoSuchProcess):  # gone meanwhile, or ended and not yet waited for
            if "orchestrator.timetable" in child.cmdline():
                found.append(child.pid)
    return found
