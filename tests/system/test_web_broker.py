"""A broker that asks the centre about every log-in, as an EMQX does."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from contract import topics
from orchestrator.access import Role
from orchestrator.config import BrokerConfig
from orchestrator.logins import user_of
from tests.fakes.box import FakeBox
from tests.fakes.broker import free_port
from tests.fakes.centre import join
from tests.system.webhouse import BASE, House, code_of, open_house
from web.routes.broker import SECRET_HEADER

SECRET = "s" * 40
HEADERS = {SECRET_HEADER: SECRET}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    (tmp_path / "secret").write_text(SECRET + "\n")
    broker = BrokerConfig(
        url=f"mqtt://xunkao:house@127.0.0.1:{free_port()}",
        asking_secret_file=tmp_path / "secret",
    )
    async with open_house(tmp_path, broker=broker) as house:
        yield house


async def enters(house: House, user: str, password: str) -> bool:
    asked = {"username": user, "password": password}
    answer = await house.client.post(f"{BASE}/broker/auth", json=asked, headers=HEADERS)
    assert answer.status == 200
    return bool((await answer.json())["result"] == "allow")


async def may(house: House, user: str, action: str, topic: str) -> bool:
    asked = {"username": user, "action": action, "topic": topic}
    answer = await house.client.post(f"{BASE}/broker/acl", json=asked, headers=HEADERS)
    assert answer.status == 200
    return bool((await answer.json())["result"] == "allow")


async def test_a_box_is_let_in_until_it_is_revoked(house: House, tmp_path: Path) -> None:
    assert not await enters(house, user_of("b1"), "")
    box: FakeBox = await join(house.centre, tmp_path, "b1")
    user = user_of("b1")
    assert await enters(house, user, box.login.password)
    assert not await enters(house, user, box.login.password + "x")
    assert await may(house, user, "publish", topics.fact("b1"))
    assert await may(house, user, "subscribe", topics.desired("b1"))
    await house.centre.revoke("b1", "admin", "stolen")
    assert not await enters(house, user, box.login.password)
    assert not await may(house, user, "publish", topics.status("b1"))
    assert not await may(house, user, "subscribe", topics.desired("b1"))


async def test_a_box_may_do_nothing_else(house: House, tmp_path: Path) -> None:
    await join(house.centre, tmp_path, "b1")
    user = user_of("b1")
    for topic in (topics.desired("b1"), topics.fact("b2"), "other", ""):
        assert not await may(house, user, "publish", topic)
    for topic in (topics.fact("b1"), topics.EVERY_FACT, "#", "$share/a/" + topics.desired("b1")):
        assert not await may(house, user, "subscribe", topic)


async def test_a_phone_is_let_in_while_its_person_is_logged_in(house: House) -> None:
    headers = await house.log_in(Role.patrol)
    made = await house.client.post(f"{BASE}/phones", json={"post": "A"}, headers=headers)
    phone = await made.json()
    assert await enters(house, phone["user"], phone["password"])
    assert await may(house, phone["user"], "subscribe", phone["subscribe"])
    assert await may(house, phone["user"], "publish", phone["ack"])
    assert not await may(house, phone["user"], "subscribe", topics.duty_alert("p0"))
    await house.client.post(f"{BASE}/logout", json={}, headers=headers)
    await house.centre.phones.sweep()
    assert not await enters(house, phone["user"], phone["password"])


async def test_the_centre_asks_for_itself_under_the_name_in_the_url(house: House) -> None:
    assert await enters(house, "xunkao", "house")
    assert await may(house, "xunkao", "subscribe", topics.EVERY_FACT)
    assert await may(house, "xunkao", "publish", topics.desired("b1"))
    assert not await may(house, "xunkao", "subscribe", "#")
    assert not await may(house, "xunkao", "publish", f"{topics.ROOT}x/desired")


@pytest.mark.parametrize("secret", ["", "wrong", SECRET[:-1], "é"])
async def test_whoever_does_not_know_the_secret_learns_nothing(house: House, secret: str) -> None:
    asked = {"username": "xunkao", "password": "house"}
    answer = await house.client.post(
        f"{BASE}/broker/auth", json=asked, headers={SECRET_HEADER: secret}
    )
    assert (answer.status, await code_of(answer)) == (403, "forbidden")


async def test_a_broker_that_is_told_asks_in_vain(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        asked = {"username": "centre", "password": "x"}
        answer = await house.client.post(f"{BASE}/broker/auth", json=asked, headers=HEADERS)
        assert (answer.status, await code_of(answer)) == (404, "no_such")
