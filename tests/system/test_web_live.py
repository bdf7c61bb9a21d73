"""Live looks over HTTP: a page's, a player's, and their ends."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from orchestrator.access import Role
from tests.fakes.box import FakeBox
from tests.system.webhouse import BASE, House, code_of, enrolled_box, load_exams, open_house

SDP = {"Content-Type": "application/sdp"}
OFFER = {
    "edge": "box-1",
    "cameras": [{"id": "cam-01", "stream": "sub"}, {"id": "cam-02", "stream": "main"}],
    "sdp": "v=0 offer",
}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with open_house(tmp_path) as house:
        yield house


@pytest.fixture
async def box(house: House, tmp_path: Path) -> AsyncGenerator[FakeBox]:
    async with enrolled_box(house, tmp_path) as box:
        yield box


async def test_a_page_looks_at_several_cameras_and_ends_the_look(
    house: House, box: FakeBox
) -> None:
    await load_exams(house)
    headers = await house.log_in(Role.patrol)
    answer = await house.client.post(f"{BASE}/live", json=OFFER, headers=headers)
    assert answer.status == 201, await answer.text()
    said = await answer.json()
    assert said["sdp"] == "v=0 answer"
    assert [track["camera"] for track in said["tracks"]] == ["cam-01", "cam-02"]
    address = answer.headers["Location"]
    look = address.removeprefix(f"{BASE}/live/")
    assert look in box.looks
    acts = [entry.act.action for entry in await house.ledger()]
    assert acts[-1] == "see_live"
    assert (await house.client.delete(address, headers=headers)).status == 204
    assert box.ended == [look]


async def test_nobody_ends_anothers_look(house: House, box: FakeBox) -> None:
    await load_exams(house)
    headers = await house.log_in(Role.patrol)
    answer = await house.client.post(f"{BASE}/live", json=OFFER, headers=headers)
    address = answer.headers["Location"]
    other = await house.log_in(Role.operator)
    refused = await house.client.delete(address, headers=other)
    assert (refused.status, await code_of(refused)) == (404, "no_such")
    assert box.ended == []


async def test_outside_the_window_there_is_no_look(house: House, box: FakeBox) -> None:
    headers = await house.log_in(Role.patrol)
    answer = await house.client.post(f"{BASE}/live", json=OFFER, headers=headers)
    assert (answer.status, await code_of(answer)) == (403, "outside_window")
    act = (await house.ledger())[-1].act
    assert (act.action, act.result) == ("see_live", "outside_window")
    assert box.looks == {}


@pytest.mark.parametrize(
    "change",
    [
        {"cameras": []},
        {"cameras": [{"id": "cam-01"}] * 17},
        {"cameras": [{"id": "cam-01", "stream": "third"}]},
        {"cameras": [{"id": "../cam"}]},
        {"sdp": ""},
        {"record": True},
    ],
)
async def test_an_offer_of_another_form_is_refused(house: House, change: dict[str, object]) -> None:
    headers = await house.log_in(Role.patrol)
    answer = await house.client.post(f"{BASE}/live", json={**OFFER, **change}, headers=headers)
    assert (answer.status, await code_of(answer)) == (400, "bad_request")


async def test_what_the_box_refuses_is_refused(house: House, box: FakeBox) -> None:
    await load_exams(house)
    headers = await house.log_in(Role.patrol)
    box.refuses = "used"
    answer = await house.client.post(f"{BASE}/live", json=OFFER, headers=headers)
    assert (answer.status, await code_of(answer)) == (403, "box_refused")


async def test_a_player_looks_by_whep_with_the_cookie(house: House, box: FakeBox) -> None:
    await load_exams(house)
    headers = await house.log_in(Role.operator)
    whep = f"{BASE}/cameras/cam-01/whep"
    answer = await house.client.post(whep, data="v=0 offer", headers={**headers, **SDP})
    assert (answer.status, answer.content_type) == (201, "application/sdp")
    assert await answer.text() == "v=0 answer"
    assert (await house.client.delete(answer.headers["Location"], headers=headers)).status == 204
    assert len(box.ended) == 1


async def test_a_player_looks_by_whep_with_a_live_token_at_that_camera_alone(
    house: House, box: FakeBox
) -> None:
    await load_exams(house)
    headers = await house.log_in(Role.operator)
    asked = {"camera": "cam-01"}
    made = await house.client.post(f"{BASE}/live-tokens", json=asked, headers=headers)
    token = (await made.json())["token"]
    house.forget()
    bearer = {"Authorization": f"Bearer {token}", **SDP}
    other = await house.client.post(f"{BASE}/cameras/cam-02/whep", data="v=0 offer", headers=bearer)
    assert other.status == 403
    answer = await house.client.post(
        f"{BASE}/cameras/cam-01/whep", data="v=0 offer", headers=bearer
    )
    assert answer.status == 201
    assert (await house.client.delete(answer.headers["Location"], headers=bearer)).status == 204
    assert len(box.ended) == 1


@pytest.mark.parametrize("token", ["", "rubbish", "eyJhIjoxfQ=="])
async def test_a_token_that_is_none_opens_nothing(house: House, token: str) -> None:
    bearer = {"Authorization": f"Bearer {token}", **SDP}
    whep = f"{BASE}/cameras/cam-01/whep"
    answer = await house.client.post(whep, data="v=0 offer", headers=bearer)
    assert (answer.status, await code_of(answer)) == (401, "not_logged_in")


async def test_a_token_is_no_key_to_other_routes(house: House, box: FakeBox) -> None:
    await load_exams(house)
    headers = await house.log_in(Role.operator)
    asked = {"camera": "cam-01"}
    made = await house.client.post(f"{BASE}/live-tokens", json=asked, headers=headers)
    house.forget()
    bearer = {"Authorization": f"Bearer {(await made.json())['token']}"}
    assert (await house.client.get(f"{BASE}/sessions", headers=bearer)).status == 401


async def test_whep_takes_sdp_and_nothing_else(house: House) -> None:
    headers = await house.log_in(Role.operator)
    whep = f"{BASE}/cameras/cam-01/whep"
    answer = await house.client.post(whep, json={"sdp": "v=0"}, headers=headers)
    assert (answer.status, await code_of(answer)) == (415, "wrong_type")
    empty = await house.client.post(whep, data="", headers={**headers, **SDP})
    assert (empty.status, await code_of(empty)) == (400, "bad_request")


async def test_a_box_joins_with_a_code_once_and_is_revoked(house: House, box: FakeBox) -> None:
    headers = await house.log_in(Role.sys_admin)
    (listed,) = (await (await house.client.get(f"{BASE}/edges")).json())["items"]
    assert listed["id"] == "box-1"
    assert listed["enrolled_at"]
    assert listed["cameras"] == ["cam-01", "cam-02"]
    revoke = f"{BASE}/edges/box-1/revoke"
    short = await house.client.post(revoke, json={"reason": ""}, headers=headers)
    assert await code_of(short) == "bad_request"
    gone = await house.client.post(revoke, json={"reason": "更换设备"}, headers=headers)
    assert gone.status == 204
    (listed,) = (await (await house.client.get(f"{BASE}/edges")).json())["items"]
    assert listed["revoked_at"]
    acts = [(entry.act.action, entry.act.result) for entry in await house.ledger()]
    assert ("enrol_edge", "ok") in acts
    assert ("revoke_edge", "ok") in acts
