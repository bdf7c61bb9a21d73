"""Holds and retention at the centre: over HTTP, in the store, and as a box would believe them."""

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from sqlalchemy import delete, select

from contract import topics
from contract.bus import Arrival, Bus
from contract.keys import from_base64, kid_of
from contract.messages import (
    DeferralEnded,
    Deferred,
    Deleted,
    Hold,
    HoldsHeard,
    Kept,
    Message,
    RetentionRaised,
    SegmentClosed,
)
from contract.retention import REISSUE_EVERY
from edge import holds as at_the_box
from edge.holds import HoldsInForce
from orchestrator.access import Role
from orchestrator.covers import is_ours_to_judge
from orchestrator.store.tables import alerts, hold_boxes, hold_cameras, hold_lists, holds, segments
from orchestrator.wanted import read_wanted
from tests.fakes.box import FakeBox, segment
from tests.system.webhouse import BASE, House, code_of, enrolled_box, load_exams, open_house

HOUR = timedelta(hours=1)
DAYS_30 = timedelta(days=30)


class Retaining:
    """A broker that keeps the newest word on each topic, and nothing else."""

    def __init__(self) -> None:
        self.newest: dict[str, bytes] = {}

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        assert retain
        self.newest[topic] = payload


@pytest.fixture
def broker() -> Retaining:
    return Retaining()


@pytest.fixture
async def house(tmp_path: Path, broker: Retaining) -> AsyncGenerator[House]:
    async with open_house(tmp_path) as house:
        house.centre.hold_lists._bus = cast("Bus", broker)
        yield house


@pytest.fixture
async def box(house: House, tmp_path: Path) -> AsyncGenerator[FakeBox]:
    async with enrolled_box(house, tmp_path) as box:
        yield box


async def tell(house: House, box: FakeBox, *said: Message) -> None:
    await house.centre.catalogue.take(
        [Arrival(topics.fact(box.id), msgspec.json.encode(box.fact(data)), False) for data in said]
    )


async def shelve(house: House, box: FakeBox, *minutes: int) -> list[SegmentClosed]:
    start = house.clock.now()
    sealed = [segment("cam-01", start + timedelta(minutes=each), bytes=1000) for each in minutes]
    await tell(house, box, *sealed)
    return sealed


def body(house: House, **changes: Any) -> dict[str, Any]:
    now = house.clock.now()
    return {
        "cameras": ["cam-01"],
        "start": now.isoformat(),
        "end": (now + timedelta(minutes=2)).isoformat(),
        "kind": "violation",
        "reason": "疑似夹带",
        "review_at": (now + timedelta(days=60)).isoformat(),
        **changes,
    }


async def place(house: House, **changes: Any) -> dict[str, Any]:
    headers = await house.log_in(Role.exam_office)
    answer = await house.client.post(f"{BASE}/holds", json=body(house, **changes), headers=headers)
    assert answer.status == 201, await answer.text()
    placed: dict[str, Any] = await answer.json()
    return placed


async def another(house: House) -> dict[str, str]:
    """Log in as a second person of the exam office."""
    roles, name = [Role.exam_office], "second"
    await house.centre.accounts.add_user(name, "李老师", "Four-horses-9-walls", roles, "system")
    answer = await house.client.post(
        f"{BASE}/login", json={"user": name, "password": "Four-horses-9-walls"}
    )
    return {"X-CSRF-Token": (await answer.json())["csrf"]}


async def listed(house: House, box: FakeBox, current: HoldsInForce) -> HoldsInForce:
    """Issue what is due, and let a box take it in as it does."""
    status = msgspec.structs.replace(
        box.status(), hold_epoch=current.epoch, hold_number=current.number
    )
    house.centre.hold_lists.hear(box.id, status)
    await house.centre.hold_lists.issue()
    payload = cast("Retaining", house.centre.hold_lists._bus).newest[topics.holds(box.id)]
    site = from_base64(box.pinned.site_public)
    pinned = from_base64(box.pinned.hold_public)
    new = at_the_box.believed(payload, box.id, {kid_of(site): site}, pinned)
    if (new.epoch, new.number) == (current.epoch, current.number):  # retained: heard again
        return current
    return at_the_box.adopt(current, new)


async def heard(house: House, box: FakeBox, current: HoldsInForce) -> None:
    fact = HoldsHeard(
        epoch=current.epoch, number=current.number, accepted=True, holds=current.holds
    )
    await tell(house, box, fact)
    await house.centre.holds.look()


async def state_of(house: House, id: str) -> str:
    return (await house.centre.holds.one(id)).state


# ------------------------------------------------------------ placing and releasing


async def test_a_hold_is_placed_until_its_box_confirms_it(house: House, box: FakeBox) -> None:
    await shelve(house, box, 0, 1, 2, 3)
    placed = await place(house)
    assert placed["state"] == "PLACED"
    assert placed["names"] == {"exam_office": "exam_office 老师"}
    assert placed["boxes"] == [{"edge": "box-1", "confirmed": False}]
    assert placed["covered"]["segments"] == 2
    at_box = await listed(house, box, HoldsInForce())
    assert [one.hold for one in at_box.holds] == [placed["id"]]
    assert await state_of(house, placed["id"]) == "PLACED"
    said = HoldsHeard(epoch=at_box.epoch, number=at_box.number, accepted=True, holds=at_box.holds)
    await tell(house, box, said)
    assert await state_of(house, placed["id"]) == "ACTIVE", "with the word itself, not a look later"


async def test_one_person_cannot_release_and_two_can(house: House, box: FakeBox) -> None:
    placed = await place(house)
    at_box = await listed(house, box, HoldsInForce())
    await heard(house, box, at_box)
    path = f"{BASE}/holds/{placed['id']}/release"
    headers = await house.log_in(Role.exam_office)
    first = await house.client.post(path, json={"reason": "已结案"}, headers=headers)
    assert (await first.json())["state"] == "RELEASE_PROPOSED"
    again = await house.client.post(path, json={"reason": "已结案"}, headers=headers)
    assert (again.status, await code_of(again)) == (403, "same_person")
    at_box = await listed(house, box, at_box)
    assert at_box.holds != ()
    house.forget()
    headers = await another(house)
    second = await house.client.post(path, json={"reason": "同意"}, headers=headers)
    assert (await second.json())["state"] == "RELEASED"
    assert (await listed(house, box, at_box)).holds == ()
    entries = [e.act for e in await house.ledger() if "release" in e.act.action]
    assert [(e.action, e.actor, e.result) for e in entries] == [
        ("propose_release", "exam_office", "ok"),
        ("release_hold", "exam_office", "same_person"),
        ("release_hold", "second", "ok"),
    ]


async def test_extending_takes_a_proposal_back(house: House, box: FakeBox) -> None:
    placed = await place(house)
    headers = await house.log_in(Role.exam_office)
    path = f"{BASE}/holds/{placed['id']}"
    await house.client.post(f"{path}/release", json={"reason": "已结案"}, headers=headers)
    later = (house.clock.now() + timedelta(days=90)).isoformat()
    answer = await house.client.post(
        f"{path}/extend", json={"review_at": later, "reason": "申诉未决"}, headers=headers
    )
    extended = await answer.json()
    assert (extended["state"], extended["proposed_by"]) == ("ACTIVE", None)


async def test_a_hold_is_due_for_review_at_its_date(house: House, box: FakeBox) -> None:
    placed = await place(house)
    await heard(house, box, await listed(house, box, HoldsInForce()))
    await house.clock.advance(timedelta(days=61).total_seconds())
    await house.centre.holds.look()
    assert await state_of(house, placed["id"]) == "REVIEW_DUE"


async def test_a_requests_hold_lapses_72_hours_after_its_request(
    house: House, box: FakeBox
) -> None:
    placed = await place(house)
    async with house.centre.store.write() as connection:
        await connection.execute(holds.update().values(kind="request"))
    at_box = await listed(house, box, HoldsInForce())
    await house.centre.holds.lapse(placed["id"], house.clock.now())
    await house.clock.advance(timedelta(hours=71).total_seconds())
    await house.centre.holds.look()
    at_box = await listed(house, box, at_box)
    assert at_box.holds != ()
    await house.clock.advance(timedelta(hours=2).total_seconds())
    await house.centre.holds.look()
    assert await state_of(house, placed["id"]) == "LAPSED"
    assert (await listed(house, box, at_box)).holds == ()


async def test_a_requests_hold_is_not_released_by_hand(house: House, box: FakeBox) -> None:
    placed = await place(house)
    async with house.centre.store.write() as connection:
        await connection.execute(holds.update().values(kind="request"))
    headers = await house.log_in(Role.exam_office)
    path = f"{BASE}/holds/{placed['id']}/release"
    answer = await house.client.post(path, json={"reason": "不要了"}, headers=headers)
    assert await code_of(answer) == "conflict"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"cameras": ["nobody"]}, "no_such"),
        ({"cameras": []}, "bad_request"),
        ({"rooms": ["Z999"]}, "no_such"),
        ({"review_at": "2020-01-01T00:00:00Z"}, "bad_request"),
        ({"end": "2020-01-01T00:00:00Z"}, "bad_request"),
        ({"kind": "request"}, "bad_request"),
        ({"reason": ""}, "bad_request"),
    ],
)
async def test_a_hold_that_makes_no_sense_is_refused(
    house: House, changes: dict[str, Any], code: str
) -> None:
    headers = await house.log_in(Role.exam_office)
    wanted = body(house, **changes)
    answer = await house.client.post(f"{BASE}/holds", json=wanted, headers=headers)
    assert await code_of(answer) == code


async def test_what_one_owner_may_hold_is_limited(house: House, box: FakeBox) -> None:
    start = house.clock.now()
    await tell(house, box, segment("cam-01", start, bytes=400 * 10**9))
    await tell(house, box, segment("cam-01", start + HOUR, bytes=400 * 10**9))
    await place(house)
    headers = await house.log_in(Role.exam_office)
    later = body(house, start=(start + HOUR).isoformat(), end=(start + 2 * HOUR).isoformat())
    refused = await house.client.post(f"{BASE}/holds", json=later, headers=headers)
    assert (refused.status, await code_of(refused)) == (409, "hold_limit")
    other = await house.client.post(
        f"{BASE}/holds", json={**later, "owner": "保卫处"}, headers=headers
    )
    assert other.status == 201


@pytest.mark.parametrize("role", [Role.patrol, Role.operator, Role.sys_admin, Role.auditor])
async def test_only_the_exam_office_places_holds(house: House, role: Role) -> None:
    headers = await house.log_in(role)
    answer = await house.client.post(f"{BASE}/holds", json=body(house), headers=headers)
    assert await code_of(answer) == "forbidden"
    seen = await house.client.get(f"{BASE}/holds")
    assert seen.status == (200 if role is Role.auditor else 403)


async def test_what_a_release_would_delete_is_named_before(house: House, box: FakeBox) -> None:
    await shelve(house, box, 0, 1, 2)
    first = await place(house)
    await house.clock.advance((DAYS_30 + HOUR).total_seconds())
    alone = (await house.centre.holds.one(first["id"])).covered
    assert (alone.freed_segments, alone.over_segments, alone.over_bytes) == (2, 2, 2000)


# ------------------------------------------------------------ lists


async def test_a_list_is_signed_anew_every_twenty_minutes(house: House, box: FakeBox) -> None:
    at_box = await listed(house, box, HoldsInForce())
    await house.clock.advance(REISSUE_EVERY.total_seconds() - 1)
    assert await house.centre.hold_lists.issue() == []
    await house.clock.advance(1)
    again = await listed(house, box, at_box)
    assert again.issued_at == house.clock.now()
    assert again.number == at_box.number + 1


async def test_a_box_that_comes_back_gets_a_list_at_once(house: House, box: FakeBox) -> None:
    at_box = await listed(house, box, HoldsInForce())
    house.centre.hold_lists.hear(box.id, box.status("offline"))
    await house.clock.advance(5)
    assert (await listed(house, box, at_box)).issued_at == house.clock.now()


async def test_a_restored_centre_numbers_no_list_that_the_box_has_seen(
    house: House, box: FakeBox
) -> None:
    status = msgspec.structs.replace(box.status(), hold_epoch=1, hold_number=7)
    house.centre.hold_lists.hear(box.id, status)
    assert await house.centre.hold_lists.issue() == []


async def test_a_new_epoch_cannot_drop_a_hold_it_does_not_know(house: House, box: FakeBox) -> None:
    placed = await place(house)
    at_box = await listed(house, box, HoldsInForce())
    async with house.centre.store.write() as connection:  # restored from before the hold
        for table in (hold_boxes, hold_cameras, holds, hold_lists):
            await connection.execute(delete(table))
    secret = house.centre.set_up_secret
    assert secret is not None
    house.centre.keyring.new_epoch(secret, house.clock.now())
    after = await listed(house, box, at_box)
    assert (after.epoch, [one.hold for one in after.holds]) == (2, [placed["id"]])
    await heard(house, box, after)
    found = await house.centre.holds.one(placed["id"])
    assert (found.state, found.owner) == ("REVIEW_DUE", "recovered")


# ------------------------------------------------------------ terms


async def test_recordings_say_that_they_are_held(house: House, box: FakeBox) -> None:
    await shelve(house, box, 0, 1, 2)
    await place(house)
    found = await (await house.client.get(f"{BASE}/recordings")).json()
    assert [one["held"] for one in found["items"]] == [True, True, False]
    await house.clock.advance((DAYS_30 + HOUR).total_seconds())
    await house.log_in(Role.exam_office)
    found = await (await house.client.get(f"{BASE}/recordings")).json()
    assert len(found["items"]) == 2


async def test_what_is_due_held_and_late_is_told_for_any_instant(
    house: House, box: FakeBox
) -> None:
    one, two, three = await shelve(house, box, 0, 5, 10)
    await place(house)
    late = Deferred(segments=(three.segment,), why="centre_unreachable", since=house.clock.now())
    await tell(house, box, late)
    at = (house.clock.now() + DAYS_30 + HOUR).isoformat().replace("+00:00", "Z")
    found = await (await house.client.get(f"{BASE}/retention/due?at={at}")).json()
    assert [each["id"] for each in found["held"]] == [one.segment]
    assert [each["id"] for each in found["due"]] == [two.segment, three.segment]
    assert [each["why"] for each in found["deferred"]] == ["centre_unreachable"]
    before = (await (await house.client.get(f"{BASE}/retention/due")).json())["totals"]
    assert before["due"] == {"segments": 0, "bytes": 0}


async def test_days_sum_up_what_ends_when(house: House, box: FakeBox) -> None:
    await shelve(house, box, 0, 5)
    await place(house)
    found = await (await house.client.get(f"{BASE}/retention/days")).json()
    assert found["items"] == [
        {
            "day": f"{house.clock.now() + DAYS_30:%Y-%m-%d}",
            "due": {"segments": 1, "bytes": 1000},
            "held": {"segments": 1, "bytes": 1000},
        }
    ]


async def test_whose_footage_goes_is_named_for_a_day_and_for_a_hold(
    house: House, box: FakeBox
) -> None:
    await shelve(house, box, 0, 5)
    placed = await place(house)
    day = f"{house.clock.now() + DAYS_30:%Y-%m-%d}"
    path = f"{BASE}/retention/exams"
    found = await (await house.client.get(f"{path}?day={day}")).json()
    (one,) = found["items"]
    assert found["left_out"] == 0
    assert one["due"] == one["held"] == {"segments": 1, "bytes": 1000}
    assert (one["session"], one["courses"]) == ("", [])
    held = await (await house.client.get(f"{path}?hold={placed['id']}")).json()
    assert [(each["room"], each["held"]["segments"]) for each in held["items"]] == [
        (one["room"], 1)
    ]
    for query, code in (
        ("", "bad_request"),
        ("day=9999-12-31", "bad_request"),
        ("day=0001-01-01", "bad_request"),
        ("day=2026-02-30", "bad_request"),
        ("hold=h", "no_such"),
    ):
        assert await code_of(await house.client.get(f"{path}?{query}")) == code
    await house.log_in(Role.patrol)
    assert await code_of(await house.client.get(f"{path}?day={day}")) == "forbidden"


async def test_a_deletion_leaves_its_record_and_no_recording(house: House, box: FakeBox) -> None:
    (one,) = await shelve(house, box, 0)
    gone = deleted(one, house.clock.now() + DAYS_30)
    await tell(house, box, gone, gone)
    await house.log_in(Role.exam_office)
    assert (await (await house.client.get(f"{BASE}/recordings")).json())["items"] == []
    (record,) = (await (await house.client.get(f"{BASE}/retention/deletions")).json())["items"]
    assert (record["segment"], record["root"]) == (one.segment, one.root)


async def test_a_box_raises_terms_and_never_lowers_them(house: House, box: FakeBox) -> None:
    (one,) = await shelve(house, box, 0)
    until = house.clock.now() + timedelta(days=90)
    for wanted in (until, until - timedelta(days=50)):
        await tell(
            house, box, RetentionRaised(kept=(Kept(segment=one.segment, retain_until=wanted),))
        )
    found = await house.centre.recordings.segment(one.segment)
    assert found is not None
    assert found.retain_until == until


async def test_what_an_unbelieved_clock_wrote_is_kept_from_when_it_was_heard_of(
    house: House, box: FakeBox
) -> None:
    """A box whose clock says 2000: its footage is shown, held by whatever may be its hold, kept."""
    now = house.clock.now()
    in_2000 = now - timedelta(days=9000)
    one = segment("cam-01", in_2000, bytes=1000, clock="untrusted")
    await tell(house, box, one)
    await house.log_in(Role.exam_office)
    (shown,) = (await (await house.client.get(f"{BASE}/recordings")).json())["items"]
    assert (shown["id"], shown["held"]) == (one.segment, False)
    found = await house.centre.recordings.segment(one.segment)
    assert found is not None
    assert found.retain_until == now + DAYS_30
    assert (await place(house))["covered"]["segments"] == 1
    assert not await may_go(house, one)


async def test_the_centre_corrects_a_span_once_the_box_knows_it(house: House, box: FakeBox) -> None:
    now = house.clock.now()
    one = segment("cam-01", now - timedelta(days=9000), bytes=1000, clock="untrusted")
    believed = segment("cam-01", now - timedelta(days=1), bytes=1000)
    await tell(house, box, one, believed)
    assert not await may_go(house, one), "nobody knows when that was"
    until = now + timedelta(days=31)
    for each, start in ((one, now - HOUR), (one, now), (believed, now)):
        end = start + timedelta(minutes=1)
        kept = Kept(segment=each.segment, retain_until=until, start=start, end=end)
        await tell(house, box, RetentionRaised(kept=(kept,)))
    found = await house.centre.recordings.segment(one.segment)
    other = await house.centre.recordings.segment(believed.segment)
    assert found is not None
    assert other is not None
    assert (found.start, found.retain_until) == (now - HOUR, until)
    assert other.start == believed.start
    assert (await place(house))["covered"]["segments"] == 0
    assert await may_go(house, one)


async def test_of_footage_of_unknown_time_the_copy_goes_after_the_boxs_own(
    house: House, box: FakeBox
) -> None:
    now = house.clock.now()
    one = segment("cam-01", now - timedelta(days=9000), bytes=1000, clock="untrusted")
    await tell(house, box, one)
    assert not await may_go(house, one)
    await tell(house, box, deleted(one, now + DAYS_30))
    assert await may_go(house, one)


async def may_go(house: House, one: SegmentClosed) -> bool:
    query = select(segments.c.id).where(segments.c.id == one.segment, is_ours_to_judge())
    async with house.centre.store.read() as connection:
        return (await connection.execute(query)).first() is not None


async def test_a_deletion_late_for_a_day_is_an_alert(house: House, box: FakeBox) -> None:
    (one,) = await shelve(house, box, 0)
    now = house.clock.now()
    await tell(house, box, Deferred(segments=(one.segment,), why="wrong_volume", since=now))
    await house.clock.advance(timedelta(hours=23).total_seconds())
    await house.centre.alerts.look()
    assert await open_alerts(house) == []
    await house.clock.advance(timedelta(hours=2).total_seconds())
    await house.centre.alerts.look()
    assert await open_alerts(house) == ["deletion_late"]
    await tell(house, box, deleted(one, now + DAYS_30))
    await house.centre.alerts.look()
    assert await open_alerts(house) == []


async def test_what_is_to_stay_is_no_longer_late_and_may_be_late_again(
    house: House, box: FakeBox
) -> None:
    """By the box's word; and before it, because the centre holds it itself."""
    one, two = await shelve(house, box, 0, 10)
    since = house.clock.now()
    await tell(house, box, Deferred(segments=(one.segment,), why="wrong_volume", since=since))
    await place(house)
    await house.clock.advance(timedelta(hours=25).total_seconds())
    await house.centre.alerts.look()
    assert await open_alerts(house) == []

    late = Deferred(segments=(two.segment,), why="wrong_volume", since=since)
    await tell(house, box, late)
    await house.centre.alerts.look()
    assert await open_alerts(house) == ["deletion_late"]
    await tell(house, box, DeferralEnded(segments=(one.segment, two.segment)))
    await house.centre.alerts.look()
    assert await open_alerts(house) == []

    again = Deferred(segments=(two.segment,), why="failed", since=house.clock.now() + HOUR)
    await tell(house, box, again)
    (found,) = (await house.centre.retention.due(house.clock.now())).deferred
    assert (found.id, found.why, found.since) == (two.segment, "failed", again.since)


async def open_alerts(house: House) -> list[str]:
    query = select(alerts.c.kind).where(
        alerts.c.solved_at.is_(None), alerts.c.kind != "nobody_reachable"
    )
    async with house.centre.store.read() as connection:
        return list(await connection.scalars(query))


def deleted(one: SegmentClosed, at: datetime) -> Deleted:
    return Deleted(
        segment=one.segment,
        camera=one.camera,
        start=one.start,
        end=one.end,
        path=one.path,
        bytes=one.bytes,
        root=one.root,
        retain_until=at,
        deleted_at=at,
        policy="term",
        late_s=0.0,
    )


# ------------------------------------------------------------ classes


async def test_a_class_below_thirty_days_is_refused_and_written_down(house: House) -> None:
    headers = await house.log_in(Role.exam_office)
    wanted = {"category": "国家教育考试", "days": 29, "reason": "省空间"}
    answer = await house.client.post(f"{BASE}/retention/classes", json=wanted, headers=headers)
    assert (answer.status, await code_of(answer)) == (400, "retention_too_short")
    assert (await house.ledger())[-1].act.result == "retention_too_short"


async def test_a_longer_class_reaches_orders_recordings_and_past_windows(
    house: House, box: FakeBox
) -> None:
    await load_exams(house)
    headers = await house.log_in(Role.exam_office)
    wanted = {"category": "", "days": 180, "reason": "上级要求"}
    answer = await house.client.post(f"{BASE}/retention/classes", json=wanted, headers=headers)
    assert (await answer.json())["days"] == 180
    centre = house.centre
    async with centre.store.read() as connection:
        orders = (await read_wanted(connection, centre.dispatch._lead, house.clock.now()))["box-1"]
    assert {order.retain_days for order in orders.orders} == {180}
    (one,) = await shelve(house, box, 1)
    found = await centre.recordings.segment(one.segment)
    assert found is not None
    assert found.retain_until == orders.orders[0].end + timedelta(days=180)
    await house.clock.advance(timedelta(hours=5).total_seconds())
    at_box = await listed(house, box, HoldsInForce())
    assert {(each.window, each.retain_days) for each in at_box.longer} == {
        (order.id, 180) for order in orders.orders
    }


def test_a_hold_says_nothing_of_persons_or_reasons() -> None:
    assert set(Hold.__struct_fields__) == {"hold", "kind", "cameras", "start", "end"}
