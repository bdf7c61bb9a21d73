"""`xunkao timetable check` and `import`, as the exam office types them."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import insert

from orchestrator.store import Store
from orchestrator.store.tables import rooms

DATA = Path(__file__).parents[1] / "data/timetables"
HEAD = "课程代码,课程名称,考试时间,考场,人数,监考\n"
ROW = "M1,高等数学,2037-01-13 09:00-11:00,北楼101,30,周海燕\n"


def _xunkao(*arguments: str | Path, answer: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "orchestrator", "timetable", *arguments],
        capture_output=True,
        text=True,
        input=answer,
        env={**os.environ, "COLUMNS": "200"},
    )


def test_checking_answers_in_json_and_exits_1_when_rows_are_rejected() -> None:
    done = _xunkao("check", DATA / "dirty.csv", "--rooms", DATA / "rooms.json", "--json")
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    assert set(answer) == {"sessions", "rows"}
    assert {row["verdict"] for row in answer["rows"]} >= {"warn", "reject"}
    assert answer["sessions"][0]["courses"] == [
        {"code": "M1", "name": "高等数学"},
        {"code": "M2", "name": "线性代数"},
    ]


def test_checking_a_clean_file_exits_0_and_leaves_rooms_as_written(tmp_path: Path) -> None:
    file = tmp_path / "期末.csv"
    file.write_text(HEAD + ROW.replace("北楼101", "北楼 101"), "gb18030")
    done = _xunkao("check", file, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["sessions"][0]["room"] == "北楼 101"


def test_checking_warns_of_an_exam_that_is_over(tmp_path: Path) -> None:
    file = tmp_path / "期末.csv"
    file.write_text(HEAD + ROW.replace("2037", "2020"), "utf-8")
    done = _xunkao("check", file, "--json")
    assert done.returncode == 0
    assert [row["code"] for row in json.loads(done.stdout)["rows"]] == ["in_the_past"]


def test_checking_reads_weeks_by_the_term_table(tmp_path: Path) -> None:
    file = tmp_path / "期末.csv"
    file.write_text(HEAD + "M1,高数,第19周 星期三 第1-2节,101,30,甲\n", "utf-16")
    done = _xunkao("check", file, "--term", DATA / "term.json", "--json")
    assert json.loads(done.stdout)["sessions"][0]["start"] == "2027-01-13T08:00:00+08:00"
    assert _xunkao("check", file).returncode == 1


def test_checking_for_people_names_the_rows_in_both_languages() -> None:
    done = _xunkao("check", DATA / "dirty.csv", "--rooms", DATA / "rooms.json")
    assert "没有这一天" in done.stdout
    assert "there is no such date" in done.stdout
    assert "8 rejected" in done.stdout


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\n\0", b"a,b\n1,2\n"])
def test_an_unreadable_file_exits_2_and_says_why(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "期末.xlsx"
    file.write_bytes(content)
    done = _xunkao("check", file, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "期末.xlsx" in done.stderr


@pytest.mark.parametrize("option", ["--term", "--rooms"])
def test_a_broken_table_beside_it_exits_2(tmp_path: Path, option: str) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    done = _xunkao("check", DATA / "dirty.csv", option, broken)
    assert done.returncode == 2
    assert "cannot be read" in done.stderr


def test_a_missing_file_exits_2(tmp_path: Path) -> None:
    done = _xunkao("check", tmp_path / "none.csv")
    assert done.returncode == 2
    assert "none.csv" in done.stderr


@pytest.fixture
def centre(tmp_path: Path) -> Path:
    """A configuration beside a store with one room."""
    config = tmp_path / "xunkao.toml"
    config.write_text('data = "data"\n')
    (tmp_path / "data").mkdir()

    async def furnish() -> None:
        async with (
            Store.open(f"sqlite:///{tmp_path / 'data' / 'centre.sqlite'}") as store,
            store.write() as connection,
        ):
            await connection.execute(insert(rooms).values(id="N101", name="北楼101", aliases=[]))

    asyncio.run(furnish())
    return config


def test_importing_shows_the_difference_asks_and_applies(tmp_path: Path, centre: Path) -> None:
    file = tmp_path / "期末.csv"
    file.write_text(HEAD + ROW)
    asked = _xunkao("import", file, "--config", centre, answer="n\n")
    assert asked.returncode == 1
    assert "Add 1, remove 0 and change 0 sessions?" in asked.stdout
    assert "高等数学" in asked.stdout
    done = _xunkao("import", file, "--config", centre, answer="y\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 added, 0 removed, 0 changed" in done.stdout
    again = _xunkao("import", file, "--yes", "--config", centre)
    assert "0 added, 0 removed, 0 changed" in again.stdout


def test_importing_an_unreadable_file_exits_2(tmp_path: Path, centre: Path) -> None:
    file = tmp_path / "期末.csv"
    file.write_bytes(b"\x89PNG\0\0")
    done = _xunkao("import", file, "--yes", "--config", centre)
    assert done.returncode == 2
    assert "期末.csv" in done.stderr
