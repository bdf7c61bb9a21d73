import os
import shutil
import signal
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import delete, select

from contract.messages import Source
from orchestrator.centre import Centre
from orchestrator.config import DatabaseConfig
from orchestrator.overview import Overview
from orchestrator.site import NewCamera, SiteCamera
from orchestrator.store.tables import dispatches
from tests.fakes.centre import (
    acts,
    add_site,
    cancel_exam,
    count,
    hold_exam,
    join,
    running_centre,
)
from tests.fakes.waiting import until, until_async
from web.readiness import checks

HOUR = timedelta(hours=1)


@pytest.fixture
async def centre(tmp_path: Path, database: str) -> AsyncGenerator[Centre]:
    async with running_centre(tmp_path, database=DatabaseConfig(url=database)) as running:
        await add_site(running, ("cam1", "r1", "b1"), ("cam2", "r2", "b2"))
        yield running


async def test_a_box_is_told_its_cameras_and_orders(centre: Centre, tmp_path: Path) -> None:
    box = await join(centre, tmp_path, "b1")
    exam = await hold_exam(centre, "r1", centre.clock.now() + HOUR)
    await hold_exam(centre, "r2", centre.clock.now() + HOUR)
    async with box.online():
        await until(lambda: box.states and box.states[-1].orders)
    state = box.states[-1]
    assert [camera.id for camera in state.cameras] == ["cam1"]
    (order,) = state.orders
    assert (order.camera, order.session) == ("cam1", exam.id)
    assert order.start == exam.start - timedelta(minutes=30)
    assert order.end == exam.end + timedelta(minutes=15)


async def test_credentials_open_for_the_box_alone(centre: Centre, tmp_path: Path) -> None:
    box = await join(centre, tmp_path, "b1")
    async with box.online():
        await until(lambda: box.states)
    sealed = box.states[-1].cameras[0].sealed
    source = msgspec.json.decode(box.sealing.open(sealed), type=Source)
    assert (source.user, source.password) == ("viewer", "secret of cam1")
    assert "secret of cam1" not in msgspec.json.encode(box.states[-1]).decode()


async def test_a_changed_timetable_touches_only_the_boxes_it_concerns(
    centre: Centre, tmp_path: Path
) -> None:
    one, two = await join(centre, tmp_path, "b1"), await join(centre, tmp_path, "b2")
    async with one.online(), two.online():
        await until(lambda: one.states and two.states)
        await hold_exam(centre, "r1", centre.clock.now() + HOUR)
        await until(lambda: one.states[-1].orders)
        assert await centre.dispatch.bring_up_to_date() == []
    assert (len(one.states), len(two.states)) == (2, 1)


async def test_an_exam_taken_back_is_named(centre: Centre, tmp_path: Path) -> None:
    box = await join(centre, tmp_path, "b1")
    exam = await hold_exam(centre, "r1", centre.clock.now() + HOUR)
    async with box.online():
        await until(lambda: box.states and box.states[-1].orders)
        await cancel_exam(centre, exam, ["cam1"], "b1")
        await until(lambda: box.states[-1].cancelled)
    (entry,) = box.states[-1].cancelled
    assert (entry.order, entry.reason, entry.approved_by) == (
        f"{exam.id}.cam1",
        "moved",
        ("office",),
    )
    assert box.states[-1].orders == ()


async def test_an_exam_beyond_the_horizon_waits(centre: Centre, tmp_path: Path) -> None:
    box = await join(centre, tmp_path, "b1")
    await hold_exam(centre, "r1", centre.clock.now() + timedelta(days=20))
    await hold_exam(centre, "r1", centre.clock.now() + timedelta(days=90))
    async with box.online():
        await until(lambda: box.states and box.states[-1].orders)
    assert len(box.states[-1].orders) == 1


async def test_a_changed_password_reaches_the_box(centre: Centre, tmp_path: Path) -> None:
    box = await join(centre, tmp_path, "b1")
    async with box.online():
        await until(lambda: box.states)
        url = "rtsp://127.0.0.1:8554/cam1/main"
        source = Source(main=url, sub=url, user="viewer", password="changed")
        await centre.site.put([], [NewCamera(SiteCamera("cam1", "r1", "b1"), source)], by="test")
        await until(lambda: len(box.states) == 2)
    opened = msgspec.json.decode(box.sealing.open(box.states[-1].cameras[0].sealed), type=Source)
    assert opened.password == "changed"


async def test_a_box_that_was_away_is_told_when_it_comes(centre: Centre, tmp_path: Path) -> None:
    box = await join(centre, tmp_path, "b1")
    async with box.online():
        await until(lambda: box.states)
    await hold_exam(centre, "r1", centre.clock.now() + HOUR)
    async with box.online():
        await until(lambda: box.states[-1].orders)


async def test_a_new_broker_has_the_states_again(centre: Centre, tmp_path: Path) -> None:
    box = await join(centre, tmp_path, "b1")
    async with box.online():
        await until(lambda: box.states)
    assert centre.broker.pid
    os.kill(centre.broker.pid, signal.SIGKILL)
    await until(lambda: not centre.bus.is_up)
    await until(lambda: centre.bus.is_up)
    box.epoch = box.revision = 0  # it would take anything that is retained
    box.states.clear()
    async with box.online():
        await until(lambda: box.states)
    assert box.states[0].revision == 1


async def test_a_restart_of_the_centre_tells_nothing_new(tmp_path: Path) -> None:
    async with running_centre(tmp_path) as centre:
        await add_site(centre, ("cam1", "r1", "b1"))
        box = await join(centre, tmp_path, "b1")
        await hold_exam(centre, "r1", centre.clock.now() + HOUR)
        async with box.online():
            await until(lambda: box.states and box.states[-1].orders)
    told = len(box.states)
    async with running_centre(tmp_path) as centre:
        box.broker_port = centre.broker.port
        async with box.online():
            await until(lambda: centre.dispatch.has_heard("b1"))
            assert await centre.dispatch.bring_up_to_date() == []
        assert len(box.states) == told


async def test_a_restored_store_tells_nothing_until_the_site_opens_an_epoch(
    centre: Centre, tmp_path: Path
) -> None:
    box = await join(centre, tmp_path, "b1")
    async with box.online():
        await until(lambda: box.states)
        await hold_exam(centre, "r1", centre.clock.now() + HOUR)
        await until(lambda: box.revision == 2)
        async with centre.store.write() as connection:  # back to before the exam was told
            await connection.execute(delete(dispatches).where(dispatches.c.revision == 2))
        await hold_exam(centre, "r1", centre.clock.now() + 5 * HOUR)
        assert await centre.dispatch.bring_up_to_date() == []

        async def noticed() -> bool:
            await box.beat()  # as a box does every five seconds
            return bool(centre.dispatch.behind)

        await until_async(noticed, 20, "the box is ahead of the store")
        (behind,) = centre.dispatch.behind
        assert (behind.edge, behind.box, behind.store) == ("b1", (1, 2), (1, 1))
        assert await count(centre, dispatches) == 1
        told = {check.name: check for check in await checks(centre, Overview(centre.store))}
        assert "behind 1" in told["dispatch"].says
        assert not told["dispatch"].is_needed

        assert centre.set_up_secret
        assert centre.keyring.new_epoch(centre.set_up_secret, centre.clock.now()) == 2
        await until(lambda: box.epoch == 2)
        assert (box.revision, len(box.states[-1].orders)) == (1, 2)
        assert centre.dispatch.behind == ()
    assert len(await acts(centre, "withhold_state")) == 1


async def test_an_empty_store_cannot_take_a_box_over(tmp_path: Path) -> None:
    async with running_centre(tmp_path) as centre:
        await add_site(centre, ("cam1", "r1", "b1"))
        box = await join(centre, tmp_path, "b1")
        await hold_exam(centre, "r1", centre.clock.now())
        async with box.online():
            await until(lambda: box.states and box.states[-1].orders)
    for file in (tmp_path / "centre").glob("centre.sqlite*"):
        file.unlink()
    told = list(box.states)
    async with running_centre(tmp_path) as centre:
        await add_site(centre, ("cam1", "r1", "b1"))
        code = (await centre.enrolment.invite("b1", "admin")).code
        box.pin(await centre.enrol(box.request(code)), code)
        async with box.online():
            await until(lambda: centre.dispatch.behind)
            assert await centre.dispatch.bring_up_to_date() == []
            assert await count(centre, dispatches) == 0
        assert box.states == told


async def test_no_state_is_numbered_before_the_box_said_what_it_has(
    centre: Centre, tmp_path: Path
) -> None:
    await join(centre, tmp_path, "b1")
    await hold_exam(centre, "r1", centre.clock.now() + HOUR)
    assert await centre.dispatch.bring_up_to_date() == []
    assert await count(centre, dispatches) == 0


async def test_keys_restored_from_before_an_epoch_tell_nothing(tmp_path: Path) -> None:
    async with running_centre(tmp_path) as centre:
        await add_site(centre, ("cam1", "r1", "b1"))
        box = await join(centre, tmp_path, "b1")
        shutil.copytree(centre.config.keys, tmp_path / "backup")
        assert centre.set_up_secret
        centre.keyring.new_epoch(centre.set_up_secret, centre.clock.now())
        async with box.online():
            await until(lambda: box.epoch == 2)
    shutil.rmtree(tmp_path / "centre" / "keys")
    shutil.copytree(tmp_path / "backup", tmp_path / "centre" / "keys")
    async with running_centre(tmp_path) as centre:
        box.broker_port = centre.broker.port
        async with box.online():
            await until(lambda: centre.dispatch.behind)


async def test_what_is_published_was_stored_before(centre: Centre, tmp_path: Path) -> None:
    box = await join(centre, tmp_path, "b1")
    async with box.online():
        await until(lambda: box.states)
    async with centre.store.read() as connection:
        payload = (await connection.scalars(select(dispatches.c.payload))).one()
    assert box.believed(payload) == box.states[-1]


async def test_a_centre_without_its_broker_goes_on_and_tells_later(tmp_path: Path) -> None:
    async with running_centre(tmp_path) as centre:
        await add_site(centre, ("cam1", "r1", "b1"))
        box = await join(centre, tmp_path, "b1")
        async with box.online():
            await until(lambda: box.states)
            assert centre.broker.pid
            os.kill(centre.broker.pid, signal.SIGKILL)
            await hold_exam(centre, "r1", centre.clock.now() + HOUR)
            await until(lambda: box.states[-1].orders)
