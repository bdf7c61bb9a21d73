"""What a box said last, as the lists and figures show it."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from contract import topics
from contract.bus import Arrival
from contract.messages import CameraStatus
from orchestrator.access import Role
from tests.fakes.box import FakeBox, segment
from tests.system.webhouse import BASE, House, enrolled_box, open_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with open_house(tmp_path) as house:
        yield house


@pytest.fixture
async def box(house: House, tmp_path: Path) -> AsyncGenerator[FakeBox]:
    async with enrolled_box(house, tmp_path) as box:
        yield box


async def _beat(house: House, box: FakeBox, *cameras: CameraStatus) -> None:
    payload = msgspec.json.encode(box.status(cameras=cameras))
    await house.centre.catalogue.take([Arrival(topics.status(box.id), payload, True)])


async def test_cameras_and_boxes_show_what_was_heard_last(house: House, box: FakeBox) -> None:
    seen = CameraStatus(
        camera="cam-01",
        stream="main",
        state="streaming",
        last_frame_at=house.clock.now(),
        bitrate_bps=2_000_000,
        recording=True,
    )
    await _beat(house, box, seen)
    await house.log_in(Role.operator)
    first, second = (await (await house.client.get(f"{BASE}/cameras")).json())["items"]
    assert (first["state"], first["recording"], first["live"]) == ("streaming", True, False)
    assert (first["room_name"], first["edge"]) == ("教一 101", "box-1")
    assert (second["state"], second["recording"]) == ("unknown", False)
    (edge,) = (await (await house.client.get(f"{BASE}/edges")).json())["items"]
    assert (edge["state"], edge["clock_trusted"]) == ("online", True)
    await house.clock.advance(60)
    await house.centre.catalogue.notice_silence()
    (edge,) = (await (await house.client.get(f"{BASE}/edges")).json())["items"]
    assert edge["state"] == "offline"
    first, _ = (await (await house.client.get(f"{BASE}/cameras")).json())["items"]
    assert (first["state"], first["cause"]) == ("unknown", "box_offline")


async def test_figures_count_what_is_there(house: House, box: FakeBox) -> None:
    await _beat(house, box, CameraStatus(camera="cam-01", stream="main", state="streaming"))
    fact = box.fact(segment("cam-01", house.clock.now() - timedelta(seconds=63)))
    await house.clock.advance(3)
    payload = msgspec.json.encode(fact)
    await house.centre.catalogue.take([Arrival(topics.fact(box.id), payload, False)])
    page = await (await house.client.get("/metrics")).text()
    assert "xunkao_boxes_online 1.0" in page
    assert "xunkao_cameras_streaming 1.0" in page
    assert "xunkao_segments 1.0" in page
    assert "xunkao_facts_lag_seconds 3.0" in page
