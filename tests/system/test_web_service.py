"""What the service says of itself, and that it is true."""

import logging
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from orchestrator.access import Role
from tests.fakes.broker import background
from tests.fakes.waiting import until
from tests.system.webhouse import BASE, House, code_of, open_house
from web.problems import CODES


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with open_house(tmp_path) as house:
        yield house


async def test_it_is_alive_before_it_is_ready(house: House) -> None:
    alive = await house.client.get("/healthz")
    assert (alive.status, (await alive.json())["status"]) == (200, "ok")
    early = await house.client.get("/readyz")
    assert early.status == 503
    said = await early.json()
    assert (said["status"], said["checks"]["broker"]) == ("not_ready", "not connected")
    async with background(house.centre.run()):
        await until(lambda: house.centre.bus.is_up)
        ready = await house.client.get("/readyz")
        assert ready.status == 200
        checks = (await ready.json())["checks"]
        assert checks == {
            "store": "ok",
            "broker": "ok",
            "boxes": "0 of 0 online",
            "dispatch": "ok",
        }


async def test_figures_name_routes_never_addresses(house: House) -> None:
    await house.log_in(Role.exam_office)
    await house.client.get(f"{BASE}/timetables/t-secret")
    page = await (await house.client.get("/metrics")).text()
    route = "/api/v1/timetables/{id}"
    assert f'xunkao_http_requests_total{{method="GET",route="{route}",status="404"}} 1.0' in page
    assert "t-secret" not in page
    for gauge in ("boxes_online", "cameras_streaming", "segments", "looks_open"):
        assert f"xunkao_{gauge} 0.0" in page
    assert "xunkao_facts_lag_seconds" in page


async def test_the_openapi_document_is_one(house: House) -> None:
    document = await (await house.client.get(f"{BASE}/openapi.json")).json()
    validate(document)
    assert document["openapi"].startswith("3.1")
    upload = document["paths"][f"{BASE}/timetables"]["post"]
    assert "multipart/form-data" in upload["requestBody"]["content"]
    assert set(upload["responses"]) >= {"201", "401", "403", "413", "422"}
    login = document["paths"][f"{BASE}/login"]["post"]
    assert login["security"] == []
    schema = document["components"]["schemas"]["LoginRequest"]
    assert schema["additionalProperties"] is False
    start = document["components"]["schemas"]["Session"]["properties"]["start"]
    assert start["format"] == "date-time"


async def test_the_asyncapi_document_is_served(house: House) -> None:
    document = await (await house.client.get(f"{BASE}/asyncapi.json")).json()
    assert document["asyncapi"] == "3.0.0"
    assert document["channels"]["fact"]["address"] == "xunkao/v1/edge/{edge}/fact"


async def test_what_nobody_foresaw_is_told_without_its_insides_and_logged_once(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    await house.log_in(Role.sys_admin)
    caplog.set_level(logging.ERROR)
    await house.centre.store._reader.dispose()
    async with house.centre.store.write() as connection:
        await connection.exec_driver_sql("ALTER TABLE cameras RENAME TO lost")
    answer = await house.client.get(f"{BASE}/rooms")
    text = await answer.text()
    assert (answer.status, await code_of(answer)) == (500, "internal")
    assert "cameras" not in text
    assert "Traceback" not in text
    (record,) = caplog.records
    assert record.message == "GET /api/v1/rooms failed"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", f"{BASE}/nothing", 404), ("PUT", f"{BASE}/rooms", 404), ("POST", "/wall", 405)],
)
async def test_what_is_not_served_is_a_problem_too(
    house: House, method: str, path: str, status: int
) -> None:
    answer = await house.client.request(method, path)
    assert answer.status == status
    assert await code_of(answer) in CODES


async def test_without_built_pages_the_console_says_what_to_run(house: House) -> None:
    assert "make web" in await (await house.client.get("/wall")).text()
