"""A timetable on its way through the pages' API."""

from collections.abc import AsyncGenerator
from io import BytesIO
from pathlib import Path

import pytest
from aiohttp import FormData

from orchestrator.access import Role
from tests.system.webhouse import BASE, House, code_of, exam_file, load_exams, open_house
from web.routes.timetables import LARGEST_FILE


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with open_house(tmp_path) as house:
        yield house


def _form(data: bytes, name: str = "考试安排.csv") -> FormData:
    form = FormData()
    form.add_field("file", BytesIO(data), filename=name)
    return form


async def test_an_upload_shows_what_it_would_change_and_changes_nothing(house: House) -> None:
    headers = await house.log_in(Role.exam_office)
    data = exam_file(house.clock.now())
    answer = await house.client.post(f"{BASE}/timetables", data=_form(data), headers=headers)
    assert answer.status == 201, await answer.text()
    staged = await answer.json()
    assert answer.headers["Location"] == f"{BASE}/timetables/{staged['id']}"
    assert [row["verdict"] for row in staged["rows"]] == ["ok", "ok", "reject"]
    assert all(row["message_zh"] and row["message_en"] for row in staged["rows"])
    assert len(staged["diff"]["added"]) == 2
    assert staged["diff"]["added"][0]["courses"][0]["name"] == "高等数学"
    assert (await (await house.client.get(f"{BASE}/sessions")).json())["items"] == []
    again = await (await house.client.get(f"{BASE}/timetables/{staged['id']}")).json()
    assert again == staged


async def test_applied_exams_are_sessions_and_their_cameras_may_be_seen(house: House) -> None:
    await load_exams(house)
    listed = await (await house.client.get(f"{BASE}/sessions?limit=1")).json()
    (first,) = listed["items"]
    assert first["state"] == "RUNNING"
    assert first["window_start"] < first["start"] < first["end"] < first["window_end"]
    following = await house.client.get(f"{BASE}/sessions?after={listed['next']}")
    (second,) = (await following.json())["items"]
    names = {item["room"]: item["room_name"] for item in (first, second)}
    assert names == {"A101": "教一 101", "A102": "教一 102"}
    only = await (await house.client.get(f"{BASE}/sessions?room=A102")).json()
    assert [item["room"] for item in only["items"]] == ["A102"]
    none = await house.client.get(f"{BASE}/sessions?from=2027-01-01T00:00:00Z")
    assert (await none.json())["items"] == []
    cameras = await (await house.client.get(f"{BASE}/cameras")).json()
    assert [(camera["id"], camera["live"]) for camera in cameras["items"]] == [
        ("cam-01", True),
        ("cam-02", True),
    ]
    assert "rtsp" not in str(cameras)


async def test_a_session_that_is_not_there_ends_the_walk_with_a_reason(house: House) -> None:
    await house.log_in(Role.patrol)
    answer = await house.client.get(f"{BASE}/sessions?after=s-gone")
    assert (answer.status, await code_of(answer)) == (404, "no_such")


async def test_a_file_that_cannot_be_read_is_said_to_be_so(house: House) -> None:
    headers = await house.log_in(Role.exam_office)
    form = _form(b"\x00\x01 nothing", "kaoshi.xlsx")
    answer = await house.client.post(f"{BASE}/timetables", data=form, headers=headers)
    assert (answer.status, await code_of(answer)) == (422, "unreadable_file")
    assert (await answer.json())["detail"]


async def test_a_file_that_is_too_large_is_refused_before_it_is_read(house: House) -> None:
    headers = await house.log_in(Role.exam_office)
    form = _form(bytes(LARGEST_FILE + 1))
    answer = await house.client.post(f"{BASE}/timetables", data=form, headers=headers)
    assert (answer.status, await code_of(answer)) == (413, "too_large")


async def test_a_file_that_hides_its_length_is_cut_off_too(house: House) -> None:
    headers = await house.log_in(Role.exam_office)
    edge = "b0undary"

    async def body() -> AsyncGenerator[bytes]:
        yield (
            f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        ).encode()
        for _ in range(LARGEST_FILE // (1 << 20) + 1):
            yield bytes(1 << 20)
        yield f"\r\n--{edge}--\r\n".encode()

    headers = {**headers, "Content-Type": f"multipart/form-data; boundary={edge}"}
    answer = await house.client.post(f"{BASE}/timetables", data=body(), headers=headers)
    assert (answer.status, await code_of(answer)) == (413, "too_large")


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"{}", "application/json", "wrong_type"),
        (b"", "multipart/form-data; boundary=x", "bad_request"),
        (b"--x--\r\n", "multipart/form-data; boundary=x", "bad_request"),
        (b"rubbish", "multipart/form-data; boundary=x", "bad_request"),
        (b"rubbish", "multipart/form-data", "bad_request"),
        (
            b'--x\r\nContent-Disposition: form-data; name="other"\r\n\r\nhello\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
            "bad_request",
        ),
    ],
)
async def test_a_body_without_a_file_is_refused(
    house: House, body: bytes, kind: str, code: str
) -> None:
    headers = {**await house.log_in(Role.exam_office), "Content-Type": kind}
    answer = await house.client.post(f"{BASE}/timetables", data=body, headers=headers)
    assert await code_of(answer) == code


async def test_an_exam_that_runs_is_not_ended_by_one_person(house: House) -> None:
    await load_exams(house)
    headers = await house.log_in(Role.exam_office)
    fewer = exam_file(house.clock.now(), rooms=("A101",), rejected=False)
    answer = await house.client.post(f"{BASE}/timetables", data=_form(fewer), headers=headers)
    staged = await answer.json()
    assert len(staged["diff"]["removed"]) == 1
    refused = await house.client.post(
        f"{BASE}/timetables/{staged['id']}/apply", json={"reason": "改期"}, headers=headers
    )
    assert (refused.status, await code_of(refused)) == (409, "running_session")


@pytest.mark.parametrize("id", ["t000000000000", "..%2f", "%00", "a" * 200])
async def test_what_is_not_there_cannot_be_applied(house: House, id: str) -> None:
    headers = await house.log_in(Role.exam_office)
    answer = await house.client.post(f"{BASE}/timetables/{id}/apply", headers=headers)
    assert (answer.status, await code_of(answer)) == (404, "no_such")
