"""Rooms matched against the list; people, courses and headcounts out of their cells."""

from pathlib import Path

import pytest

from orchestrator.timetable.book import Unreadable
from orchestrator.timetable.findings import Rejected
from orchestrator.timetable.people import course_of, headcount_of, names_of
from orchestrator.timetable.rooms import Rooms, read_room_file

FILE = Path(__file__).parents[1] / "data/timetables/rooms.json"
ROOMS = Rooms(read_room_file(FILE.read_bytes()).rooms)


@pytest.mark.parametrize(
    "raw",
    ["北楼101", "北楼 101", "北楼１０１", "N-101", "n—101", "北101", "N101", "东校区 北楼101"],
)
def test_name_alias_and_code_lead_to_the_canonical_room(raw: str) -> None:
    place, remarks = ROOMS.find(raw)
    assert (place.name, remarks) == ("北楼101", [])


def test_brackets_are_left_out_with_a_warning() -> None:
    place, (remark,) = ROOMS.find("北楼102（智慧教室）")
    assert (place.name, remark.code, remark.verdict) == ("北楼102", "room_read_as", "warn")
    assert "北楼102（智慧教室）" in remark.message_zh


@pytest.mark.parametrize(
    ("raw", "proposal"),
    [("北楼一零一", "北楼101"), ("北楼1o2", "北楼102"), ("北楼第101教室", "北楼101")],
)
def test_an_unknown_room_is_refused_with_a_proposal(raw: str, proposal: str) -> None:
    with pytest.raises(Rejected) as rejected:
        ROOMS.find(raw)
    assert rejected.value.finding.code == "unknown_room"
    assert proposal in rejected.value.finding.message_zh
    assert proposal in rejected.value.finding.message_en


def test_a_room_like_no_other_is_refused_without_proposal() -> None:
    with pytest.raises(Rejected) as rejected:
        ROOMS.find("体育馆")
    assert rejected.value.finding.message_zh == "考场“体育馆”不在教室表中"


def test_a_name_on_two_campuses_needs_the_campus() -> None:
    with pytest.raises(Rejected) as rejected:
        ROOMS.find("101")
    assert rejected.value.finding.code == "ambiguous_room"
    place, _ = ROOMS.find("101", "南校区")
    assert place.room is not None
    assert place.room.code == "S101"
    assert ROOMS.find("西校区 101")[0].room == ROOMS.find("101", "西校区")[0].room


def test_a_cell_with_several_rooms_names_each() -> None:
    found = ROOMS.find_all("北楼101、北楼102")
    assert [place.name for place, _ in found] == ["北楼101", "北楼102"]
    with pytest.raises(Rejected):
        ROOMS.find_all("北楼101、体育馆")


@pytest.mark.parametrize("data", [b"[]", b"{}", b'{"rooms": [{"code": "x"}]}', b"\xff"])
def test_a_broken_list_of_rooms_is_said_to_be_one(data: bytes) -> None:
    with pytest.raises(Unreadable) as unreadable:
        read_room_file(data)
    assert unreadable.value.code == "bad_rooms"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("周海燕", ["周海燕"]),
        ("周海燕、吴志强", ["周海燕", "吴志强"]),
        ("周海燕,吴志强；冯丽;蒋文，沈涛", ["周海燕", "吴志强", "冯丽", "蒋文", "沈涛"]),
        ("周海燕 吴志强", ["周海燕", "吴志强"]),
        ("王 伟", ["王伟"]),
        ("05A1765453/周海燕", ["周海燕"]),
        ("20081234 周海燕;20091235吴志强", ["周海燕", "吴志强"]),
        ("周海燕(13800001111)", ["周海燕"]),
        ("周海燕 13800001111", ["周海燕"]),
        ("主监考：周海燕；副监考：吴志强、冯丽", ["周海燕", "吴志强", "冯丽"]),
        ("周海燕/吴志强", ["周海燕", "吴志强"]),
        ("周海燕、周海燕", ["周海燕"]),
        ("阿不都·热合曼", ["阿不都·热合曼"]),
        ("John Smith; Mary Ann Jones", ["John Smith", "Mary Ann Jones"]),
        ("甲", ["甲"]),
        ("待定", []),
        ("", []),
        ("-", []),
    ],
)
def test_persons_are_told_apart_and_lose_their_numbers(text: str, names: list[str]) -> None:
    assert names_of(text) == names


@pytest.mark.parametrize(
    ("name", "code", "course"),
    [
        ("高等数学", "M1", ("M1", "高等数学")),
        ("[05A8691]C语言程序设计", "", ("05A8691", "C语言程序设计")),
        ("【05A8691】C语言", "05A8691", ("05A8691", "C语言")),
        ("（双语）高等数学", "", (None, "（双语）高等数学")),
        ("(1)高等数学", "", (None, "(1)高等数学")),
        ("", "M1", ("M1", None)),
        ("", "", (None, None)),
    ],
)
def test_a_course_has_code_and_name(
    name: str, code: str, course: tuple[str | None, str | None]
) -> None:
    assert course_of(name, code) == course


@pytest.mark.parametrize(
    ("value", "count"),
    [(40.0, 40), ("40", 40), ("４０人", 40), ("40名", 40), ("", None), ("三十", None), (4.5, None)],
)
def test_a_headcount_is_a_whole_number(value: str | float, count: int | None) -> None:
    assert headcount_of(value) == count
