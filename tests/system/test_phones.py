"""Duty phones at a real broker: each hears its own, says its own, and lives as long as a log-in."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from contract import topics
from contract.bus import BrokerAddress, BusDown
from orchestrator.access import Role
from orchestrator.accounts import Person
from orchestrator.centre import Centre
from orchestrator.duty import roster
from orchestrator.phones import PhoneLogin
from tests.fakes.broker import Listening, background
from tests.fakes.centre import acts, log_in, log_out, running_centre
from tests.fakes.phone import FakePhone
from tests.fakes.waiting import until, until_async


@pytest.fixture
async def centre(tmp_path: Path) -> AsyncGenerator[Centre]:
    async with running_centre(tmp_path) as running:
        yield running


@pytest.fixture
async def person(centre: Centre) -> Person:
    return await log_in(centre, Role.patrol)


@pytest.fixture
async def login(centre: Centre, person: Person) -> PhoneLogin:
    return await centre.phones.make(person, "A 楼")


async def present(centre: Centre) -> list[str]:
    return [phone.phone for phone in await centre.duty.phones() if phone.present]


def at(centre: Centre, login: PhoneLogin) -> BrokerAddress:
    return BrokerAddress("127.0.0.1", centre.broker.port, login.user, login.password)


async def test_a_phone_hears_what_is_its_own_and_nothing_else(
    centre: Centre, login: PhoneLogin
) -> None:
    other = await centre.phones.make(await log_in(centre, Role.operator))
    forbidden = (
        topics.duty_alert(other.phone),
        topics.duty_text(other.phone),
        topics.EVERY_ACK,
        topics.EVERY_STATUS,
        f"{topics.ROOT}/duty/#",
        "#",
        "$CONTROL/#",
    )
    async with Listening(at(centre, login), "phone", topics.duty_alert(login.phone)).on() as phone:
        for topic in forbidden:
            with pytest.raises(BusDown, match="may not subscribe"):
                await phone.bus.subscribe(topic)


async def test_what_a_phone_says_in_anothers_name_reaches_nobody(
    centre: Centre, login: PhoneLogin
) -> None:
    other = await centre.phones.make(await log_in(centre, Role.operator))
    watch = Listening(centre.broker.address, "watch", topics.EVERY_ACK, topics.EVERY_PRESENCE)
    async with watch.on(), Listening(at(centre, login), "phone").on() as phone:
        await phone.bus.publish(topics.duty_ack(other.phone), b"{}")
        await phone.bus.publish(topics.duty_presence(other.phone), b"online", retain=True)
        await phone.bus.publish(topics.alert("a1"), b"{}", retain=True)
        await phone.bus.publish(topics.duty_presence(login.phone), b"online", retain=True)
        await until(lambda: watch.heard)
        assert {arrival.topic for arrival in watch.heard} == {topics.duty_presence(login.phone)}


async def test_a_phone_is_on_duty_while_it_is_connected(
    centre: Centre, login: PhoneLogin, person: Person
) -> None:
    (known,) = await centre.duty.phones()
    assert (known.post, known.name, known.present, known.since) == ("A 楼", "patrol", False, None)
    async with centre.events.subscribe() as mailbox:
        async with FakePhone(centre, login).on():
            await until_async(lambda: present(centre))
        event = await mailbox.get()
        assert (event.type, event.id, event.data) == ("duty", login.phone, {"present": True})


async def test_logging_out_ends_the_phone_at_once(
    centre: Centre, login: PhoneLogin, person: Person
) -> None:
    async with FakePhone(centre, login).on() as phone:
        await until_async(lambda: present(centre))
        await centre.phones.end_of(person.login)
        await until(lambda: not phone.bus.is_up)
        assert await centre.duty.phones() == []
        with pytest.raises(AssertionError):
            await until(lambda: phone.bus.is_up, 1.5)


async def test_a_log_in_that_ended_anyhow_takes_its_phone_with_it(
    centre: Centre, login: PhoneLogin, person: Person
) -> None:
    async with FakePhone(centre, login).on() as phone:
        await log_out(centre, person)
        await until(lambda: not phone.bus.is_up)


async def test_a_page_that_is_loaded_again_has_the_same_phone_and_a_new_password(
    centre: Centre, login: PhoneLogin, person: Person
) -> None:
    again = await centre.phones.make(person)
    assert (again.phone, again.user) == (login.phone, login.user)
    assert again.password != login.password
    async with FakePhone(centre, again).on():
        await until_async(lambda: present(centre))
    old = Listening(at(centre, login), "old")
    async with background(old.bus.run((), old._greet, old._hear)):
        await asyncio.sleep(0.3)
        assert not old.bus.is_up
    assert [row.act.object for row in await acts(centre, "make_phone")] == [login.phone] * 2


async def test_a_phones_log_in_outlives_the_broker(centre: Centre, login: PhoneLogin) -> None:
    async with FakePhone(centre, login).on() as phone:
        await until_async(lambda: present(centre))
        assert centre.broker.pid
        os.kill(centre.broker.pid, signal.SIGKILL)
        await until(lambda: not phone.bus.is_up)
        await until(lambda: phone.bus.is_up)
        assert await present(centre) == [login.phone]


async def test_no_password_of_a_phone_is_readable_in_the_store(
    centre: Centre, login: PhoneLogin
) -> None:
    assert login.password not in repr(login)
    files = [file.read_bytes() for file in centre.config.data.rglob("*") if file.is_file()]
    assert not any(login.password.encode() in file for file in files)


async def test_an_issued_phone_needs_no_presence_to_be_asked(
    centre: Centre, person: Person, login: PhoneLogin
) -> None:
    issued = await centre.phones.issue(person, "值班室")
    async with centre.store.read() as connection:
        assert [one.phone for one in await roster(connection)] == [issued.phone]
    async with FakePhone(centre, login).on():
        await until_async(lambda: present(centre))
        async with centre.store.read() as connection:
            assert [one.phone for one in await roster(connection)] == [login.phone, issued.phone]
    async with FakePhone(centre, issued).on() as phone:
        await phone.bus.publish(topics.duty_presence(issued.phone), b"offline", retain=True)

        async def is_gone() -> bool:
            async with centre.store.read() as connection:
                return issued.phone not in [one.phone for one in await roster(connection)]

        await until_async(is_gone)
