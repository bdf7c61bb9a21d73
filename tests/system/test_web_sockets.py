"""The two WebSockets: what happens, and the broker."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType

from orchestrator.access import Role
from tests.fakes.outside import Outside
from tests.fakes.waiting import until
from tests.system.webhouse import BASE, House, code_of, open_house, told_at_close
from web.keys import SOCKETS
from web.sockets import LOGGED_OUT, MOST_PER_LOGIN

CONNECT = (
    b"\x10\x1c\x00\x04MQTT\x04\xc2\x00\x0f"  # MQTT 3.1.1, clean session, user and password
    b"\x00\x05phone\x00\x04nope\x00\x03bad"
)
REFUSED = b"\x20\x02\x00\x05"
"""CONNACK: not authorised."""

HEARD = ("camera", "edge", "session", "recording", "timetable", "alert", "hold", "deletion")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with open_house(tmp_path) as house:
        yield house


async def _next(socket: ClientWebSocketResponse, kind: str) -> dict[str, object]:
    """Give the next event of a kind."""
    while True:
        event: dict[str, object] = await socket.receive_json(timeout=10)
        if event["type"] == kind:
            return event


async def test_a_page_hears_hello_then_the_time_every_second(house: House) -> None:
    await house.log_in(Role.auditor)
    async with house.client.ws_connect("/events") as socket:
        hello = await socket.receive_json()
        assert (hello["type"], hello["data"]["user"]) == ("hello", "auditor")
        first = await _next(socket, "clock")
        await house.clock.advance(1)
        second = await _next(socket, "clock")
        assert first["at"] == "2026-11-22T08:00:00Z"
        assert second["data"] == {"now": "2026-11-22T08:00:01Z"}


@pytest.mark.parametrize(
    ("role", "heard"),
    [
        (Role.exam_office, list(HEARD)),
        (Role.operator, ["camera", "edge", "session", "timetable", "alert"]),
        (Role.sys_admin, ["camera", "edge"]),
        (Role.auditor, ["hold", "deletion"]),
    ],
)
async def test_everybody_hears_what_the_role_may_see(
    house: House, role: Role, heard: list[str]
) -> None:
    await house.log_in(role)
    async with house.client.ws_connect("/events") as socket:
        await _next(socket, "clock")
        for kind in (*HEARD, "unheard_of"):
            house.centre.events.publish(kind, "x", {"a": 1})
        house.centre.events.publish("resync", "")
        told = []
        while (event := await socket.receive_json(timeout=10))["type"] != "resync":
            told.append(event["type"])
        assert [kind for kind in told if kind != "clock"] == heard


async def test_a_log_in_that_ends_elsewhere_closes_the_socket(house: House) -> None:
    await house.log_in(Role.operator)
    async with house.client.ws_connect("/events") as socket:
        await _next(socket, "clock")
        await house.log_in(Role.operator)  # one log-in per person and kind of device
        await house.clock.advance(20)
        assert await told_at_close(socket) == LOGGED_OUT


async def test_a_log_in_has_only_so_many_sockets(house: House) -> None:
    await house.log_in(Role.operator)
    sockets = [await house.client.ws_connect("/events") for _ in range(MOST_PER_LOGIN)]
    answer = await house.client.get("/events")
    assert (answer.status, await code_of(answer)) == (429, "rate_limited")
    for socket in sockets:
        await socket.close()
    async with house.client.ws_connect("/events") as socket:
        await _next(socket, "clock")


async def test_an_ordinary_request_to_a_socket_says_what_is_wrong(house: House) -> None:
    await house.log_in(Role.operator)
    answer = await house.client.get("/events")
    assert (answer.status, await code_of(answer)) == (400, "bad_request")


async def test_the_brokers_own_log_in_is_asked_through_the_bridge(house: House) -> None:
    await house.log_in(Role.operator)
    async with house.client.ws_connect("/mqtt", protocols=("mqtt",)) as socket:
        assert socket.protocol == "mqtt"
        await socket.send_bytes(CONNECT)
        answer = await socket.receive(timeout=10)
        assert (answer.type, answer.data) == (WSMsgType.BINARY, REFUSED)
        while not socket.closed:
            await socket.receive(timeout=10)


async def test_the_bridge_leads_to_an_outside_broker_by_tls(tmp_path: Path) -> None:
    async with (
        Outside.running(tmp_path / "outside") as outside,
        open_house(tmp_path, broker=outside.config) as house,
    ):
        headers = await house.log_in(Role.operator)
        made = await house.client.post(f"{BASE}/phones", json={}, headers=headers)
        assert (await made.json())["broker"] == f"mqtts://127.0.0.1:{outside.port}"
        async with house.client.ws_connect("/mqtt", protocols=("mqtt",)) as socket:
            await socket.send_bytes(CONNECT)
            assert (await socket.receive(timeout=10)).data == REFUSED
            await outside.kill()
            while not socket.closed:
                await socket.receive(timeout=10)
        answer = await house.client.get("/mqtt")
        assert (answer.status, await code_of(answer)) == (503, "not_ready")


async def test_text_ends_the_bridge_and_nothing_is_left_open(house: House) -> None:
    await house.log_in(Role.operator)
    async with house.client.ws_connect("/mqtt", protocols=("mqtt",)) as socket:
        await socket.send_str("hello")
        while not socket.closed:
            await socket.receive(timeout=10)
    sockets = house.client.app[SOCKETS]
    await until(lambda: sockets.count == 0)


async def test_events_do_not_pile_up_for_one_who_does_not_read(house: House) -> None:
    await house.log_in(Role.operator)
    async with house.client.ws_connect("/events") as socket:
        await _next(socket, "clock")
        for number in range(1000):
            house.centre.events.publish("camera", f"cam-{number}")
        await _next(socket, "resync")


async def test_logging_out_on_the_page_is_heard_by_its_sockets(house: House) -> None:
    headers = await house.log_in(Role.patrol)
    async with house.client.ws_connect("/mqtt", protocols=("mqtt",)) as socket:
        await house.client.post(f"{BASE}/logout", headers=headers)
        assert await told_at_close(socket) == LOGGED_OUT
