"""A centre at a Mosquitto that somebody else runs."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import msgspec
import psutil
import pytest

from contract import topics
from contract.bus import BusDown
from contract.clock import SystemClock
from contract.messages import Booted, CameraStatus, TamperChanged
from orchestrator.access import Role
from orchestrator.centre import Centre
from orchestrator.config import Config
from orchestrator.guestbook import GuestBook
from orchestrator.logins import box as box_guest
from orchestrator.logins import is_of_ours, user_of
from orchestrator.store.tables import facts
from tests.fakes.box import FakeBox
from tests.fakes.broker import Listening, background
from tests.fakes.centre import add_site, count, hold_exam, join, log_in, running_centre
from tests.fakes.outside import ADMIN, PASSWORD, Outside
from tests.fakes.phone import FakePhone
from tests.fakes.waiting import until, until_async

WELL = CameraStatus(camera="cam1", stream="main", state="streaming", recording=True)


@pytest.fixture
async def outside(tmp_path: Path) -> AsyncGenerator[Outside]:
    async with Outside.running(tmp_path / "outside") as broker:
        yield broker


@pytest.fixture
async def centre(tmp_path: Path, outside: Outside) -> AsyncGenerator[Centre]:
    async with running_centre(tmp_path, broker=outside.config) as running:
        await add_site(running, ("cam1", "r1", "b1"))
        await hold_exam(running, "r1", running.clock.now() - timedelta(minutes=1))
        yield running


def book_of(centre: Centre) -> GuestBook:
    assert isinstance(centre.broker.book, GuestBook)
    return centre.broker.book


async def phone_of(centre: Centre) -> FakePhone:
    person = await log_in(centre, Role.patrol)
    return FakePhone(centre, await centre.phones.make(person, "A 楼"))


async def cover(box: FakeBox) -> None:
    now = box.clock.now()
    covered = TamperChanged(
        camera="cam1",
        stream="sub",
        kind="covered",
        state="began",
        score=0.97,
        extent=0.9,
        model="f00d",
        first_at=now - timedelta(seconds=1),
        voted_at=now,
    )
    await box.tell(box.fact(covered))


async def on_duty(centre: Centre) -> None:
    async def is_there() -> bool:
        return any(phone.present for phone in await centre.duty.phones())

    await until_async(is_there)


async def test_boxes_and_phones_work_over_it_and_no_broker_of_ours_runs(
    centre: Centre, outside: Outside, tmp_path: Path
) -> None:
    ours = [child for child in psutil.Process().children() if child.name() == "mosquitto"]
    assert len(ours) == 1  # the test's
    box = await join(centre, tmp_path, "b1")
    assert (box.login.port, box.login.named) == (outside.port, True)
    assert box.login.certificate == outside.authority.read_text()
    phone = await phone_of(centre)
    async with box.online(), phone.on():
        await on_duty(centre)
        await until(lambda: box.states and box.states[-1].orders)
        await box.beat(WELL)
        await box.tell(box.fact(Booted(boot="b", version="1", clock_trusted=True)))
        await until(lambda: box.heard == [1])
        await cover(box)
        told = await phone.gets()
        assert (told.kind, told.camera) == ("covered", "cam1")
        await phone.ack(told.id, "taken")
        await phone.sees("taken")
    assert await count(centre, facts) == 2


async def test_a_broker_that_forgot_everything_is_told_all_again(
    centre: Centre, outside: Outside, tmp_path: Path
) -> None:
    box = await join(centre, tmp_path, "b1")
    async with box.online():
        await until(lambda: box.states and box.states[-1].orders)
        await box.beat(WELL)
        await cover(box)
        await until_async(centre.alerts.list)
        (alert,) = [one for one in await centre.alerts.list() if one.kind == "covered"]
        await outside.restart()
        await until(lambda: not centre.bus.is_up)
        await until(lambda: centre.bus.is_up and box.bus_is_up)
        wanted = (topics.desired("b1"), topics.session("r1"), topics.alert(alert.id))
        late = Listening(outside.address("house-app", PASSWORD), "late", *wanted)
        async with late.on():
            await until(lambda: {one.topic for one in late.heard if one.payload} == set(wanted))


async def test_a_broker_killed_in_the_middle_of_an_alert_loses_nothing(
    centre: Centre, outside: Outside, tmp_path: Path
) -> None:
    box = await join(centre, tmp_path, "b1")
    phone = await phone_of(centre)
    async with box.online(), phone.on():
        await on_duty(centre)
        await box.beat(WELL)
        await cover(box)
        await until_async(centre.alerts.list)
        await outside.kill()
        (alert,) = await centre.alerts.list()
        await until(lambda: not centre.bus.is_up and not phone.bus.is_up)
        phone.told.clear()
        await outside.start()
        await until(lambda: centre.bus.is_up and phone.bus.is_up)
        assert (await phone.gets()).id == alert.id  # nobody had confirmed it
        await phone.ack(alert.id, "taken")
        await phone.sees("taken")


async def test_a_revoked_box_is_cut_off_and_stays_out(centre: Centre, tmp_path: Path) -> None:
    box = await join(centre, tmp_path, "b1")
    async with box.online():
        await centre.revoke("b1", "admin", "stolen")
        await until(lambda: not box.bus_is_up)
        with pytest.raises(AssertionError):
            await until(lambda: box.bus_is_up, 1.5)
    assert user_of("b1") not in await book_of(centre).users()


async def test_a_careless_brokers_defaults_open_nothing_to_a_box(
    centre: Centre, outside: Outside, tmp_path: Path
) -> None:
    box = await join(centre, tmp_path, "b1")
    watch = Listening(outside.address("house-app", PASSWORD), "watch", f"{topics.ROOT}/#")
    async with box.online(), watch.on():
        assert box.bus is not None
        for topic in (topics.EVERY_FACT, topics.desired("b2"), "#", "$CONTROL/#"):
            with pytest.raises(BusDown, match="may not subscribe"):
                await box.bus.subscribe(topic)
        await box.bus.publish(topics.fact("b2"), b"forged")
        await box.bus.publish(topics.status("b1"), b"{}")
        await until(lambda: watch.payloads(topics.status("b1")))
    assert watch.payloads(topics.fact("b2")) == []


async def test_of_its_log_ins_only_ours_are_ended(centre: Centre, outside: Outside) -> None:
    await until(lambda: book_of(centre).is_open)

    async def left_is_gone() -> bool:
        return "phone.left" not in await book_of(centre).users()

    await until_async(left_is_gone)
    assert {"house-app", ADMIN, "centre"} <= await book_of(centre).users()


async def test_a_log_in_that_stands_is_not_cut_off_by_another_start_and_a_changed_one_is_remade(
    outside: Outside,
) -> None:
    clock, admin = SystemClock(), outside.address(ADMIN, PASSWORD)
    first = GuestBook(admin, clock, [box_guest("b1", "one"), box_guest("b2", "two")], is_of_ours)
    async with background(first.run()):
        await until_async(lambda: _are(first, "edge.b1", "edge.b2"))
    stays = Listening(outside.address("edge.b1", "one"), "b1", topics.heard("b1"))
    changed = Listening(outside.address("edge.b2", "new"), "b2", topics.heard("b2"))
    again = [box_guest("b1", "one"), box_guest("b2", "new"), box_guest("b3", "three")]
    second = GuestBook(admin, clock, again, is_of_ours)
    async with stays.on():
        async with background(second.run()), changed.on():
            await until_async(lambda: _are(second, "edge.b1", "edge.b2", "edge.b3"))
        assert stays.bus.is_up
        assert stays.connects == 1


async def _are(book: GuestBook, *users: str) -> bool:
    return book.is_open and set(users) <= await book.users()


async def test_what_it_kept_of_an_alert_that_is_over_is_taken_away(
    tmp_path: Path, outside: Outside
) -> None:
    topic = topics.alert("a0")
    house = Listening(outside.address("house-app", PASSWORD), "house", topic)
    async with house.on():
        await house.bus.publish(topic, b'{"old":1}', retain=True)
        async with running_centre(tmp_path, broker=outside.config):
            await until(lambda: house.payloads(topic)[-1:] == [b""])


async def test_a_centre_starts_without_it_and_finds_it_later(
    tmp_path: Path, outside: Outside
) -> None:
    await outside.kill()
    config = Config(data=tmp_path / "centre", broker=outside.config)
    async with Centre.open(config, SystemClock()) as centre, background(centre.run()):
        await asyncio.sleep(0.2)
        assert not centre.bus.is_up
        await outside.start()
        await until(lambda: centre.bus.is_up)


@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")  # paho leaves it
async def test_a_certificate_that_nobody_vouches_for_is_refused(
    tmp_path: Path, outside: Outside
) -> None:
    async with Outside.running(tmp_path / "stranger") as stranger:
        wrong = msgspec.structs.replace(outside.config, ca_file=stranger.authority)
        config = Config(data=tmp_path / "centre", broker=wrong)
        async with Centre.open(config, SystemClock()) as centre, background(centre.run()):
            await asyncio.sleep(1)
            assert not centre.bus.is_up
            assert not book_of(centre).is_open
