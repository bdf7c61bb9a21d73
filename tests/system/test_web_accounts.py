"""Logging in, being somebody, and making accounts, over HTTP."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from orchestrator.access import Role
from tests.system.webhouse import BASE, PASSWORD, House, code_of, open_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with open_house(tmp_path) as house:
        yield house


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(house: House) -> None:
    await house.hire(Role.patrol)
    asked = {"user": "patrol", "password": PASSWORD}
    answer = await house.client.post(f"{BASE}/login", json=asked)
    said = await answer.json()
    assert (said["user"], said["roles"]) == ("patrol", ["patrol"])
    assert said["csrf"]
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("xunkao_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert said["csrf"] not in cookie


async def test_me_says_who_one_is_and_where(house: House) -> None:
    csrf = await house.log_in(Role.exam_office)
    me = await (await house.client.get(f"{BASE}/me")).json()
    assert me["user"] == "exam_office"
    assert me["name"] == "exam_office 老师"
    assert me["csrf"] == csrf["X-CSRF-Token"]
    assert me["site"] == {"name": "试验大学", "timezone": "Asia/Shanghai"}
    assert me["now"].startswith("2026-11-22T08:00:00")


async def test_wrong_passwords_lock_the_account_for_a_while(house: House) -> None:
    await house.hire(Role.patrol)
    wrong = {"user": "patrol", "password": "no"}
    for _ in range(5):
        answer = await house.client.post(f"{BASE}/login", json=wrong)
        assert (answer.status, await code_of(answer)) == (401, "bad_credentials")
    right = {"user": "patrol", "password": PASSWORD}
    answer = await house.client.post(f"{BASE}/login", json=right)
    assert (answer.status, await code_of(answer)) == (429, "locked")
    assert 0 < int(answer.headers["Retry-After"]) <= 15 * 60
    await house.clock.advance(15 * 60)
    assert (await house.client.post(f"{BASE}/login", json=right)).status == 200


async def test_guessing_from_one_address_is_slowed(house: House) -> None:
    last = None
    for number in range(25):
        guess = {"user": f"someone{number}", "password": "guess"}
        last = await house.client.post(f"{BASE}/login", json=guess)
    assert last is not None
    assert (last.status, await code_of(last)) == (429, "rate_limited")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"user":"a","password":"b","remember":true}', "bad_request"),
        ('{"user":"a"}', "bad_request"),
        ('{"user":"a b","password":"c"}', "bad_request"),
        ("{", "bad_request"),
        ("", "bad_request"),
    ],
)
async def test_a_body_of_another_form_is_refused(house: House, body: str, code: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await house.client.post(f"{BASE}/login", data=body, headers=headers)
    assert (answer.status, await code_of(answer)) == (400, code)


async def test_a_body_that_is_no_json_is_refused(house: House) -> None:
    answer = await house.client.post(f"{BASE}/login", data={"user": "a", "password": "b"})
    assert (answer.status, await code_of(answer)) == (415, "wrong_type")


async def test_a_body_that_is_too_long_is_refused(house: House) -> None:
    answer = await house.client.post(f"{BASE}/login", json={"user": "a", "password": "b" * 300_000})
    assert (answer.status, await code_of(answer)) == (413, "too_large")


async def test_an_account_is_made_and_may_log_in(house: House) -> None:
    headers = await house.log_in(Role.sys_admin)
    new = {"user": "li", "name": "李老师", "password": PASSWORD, "roles": ["patrol"]}
    answer = await house.client.post(f"{BASE}/users", json=new, headers=headers)
    assert answer.status == 201
    assert PASSWORD not in await answer.text()
    again = await house.client.post(f"{BASE}/users", json=new, headers=headers)
    assert (again.status, await code_of(again)) == (409, "user_exists")
    house.forget()
    right = {"user": "li", "password": PASSWORD}
    assert (await house.client.post(f"{BASE}/login", json=right)).status == 200


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"password": "short"}, "weak_password"),
        ({"roles": ["sys_admin", "patrol"]}, "roles_exclude"),
        ({"roles": ["king"]}, "bad_request"),
        ({"roles": []}, "bad_request"),
    ],
)
async def test_an_account_that_may_not_be_is_refused(
    house: House, change: dict[str, object], code: str
) -> None:
    headers = await house.log_in(Role.sys_admin)
    new = {"user": "li", "name": "李", "password": PASSWORD, "roles": ["patrol"], **change}
    answer = await house.client.post(f"{BASE}/users", json=new, headers=headers)
    assert (answer.status, await code_of(answer)) == (400, code)


async def test_a_list_is_walked_by_its_cursor(house: House) -> None:
    await house.hire(*Role)
    await house.log_in(Role.sys_admin)
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        part = await (await house.client.get(f"{BASE}/users?limit=2&after={after}")).json()
        assert len(part["items"]) <= 2
        seen += [user["user"] for user in part["items"]]
        after = part["next"]
    assert seen == sorted(role.value for role in Role)


async def test_the_ledger_is_read_in_order_and_reading_it_is_in_it(house: House) -> None:
    await house.hire(*Role)
    await house.log_in(Role.auditor)
    first = await (await house.client.get(f"{BASE}/ledger?limit=3")).json()
    assert [row["id"] for row in first["items"]] == [1, 2, 3]
    following = await (await house.client.get(f"{BASE}/ledger?after={first['next']}")).json()
    assert following["items"][0]["id"] == 4
    assert following["next"] is None
    last = following["items"][-1]
    assert (last["actor"], last["action"], last["object"]) == ("auditor", "read_ledger", "after 3")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "after=x", "colour=red", "limit=1&limit=2"]
)
async def test_a_query_of_another_form_is_refused(house: House, query: str) -> None:
    await house.log_in(Role.auditor)
    answer = await house.client.get(f"{BASE}/ledger?{query}")
    assert (answer.status, await code_of(answer)) == (400, "bad_request")
