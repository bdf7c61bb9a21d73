"""Nobody comes in without leave, and every refusal is written down."""

import re
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from orchestrator.access import Action, Role, may
from tests.system.webhouse import BASE, PASSWORD, House, code_of, open_house, told_at_close
from web.endpoint import Endpoint, Gate
from web.gate import NOBODY, action_of
from web.routes import ENDPOINTS
from web.sockets import LOGGED_OUT

GUARDED = [endpoint for endpoint in ENDPOINTS if endpoint.needs is not Gate.PUBLIC]
BY_ACTION = [endpoint for endpoint in ENDPOINTS if isinstance(endpoint.needs, Action)]
PUBLIC = {
    ("POST", f"{BASE}/login"),
    ("POST", f"{BASE}/enrol"),
    ("POST", f"{BASE}/broker/auth"),  # these two by a secret of the broker's
    ("POST", f"{BASE}/broker/acl"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", f"{BASE}/openapi.json"),
    ("GET", f"{BASE}/asyncapi.json"),
}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with open_house(tmp_path) as house:
        yield house


def _address(endpoint: Endpoint) -> str:
    return re.sub(r"{\w+}", "cam-01", endpoint.path)


def test_what_is_public_is_public_on_purpose() -> None:
    public = {(e.method, e.path) for e in ENDPOINTS if e.needs is Gate.PUBLIC}
    assert public == PUBLIC


async def test_the_router_serves_only_the_table_and_the_pages(house: House) -> None:
    app = house.client.app
    served = {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None
    }
    assert served == {(e.method, e.path) for e in ENDPOINTS} | {("*", "/{page}")}


async def test_nobody_is_refused_everywhere_and_it_is_written_down(house: House) -> None:
    for endpoint in GUARDED:
        before = len(await house.ledger())
        answer = await house.client.request(endpoint.method, _address(endpoint))
        assert (answer.status, await code_of(answer)) == (401, "not_logged_in"), endpoint.path
        written = (await house.ledger())[before:]
        if endpoint.quiet:
            assert written == []
        else:
            (entry,) = written
            assert entry.act.actor == NOBODY
            assert entry.act.action == action_of(endpoint)
            assert entry.act.object == _address(endpoint)
            assert entry.act.result == "not_logged_in"
            assert entry.act.source == "127.0.0.1"


@pytest.mark.parametrize("role", Role)
async def test_a_role_is_refused_what_it_may_not_and_it_is_written_down(
    house: House, role: Role
) -> None:
    headers = await house.log_in(role)
    for endpoint in BY_ACTION:
        assert isinstance(endpoint.needs, Action)
        if may([role], endpoint.needs):
            continue
        before = len(await house.ledger())
        answer = await house.client.request(endpoint.method, _address(endpoint), headers=headers)
        assert (answer.status, await code_of(answer)) == (403, "forbidden"), endpoint.path
        (entry,) = (await house.ledger())[before:]
        assert entry.act.actor == role.value
        assert entry.act.action == endpoint.needs
        assert entry.act.result == "forbidden"


@pytest.mark.parametrize("role", [Role.sys_admin, Role.auditor])
async def test_who_keeps_or_watches_the_system_sees_no_picture(house: House, role: Role) -> None:
    headers = await house.log_in(role)
    offer = {"edge": "box-1", "cameras": [{"id": "cam-01"}], "sdp": "v=0"}
    assert (await house.client.post(f"{BASE}/live", json=offer, headers=headers)).status == 403
    media = f"{BASE}/recordings/cam-01.main.x/media?reason=look"
    assert (await house.client.get(media)).status == 403


async def test_a_stolen_cookie_of_another_role_opens_nothing_of_this_one(house: House) -> None:
    csrf = await house.log_in(Role.exam_office)
    house.forget()
    await house.log_in(Role.patrol)
    answer = await house.client.get(f"{BASE}/recordings", headers=csrf)
    assert await code_of(answer) == "forbidden"
    answer = await house.client.post(f"{BASE}/timetables/t1/apply", headers=csrf)
    assert await code_of(answer) == "csrf"


async def test_every_unsafe_call_needs_the_token_of_its_own_session(house: House) -> None:
    await house.log_in(Role.sys_admin)
    for endpoint in (e for e in GUARDED if e.is_unsafe):
        for headers in ({}, {"X-CSRF-Token": "guess"}):
            answer = await house.client.request(
                endpoint.method, _address(endpoint), headers=headers
            )
            assert await code_of(answer) == "csrf", endpoint.path
    assert (await house.ledger())[-1].act.result == "csrf"


async def test_a_page_of_another_site_changes_nothing(house: House) -> None:
    headers = await house.log_in(Role.sys_admin)
    foreign = {**headers, "Origin": "https://evil.example"}
    answer = await house.client.post(f"{BASE}/edges/box-1/invite", headers=foreign)
    assert await code_of(answer) == "wrong_origin"
    answer = await house.client.post(
        f"{BASE}/login",
        json={"user": "sys_admin", "password": PASSWORD},
        headers={"Origin": "https://evil.example"},
    )
    assert await code_of(answer) == "wrong_origin"
    ours = {**headers, "Origin": str(house.client.make_url("/")).rstrip("/")}
    assert (await house.client.post(f"{BASE}/edges/box-1/invite", headers=ours)).status == 201


@pytest.mark.parametrize("path", ["/events", "/mqtt"])
async def test_no_websocket_opens_for_nobody_or_for_a_page_of_another_site(
    house: House, path: str
) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    assert (await house.client.get(path, headers=upgrade)).status == 401
    await house.log_in(Role.operator)
    foreign = {**upgrade, "Origin": "https://evil.example"}
    assert await code_of(await house.client.get(path, headers=foreign)) == "wrong_origin"


async def test_many_strangers_from_one_address_do_not_fill_the_ledger(house: House) -> None:
    answers = [await house.client.get(f"{BASE}/rooms") for _ in range(100)]
    assert answers[0].status == 401
    assert answers[-1].status == 429
    assert int(answers[-1].headers["Retry-After"]) >= 1
    refused = [e for e in await house.ledger() if e.act.actor == NOBODY]
    assert len(refused) < 100


async def test_log_out_ends_the_session_and_its_sockets(house: House) -> None:
    headers = await house.log_in(Role.operator)
    async with house.client.ws_connect("/events") as socket:
        assert (await socket.receive_json())["type"] == "hello"
        assert (await house.client.post(f"{BASE}/logout", headers=headers)).status == 204
        assert await told_at_close(socket) == LOGGED_OUT
    assert (await house.client.get(f"{BASE}/me")).status == 401
