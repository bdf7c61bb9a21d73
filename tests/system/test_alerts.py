"""From a box's word to a person, over a real broker, with the clock in the test's hand."""

import os
import signal
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Literal

import msgspec
import pytest
from sqlalchemy import select

from contract import topics
from contract.bus import Arrival
from contract.clock import Clock
from contract.duty import AckState, AlertTold
from contract.messages import (
    CameraStatus,
    Message,
    ProcessLost,
    ShelfTrouble,
    TamperChanged,
    TamperKind,
)
from orchestrator.access import Role
from orchestrator.accounts import Person
from orchestrator.alerts import records
from orchestrator.alerts.views import AlertView
from orchestrator.centre import Centre
from orchestrator.store.tables import box_troubles
from tests.fakes.box import FakeBox, segment
from tests.fakes.broker import Listening
from tests.fakes.centre import acts, add_site, hold_exam, join, log_in, running_centre
from tests.fakes.clock import ManualClock
from tests.fakes.phone import FakePhone
from tests.fakes.waiting import until, until_async


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def centre(tmp_path: Path, clock: ManualClock) -> AsyncGenerator[Centre]:
    async with running_centre(tmp_path, clock) as running:
        await add_site(running, ("cam1", "r1", "b1"), ("cam2", "r2", "b1"))
        for room in ("r1", "r2"):
            await hold_exam(running, room, clock.now())
        yield running


@pytest.fixture
async def box(centre: Centre, tmp_path: Path) -> FakeBox:
    box = await join(centre, tmp_path, "b1")
    await all_is_well(centre, box)
    return box


async def say(centre: Centre, box: FakeBox, *said: Message) -> None:
    """Let the box tell facts, as they come over the broker."""
    facts = [
        Arrival(topics.fact(box.id), msgspec.json.encode(box.fact(one)), False) for one in said
    ]
    await centre.catalogue.take(facts)


async def beat(centre: Centre, box: FakeBox, *seen: CameraStatus) -> None:
    payload = msgspec.json.encode(box.status(cameras=seen))
    await centre.catalogue.take([Arrival(topics.status(box.id), payload, False)])


def streaming(camera: str, **changes: object) -> CameraStatus:
    plain = CameraStatus(camera=camera, stream="main", state="streaming", recording=True)
    return msgspec.structs.replace(plain, **changes)


async def all_is_well(centre: Centre, box: FakeBox) -> None:
    await beat(centre, box, streaming("cam1"), streaming("cam2"))


def tamper(
    clock: Clock, camera: str = "cam1", kind: TamperKind = "covered", ended: bool = False
) -> TamperChanged:
    now = clock.now()
    return TamperChanged(
        camera=camera,
        stream="sub",
        kind=kind,
        state="ended" if ended else "began",
        score=0.97,
        extent=0.9,
        model="f00d",
        first_at=now - timedelta(seconds=1),
        voted_at=now,
    )


async def only(centre: Centre, state: str = "open") -> AlertView:
    (alert,) = await centre.alerts.list(state)  # type: ignore[arg-type]
    return alert


async def wait(centre: Centre, clock: ManualClock, seconds: float) -> None:
    """Let time pass; what was due before and what is due afterwards is done."""
    await centre.alerts.look()
    await clock.advance(seconds)
    await centre.alerts.look()


async def live(centre: Centre, clock: ManualClock, box: FakeBox, seconds: int) -> None:
    """Let time pass while the box says that all is well."""
    for _ in range(seconds):
        await clock.advance(1)
        await all_is_well(centre, box)
    await centre.alerts.look()


async def raised(centre: Centre, *kinds: str) -> None:
    async def are_there() -> bool:
        return sorted(alert.kind for alert in await centre.alerts.list()) == sorted(kinds)

    await until_async(are_there, what=f"open alerts {kinds}")


async def steps(centre: Centre, alert: str) -> list[str]:
    async with centre.store.read() as connection:
        return [event.step for event in await records.events_of(connection, alert)]


async def phone_of(centre: Centre, role: Role, user: str = "") -> tuple[FakePhone, Person]:
    person = await log_in(centre, role, user)
    return FakePhone(centre, await centre.phones.make(person, "A 楼")), person


async def on_duty(centre: Centre, count: int) -> None:
    async def are_there() -> bool:
        return sum(phone.present for phone in await centre.duty.phones()) == count

    await until_async(are_there, what=f"{count} phones on duty")


async def test_a_covered_camera_reaches_a_phone_and_everybody_sees_who_takes_it(
    centre: Centre, box: FakeBox, clock: ManualClock
) -> None:
    wall = Listening(centre.broker.address, "wall", f"{topics.ROOT}/alert/+")
    phone, person = await phone_of(centre, Role.patrol)
    async with wall.on(), phone.on():
        await on_duty(centre, 1)
        await say(centre, box, tamper(clock))
        told = await phone.gets()
        assert (told.kind, told.priority, told.camera) == ("covered", "high", "cam1")
        assert (told.score, told.model, told.session) == (
            0.97,
            "f00d",
            f"s-r1-{clock.now():%m%d%H%M}",
        )
        assert "遮挡" in told.text_zh
        assert "covered" in told.text_en
        await phone.ack(told.id, "delivered")
        await phone.ack(told.id, "taken")
        await phone.sees("taken")
        alert = await only(centre)
        assert (alert.state, alert.taken_by) == ("taken", person.name)
        assert [one.state for one in alert.delivery] == ["taken"]
        await phone.ack(told.id, "solved")
        await until(lambda: wall.heard and wall.heard[-1].payload == b"")
    assert phone.texts[0].startswith("[高] r1 cam1：摄像机被遮挡")
    states = [
        msgspec.json.decode(arrival.payload, type=AlertTold).state
        for arrival in wall.heard
        if arrival.payload
    ]
    assert states == ["raised", "delivered", "taken"]
    (taken,), (solved,) = await acts(centre, "take_alert"), await acts(centre, "solve_alert")
    assert (taken.act.actor, taken.act.source) == (person.user, f"phone:{phone.id}")
    assert (solved.act.actor, solved.act.object) == (person.user, told.id)


async def test_every_step_of_an_alert_is_an_event_for_watchers(
    centre: Centre, box: FakeBox, clock: ManualClock
) -> None:
    async with centre.events.subscribe() as mailbox:
        await say(centre, box, tamper(clock))
        await raised(centre, "covered", "nobody_reachable")
        heard: dict[str, str] = {}
        while len(heard) < 2:
            event = await mailbox.get()
            if event.type == "alert" and isinstance(event.data, dict):
                heard[event.data["class"]] = event.data["state"]
    assert heard == {"covered": "raised", "nobody_reachable": "raised"}


async def test_repeats_are_counted_and_the_end_of_the_condition_ends_it(
    centre: Centre, box: FakeBox, clock: ManualClock
) -> None:
    await say(centre, box, tamper(clock))
    await raised(centre, "covered", "nobody_reachable")
    clock.step(timedelta(seconds=2))
    await say(centre, box, tamper(clock), tamper(clock))

    async def is_counted() -> bool:
        return any(alert.count == 2 for alert in await centre.alerts.list())

    await until_async(is_counted)
    await say(centre, box, tamper(clock, ended=True))
    await raised(centre)
    reasons = {alert.kind: alert.reason for alert in await centre.alerts.list("closed")}
    assert reasons == {"covered": "condition ended", "nobody_reachable": "condition ended"}


async def test_an_alert_nobody_takes_goes_from_person_to_person_and_then_to_all(
    centre: Centre, box: FakeBox, clock: ManualClock
) -> None:
    first, _ = await phone_of(centre, Role.patrol)
    clock.step(timedelta(seconds=1))
    second, _ = await phone_of(centre, Role.operator)
    async with first.on(), second.on():
        await on_duty(centre, 2)
        await say(centre, box, tamper(clock))
        told = await first.gets()
        await live(centre, clock, box, 10)
        await first.gets(2)
        await live(centre, clock, box, 5)

        async def is_shown() -> bool:
            return [one.state for one in (await only(centre)).delivery] == ["undelivered"]

        await until_async(is_shown)
        assert second.told == []
        await live(centre, clock, box, 45)
        assert (await second.gets()).id == told.id
        await second.ack(told.id, "declined")
        await raised(centre, "covered", "nobody_reachable")
        await second.ack(told.id, "taken")
        await raised(centre, "covered")
    assert (await steps(centre, told.id))[:5] == ["raised", "sent", "resent", "undelivered", "sent"]


async def test_who_declines_on_one_phone_is_asked_on_none(
    centre: Centre, box: FakeBox, clock: ManualClock
) -> None:
    first, ann = await phone_of(centre, Role.patrol)
    clock.step(timedelta(seconds=1))
    second, _ = await phone_of(centre, Role.operator)
    await centre.phones.issue(ann, "值班室")  # it never speaks
    async with first.on(), second.on():
        await on_duty(centre, 2)
        await say(centre, box, tamper(clock))
        told = await first.gets()
        await first.ack(told.id, "declined")
        assert (await second.gets()).id == told.id
        asked = [one for one in (await only(centre)).delivery if one.person == ann.name]
        assert [one.state for one in asked] == ["declined", "declined"]
    assert [row.act.actor for row in await acts(centre, "decline_alert")] == ["patrol"]


@pytest.mark.parametrize("whose", ["their own", "another's"])
async def test_a_phone_that_was_without_network_gets_what_was_sent_to_phones_that_never_spoke(
    centre: Centre, box: FakeBox, clock: ManualClock, whose: str
) -> None:
    phone, ann = await phone_of(centre, Role.patrol)
    bob = await log_in(centre, Role.operator)
    other = await centre.phones.issue(ann if whose == "their own" else bob, "值班室")
    async with phone.on():
        await on_duty(centre, 1)
        await phone.bus.publish(topics.duty_presence(phone.id), b"offline", retain=True)
        await on_duty(centre, 0)
    await say(centre, box, tamper(clock), tamper(clock, "cam2"))
    await raised(centre, "covered", "covered")
    assert phone.told == []
    async with phone.on():
        await phone.gets(2)
    assert {one.id for one in phone.told} == {one.id for one in await centre.alerts.list()}
    phones = [{one.phone for one in alert.delivery} for alert in await centre.alerts.list()]
    assert phones == [{phone.id, other.phone}] * 2


async def test_receipts_twice_late_or_of_another_phone_change_nothing(
    centre: Centre, box: FakeBox, clock: ManualClock
) -> None:
    first, ann = await phone_of(centre, Role.patrol)
    clock.step(timedelta(seconds=1))
    second, _ = await phone_of(centre, Role.operator)
    async with first.on(), second.on():
        await on_duty(centre, 2)
        await say(centre, box, tamper(clock))
        told = await first.gets()
        said: tuple[AckState, ...] = ("taken", "taken", "delivered", "read", "declined")
        for state in said:
            await first.ack(told.id, state)
        await first.sees("taken")
        await second.ack(told.id, "taken")
        await second.sees("taken")  # it is told how things are
        await first.bus.publish(topics.duty_ack(second.id), b'{"id":"x","state":"solved"}')
        await first.bus.publish(topics.duty_ack(first.id), b"nonsense")
    alert = await only(centre)
    assert (alert.state, alert.taken_by) == ("taken", ann.name)
    results = [(row.act.actor, row.act.result) for row in await acts(centre, "take_alert")]
    assert results == [("patrol", "ok"), ("operator", "taken")]
    assert await acts(centre, "solve_alert") == []


async def test_a_broker_killed_in_the_middle_of_an_alert_loses_nothing(
    centre: Centre, box: FakeBox, clock: ManualClock
) -> None:
    phone, _ = await phone_of(centre, Role.patrol)
    async with phone.on():
        await on_duty(centre, 1)
        assert centre.broker.pid
        os.kill(centre.broker.pid, signal.SIGKILL)
        await until(lambda: not centre.bus.is_up and not phone.bus.is_up)
        await say(centre, box, tamper(clock))
        await raised(centre, "covered")

        async def up() -> bool:
            await clock.advance(0.5)
            return centre.bus.is_up and phone.bus.is_up

        await until_async(up)
        told = await phone.gets()
        assert told.kind == "covered"
        late = Listening(centre.broker.address, "late", topics.alert(told.id))
        async with late.on():
            await until(lambda: late.heard)
            assert late.heard[0].retained
        await phone.ack(told.id, "taken")

        async def is_taken() -> bool:
            return (await only(centre)).state == "taken"

        await until_async(is_taken)


async def test_a_stopped_centre_goes_on_where_it_was(tmp_path: Path) -> None:
    clock = ManualClock()
    async with running_centre(tmp_path, clock) as centre:
        await add_site(centre, ("cam1", "r1", "b1"))
        await hold_exam(centre, "r1", clock.now())
        box = await join(centre, tmp_path, "b1")
        await beat(centre, box, streaming("cam1"))
        person = await log_in(centre, Role.patrol)
        login = await centre.phones.make(person)
        async with FakePhone(centre, login).on() as phone:
            await on_duty(centre, 1)
            await say(centre, box, tamper(clock))
            told = await phone.gets()
    clock.step(timedelta(seconds=20))
    async with running_centre(tmp_path, clock) as centre:
        alert = await only(centre)
        assert alert.id == told.id
        await beat(centre, box, streaming("cam1"))
        async with FakePhone(centre, login).on() as phone:  # its log-in is still good
            assert (await phone.gets()).id == told.id
            await phone.ack(told.id, "taken")

            async def is_taken() -> bool:
                return (await only(centre)).state == "taken"

            await until_async(is_taken)
        assert (await steps(centre, told.id)).count("raised") == 1


async def test_a_camera_that_is_down_is_told_and_a_lost_box_is_one_alert(
    centre: Centre, box: FakeBox, clock: ManualClock
) -> None:
    gone = streaming("cam1", state="lost", recording=False, last_frame_at=clock.now())
    await beat(centre, box, gone, streaming("cam2"))
    await wait(centre, clock, 6)
    await raised(centre, "camera_down", "nobody_reachable")
    will = msgspec.json.encode(box.status("offline"))
    await centre.catalogue.take([Arrival(topics.status("b1"), will, False)])
    await wait(centre, clock, 5)
    await raised(centre, "box_lost", "nobody_reachable")
    (lost,) = [alert for alert in await centre.alerts.list() if alert.kind == "box_lost"]
    assert "2 个机位" in lost.text_zh
    await beat(centre, box, gone, streaming("cam2"))
    await wait(centre, clock, 6)
    await raised(centre, "camera_down", "nobody_reachable")
    await all_is_well(centre, box)
    await raised(centre)


async def test_a_camera_its_box_no_longer_speaks_of_is_down(
    centre: Centre, box: FakeBox, clock: ManualClock
) -> None:
    await beat(centre, box, streaming("cam2"))
    await wait(centre, clock, 14)
    await beat(centre, box, streaming("cam2"))
    assert await centre.alerts.list() == []
    await wait(centre, clock, 2)
    await raised(centre, "camera_down", "nobody_reachable")
    camera = next(one for one in await centre.alerts.list() if one.kind == "camera_down")
    assert camera.camera == "cam1"
    await all_is_well(centre, box)
    await centre.alerts.look()
    await raised(centre)


async def test_a_box_that_comes_back_without_its_recorder_is_not_passed_over(
    centre: Centre, box: FakeBox, clock: ManualClock
) -> None:
    will = msgspec.json.encode(box.status("offline"))
    await centre.catalogue.take([Arrival(topics.status(box.id), will, False)])
    await beat(centre, box)
    await wait(centre, clock, 14)
    await beat(centre, box)
    await wait(centre, clock, 2)
    await raised(centre, "camera_down", "camera_down", "nobody_reachable")


async def test_a_silent_box_is_lost_after_fifteen_seconds(
    centre: Centre, box: FakeBox, clock: ManualClock
) -> None:
    await wait(centre, clock, 14)
    await centre.alerts.look()
    assert await centre.alerts.list() == []
    await wait(centre, clock, 2)
    await raised(centre, "box_lost", "nobody_reachable")


async def test_a_picture_that_is_not_recorded_is_told(
    centre: Centre, box: FakeBox, clock: ManualClock
) -> None:
    await beat(centre, box, streaming("cam1", recording=False), streaming("cam2"))
    await wait(centre, clock, 10)
    await raised(centre, "recording_stopped", "nobody_reachable")


async def test_eyes_that_start_anew_say_anew_what_they_see(
    centre: Centre, box: FakeBox, clock: ManualClock
) -> None:
    await say(centre, box, tamper(clock))
    await raised(centre, "covered", "nobody_reachable")
    await say(centre, box, ProcessLost(process="eyes", how="killed"))
    await raised(centre)


async def test_outside_exams_nobody_is_called(
    centre: Centre, box: FakeBox, clock: ManualClock
) -> None:
    clock.step(timedelta(hours=5))
    await all_is_well(centre, box)
    await say(centre, box, tamper(clock))
    await centre.alerts.look()
    assert await centre.alerts.list("all") == []


async def test_a_dead_switch_is_one_alert_on_the_phone_and_a_count_that_follows(
    tmp_path: Path,
) -> None:
    clock = ManualClock()
    names = [f"c{number}" for number in range(12)]
    async with running_centre(tmp_path, clock) as centre:
        await add_site(centre, *((name, "r1", "b1") for name in names), switch="sw-A2")
        await hold_exam(centre, "r1", clock.now())
        box = await join(centre, tmp_path, "b1")
        await beat(centre, box, *map(streaming, names))
        phone, _ = await phone_of(centre, Role.patrol)
        async with phone.on():
            await on_duty(centre, 1)

            def gone(*cameras: str) -> list[CameraStatus]:
                return [
                    streaming(name, state="lost", recording=False)
                    if name in cameras
                    else streaming(name)
                    for name in names
                ]

            await beat(centre, box, *gone(*names))
            await wait(centre, clock, 6)
            told = await phone.gets()
            assert told.kind == "switch_down"
            assert "sw-A2（12 个机位）" in told.text_zh
            await beat(centre, box, *gone("c0", "c1"))
            await wait(centre, clock, 1)
            await until(lambda: "sw-A2（2 个机位）" in phone.told[-1].text_zh)
            for _ in range(61):
                await clock.advance(1)
                await beat(centre, box, *gone("c0", "c1"))
            await centre.alerts.look()
            await raised(centre, "camera_down", "camera_down")
            assert {alert.camera for alert in await centre.alerts.list()} == {"c0", "c1"}


async def test_in_a_flood_the_urgent_is_sent_and_the_rest_is_a_count_of_which_nothing_is_lost(
    tmp_path: Path,
) -> None:
    clock = ManualClock()
    names = [f"c{number:02}" for number in range(16)]
    async with running_centre(tmp_path, clock) as centre:
        await add_site(centre, *((name, "r1", "b1") for name in names))
        await hold_exam(centre, "r1", clock.now())
        box = await join(centre, tmp_path, "b1")
        await beat(centre, box, *map(streaming, names))
        phone, _ = await phone_of(centre, Role.patrol)
        async with phone.on():
            await on_duty(centre, 1)
            blurred = [tamper(clock, name, "defocused") for name in names[:14]]
            await say(centre, box, *blurred, tamper(clock, names[15], "covered"))
            await centre.alerts.look()

            def told() -> set[str]:
                return {alert.kind for alert in phone.told}

            await until(lambda: told() == {"covered", "flood"})
            (count,) = [alert for alert in phone.told if alert.kind == "flood"]
            assert "另有 14 条警情" in count.text_zh
            logged = await centre.alerts.list()
            assert sorted(alert.kind for alert in logged) == [
                "covered",
                *["defocused"] * 14,
                "flood",
            ]
            for alert in logged:
                assert "raised" in await steps(centre, alert.id)
            assert {alert.kind for alert in phone.told} == {"covered", "flood"}
            for _ in range(61):  # ten minutes later it is over, and they are sent one by one
                await clock.advance(10)
                await beat(centre, box, *map(streaming, names))
            await centre.alerts.look()
            open_now = {one.id for one in await centre.alerts.list() if one.kind == "defocused"}
            assert len(open_now) == 14
            await until(lambda: open_now <= {alert.id for alert in phone.told})
            assert "flood" not in {one.kind for one in await centre.alerts.list()}


def meddled(number: int, kind: Literal["missing", "changed"] = "missing") -> ShelfTrouble:
    segment = f"cam1.main.20261122T08{number:02}00000"
    return ShelfTrouble(kind=kind, detail="gone", segment=segment, camera="cam1")


async def test_footage_that_was_meddled_with_is_an_alert_at_any_hour_until_a_person_ends_it(
    centre: Centre, box: FakeBox, clock: ManualClock
) -> None:
    clock.step(timedelta(hours=5))
    await all_is_well(centre, box)
    await say(centre, box, meddled(1))
    await raised(centre, "footage_changed", "nobody_reachable")
    await say(centre, box, ProcessLost(process="eyes", how="killed"))
    await wait(centre, clock, 60)
    await raised(centre, "footage_changed", "nobody_reachable")
    (case,) = [one for one in await centre.alerts.list() if one.kind == "footage_changed"]
    assert (case.camera, case.edge) == ("cam1", "b1")


async def test_a_hundred_files_taken_away_are_one_alert_and_each_later_one_counts(
    centre: Centre, box: FakeBox, clock: ManualClock
) -> None:
    for number in range(20):
        await say(centre, box, meddled(number))
    await raised(centre, "footage_changed", "nobody_reachable")
    await centre.alerts.look()
    (before,) = [one for one in await centre.alerts.list() if one.kind == "footage_changed"]
    clock.step(timedelta(minutes=1))
    await all_is_well(centre, box)
    await say(centre, box, meddled(30, "changed"))
    await centre.alerts.look()
    (after,) = [one for one in await centre.alerts.list() if one.kind == "footage_changed"]
    assert (after.id, after.count) == (before.id, before.count + 1)


async def test_a_file_of_unknown_origin_is_an_alert_until_a_person_ends_it(
    centre: Centre, box: FakeBox, clock: ManualClock
) -> None:
    left = ShelfTrouble(kind="quarantined", detail="shelf/cam-01/holiday.mp4 is not ours")
    await say(centre, box, left, left)
    await raised(centre, "footage_unknown", "nobody_reachable")
    (case,) = [one for one in await centre.alerts.list() if one.kind == "footage_unknown"]
    assert (case.camera, case.edge, case.count) == (None, "b1", 1)
    await centre.alerts.solve(case.id, await log_in(centre, Role.operator), "origin found out")
    await wait(centre, clock, 5 * 3600)
    assert "footage_unknown" not in {one.kind for one in await centre.alerts.list()}


@pytest.mark.parametrize(
    ("said", "kind", "end"),
    [
        ("write_failed", "write_failed", ShelfTrouble(kind="recovered", detail="")),
        ("wrong_volume", "wrong_volume", ShelfTrouble(kind="recovered", detail="")),
        ("archive", "archive_away", ShelfTrouble(kind="archive_back", detail="")),
        ("second_away", "second_away", ShelfTrouble(kind="second_back", detail="")),
    ],
)
async def test_what_is_wrong_with_a_shelf_is_an_alert_until_the_box_says_it_is_over(
    centre: Centre,
    box: FakeBox,
    clock: ManualClock,
    said: Literal["write_failed", "wrong_volume", "archive", "second_away"],
    kind: str,
    end: ShelfTrouble,
) -> None:
    await live(centre, clock, box, 1)
    for detail in ("first", "again"):
        await say(centre, box, ShelfTrouble(kind=said, detail=detail))
    for _ in range(34):  # an archive that is away for minutes is nobody's work
        await wait(centre, clock, 30)  # never so long that the box counts as lost
        await all_is_well(centre, box)
    assert kind in {one.kind for one in await centre.alerts.list()}
    await say(centre, box, end)
    await centre.alerts.look()
    assert kind not in {one.kind for one in await centre.alerts.list()}
    await say(centre, box, ShelfTrouble(kind=said, detail="another time"))
    async with centre.store.read() as connection:
        (row,) = (await connection.execute(select(box_troubles))).all()
    assert (row.detail, row.ended_at) == ("another time", None)


async def test_footage_begun_since_ends_what_was_wrong_with_the_disk(
    centre: Centre, box: FakeBox, clock: ManualClock
) -> None:
    await say(centre, box, ShelfTrouble(kind="wrong_volume", detail=""))
    before = clock.now() - timedelta(minutes=2)

    async def is_over() -> bool:
        async with centre.store.read() as connection:
            (row,) = (await connection.execute(select(box_troubles))).all()
        return row.ended_at is not None

    await say(centre, box, segment("cam1", before))
    assert not await is_over()
    await say(centre, box, segment("cam1", clock.now() + timedelta(seconds=5)))
    assert await is_over()


async def test_a_clock_that_is_not_confirmed_for_a_minute_is_an_alert(
    centre: Centre, box: FakeBox, clock: ManualClock
) -> None:
    async def untrusted() -> None:
        status = msgspec.structs.replace(
            box.status(cameras=(streaming("cam1"), streaming("cam2"))), clock_trusted=False
        )
        await centre.catalogue.take(
            [Arrival(topics.status(box.id), msgspec.json.encode(status), False)]
        )
        await centre.alerts.look()

    await untrusted()
    for _ in range(5):
        await clock.advance(10)
        await untrusted()
    await raised(centre)
    for _ in range(2):
        await clock.advance(10)
        await untrusted()
    await raised(centre, "clock_untrusted", "nobody_reachable")
    await all_is_well(centre, box)
    await centre.alerts.look()
    await raised(centre)


@pytest.mark.parametrize("kind", ["disk_full", "remnant"])
async def test_what_a_full_disk_or_a_power_cut_leaves_is_no_footage_that_was_meddled_with(
    centre: Centre, box: FakeBox, kind: Literal["disk_full", "remnant"]
) -> None:
    await say(centre, box, ShelfTrouble(kind=kind, detail="full"))
    await raised(centre)
