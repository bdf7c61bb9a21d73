"""Timetables staged and applied, on both databases."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import LargeBinary, func, insert, select

from orchestrator.access import Role
from orchestrator.accounts import Person
from orchestrator.applying import Applied
from orchestrator.exams import Lead
from orchestrator.ledger import Ledger
from orchestrator.retention import Retention
from orchestrator.sessions import NoSuchSession, Sessions
from orchestrator.store import Store
from orchestrator.store.tables import (
    cameras,
    cancellations,
    edges,
    exam_sessions,
    outage_rooms,
    outages,
    rooms,
    staged_sessions,
    timetable_rows,
    timetables,
)
from orchestrator.timetable.book import Unreadable
from orchestrator.timetables import (
    NoSuchTimetable,
    RunningSession,
    Staged,
    Timetables,
    source_of,
)
from orchestrator.wanted import read_wanted
from tests.fakes.clock import ManualClock

LEAD = Lead(timedelta(minutes=30), timedelta(minutes=15))
WANG = Person("u1", "wang", "王敏", frozenset({Role.exam_office}))
HEAD = "课程代码,课程名称,教学班,考试时间,考场,人数,监考"
MATHS = "M1,高等数学,A班,2027-01-13 09:00-11:00,北楼101,30,周海燕"
PHYSICS = "P1,大学物理,A班,2027-01-13 09:00-11:00,北楼102,40,吴志强"
LAW = "L1,民航法规,A班,2027-01-14 14:00-16:00,南楼201,20,冯丽"
NINE = datetime(2027, 1, 13, 1, 0, tzinfo=UTC)
"""Nine o'clock of the first exams, in Shanghai."""


def _file(*rows: str) -> bytes:
    return "\n".join((HEAD, *rows)).encode()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2027, 1, 1, tzinfo=UTC))


@pytest.fixture
async def site(store: Store, clock: ManualClock) -> None:
    """Four rooms; two boxes; the last room has no camera."""
    at = clock.now()
    named = {"N101": "北楼101", "N102": "北楼102", "S201": "南楼201", "S202": "南楼202"}
    async with store.write() as connection:
        for edge in ("box-1", "box-2"):
            await connection.execute(insert(edges).values(id=edge))
        for code, name in named.items():
            await connection.execute(insert(rooms).values(id=code, name=name, aliases=[]))
        for camera, room, edge in (
            ("cam-1", "N101", "box-1"),
            ("cam-2", "N101", "box-1"),
            ("cam-3", "N102", "box-1"),
            ("cam-4", "S201", "box-2"),
        ):
            values = {"id": camera, "room": room, "edge": edge, "sealed": "-", "added_at": at}
            await connection.execute(insert(cameras).values(**values))


class Office:
    """The exam office at work, and which boxes were told."""

    def __init__(self, store: Store, clock: ManualClock) -> None:
        self.store = store
        self.told: list[frozenset[str]] = []
        self.timetables = Timetables(store, clock, LEAD, "Asia/Shanghai", self._tell)
        self.sessions = Sessions(store, clock, LEAD)

    async def _tell(self, boxes: frozenset[str]) -> None:
        self.told.append(boxes)

    async def stage(self, *rows: str, name: str = "期末.csv") -> Staged:
        return await self.timetables.stage(_file(*rows), name, WANG, "10.0.0.9")

    async def load(self, *rows: str, name: str = "期末.csv") -> Applied:
        staged = await self.stage(*rows, name=name)
        return await self.timetables.apply(staged.id, WANG)

    async def held(self) -> dict[str, tuple[str, str]]:
        """Course -> room and start of what is not cancelled."""
        return {
            view.session.courses[0].code: (view.session.room, f"{view.session.start:%d %H:%M}")
            for view in await self.sessions.list()
            if not view.session.cancelled
        }

    async def taken_back(self) -> list[tuple[str, str, str, list[str]]]:
        c = cancellations.c
        async with self.store.read() as connection:
            query = select(c.order_id, c.edge, c.reason, c.approved_by).order_by(c.order_id)
            return [
                (r.order_id, r.edge, r.reason, r.approved_by)
                for r in await connection.execute(query)
            ]


@pytest.fixture
def office(store: Store, clock: ManualClock, site: None) -> Office:
    return Office(store, clock)


def _codes(staged: Staged) -> list[tuple[int, str]]:
    return [(row.row, row.code) for row in staged.rows]


async def _acts(store: Store, clock: ManualClock) -> list[tuple[str, str, str]]:
    entries = await Ledger(store, clock).entries()
    return [(entry.act.actor, entry.act.action, entry.act.result) for entry in entries]


async def _count(store: Store, *tables: object) -> Iterable[int]:
    async with store.read() as connection:
        return [
            (await connection.execute(select(func.count()).select_from(table))).scalar_one()  # type: ignore[arg-type]  # any of the tables
            for table in tables
        ]


async def test_staging_shows_what_a_file_says_and_changes_nothing(office: Office) -> None:
    staged = await office.stage(MATHS, PHYSICS, LAW, "X1,体育,,待定,北楼101,9,")
    assert _codes(staged) == [(2, "ok"), (3, "ok"), (4, "ok"), (5, "no_time")]
    assert [s.courses[0].name for s in staged.diff.added] == ["高等数学", "大学物理", "民航法规"]
    assert staged.columns["room"] == "考场"
    assert staged.room_names["N101"] == "北楼101"
    assert await office.held() == {}
    assert office.told == []


async def test_applying_makes_the_sessions_and_tells_their_boxes(office: Office) -> None:
    assert await office.load(MATHS, PHYSICS) == Applied(2, 0, 0)
    assert await office.held() == {"M1": ("N101", "13 01:00"), "P1": ("N102", "13 01:00")}
    assert office.told == [frozenset({"box-1"})]


async def test_applying_twice_changes_nothing(office: Office) -> None:
    staged = await office.stage(MATHS, PHYSICS)
    await office.timetables.apply(staged.id, WANG)
    assert await office.timetables.apply(staged.id, WANG) == Applied(0, 0, 0)
    assert await office.load(PHYSICS, MATHS) == Applied(0, 0, 0)
    assert office.told == [frozenset({"box-1"})]


async def test_applying_at_the_same_time_makes_each_session_once(office: Office) -> None:
    staged = await office.stage(MATHS, PHYSICS)
    done = await asyncio.gather(*(office.timetables.apply(staged.id, WANG) for _ in range(3)))
    assert sum(applied.added for applied in done) == 2
    assert len(await office.held()) == 2


async def test_a_changed_timetable_touches_only_what_it_changes(office: Office) -> None:
    await office.load(MATHS, PHYSICS, LAW)
    ids = {view.session.courses[0].code: view.session.id for view in await office.sessions.list()}
    moved = LAW.replace("14:00-16:00", "09:00-11:00")
    assert await office.load(MATHS, PHYSICS, moved) == Applied(0, 0, 1)
    assert office.told[-1] == frozenset({"box-2"})
    after = {view.session.courses[0].code: view.session.id for view in await office.sessions.list()}
    assert after == ids
    assert (await office.held())["L1"] == ("S201", "14 01:00")


async def test_a_removed_session_is_cancelled_and_its_orders_named(office: Office) -> None:
    await office.load(MATHS, PHYSICS)
    staged = await office.stage(PHYSICS)
    (gone,) = staged.diff.removed
    applied = await office.timetables.apply(staged.id, WANG, "课程停开")
    assert applied == Applied(0, 1, 0)
    assert (await office.sessions.get(gone.id)).state == "CANCELLED"
    assert await office.taken_back() == [
        (f"{gone.id}.cam-1", "box-1", "课程停开", ["wang"]),
        (f"{gone.id}.cam-2", "box-1", "课程停开", ["wang"]),
    ]


async def test_a_moved_session_takes_back_the_orders_of_its_old_place(office: Office) -> None:
    await office.load(MATHS, LAW)
    moved = next(v.session.id for v in await office.sessions.list() if v.session.room == "N101")
    await office.load(MATHS.replace("北楼101", "北楼102"), LAW)
    assert [order for order, *_ in await office.taken_back()] == [
        f"{moved}.cam-1",
        f"{moved}.cam-2",
    ]


async def test_other_invigilators_take_no_order_back(office: Office) -> None:
    await office.load(MATHS)
    assert await office.load(MATHS.replace("周海燕", "韩雪")) == Applied(0, 0, 1)
    assert await office.taken_back() == []


async def test_two_exams_may_change_rooms(office: Office) -> None:
    await office.load(MATHS, PHYSICS)
    turned = (MATHS.replace("北楼101", "北楼102"), PHYSICS.replace("北楼102", "北楼101"))
    assert await office.load(*turned) == Applied(0, 0, 2)
    assert await office.held() == {"M1": ("N102", "13 01:00"), "P1": ("N101", "13 01:00")}


async def test_a_file_removes_only_what_an_edition_of_it_brought(office: Office) -> None:
    await office.load(MATHS, name="理学院.csv")
    assert await office.load(PHYSICS, name="航空学院.csv") == Applied(1, 0, 0)
    assert await office.load(LAW, name="航空学院 (2).csv") == Applied(1, 1, 0)
    assert set(await office.held()) == {"M1", "L1"}


async def test_a_file_with_rejected_rows_removes_nothing(office: Office) -> None:
    await office.load(MATHS, PHYSICS)
    staged = await office.stage(MATHS, PHYSICS.replace("09:00-11:00", "09:00"))
    assert staged.diff.removed == ()
    assert [session.courses[0].code for session in staged.kept] == ["P1"]
    assert await office.timetables.apply(staged.id, WANG) == Applied(0, 0, 0)
    assert set(await office.held()) == {"M1", "P1"}


async def test_an_earlier_file_applied_again_takes_the_later_one_back(office: Office) -> None:
    first = await office.stage(MATHS, PHYSICS)
    await office.timetables.apply(first.id, WANG)
    await office.load(MATHS.replace("周海燕", "韩雪"))
    assert await office.timetables.apply(first.id, WANG) == Applied(1, 0, 1)
    assert set(await office.held()) == {"M1", "P1"}


async def test_a_session_that_is_recorded_now_is_not_removed_by_one_person(
    office: Office, store: Store, clock: ManualClock
) -> None:
    await office.load(MATHS, PHYSICS)
    staged = await office.stage(PHYSICS)
    clock.step(NINE - clock.now() - timedelta(minutes=30))
    with pytest.raises(RunningSession) as refused:
        await office.timetables.apply(staged.id, WANG)
    assert [session.room for session in refused.value.sessions] == ["N101"]
    assert refused.value.code == "running_session"
    assert set(await office.held()) == {"M1", "P1"}
    assert await office.taken_back() == []
    assert (await _acts(store, clock))[-1] == ("wang", "apply_timetable", "running_session")


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        (("09:00-11:00", "09:00-11:30"), False),
        (("周海燕", "韩雪"), False),
        (("09:00-11:00", "09:00-10:30"), True),
        (("09:00-11:00", "09:30-11:30"), True),
        (("北楼101", "北楼102"), True),
    ],
)
async def test_a_session_that_is_recorded_now_may_only_grow(
    office: Office, clock: ManualClock, change: tuple[str, str], refused: bool
) -> None:
    await office.load(MATHS)
    clock.step(NINE - clock.now() + timedelta(minutes=20))
    staged = await office.stage(MATHS.replace(*change))
    attempt = office.timetables.apply(staged.id, WANG)
    if refused:
        with pytest.raises(RunningSession):
            await attempt
    else:
        assert await attempt == Applied(0, 0, 1)


async def test_what_is_over_stays_as_it_was(office: Office, clock: ManualClock) -> None:
    await office.load(MATHS, LAW)
    clock.step(NINE - clock.now() + timedelta(hours=5))
    assert await office.load(LAW) == Applied(0, 0, 0)
    assert await office.load(MATHS.replace("11:00", "11:30"), LAW) == Applied(0, 0, 0)
    assert set(await office.held()) == {"M1", "L1"}


async def test_a_cancelled_exam_that_comes_back_is_a_new_session(office: Office) -> None:
    await office.load(MATHS, PHYSICS)
    before = {view.session.id for view in await office.sessions.list()}
    await office.load(PHYSICS)
    assert await office.load(MATHS, PHYSICS) == Applied(1, 0, 0)
    after = {view.session.id for view in await office.sessions.list()}
    assert len(after - before) == 1


async def test_a_room_without_camera_and_a_room_in_use_are_warned_of(office: Office) -> None:
    await office.load(MATHS, name="理学院.csv")
    staged = await office.stage(
        "P1,物理,A班,2027-01-13 10:00-12:00,北楼101,40,",
        "P2,物理,A班,2027-01-13 10:00-12:00,南楼202,40,",
        name="航空学院.csv",
    )
    assert _codes(staged) == [(2, "overlap_standing"), (3, "room_without_camera")]
    assert "2027-01-13 09:00" in staged.rows[0].message_zh


async def test_a_room_that_will_be_out_of_use_is_warned_of(office: Office) -> None:
    ten = datetime(2027, 1, 13, 2, tzinfo=UTC)  # 10:00 at the site
    async with office.store.write() as connection:
        for name, room, since, withdrawn_at in (
            ("o1", "N101", ten + timedelta(hours=2), None),  # in the lead-out
            ("o2", "S201", ten, ten),
        ):
            values = {"id": name, "starts_at": since, "ends_at": since + timedelta(days=1)}
            values |= {"reason": "检修", "contact": "", "override": "", "filed_by": "zhao"}
            values |= {"filed_at": ten - timedelta(days=9), "withdrawn_at": withdrawn_at}
            await connection.execute(insert(outages).values(**values))
            await connection.execute(insert(outage_rooms).values(outage=name, room=room))
    staged = await office.stage(
        "P1,物理,A班,2027-01-13 10:00-12:00,北楼101,40,",
        "P2,物理,A班,2027-01-13 10:00-12:00,南楼201,40,",
        "P3,物理,A班,2027-01-12 10:00-12:00,北楼101,40,",
    )
    assert _codes(staged) == [(2, "out_of_use"), (3, "ok"), (4, "ok")]
    assert "2027-01-13 12:00–2027-01-14 12:00" in staged.rows[0].message_zh


async def test_an_exam_that_is_over_is_warned_of(office: Office) -> None:
    staged = await office.stage(MATHS.replace("2027", "2020"), PHYSICS)
    assert [(row.verdict, row.code) for row in staged.rows] == [
        ("warn", "in_the_past"),
        ("ok", "ok"),
    ]
    assert "2020-01-13 11:00" in staged.rows[0].message_en


async def test_an_unknown_room_is_rejected_with_a_proposal(office: Office) -> None:
    staged = await office.stage(MATHS.replace("北楼101", "北楼第101教室"))
    assert _codes(staged) == [(2, "unknown_room")]
    assert "北楼101" in staged.rows[0].message_zh


async def test_an_unreadable_file_is_refused_told_to_the_ledger_and_leaves_nothing(
    office: Office, store: Store, clock: ManualClock
) -> None:
    with pytest.raises(Unreadable):
        await office.timetables.stage(b"%PDF-1.7\n\0", "期末.xlsx", WANG)
    assert list(await _count(store, timetables, timetable_rows, staged_sessions)) == [0, 0, 0]
    assert await _acts(store, clock) == [
        ("wang", "import_timetable", "ok"),
        ("wang", "import_timetable", "unreadable_file"),
    ]


async def test_every_act_stands_in_the_ledger(
    office: Office, store: Store, clock: ManualClock
) -> None:
    await office.load(MATHS)
    assert await _acts(store, clock) == [
        ("wang", "import_timetable", "ok"),
        ("wang", "apply_timetable", "ok"),
    ]


async def test_no_such_timetable_is_said(office: Office) -> None:
    with pytest.raises(NoSuchTimetable):
        await office.timetables.get("t0")
    with pytest.raises(NoSuchTimetable):
        await office.timetables.apply("t0", WANG)


async def test_a_file_of_thousands_of_rows_is_staged_and_applied_whole(office: Office) -> None:
    names = ("北楼101", "北楼102", "南楼201", "南楼202")
    many = [
        f"C{n},课程{n},班{n},2027-{2 + n // 96:02d}-{1 + n % 24:02d} {8 + n % 96 // 24 * 3}:00-"
        f"{10 + n % 96 // 24 * 3}:00,{room},30,甲"
        for n in range(480)
        for room in names
    ]
    assert await office.load(*many) == Applied(1920, 0, 0)
    assert await office.load(*many) == Applied(0, 0, 0)


async def test_sessions_are_listed_by_span_room_and_page(office: Office) -> None:
    await office.load(MATHS, PHYSICS, LAW)

    async def listed(**asked: object) -> list[str]:
        views = await office.sessions.list(**asked)  # type: ignore[arg-type]  # varied by the test
        return [view.session.courses[0].code for view in views]

    everything = await listed()
    assert everything[-1] == "L1"
    assert await listed(room="N102") == ["P1"]
    assert await listed(end=NINE - timedelta(minutes=30)) == []
    assert await listed(start=NINE + timedelta(hours=2, minutes=15)) == ["L1"]
    assert len(await listed(start=NINE, end=NINE + timedelta(minutes=1))) == 2
    first = (await office.sessions.list(limit=1))[0]
    assert [first.session.courses[0].code, *await listed(after=first.session.id)] == everything


async def test_a_session_shows_its_window_state_and_room(
    office: Office, clock: ManualClock
) -> None:
    await office.load(MATHS)
    (view,) = await office.sessions.list()
    assert (view.room_name, view.state) == ("北楼101", "PLANNED")
    assert view.window.start == NINE - timedelta(minutes=30)
    clock.step(NINE - clock.now())
    assert (await office.sessions.get(view.session.id)).state == "RUNNING"
    with pytest.raises(NoSuchSession):
        await office.sessions.get("s0")


async def test_a_session_says_what_its_row_said(office: Office, store: Store) -> None:
    await office.load(MATHS)
    (view,) = await office.sessions.list()
    session = view.session
    assert (session.headcount, session.invigilators) == (30, ("周海燕",))
    assert session.courses[0].teaching_class == "A班"
    async with store.read() as connection:
        row = (await connection.execute(select(exam_sessions.c.provenance))).scalar_one()
    assert "M1" in row
    assert "N101" in row


@pytest.mark.parametrize(
    "name",
    ["期末.xlsx", "期末 (2).xlsx", "期末（3）.csv",
     "期末 - 副本.xlsx", "期末_v2.xlsx", r"C:\a\期末.xls"],
)  # fmt: skip
def test_editions_of_a_file_share_their_source(name: str) -> None:
    assert source_of(name) == "期末"


async def test_of_the_file_itself_only_the_hash_is_kept(office: Office, store: Store) -> None:
    await office.load("M1,高数,A班,2027-01-13 09:00-11:00,北楼101,30,周海燕")
    t = timetables.c
    async with store.read() as connection:
        row = (await connection.execute(select(t.sha256, t.uploaded_by))).one()
    assert (len(row.sha256), row.uploaded_by) == (64, "wang")
    assert not [column.name for column in t if isinstance(column.type, LargeBinary)]


async def _retain_days(store: Store, now: datetime) -> dict[str, int]:
    """Camera -> the days of its order, as its box is told."""
    async with store.read() as connection:
        wanted = await read_wanted(connection, LEAD, now)
    return {order.camera: order.retain_days for each in wanted.values() for order in each.orders}


async def test_footage_of_a_files_category_is_ordered_for_as_long_as_its_class_says(
    office: Office, store: Store, clock: ManualClock
) -> None:
    await Retention(store, clock, LEAD).set_class(WANG, "国家教育考试", 60, "上级要求")
    head = f"{HEAD},考试类别".encode()
    national, plain, odd = f"{MATHS},国家级", f"{PHYSICS},校级课程考试", f"{LAW},奥赛"
    data = b"\n".join([head, *(row.encode() for row in (national, plain, odd))])
    staged = await office.timetables.stage(data, "期末.csv", WANG)
    assert staged.columns["category"] == "考试类别"
    assert [row.code for row in staged.rows] == ["ok", "ok", "category_unclear"]
    await office.timetables.apply(staged.id, WANG)
    assert await _retain_days(store, clock.now()) == {
        "cam-1": 60,
        "cam-2": 60,
        "cam-3": 30,
        "cam-4": 30,
    }
    used = {each.category for each in await Retention(store, clock, LEAD).classes()}
    assert used == {"国家教育考试", "校级课程考试", ""}
    # An edition without the column takes no category away; one that says another, does.
    assert await office.load(MATHS, PHYSICS, LAW) == Applied(0, 0, 0)
    assert (await _retain_days(store, clock.now()))["cam-1"] == 60
    data = data.replace("国家级".encode(), "其他".encode())
    staged = await office.timetables.stage(data, "期末.csv", WANG)
    assert await office.timetables.apply(staged.id, WANG) == Applied(0, 0, 1)
    assert (await _retain_days(store, clock.now()))["cam-1"] == 30
