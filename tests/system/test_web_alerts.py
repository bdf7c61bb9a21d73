"""Alerts, duty phones and reference views over HTTP."""

import hashlib
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from contract import topics
from contract.bus import Arrival
from contract.messages import CameraStatus, Message, ReferenceTaken, TamperChanged
from orchestrator.access import Role
from orchestrator.wanted import read_wanted
from tests.fakes.box import FakeBox
from tests.system.webhouse import BASE, House, code_of, enrolled_box, load_exams, open_house

PNG = b"\x89PNG\r\n\x1a\n a view"
SHA = hashlib.sha256(PNG).hexdigest()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with open_house(tmp_path) as house:
        yield house


@pytest.fixture
async def box(house: House, tmp_path: Path) -> AsyncGenerator[FakeBox]:
    async with enrolled_box(house, tmp_path) as box:
        yield box


async def tell(house: House, box: FakeBox, *said: Message) -> None:
    well = [
        CameraStatus(camera=camera, stream="main", state="streaming", recording=True)
        for camera in ("cam-01", "cam-02")
    ]
    arrivals = [
        Arrival(topics.status(box.id), msgspec.json.encode(box.status(cameras=well)), False),
        *(
            Arrival(topics.fact(box.id), msgspec.json.encode(box.fact(data)), False)
            for data in said
        ),
    ]
    await house.centre.catalogue.take(arrivals)
    await house.centre.alerts.look()


async def cover(house: House, box: FakeBox) -> str:
    """Have a camera covered in an exam; leaves nobody logged in. Gives the alert's id."""
    await load_exams(house)
    house.forget()
    now = house.clock.now()
    covered = TamperChanged(
        camera="cam-01",
        stream="sub",
        kind="covered",
        state="began",
        score=0.9,
        extent=0.8,
        model="f00d",
        first_at=now,
        voted_at=now,
    )
    await tell(house, box, covered)
    alerts = {alert.kind: alert.id for alert in await house.centre.alerts.list()}
    assert alerts.keys() == {"covered", "nobody_reachable"}
    return alerts["covered"]


async def test_an_alert_is_listed_taken_and_solved(house: House, box: FakeBox) -> None:
    alert = await cover(house, box)
    headers = await house.log_in(Role.operator)
    listed = (await (await house.client.get(f"{BASE}/alerts")).json())["items"]
    (shown,) = [item for item in listed if item["id"] == alert]
    assert (shown["class"], shown["priority"], shown["state"]) == ("covered", "high", "raised")
    assert (shown["room"], shown["room_name"], shown["camera"]) == ("A101", "教一 101", "cam-01")
    assert (shown["count"], shown["score"], shown["active"], shown["delivery"]) == (
        1,
        0.9,
        True,
        [],
    )
    assert "教一 101 cam-01：摄像机被遮挡" in shown["text_zh"]
    assert {item["class"]: item["cameras"] for item in listed} == {
        "covered": 1,
        "nobody_reachable": 1,
    }
    path = f"{BASE}/alerts/{alert}"
    taken = await (await house.client.post(f"{path}/take", headers=headers)).json()
    assert (taken["state"], taken["taken_by"]) == ("taken", "operator 老师")
    refused = await house.client.post(f"{path}/solve", json={}, headers=headers)
    assert await code_of(refused) == "bad_request"
    solved = await house.client.post(f"{path}/solve", json={"reason": "已移开"}, headers=headers)
    assert (await solved.json())["solved_by"] == "operator 老师"
    closed = (await (await house.client.get(f"{BASE}/alerts?state=closed")).json())["items"]
    assert [(item["id"], item["reason"]) for item in closed if item["id"] == alert] == [
        (alert, "已移开")
    ]
    done = [(e.act.action, e.act.reason) for e in await house.ledger() if e.act.object == alert]
    assert done == [("take_alert", ""), ("solve_alert", "已移开")]


async def test_who_comes_second_is_told_so(house: House, box: FakeBox) -> None:
    alert = await cover(house, box)
    headers = await house.log_in(Role.operator)
    await house.client.post(f"{BASE}/alerts/{alert}/take", headers=headers)
    headers = await house.log_in(Role.patrol)
    answer = await house.client.post(f"{BASE}/alerts/{alert}/take", headers=headers)
    assert (answer.status, await code_of(answer)) == (409, "conflict")
    assert (await house.ledger())[-1].act.result == "taken"
    answer = await house.client.post(f"{BASE}/alerts/a0/take", headers=headers)
    assert (answer.status, await code_of(answer)) == (404, "no_such")


async def test_a_shelved_alert_comes_back(house: House, box: FakeBox) -> None:
    alert = await cover(house, box)
    headers = await house.log_in(Role.patrol)
    body = {"minutes": 1, "reason": "正在更换"}
    answer = await house.client.post(f"{BASE}/alerts/{alert}/shelve", json=body, headers=headers)
    assert (await answer.json())["state"] == "shelved"
    await house.clock.advance(60)
    await tell(house, box)
    states = {item.id: item.state for item in await house.centre.alerts.list()}
    assert states[alert] == "raised"


@pytest.mark.parametrize("role", [Role.sys_admin, Role.auditor])
async def test_alerts_phones_and_views_are_not_for_administrators(house: House, role: Role) -> None:
    headers = await house.log_in(role)
    for path in ("alerts", "duty", "references", "references/cam-01/picture"):
        answer = await house.client.get(f"{BASE}/{path}")
        assert (answer.status, await code_of(answer)) == (403, "forbidden")
    answer = await house.client.post(f"{BASE}/phones", json={}, headers=headers)
    assert (answer.status, await code_of(answer)) == (403, "forbidden")


async def test_a_device_becomes_a_duty_phone_until_it_logs_out(house: House) -> None:
    headers = await house.log_in(Role.patrol)
    answer = await house.client.post(f"{BASE}/phones", json={"post": "A 楼"}, headers=headers)
    assert answer.status == 201
    made = await answer.json()
    assert made["url"].startswith("ws://")
    assert made["url"].endswith("/mqtt")
    assert made["broker"] == ""  # this one listens to its own machine alone
    assert made["subscribe"] == topics.duty_alert(made["phone"])
    assert made["ack"] == topics.duty_ack(made["phone"])
    (shown,) = (await (await house.client.get(f"{BASE}/duty")).json())["items"]
    assert (shown["post"], shown["person"], shown["present"]) == ("A 楼", "patrol 老师", False)
    await house.client.post(f"{BASE}/logout", headers=headers)
    assert await house.centre.duty.phones() == []


async def test_a_person_has_a_console_and_a_phone_at_once(house: House) -> None:
    await house.log_in(Role.patrol)
    body = {"user": "patrol", "password": "Four-horses-9-walls", "device": "phone"}
    cookie = house.client.session.cookie_jar.filter_cookies(house.client.make_url("/"))
    answer = await house.client.post(f"{BASE}/login", json=body)
    assert answer.status == 200
    token = cookie["xunkao_session"].value
    assert await house.centre.accounts.who(token) is not None


async def test_a_view_is_looked_at_approved_and_told_to_the_box(house: House, box: FakeBox) -> None:
    box.views[SHA] = PNG
    now = house.clock.now()
    await tell(house, box, ReferenceTaken(camera="cam-01", sha256=SHA, taken_at=now, sharpness=9.0))
    headers = await house.log_in(Role.exam_office)
    listed = (await (await house.client.get(f"{BASE}/references")).json())["items"]
    assert [(item["camera"], item["state"], item["sha256"]) for item in listed] == [
        ("cam-01", "candidate", SHA),
        ("cam-02", "none", None),
    ]
    picture = await house.client.get(f"{BASE}/references/cam-01/picture")
    assert (picture.content_type, await picture.read()) == ("image/png", PNG)
    assert (await house.ledger())[-1].act.action == "see_reference"
    path = f"{BASE}/references/cam-01/approve"
    unknown = await house.client.post(path, json={"sha256": "0" * 64}, headers=headers)
    assert (unknown.status, await code_of(unknown)) == (404, "no_such")
    answer = await house.client.post(path, json={"sha256": SHA}, headers=headers)
    assert answer.status == 204
    listed = (await (await house.client.get(f"{BASE}/references")).json())["items"]
    assert (listed[0]["state"], listed[0]["approved_by"]) == ("approved", "exam_office 老师")
    async with house.centre.store.read() as connection:
        lead = house.centre.dispatch._lead
        wanted = (await read_wanted(connection, lead, now))["box-1"]
    assert {camera[0]: camera[4] for camera in wanted.cameras} == {"cam-01": SHA, "cam-02": ""}


async def test_a_newer_view_waits_beside_the_approved_one(house: House, box: FakeBox) -> None:
    await house.hire(Role.patrol)
    headers = await house.log_in(Role.patrol)
    taken = ReferenceTaken(camera="cam-01", sha256=SHA, taken_at=house.clock.now(), sharpness=9.0)
    await tell(house, box, taken)
    path = f"{BASE}/references/cam-01"
    await house.client.post(f"{path}/approve", json={"sha256": SHA}, headers=headers)
    assert (await house.client.post(f"{path}/take", headers=headers)).status == 204
    assert box.wished == ["cam-01"]
    later = house.clock.now() + timedelta(minutes=1)
    await tell(house, box, msgspec.structs.replace(taken, sha256="1" * 64, taken_at=later))
    (first, _) = (await (await house.client.get(f"{BASE}/references")).json())["items"]
    assert (first["state"], first["sha256"], first["approved"]) == ("candidate", "1" * 64, SHA)


async def test_a_view_the_box_does_not_have_is_not_there(house: House, box: FakeBox) -> None:
    await house.log_in(Role.patrol)
    answer = await house.client.get(f"{BASE}/references/cam-01/picture")
    assert (answer.status, await code_of(answer)) == (404, "no_such")
    now = house.clock.now()
    await tell(house, box, ReferenceTaken(camera="cam-01", sha256=SHA, taken_at=now, sharpness=9.0))
    answer = await house.client.get(f"{BASE}/references/cam-01/picture")
    assert (answer.status, await code_of(answer)) == (404, "no_such")


async def test_an_approved_view_reaches_the_box_in_a_new_state(house: House, box: FakeBox) -> None:
    await load_exams(house)
    person = await house.centre.accounts.add_user(
        "mo", "莫老师", "Four-horses-9-walls", [Role.patrol], "test"
    )
    now = house.clock.now()
    taken = ReferenceTaken(camera="cam-01", sha256=SHA, taken_at=now, sharpness=9.0)
    await tell(house, box, taken)
    assert await house.centre.dispatch.bring_up_to_date() == ["box-1"]
    await house.centre.references.approve(person, "cam-01", SHA)
    assert await house.centre.dispatch.bring_up_to_date() == ["box-1"]
    assert await house.centre.dispatch.bring_up_to_date() == []
