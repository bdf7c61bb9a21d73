"""Recordings over HTTP: for those who may and say why, and as the box sends them."""

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
import sqlalchemy

from contract import topics
from contract.bus import Arrival
from contract.messages import GapFound, Message, SegmentClosed
from orchestrator.access import Role
from orchestrator.store.tables import camera_states
from tests.fakes.box import FakeBox, segment
from tests.system.webhouse import BASE, House, code_of, enrolled_box, load_exams, open_house

BYTES = bytes(range(256)) * 4096


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with open_house(tmp_path) as house:
        yield house


@pytest.fixture
async def box(house: House, tmp_path: Path) -> AsyncGenerator[FakeBox]:
    async with enrolled_box(house, tmp_path) as box:
        yield box


async def _tell(house: House, box: FakeBox, *said: Message) -> None:
    arrivals = [
        Arrival(topics.fact(box.id), msgspec.json.encode(box.fact(data)), False) for data in said
    ]
    await house.centre.catalogue.take(arrivals)


async def _shelve(house: House, box: FakeBox, start: datetime) -> SegmentClosed:
    sealed = segment("cam-01", start, bytes=len(BYTES))
    box.shelf[sealed.path.removeprefix("shelf/")] = BYTES
    await _tell(house, box, sealed)
    return sealed


def _media(sealed: SegmentClosed, reason: str = "") -> str:
    query = f"?reason={quote(reason)}" if reason else ""
    return f"{BASE}/recordings/{sealed.segment}/media{query}"


async def test_recordings_are_listed_by_start_camera_and_span(house: House, box: FakeBox) -> None:
    start = house.clock.now()
    for minute in range(3):
        await _shelve(house, box, start + timedelta(minutes=minute))
    await house.log_in(Role.exam_office)
    first = await (await house.client.get(f"{BASE}/recordings?limit=2")).json()
    assert len(first["items"]) == 2
    rest = await (await house.client.get(f"{BASE}/recordings?after={first['next']}")).json()
    (last,) = rest["items"]
    assert rest["next"] is None
    assert last["camera"] == "cam-01"
    assert (last["bytes"], last["held"]) == (len(BYTES), False)
    assert last["retain_until"] > last["end"] > last["start"]
    assert "path" not in last
    until = (start + timedelta(seconds=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    early = await (await house.client.get(f"{BASE}/recordings?to={until}")).json()
    assert len(early["items"]) == 1
    other = await (await house.client.get(f"{BASE}/recordings?camera=cam-02")).json()
    assert other["items"] == []


async def test_the_bytes_come_whole_and_the_look_was_written_down_first(
    house: House, box: FakeBox
) -> None:
    sealed = await _shelve(house, box, house.clock.now())
    await house.log_in(Role.exam_office)
    answer = await house.client.get(_media(sealed, "投诉核查"))
    assert (answer.status, answer.content_type) == (200, "video/mp4")
    assert answer.headers["Cache-Control"] == "no-store"
    assert await answer.read() == BYTES
    act = (await house.ledger())[-1].act
    assert (act.action, act.object, act.reason) == ("play_recording", sealed.segment, "投诉核查")


async def test_a_range_is_passed_on_and_so_is_what_the_box_answers(
    house: House, box: FakeBox
) -> None:
    sealed = await _shelve(house, box, house.clock.now())
    await house.log_in(Role.exam_office)
    headers = {"Range": "bytes=100-199", "X-Reason": quote("核查")}
    answer = await house.client.get(_media(sealed), headers=headers)
    assert answer.status == 206
    assert answer.headers["Content-Range"] == f"bytes 100-199/{len(BYTES)}"
    assert await answer.read() == BYTES[100:200]
    assert (await house.ledger())[-1].act.reason == "核查"


async def test_without_a_reason_nothing_is_shown(house: House, box: FakeBox) -> None:
    sealed = await _shelve(house, box, house.clock.now())
    await house.log_in(Role.exam_office)
    answer = await house.client.get(_media(sealed))
    assert (answer.status, await code_of(answer)) == (403, "reason_required")
    assert (await house.ledger())[-1].act.result == "reason_required"


@pytest.mark.parametrize("id", ["cam-01.main.20261122T080000000", "..%2f..%2fkeys", "x" * 200])
async def test_what_is_not_in_the_catalogue_is_not_there(house: House, id: str) -> None:
    await house.log_in(Role.exam_office)
    answer = await house.client.get(f"{BASE}/recordings/{id}/media?reason=look")
    assert (answer.status, await code_of(answer)) == (404, "no_such")


async def test_a_box_that_is_away_is_said_to_be_so(house: House, tmp_path: Path) -> None:
    async with enrolled_box(house, tmp_path) as box:
        sealed = await _shelve(house, box, house.clock.now())
    await house.log_in(Role.exam_office)
    answer = await house.client.get(_media(sealed, "look"))
    assert (answer.status, await code_of(answer)) == (502, "box_unreachable")


async def test_coverage_says_what_is_there_and_why_the_rest_is_not(
    house: House, box: FakeBox
) -> None:
    await load_exams(house)
    listed = (await (await house.client.get(f"{BASE}/sessions?room=A101")).json())["items"]
    window = datetime.fromisoformat(listed[0]["window_start"])
    gap = GapFound(
        gap="g1",
        camera="cam-01",
        stream="main",
        start=window + timedelta(seconds=60),
        end=window + timedelta(seconds=90),
        cause="lost",
    )
    minutes = int((house.clock.now() - window).total_seconds() // 60)
    sealed = [segment("cam-01", window)]
    sealed += [segment("cam-01", window + timedelta(seconds=90), 30)]
    sealed += [segment("cam-01", window + timedelta(minutes=n)) for n in range(2, minutes)]
    await _tell(house, box, *sealed, gap)
    found = await (await house.client.get(f"{BASE}/coverage/{listed[0]['id']}")).json()
    (camera,) = found["cameras"]
    assert camera["planned_seconds"] == minutes * 60
    assert camera["recorded_seconds"] == minutes * 60 - 30
    (missing,) = camera["missing"]
    assert (missing["seconds"], missing["cause"]) == (30, "lost")


async def test_what_a_camera_is_recording_now_is_not_missing(house: House, box: FakeBox) -> None:
    await load_exams(house)
    listed = (await (await house.client.get(f"{BASE}/sessions?room=A101")).json())["items"]
    window = datetime.fromisoformat(listed[0]["window_start"])
    minutes = int((house.clock.now() - window).total_seconds() // 60)
    sealed = [segment("cam-01", window + timedelta(minutes=n)) for n in range(minutes - 1)]
    await _tell(house, box, *sealed)
    coverage = f"{BASE}/coverage/{listed[0]['id']}"

    async def camera() -> dict[str, Any]:
        answer = await (await house.client.get(coverage)).json()
        found: dict[str, Any] = answer["cameras"][0]
        return found

    assert [part["cause"] for part in (await camera())["missing"]] == ["not_told"]
    states = sqlalchemy.insert(camera_states).values(
        camera="cam-01",
        stream="main",
        edge=box.id,
        at=house.clock.now(),
        state="streaming",
        recording=True,
    )
    async with house.centre.store.write() as connection:
        await connection.execute(states)
    found = await camera()
    assert found["missing"] == []
    assert found["planned_seconds"] == found["recorded_seconds"] == (minutes - 1) * 60
    since = datetime.fromisoformat(found["growing_since"])
    assert since == window + timedelta(minutes=minutes - 1)


async def test_coverage_of_no_session_is_not_there(house: House) -> None:
    await house.log_in(Role.exam_office)
    answer = await house.client.get(f"{BASE}/coverage/s000")
    assert (answer.status, await code_of(answer)) == (404, "no_such")
