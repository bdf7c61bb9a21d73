"""Evidence packages over HTTP."""

import base64
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import update

from contract import topics
from contract.bus import Arrival
from orchestrator.access import Role
from orchestrator.evidence.verifier import GENUINE, verify
from orchestrator.store.tables import edges
from tests.fakes.box import FakeBox
from tests.fakes.footage import record
from tests.fakes.shelf_box import serving_shelf
from tests.system.webhouse import BASE, House, code_of, join_box, open_house


@dataclass
class Scene:
    """A house with a box that recorded ten seconds an hour ago, and the exam office's headers."""

    house: House
    box: FakeBox
    start: datetime
    headers: dict[str, str]

    def wish(self, **changes: Any) -> dict[str, Any]:
        """What the page posts."""
        return {
            "cameras": ["cam-01"],
            "from": (self.start + timedelta(seconds=2)).isoformat(),
            "to": (self.start + timedelta(seconds=6)).isoformat(),
            "reason": "成绩复核",
            "request": "附2-2026-0007",
            "recipient": "教务处 王敏",
            "undertaking": True,
            **changes,
        }

    async def post(self, path: str, body: object = None) -> Any:
        return await self.house.client.post(
            f"{BASE}/evidence{path}", json=body or {}, headers=self.headers
        )

    async def get(self, path: str) -> Any:
        return await self.house.client.get(f"{BASE}/evidence{path}")

    async def made(self) -> str:
        """Have a package made; gives its id."""
        answer = await self.post("", self.wish())
        assert answer.status == 202, await answer.text()
        assert await self.house.centre.exports.make_next()
        return str((await answer.json())["id"])


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncGenerator[Scene]:
    async with open_house(tmp_path) as house:
        box = await join_box(house, tmp_path)
        start = house.clock.now().replace(microsecond=0) - timedelta(hours=1)
        told = record(tmp_path / "shelf", "cam-01", start, 10)
        fact = msgspec.json.encode(box.fact(told))
        await house.centre.catalogue.take([Arrival(topics.fact(box.id), fact, False)])
        await house.centre.exports.recover()
        async with serving_shelf(box, tmp_path / "shelf", house.clock):
            yield Scene(house, box, start, await house.log_in(Role.exam_office))


async def test_a_package_is_asked_for_watched_and_fetched_once(
    scene: Scene, tmp_path: Path
) -> None:
    answer = await scene.post("", scene.wish())
    assert answer.status == 202
    export = await answer.json()
    assert answer.headers["Location"] == f"{BASE}/evidence/{export['id']}"
    assert (export["state"], export["recipient"]) == ("waiting", "教务处 王敏")
    early = await scene.post(f"/{export['id']}/link")
    assert (early.status, await code_of(early)) == (409, "conflict")
    await scene.house.centre.exports.make_next()
    made = await (await scene.get(f"/{export['id']}")).json()
    assert made["state"] == "made"
    link = await (await scene.post(f"/{export['id']}/link")).json()
    got = await scene.house.client.get(link["url"])
    assert got.headers["Content-Disposition"] == f'attachment; filename="{export["id"]}.zip"'
    path = tmp_path / "got.zip"
    path.write_bytes(await got.read())
    assert path.stat().st_size == made["bytes"]
    public = (await (await scene.get("/key")).json())["public"]
    assert verify(str(path), base64.b64decode(public)).code == GENUINE
    again = await scene.house.client.get(link["url"])
    assert (again.status, await code_of(again)) == (410, "link_used")


async def test_the_size_and_what_is_missing_are_said_beforehand(scene: Scene) -> None:
    until = (scene.start + timedelta(seconds=20)).isoformat()
    span = {name: scene.wish()[name] for name in ("cameras", "from")} | {"to": until}
    found = await (await scene.post("/estimate", span)).json()
    assert found["segments"] == 1
    assert found["bytes"] > 10_000
    (missing,) = found["missing"]
    assert missing["camera"] == "cam-01"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"undertaking": False}, 403, "undertaking_required"),
        ({"reason": ""}, 403, "reason_required"),
        ({"recipient": ""}, 400, "bad_request"),
        ({"cameras": []}, 400, "bad_request"),
        ({"cameras": ["cam-99"]}, 404, "no_such"),
        ({"cameras": ["cam-02"]}, 404, "no_footage"),
        ({"to": "2099-01-01T00:00:00Z"}, 400, "too_long"),
        ({"colour": "red"}, 400, "bad_request"),
    ],
)
async def test_a_wish_that_cannot_be_granted_is_refused_by_code(
    scene: Scene, changes: dict[str, Any], status: int, code: str
) -> None:
    answer = await scene.post("", scene.wish(**changes))
    assert (answer.status, await code_of(answer)) == (status, code)
    assert (await (await scene.get("")).json())["items"] == []


async def test_a_package_that_waits_can_be_given_up(scene: Scene) -> None:
    export = await (await scene.post("", scene.wish())).json()
    path = f"{BASE}/evidence/{export['id']}"
    assert (await scene.house.client.delete(path, headers=scene.headers)).status == 204
    again = await scene.house.client.delete(path, headers=scene.headers)
    assert (again.status, await code_of(again)) == (409, "conflict")
    (listed,) = (await (await scene.get("")).json())["items"]
    assert listed["state"] == "cancelled"
    assert not await scene.house.centre.exports.make_next()


async def test_packages_of_nobody_elses_business_are_not_shown(scene: Scene) -> None:
    export = await scene.made()
    link = await (await scene.post(f"/{export}/link")).json()
    scene.house.forget()
    await scene.house.log_in(Role.patrol)
    for path in (f"{BASE}/evidence", f"{BASE}/evidence/{export}", link["url"]):
        answer = await scene.house.client.get(path)
        assert (answer.status, await code_of(answer)) == (403, "forbidden")


async def test_a_box_that_is_away_is_named_as_the_problem(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.evidence.maker._TRIES", 1)
    async with scene.house.centre.store.write() as connection:
        await connection.execute(update(edges).values(url="https://127.0.0.1:1"))
    await scene.made()
    (listed,) = (await (await scene.get("")).json())["items"]
    assert (listed["state"], listed["problem"]) == ("failed", "box_unreachable")
