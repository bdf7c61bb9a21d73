"""Notices of outage over HTTP: filed before they begin, against exams only with a reason."""

import dataclasses
import hashlib
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contract.coverage import Hole
from contract.spans import Span
from orchestrator.access import Role
from orchestrator.outages import NewOutage, holes_of, said_of
from tests.fakes.centre import acts
from tests.system.webhouse import BASE, House, code_of, load_exams, open_house

HOUR = timedelta(hours=1)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with open_house(tmp_path) as house:
        await load_exams(house)
        house.forget()
        yield house


def notice(house: House, hours: float = 24, **changes: object) -> dict[str, Any]:
    start = house.clock.now() + timedelta(hours=hours)
    return {
        "rooms": ["A101"],
        "start": start.isoformat(),
        "end": (start + HOUR).isoformat(),
        "reason": "更换交换机",
        "contact": "刘师傅 1390000",
        **changes,
    }


async def test_a_notice_is_filed_listed_and_withdrawn_on_record(house: House) -> None:
    headers = await house.log_in(Role.exam_office)
    filed = await house.client.post(f"{BASE}/outages", json=notice(house), headers=headers)
    assert filed.status == 201, await filed.text()
    made = await filed.json()
    assert (made["rooms"], made["withdrawn_at"]) == (["A101"], None)
    now = house.clock.now()
    span = {"from": now.isoformat(), "to": (now + 48 * HOUR).isoformat()}
    listed = await (await house.client.get(f"{BASE}/outages", params=span)).json()
    assert listed["items"] == [made]
    path = f"{BASE}/outages/{made['id']}/withdraw"
    done = await house.client.post(path, json={"reason": "改期"}, headers=headers)
    assert (await done.json())["withdrawn_by"] == "exam_office"
    again = await house.client.post(path, json={"reason": "改期"}, headers=headers)
    assert (again.status, await code_of(again)) == (409, "conflict")
    none = await house.client.post(
        f"{BASE}/outages/o-none/withdraw", json={"reason": "改期"}, headers=headers
    )
    assert (none.status, await code_of(none)) == (404, "no_such")
    filed_acts = await acts(house.centre, "file_outage")
    assert [row.act.result for row in filed_acts] == ["ok"]
    withdrawn = await acts(house.centre, "withdraw_outage")
    assert sorted(row.act.result for row in withdrawn) == ["conflict", "no_such", "ok"]


async def test_a_notice_over_an_exam_is_refused_without_a_reason_that_overrides(
    house: House,
) -> None:
    headers = await house.log_in(Role.exam_office)
    wanted = notice(house, 0)
    refused = await house.client.post(f"{BASE}/outages", json=wanted, headers=headers)
    assert (refused.status, await code_of(refused)) == (409, "outage_conflicts")
    allowed = await house.client.post(
        f"{BASE}/outages", json={**wanted, "override": "考试改在机房"}, headers=headers
    )
    assert allowed.status == 201
    (first, second) = sorted(await acts(house.centre, "file_outage"), key=lambda row: row.id)
    assert (first.act.result, second.act.result) == ("outage_conflicts", "ok")
    assert "考试改在机房" in second.act.reason


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"rooms": ["nowhere"]}, "no_such"),
        ({"end": "2026-01-01T00:00:00Z"}, "bad_request"),
        ({"start": "2026-01-01T00:00:00Z"}, "bad_request"),
        ({"rooms": []}, "bad_request"),
        ({"reason": " "}, "bad_request"),
    ],
)
async def test_what_is_no_notice_is_refused_by_code(
    house: House, changes: dict[str, Any], code: str
) -> None:
    headers = await house.log_in(Role.exam_office)
    refused = await house.client.post(
        f"{BASE}/outages", json=notice(house, **changes), headers=headers
    )
    assert await code_of(refused) == code


@pytest.mark.parametrize("role", [Role.patrol, Role.operator, Role.sys_admin, Role.auditor])
async def test_the_exam_office_alone_files_notices(house: House, role: Role) -> None:
    headers = await house.log_in(role)
    refused = await house.client.post(f"{BASE}/outages", json=notice(house), headers=headers)
    assert (refused.status, await code_of(refused)) == (403, "forbidden")


async def test_it_explains_its_own_room_and_span_up_to_its_withdrawal(house: House) -> None:
    headers = await house.log_in(Role.exam_office)
    made = await (
        await house.client.post(f"{BASE}/outages", json=notice(house, 30), headers=headers)
    ).json()
    start = datetime.fromisoformat(made["start"])
    window = Span(start - HOUR, start + HOUR / 2)
    async with house.centre.store.read() as connection:
        assert await holes_of(connection, "A101", window) == [
            Hole(Span(start, start + HOUR / 2), "outage", f"{made['id']}: 更换交换机")
        ]
        assert await holes_of(connection, "A102", window) == []
    await house.client.post(
        f"{BASE}/outages/{made['id']}/withdraw", json={"reason": "改期"}, headers=headers
    )
    async with house.centre.store.read() as connection:
        assert await holes_of(connection, "A101", window) == [], "it never began"


async def test_it_explains_nothing_that_was_before_it_was_filed(house: House) -> None:
    headers = await house.log_in(Role.exam_office)
    late = notice(
        house, -1 / 60, override="备用机位"
    )  # a minute ago: it has begun by the time it is sent
    answer = await house.client.post(f"{BASE}/outages", json=late, headers=headers)
    made = await answer.json()
    start, filed = (datetime.fromisoformat(made[name]) for name in ("start", "filed_at"))
    assert start < filed
    async with house.centre.store.read() as connection:
        (hole,) = await holes_of(connection, "A101", Span(start - HOUR, start + HOUR / 2))
    assert hole.span == Span(filed, start + HOUR / 2)


def test_the_ledger_has_span_override_and_the_hash_of_a_list_that_is_too_long() -> None:
    start = datetime(2026, 11, 28, 8, tzinfo=UTC)
    rooms = tuple(f"room-{number:04}" for number in range(1000))
    new = NewOutage(
        rooms=rooms, start=start, end=start + HOUR, reason="因" * 600, contact="", override="果"
    )
    what, why = said_of("o1", new)
    assert len(what) == len(why) == 500
    assert what.startswith(f"o1 {start.isoformat()}/{new.end.isoformat()} 1000 rooms sha256:")
    assert hashlib.sha256(",".join(rooms).encode()).hexdigest() in what
    assert why.startswith("over exams: 果; 因")
    few = dataclasses.replace(new, rooms=("b", "a"), override="", reason="因")
    assert said_of("o1", few) == (f"o1 {start.isoformat()}/{new.end.isoformat()} a,b", "因")
