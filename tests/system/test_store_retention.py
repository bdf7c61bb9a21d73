"""Holds, deletions and terms in the store, on each kind of database."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from contract.messages import Deferred, Hold, HoldsHeard
from orchestrator.access import Role
from orchestrator.accounts import Person
from orchestrator.categories import categories
from orchestrator.covers import LIVE, touched_by_hold
from orchestrator.dueexams import Total
from orchestrator.events import Events
from orchestrator.exams import Lead
from orchestrator.expired import note_deferral, note_holds
from orchestrator.holdlists import read_contents
from orchestrator.holds import HoldRefused, Holds, Limits, NewHold
from orchestrator.planning import Session
from orchestrator.retention import Retention, RetentionRefused
from orchestrator.sessions import columns_of
from orchestrator.store import Store
from orchestrator.store.tables import (
    cameras,
    edges,
    exam_sessions,
    hold_cameras,
    holds,
    retention_classes,
    rooms,
    segments,
)
from tests.fakes.clock import ManualClock
from tests.fakes.shelf import hold
from tests.fakes.statements import counted

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LEAD = Lead.of(30, 15)
LIMITS = Limits(owner_bytes=3500, site_bytes=10_000)


def person(name: str) -> Person:
    return Person(id=name, user=name, name=name, roles=frozenset({Role.exam_office}), login="l")


async def furnish(store: Store, clock: ManualClock) -> Holds:
    """One camera at one box, and a recording of 1,000 bytes on each of five days."""
    now = clock.now()
    async with store.write() as connection:
        await connection.execute(insert(rooms).values(id="r1", name="教一 101", aliases=[]))
        await connection.execute(insert(edges).values(id="b1"))
        camera = {"id": "c1", "room": "r1", "edge": "b1", "sealed": "", "added_at": now}
        await connection.execute(insert(cameras).values(**camera))
        rows = [
            {
                "id": f"c1.main.{day}",
                "edge": "b1",
                "camera": "c1",
                "stream": "main",
                "starts_at": now + day * DAY,
                "ends_at": now + day * DAY + HOUR,
                "bytes": 1000,
                "path": f"shelf/{day}",
                "root": "",
                "previous": "",
                "fragments": 1,
                "clock": "trusted",
                "volume": "",
                "adopted": False,
                "retain_until": now + (30 + day) * DAY,
            }
            for day in range(5)
        ]
        await connection.execute(insert(segments), rows)
    return Holds(store, Events(clock), clock, LIMITS, lambda: None)


def wanted(clock: ManualClock, days: int = 2) -> NewHold:
    now = clock.now()
    return NewHold(
        cameras=("c1",),
        start=now,
        end=now + days * DAY,
        kind="incident",
        reason="停电",
        review_at=now + 90 * DAY,
    )


async def test_what_is_due_is_what_no_hold_covers(store: Store) -> None:
    clock = ManualClock()
    desk, retention = await furnish(store, clock), Retention(store, clock, LEAD)
    placed = await desk.place(person("li"), wanted(clock))
    assert (placed.covered.segments, placed.boxes) == (2, {"b1": False})
    found = await retention.due(clock.now() + 33 * DAY)
    assert [one.id for one in found.held] == ["c1.main.0", "c1.main.1"]
    assert [one.id for one in found.due] == ["c1.main.2", "c1.main.3"]
    assert found.totals["due"] == Total(2, 2000)


async def test_days_are_those_of_the_site(store: Store) -> None:
    clock = ManualClock()
    desk, retention = await furnish(store, clock), Retention(store, clock, LEAD)
    await desk.place(person("li"), wanted(clock, 1))
    zone = (clock.now() + 20 * HOUR).tzinfo
    assert zone is not None
    days = await retention.days(clock.now() + 31 * DAY, zone)
    assert [(one.due, one.held) for one in days] == [
        (Total(0, 0), Total(1, 1000)),
        (Total(1, 1000), Total(0, 0)),
    ]
    assert days[0].day == f"{clock.now() + 30 * DAY:%Y-%m-%d}"


async def test_what_goes_on_a_day_is_named_by_exam_and_room(store: Store) -> None:
    clock = ManualClock()
    desk, retention = await furnish(store, clock), Retention(store, clock, LEAD)
    await examine(store, clock, "", "")
    await desk.place(person("li"), wanted(clock, 1))
    goes = [clock.now() + (30 + day) * DAY for day in range(5)]
    zone = clock.now().tzinfo
    assert zone is not None
    kept, ordinary, between = [
        (await retention.exams_of_day(goes[day].date(), zone)).items for day in (0, 1, 2)
    ]
    assert [(one.session and one.session.id, one.due, one.held) for one in kept + ordinary] == [
        ("s0", Total(0, 0), Total(1, 1000)),
        ("s1", Total(1, 1000), Total(0, 0)),
    ]
    assert (ordinary[0].room, ordinary[0].room_name) == ("r1", "教一 101")
    assert (ordinary[0].first_at, ordinary[0].last_at) == (goes[1], goes[1])
    assert [one.session for one in between] == [None], "nothing was examined that day"
    by = await retention.exams_by(goes[3], limit=1)
    assert ([one.first_at for one in by.items], by.left_out) == ([goes[1]], 1)


async def test_what_begins_a_little_before_its_window_is_its_exams(store: Store) -> None:
    clock = ManualClock()
    await furnish(store, clock)
    retention = Retention(store, clock, LEAD)
    lead_in = timedelta(minutes=30, seconds=2)  # since the last key picture before the window
    end = clock.now() + HOUR
    exams = [
        Session(id="stands", room="r1", start=clock.now(), end=end, category=""),
        Session(id="later", room="r1", start=clock.now() + HOUR / 2, end=end + HOUR, category=""),
    ]
    cancelled = {**columns_of(exams[1]), "cancelled_at": clock.now()}
    async with store.write() as connection:
        await connection.execute(insert(exam_sessions).values(**columns_of(exams[0])))
        await connection.execute(insert(exam_sessions).values(**cancelled))
        first = segments.c.id == "c1.main.0"
        begins = clock.now() - lead_in
        await connection.execute(update(segments).where(first).values(starts_at=begins))
    (one, *_) = (await retention.exams_by(clock.now() + 30 * DAY)).items
    assert one.session is not None
    assert one.session.id == "stands", "and not the one that was called off"


async def test_when_an_exams_footage_goes_is_said_of_what_goes(store: Store) -> None:
    clock = ManualClock()
    desk, retention = await furnish(store, clock), Retention(store, clock, LEAD)
    exam = Session(id="s", room="r1", start=clock.now(), end=clock.now() + 2 * DAY, category="")
    async with store.write() as connection:
        await connection.execute(insert(exam_sessions).values(**columns_of(exam)))
    await desk.place(person("li"), wanted(clock, 1))
    found = await retention.exams_of_hold((await desk.list(1))[0].id)
    assert [one.first_at for one in found.items] == [clock.now() + 30 * DAY], "its term"
    async with store.write() as connection:
        await connection.execute(update(segments).values(retain_until=clock.now() + 30 * DAY))
        last = segments.c.id == "c1.main.1"
        later = clock.now() + 30 * DAY + HOUR
        await connection.execute(update(segments).where(last).values(retain_until=later))
        await connection.execute(delete(segments).where(segments.c.starts_at > clock.now() + DAY))
    zone = clock.now().tzinfo
    assert zone is not None
    (one,) = (await retention.exams_of_day(later.date(), zone)).items
    assert (one.held.segments, one.due.segments) == (1, 1)
    assert (one.first_at, one.last_at) == (later, later)


async def test_an_exam_of_a_camera_that_is_gone_is_named_by_the_camera(store: Store) -> None:
    clock = ManualClock()
    await furnish(store, clock)
    retention = Retention(store, clock, LEAD)
    async with store.write() as connection:
        await connection.execute(delete(cameras))
    (one, *_) = (await retention.exams_by(clock.now() + 40 * DAY)).items
    assert (one.session, one.room, one.room_name) == (None, "", "c1")


async def test_under_a_hold_that_lapses_footage_goes_when_it_does(store: Store) -> None:
    clock = ManualClock()
    desk, retention = await furnish(store, clock), Retention(store, clock, LEAD)
    await examine(store, clock, "")
    placed = await desk.place(person("li"), wanted(clock, 1))
    zone = clock.now().tzinfo
    assert zone is not None
    term = clock.now() + 30 * DAY
    lapse = term + 10 * DAY + HOUR
    async with store.write() as connection:
        await connection.execute(update(holds).values(kind="request", lapses_at=lapse))
    assert (await retention.exams_of_day(term.date(), zone)).items == []
    (one,) = (await retention.exams_of_day(lapse.date(), zone)).items
    assert (one.session and one.session.id, one.first_at, one.due) == (
        "s0",
        lapse,
        Total(1, 1000),
    )
    assert [(each.day, each.due.segments) for each in await retention.days(lapse, zone)] == [
        *((f"{term + day * DAY:%Y-%m-%d}", 1) for day in range(1, 5)),
        (f"{lapse:%Y-%m-%d}", 1),
    ]
    (mine,) = (await retention.exams_of_hold(placed.id)).items
    assert (mine.first_at, mine.due, mine.held) == (lapse, Total(1, 1000), Total(0, 0))
    before, after = [await retention.due(at) for at in (lapse - HOUR, lapse)]
    assert ([one.id for one in before.held], len(before.due)) == (["c1.main.0"], 4)
    assert ([one.id for one in after.held], len(after.due)) == ([], 5)


async def test_two_holds_of_one_footage_free_nothing_alone(store: Store) -> None:
    clock = ManualClock()
    desk = await furnish(store, clock)
    first = await desk.place(person("li"), wanted(clock))
    await desk.place(person("wang"), wanted(clock, 1))
    covered = (await desk.one(first.id)).covered
    assert (covered.segments, covered.freed_segments) == (2, 1)


async def test_one_owner_may_hold_so_much_and_no_more(store: Store) -> None:
    clock = ManualClock()
    desk = await furnish(store, clock)
    await desk.place(person("li"), wanted(clock))
    with pytest.raises(HoldRefused) as refused:
        await desk.place(person("li"), wanted(clock))
    assert refused.value.code == "hold_limit"
    await desk.place(person("wang"), wanted(clock))


async def test_nobody_waits_for_the_writer_while_holds_are_summed(store: Store) -> None:
    clock = ManualClock()
    desk = await furnish(store, clock)
    with counted(store) as sent:
        placed = await desk.place(person("li"), wanted(clock))
    assert placed.boxes == {"b1": False}
    assert not [one for one in sent if "FROM segments" in one]
    with counted(store) as sent:
        await desk.look()
    assert not sent


async def test_a_look_names_the_box_that_has_footage_since(store: Store) -> None:
    clock = ManualClock()
    desk = await furnish(store, clock)
    placed = await desk.place(person("li"), wanted(clock))
    async with store.write() as connection:
        await connection.execute(insert(edges).values(id="b2"))
        await connection.execute(update(segments).values(edge="b2"))
    await desk.look()
    assert (await desk.one(placed.id)).boxes == {"b1": False, "b2": False}


async def test_holds_are_given_page_by_page(store: Store) -> None:
    clock = ManualClock()
    desk = await furnish(store, clock)
    ids = sorted([(await desk.place(person(name), wanted(clock))).id for name in ("li", "wang")])
    (first,) = await desk.list(1)
    (second,) = await desk.list(1, first.id)
    assert [first.id, second.id, *await desk.list(1, second.id)] == ids


async def test_what_a_hold_touches_is_found_without_a_cameras_whole_past(store: Store) -> None:
    query = (
        select(segments.c.id)
        .select_from(holds)
        .join(hold_cameras, hold_cameras.c.hold == holds.c.id)
        .join(segments, touched_by_hold())
        .where(holds.c.state.in_(LIVE))
    )
    async with store.read() as connection:
        if connection.dialect.name != "sqlite":
            return
        words = query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
        plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}")
        steps = [row.detail for row in plan]
    assert any("(camera=? AND starts_at>? AND starts_at<?)" in step for step in steps)


async def test_the_store_itself_refuses_a_release_by_one_person(store: Store) -> None:
    clock = ManualClock()
    desk = await furnish(store, clock)
    await desk.place(person("li"), wanted(clock))
    with pytest.raises(IntegrityError):
        async with store.write() as connection:
            await connection.execute(
                holds.update().values(
                    state="RELEASED", proposed_by="li", released_by="li", ended_at=clock.now()
                )
            )


async def test_a_hold_only_its_box_knew_comes_back_for_two_to_release(store: Store) -> None:
    clock = ManualClock()
    desk, now = await furnish(store, clock), clock.now()
    known: Hold = hold("h9", "c1", now, now + DAY, kind="request")
    fact = HoldsHeard(epoch=2, number=1, accepted=True, holds=(known,))
    for _ in range(2):
        async with store.write() as connection:
            await note_holds(connection, "b1", now, now, fact)
    (found,) = await desk.list(9)
    assert (found.id, found.state, found.kind) == ("h9", "REVIEW_DUE", "integrity")
    await desk.release(person("li"), "h9", "核对无误")
    released = await desk.release(person("wang"), "h9", "同意")
    assert released.state == "RELEASED"


async def test_no_class_is_shorter_than_thirty_days(store: Store) -> None:
    retention = Retention(store, ManualClock(), LEAD)
    with pytest.raises(RetentionRefused) as refused:
        await retention.set_class(person("li"), "校级", 29, "省空间")
    assert refused.value.code == "retention_too_short"
    await retention.set_class(person("li"), "国家教育考试", 180, "上级要求")
    (only,) = await retention.classes()
    assert (only.category, only.days, only.set_by) == ("国家教育考试", 180, "li")


async def test_more_sessions_than_a_statement_takes_are_no_hindrance(store: Store) -> None:
    clock = ManualClock()
    await furnish(store, clock)
    now = clock.now()
    over = now - HOUR
    ended = [
        Session(id=f"s{n}", room="r1", start=over - timedelta(seconds=n + 1), end=over)
        for n in range(33_000)
    ]
    running = Session(id="on", room="r1", start=now - 2 * HOUR, end=now)
    rows = [columns_of(one) | {"category": ""} for one in ended[1:]]
    rows += [columns_of(one) | {"category": "state"} for one in (ended[0], running)]
    enrolled = {"sign_public": b"", "seal_public": b"", "certificate": "", "url": ""}
    async with store.write() as connection:
        await connection.execute(insert(exam_sessions), rows)
        await connection.execute(update(edges).values(enrolled_at=now, **enrolled))
        await connection.execute(
            insert(retention_classes).values(category="state", days=180, set_by="li", set_at=now)
        )
        found = await read_contents(connection, Lead.of(30, 15), now)
        assert len(await categories(connection, (row["id"] for row in rows))) == len(rows)
    (longer,) = found["b1"].longer  # of what is over: orders tell of the others
    assert (longer.window, longer.retain_days) == ("s0.c1", 180)


async def examine(store: Store, clock: ManualClock, *categories: str) -> None:
    """One exam a day in the camera's room, of these categories."""
    rows = [
        Session(
            id=f"s{day}",
            room="r1",
            start=clock.now() + day * DAY,
            end=clock.now() + day * DAY + HOUR,
            category=category,
        )
        for day, category in enumerate(categories)
    ]
    async with store.write() as connection:
        await connection.execute(insert(exam_sessions), [columns_of(row) for row in rows])


async def terms(store: Store) -> list[timedelta]:
    """How long each recording is kept after its end, oldest first."""
    s = segments.c
    query = select(s.retain_until, s.ends_at).order_by(s.starts_at)
    async with store.read() as connection:
        return [row.retain_until - row.ends_at for row in await connection.execute(query)]


async def test_a_longer_class_keeps_what_there_is_longer_and_a_shorter_one_takes_nothing(
    store: Store,
) -> None:
    clock = ManualClock()
    await furnish(store, clock)
    await examine(store, clock, "国家教育考试", "院系考试", "国家教育考试")
    before = await terms(store)
    clock.step(20 * DAY)
    retention = Retention(store, clock, LEAD)
    await retention.set_class(person("li"), "国家教育考试", 60, "上级要求")
    longer = LEAD.after + 60 * DAY
    assert await terms(store) == [longer, before[1], longer, *before[3:]]
    await retention.set_class(person("li"), "国家教育考试", 40, "省空间")
    await retention.raise_terms()
    assert await terms(store) == [longer, before[1], longer, *before[3:]]


async def test_what_a_stop_came_between_is_kept_longer_after_it(store: Store) -> None:
    clock = ManualClock()
    await furnish(store, clock)
    await examine(store, clock, *["国家教育考试"] * 5)
    retention = Retention(store, clock, LEAD)
    await retention.set_class(person("li"), "国家教育考试", 60, "上级要求")
    clock.step(20 * DAY)  # the exams were recorded, and the class was not applied to them
    await retention.raise_terms()
    assert await terms(store) == [LEAD.after + 60 * DAY] * 5


async def test_what_is_late_is_counted_whole_however_few_are_named(store: Store) -> None:
    clock = ManualClock()
    await furnish(store, clock)
    named = tuple(f"c1.main.{day}" for day in range(4))
    async with store.write() as connection:
        await note_deferral(
            connection, "b1", Deferred(segments=named, why="clock_unconfirmed", since=clock.now())
        )
    found = await Retention(store, clock, LEAD).due(clock.now(), limit=2)
    assert len(found.deferred) == 2
    assert found.totals["deferred"] == Total(4, 4000)
