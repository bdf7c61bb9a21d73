"""The forecast by HTTP, and a timetable that does not fit."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from aiohttp import FormData

from contract.messages import EdgeStatus
from orchestrator import told
from orchestrator.access import Role
from tests.system.webhouse import BASE, House, code_of, exam_file, open_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with open_house(tmp_path) as house:
        yield house


async def test_a_timetable_that_does_not_fit_is_refused_by_name_day_and_bytes(
    house: House,
) -> None:
    now = house.clock.now()
    status = EdgeStatus(
        state="online",
        at=now,
        boot="b",
        epoch=1,
        revision=1,
        free_bytes=3_000_000_000,
        total_bytes=100_000_000_000,
    )
    async with house.centre.store.write() as connection:
        await told.keep_status(connection, "box-1", status, now)
    headers = await house.log_in(Role.exam_office)
    form = FormData()
    data = exam_file(now + timedelta(days=1), rejected=False)
    form.add_field("file", BytesIO(data), filename="a.csv")
    answer = await house.client.post(f"{BASE}/timetables", data=form, headers=headers)
    staged = await answer.json()
    assert (staged["capacity"]["fits"], staged["capacity"]["edge"]) == (False, "box-1")
    (box,) = staged["capacity"]["boxes"]
    assert box["rates"] == {"assumed": 2}
    path = f"{BASE}/timetables/{staged['id']}/apply"
    refused = await house.client.post(path, json={"reason": "期末"}, headers=headers)
    assert (refused.status, await code_of(refused)) == (409, "does_not_fit")
    problem = await refused.json()
    assert (problem["edge"], problem["day"]) == ("box-1", box["first_day"])
    (day,) = [day for day in box["days"] if day["date"] == problem["day"]]
    assert problem["shortfall_bytes"] == day["shortfall_bytes"] > 0
    silent = await house.client.post(path, json={"override": True}, headers=headers)
    assert (silent.status, await code_of(silent)) == (403, "reason_required")
    why = {"override": True, "reason": "新盘周五到货"}
    done = await house.client.post(path, json=why, headers=headers)
    assert (done.status, (await done.json())["added"]) == (200, 2)
    told_now = await (await house.client.get(f"{BASE}/forecast")).json()
    (standing,) = told_now["boxes"]
    assert (standing["fits"], standing["first_day"]) == (False, problem["day"])
    assert len(standing["days"]) == 30
    house.forget()
    await house.log_in(Role.patrol)
    assert (await house.client.get(f"{BASE}/forecast")).status == 403
