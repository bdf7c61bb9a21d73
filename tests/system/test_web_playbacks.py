"""Play sessions over HTTP: who may begin one, what it lets out, and what stands in the ledger."""

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse

from contract.boxapi import Growing
from contract.messages import SegmentClosed
from orchestrator.access import Role
from orchestrator.playbacks import IDLE_AFTER, MOST_OF_A_PERSON, REPLAY_LASTS, TELL_EVERY
from tests.fakes.box import FakeBox, segment
from tests.fakes.indexed import FRAGMENT, INIT, content, indexed
from tests.system.test_web_alerts import cover, tell
from tests.system.webhouse import BASE, House, code_of, enrolled_box, open_house

WHY = "核查 09:42 考场秩序"
Headers = dict[str, str]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with open_house(tmp_path) as house:
        yield house


@pytest.fixture
async def box(house: House, tmp_path: Path) -> AsyncGenerator[FakeBox]:
    async with enrolled_box(house, tmp_path) as box:
        yield box


async def shelve(
    house: House, box: FakeBox, start: datetime, camera: str = "cam-01", seconds: float = 60
) -> SegmentClosed:
    """Have a sealed segment at the box and in the catalogue."""
    index = indexed(start, seconds)
    sealed = segment(camera, start, seconds, bytes=index.bytes)
    path = sealed.path.removeprefix("shelf/")
    box.indexes[path], box.shelf[path] = index, content(index)
    await tell(house, box, sealed)
    return sealed


async def begin(
    house: House, headers: Headers, start: datetime, seconds: float = 60, **changes: Any
) -> ClientResponse:
    body = {
        "cameras": ["cam-01"],
        "from": start.isoformat(),
        "to": (start + timedelta(seconds=seconds)).isoformat(),
        "reason": WHY,
        **changes,
    }
    return await house.client.post(f"{BASE}/playbacks", json=body, headers=headers)


async def media(
    house: House, id: str, play: str, first: int = 0, last: int = INIT - 1, what: str = "media"
) -> ClientResponse:
    url = f"{BASE}/recordings/{id}/{what}?play={play}"
    return await house.client.get(url, headers={"Range": f"bytes={first}-{last}"})


def part(first: int, last: int) -> tuple[int, int]:
    """Give the bytes of fragments, half a second each."""
    return INIT + first * FRAGMENT, INIT + last * FRAGMENT - 1


async def acts(house: House, *actions: str) -> list[tuple[str, str, str]]:
    return [
        (row.act.action, row.act.object, row.act.result)
        for row in await house.ledger()
        if row.act.action in actions
    ]


async def refusal(answer: ClientResponse) -> tuple[int, str]:
    return answer.status, await code_of(answer)


async def test_footage_goes_out_under_a_session_and_what_went_is_told_in_one_row(
    house: House, box: FakeBox
) -> None:
    start = house.clock.now() - timedelta(minutes=5)
    sealed = await shelve(house, box, start)
    headers = await house.log_in(Role.exam_office)
    began = await begin(house, headers, start)
    assert began.status == 201
    play = (await began.json())["id"]
    assert began.headers["Location"] == f"{BASE}/playbacks/{play}"
    index = await (await media(house, sealed.segment, play, what="index")).json()
    assert len(index["fragments"]) == 120
    whole = content(box.indexes[sealed.path.removeprefix("shelf/")])
    for first, last in (part(0, 8), part(8, 16), part(16, 24)):
        answer = await media(house, sealed.segment, play, first, last)
        assert (answer.status, await answer.read()) == (206, whole[first : last + 1])
    assert len({ticket.jti for ticket in box.tickets}) == 1, "one ticket a session and file"
    assert await acts(house, "watch_recording") == []
    await house.client.delete(f"{BASE}/playbacks/{play}", headers=headers)
    ((_, told, _),) = await acts(house, "watch_recording")
    until = start + timedelta(seconds=12)
    assert told.startswith(f"{play} cam-01 {start:%Y-%m-%dT%H:%M:%S}")
    assert f"/{until:%Y-%m-%dT%H:%M:%S}" in told
    assert [row.act.reason for row in await house.ledger() if row.act.object == told] == [WHY]
    assert await refusal(await media(house, sealed.segment, play)) == (410, "playback_ended")


async def test_two_ranges_at_once_give_all_as_without_a_session(house: House, box: FakeBox) -> None:
    start = house.clock.now() - timedelta(minutes=5)
    sealed = await shelve(house, box, start)
    headers = await house.log_in(Role.exam_office)
    play = (await (await begin(house, headers, start)).json())["id"]
    url = f"{BASE}/recordings/{sealed.segment}/media?play={play}"
    answer = await house.client.get(url, headers={"Range": "bytes=0-1,4-5"})
    assert answer.status in (200, 206)
    assert await answer.read() == content(box.indexes[sealed.path.removeprefix("shelf/")])


async def test_what_is_sent_was_written_down_before(house: House, box: FakeBox) -> None:
    start = house.clock.now() - timedelta(minutes=5)
    sealed = await shelve(house, box, start)
    headers = await house.log_in(Role.exam_office)
    play = (await (await begin(house, headers, start)).json())["id"]
    await media(house, sealed.segment, play, what="index")
    box.shelf.clear()  # the box fails after the centre asked
    assert (await media(house, sealed.segment, play, *part(0, 8))).status == 404
    await house.clock.advance(TELL_EVERY.total_seconds())
    await house.centre.playbacks.review()
    assert len(await acts(house, "watch_recording")) == 1, "told though the session goes on"


async def test_a_session_shows_its_cameras_and_its_span_alone(house: House, box: FakeBox) -> None:
    start = house.clock.now() - timedelta(minutes=5)
    sealed = await shelve(house, box, start)
    other = await shelve(house, box, start, "cam-02")
    later = await shelve(house, box, start + timedelta(minutes=2))
    headers = await house.log_in(Role.exam_office)
    began = await begin(house, headers, start + timedelta(seconds=10), 10)
    play = (await began.json())["id"]
    inside = await media(house, sealed.segment, play, *part(20, 40))
    assert inside.status == 206
    for segment_id, asked in (
        (sealed.segment, part(19, 40)),
        (sealed.segment, part(20, 41)),
        (sealed.segment, (0, 10_000)),
        (other.segment, (0, INIT - 1)),
        (later.segment, (0, INIT - 1)),
    ):
        assert await refusal(await media(house, segment_id, play, *asked)) == (403, "outside_span")
    keys = await (await media(house, sealed.segment, play, what="keyframes")).text()
    assert keys == "keys 900000 1800000"
    beyond = [row for row in await acts(house, "play_recording") if row[2] == "outside_span"]
    assert len(beyond) == 5


@pytest.mark.parametrize("role", [Role.patrol, Role.operator, Role.sys_admin, Role.auditor])
async def test_only_the_exam_office_begins_a_session(
    house: House, box: FakeBox, role: Role
) -> None:
    headers = await house.log_in(role)
    answer = await begin(house, headers, house.clock.now())
    assert await refusal(answer) == (403, "forbidden")
    assert (await house.ledger())[-1].act.result == "forbidden"


async def test_another_persons_session_is_nobodys(house: House, box: FakeBox) -> None:
    start = house.clock.now() - timedelta(minutes=5)
    sealed = await shelve(house, box, start)
    headers = await house.log_in(Role.exam_office)
    play = (await (await begin(house, headers, start)).json())["id"]
    await house.log_in(Role.patrol)
    assert await refusal(await media(house, sealed.segment, play)) == (404, "no_such")
    listed = await house.client.get(f"{BASE}/playbacks/{play}/recordings")
    assert await refusal(listed) == (404, "no_such")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"reason": " "}, (403, "reason_required")),
        ({"cameras": []}, (400, "bad_request")),
        ({"cameras": ["cam-01"] * 2}, (400, "bad_request")),
        ({"cameras": ["a", "b", "c", "d", "e"]}, (400, "bad_request")),
        ({"cameras": ["cam-99"]}, (404, "no_such")),
        ({"to": "2026-01-01T00:00:00Z"}, (400, "bad_request")),
        ({"to": "2036-01-01T00:00:00Z"}, (400, "bad_request")),
    ],
)
async def test_a_session_needs_a_reason_cameras_and_a_day_at_most(
    house: House, box: FakeBox, changes: dict[str, Any], expected: tuple[int, str]
) -> None:
    headers = await house.log_in(Role.exam_office)
    answer = await begin(house, headers, house.clock.now(), **changes)
    assert await refusal(answer) == expected


async def test_a_person_has_so_many_sessions_and_one_that_is_left_ends(
    house: House, box: FakeBox
) -> None:
    headers = await house.log_in(Role.exam_office)
    now = house.clock.now()
    for _ in range(MOST_OF_A_PERSON):
        assert (await begin(house, headers, now)).status == 201
    assert await refusal(await begin(house, headers, now)) == (429, "too_many_playbacks")
    await house.clock.advance(IDLE_AFTER.total_seconds() + 1)
    await house.centre.playbacks.review()
    headers = await house.log_in(Role.exam_office)
    assert (await begin(house, headers, now)).status == 201
    ended = [row.act.reason for row in await house.ledger() if row.act.action == "end_playback"]
    assert ended == ["idle"] * MOST_OF_A_PERSON


async def test_logging_out_ends_a_session(house: House, box: FakeBox) -> None:
    headers = await house.log_in(Role.exam_office)
    await begin(house, headers, house.clock.now())
    await house.client.post(f"{BASE}/logout", headers=headers)
    await house.centre.playbacks.review()
    assert [row.act.reason for row in (await house.ledger())[-1:]] == ["logged out"]


async def test_what_the_page_says_stands_beside_what_was_sent(house: House, box: FakeBox) -> None:
    start = house.clock.now() - timedelta(minutes=5)
    headers = await house.log_in(Role.exam_office)
    play = (await (await begin(house, headers, start)).json())["id"]
    said = {
        "camera": "cam-01",
        "from": start.isoformat(),
        "to": (start + timedelta(seconds=30)).isoformat(),
        "speed": 16,
    }
    path = f"{BASE}/playbacks/{play}/intervals"
    assert (await house.client.post(path, json={"items": [said]}, headers=headers)).status == 204
    stranger = {"items": [said | {"camera": "cam-02"}]}
    refused = await house.client.post(path, json=stranger, headers=headers)
    assert await refusal(refused) == (403, "outside_span")
    last = {"items": [], "ended": True}
    assert (await house.client.post(path, json=last, headers=headers)).status == 204
    assert await refusal(await house.client.post(path, json=last, headers=headers)) == (
        410,
        "playback_ended",
    )
    assert await acts(house, "watch_recording") == [], "nothing was sent, whatever the page says"
    ((_, told, _),) = await acts(house, "report_playback")
    assert told.endswith("×16")


async def test_days_with_recordings_are_named_in_the_sites_zone(house: House, box: FakeBox) -> None:
    await shelve(house, box, datetime.fromisoformat("2026-11-20T15:59:30+00:00"))
    await shelve(house, box, datetime.fromisoformat("2026-11-22T01:00:00+00:00"))
    await house.log_in(Role.exam_office)
    url = f"{BASE}/recordings/days?camera=cam-01&from=2026-11-01&to=2026-11-30"
    found = await (await house.client.get(url)).json()
    assert found["days"] == ["2026-11-20", "2026-11-21", "2026-11-22"]


# ---------------------------------------------------------------- replay


async def test_whoever_took_an_alert_looks_back_also_into_the_file_that_grows(
    house: House, box: FakeBox
) -> None:
    alert = await cover(house, box)
    raised = house.clock.now()
    sealed = await shelve(house, box, raised - timedelta(seconds=70))
    growing = indexed(raised - timedelta(seconds=10), 20, growing=True)
    stamp = f"{growing.start:%Y%m%dT%H%M%S}{growing.start.microsecond // 1000:03}"
    path = f"cam-01/{growing.start:%Y-%m-%d}/{stamp}.part"
    box.indexes[path], box.shelf[path] = growing, content(growing)
    box.grows["cam-01"] = Growing(
        path=path, start=growing.start, end=raised + timedelta(seconds=10), bytes=growing.bytes
    )
    await house.clock.advance(5)
    headers = await house.log_in(Role.operator)
    await house.client.post(f"{BASE}/alerts/{alert}/take", headers=headers)
    answer = await house.client.post(f"{BASE}/alerts/{alert}/replay", json={}, headers=headers)
    began = await answer.json()
    assert (answer.status, began["cameras"], began["alert"]) == (201, ["cam-01"], alert)
    assert datetime.fromisoformat(began["from"]) == raised - timedelta(seconds=30)
    listed = await house.client.get(f"{BASE}/playbacks/{began['id']}/recordings")
    first, last = (await listed.json())["items"]
    assert (first["id"], last["growing"]) == (sealed.segment, True)
    play = began["id"]
    assert (await media(house, last["id"], play, *part(0, 20))).status == 206
    assert (await media(house, first["id"], play, *part(80, 100))).status == 206
    early = await media(house, first["id"], play, *part(0, 20))
    assert await refusal(early) == (403, "outside_span")
    await house.client.delete(f"{BASE}/playbacks/{play}", headers=headers)
    assert len(await acts(house, "watch_recording")) == 1


async def test_others_do_not_look_back_and_nobody_after_the_alert(
    house: House, box: FakeBox
) -> None:
    alert = await cover(house, box)
    sealed = await shelve(house, box, house.clock.now() - timedelta(seconds=50))
    path = f"{BASE}/alerts/{alert}/replay"
    for role, expected in (
        (Role.patrol, "not_on_duty"),
        (Role.exam_office, "not_on_duty"),
        (Role.sys_admin, "forbidden"),
    ):
        headers = await house.log_in(role)
        assert await refusal(await house.client.post(path, json={}, headers=headers)) == (
            403,
            expected,
        )
    headers = await house.log_in(Role.operator)
    nothing = await house.client.post(f"{BASE}/alerts/a000/replay", json={}, headers=headers)
    assert await refusal(nothing) == (404, "no_such")
    await house.client.post(f"{BASE}/alerts/{alert}/take", headers=headers)
    play = (await (await house.client.post(path, json={}, headers=headers)).json())["id"]
    assert (await media(house, sealed.segment, play, what="index")).status == 200
    solved = {"reason": "已移除"}
    await house.client.post(f"{BASE}/alerts/{alert}/solve", json=solved, headers=headers)
    assert await refusal(await media(house, sealed.segment, play)) == (409, "alert_closed")
    again = await house.client.post(path, json={}, headers=headers)
    assert await refusal(again) == (409, "alert_closed")
    await house.centre.playbacks.review()
    ended = [row.act.reason for row in await house.ledger() if row.act.action == "end_playback"]
    assert ended == ["the alert was closed"]


async def test_a_replay_lasts_some_minutes_and_cannot_open_recordings_at_large(
    house: House, box: FakeBox
) -> None:
    alert = await cover(house, box)
    sealed = await shelve(house, box, house.clock.now() - timedelta(seconds=50))
    headers = await house.log_in(Role.operator)
    await house.client.post(f"{BASE}/alerts/{alert}/take", headers=headers)
    path = f"{BASE}/alerts/{alert}/replay"
    play = (await (await house.client.post(path, json={}, headers=headers)).json())["id"]
    plain = await house.client.get(f"{BASE}/recordings/{sealed.segment}/media?reason=look")
    assert await refusal(plain) == (403, "forbidden")
    await house.clock.advance(REPLAY_LASTS.total_seconds())
    assert await refusal(await media(house, sealed.segment, play)) == (410, "playback_ended")
