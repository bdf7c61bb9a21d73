"""Forecasts from the store, and timetables that do not fit, on both databases."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.messages import CameraStatus, EdgeStatus
from contract.spans import Span
from orchestrator import told
from orchestrator.access import Role
from orchestrator.accounts import Person
from orchestrator.capacity import Capacity, DoesNotFit, HeldSpan
from orchestrator.exams import Lead
from orchestrator.ledger import Ledger
from orchestrator.planning.forecast import SAFETY
from orchestrator.retention import Retention
from orchestrator.store import Store
from orchestrator.store.tables import cameras, edges, rooms, segments
from orchestrator.timetables import ReasonRequired, Staged, Timetables
from tests.fakes.clock import ManualClock
from tests.fakes.gone import gone

NOW = datetime(2027, 1, 1, tzinfo=UTC)
LEAD = Lead(timedelta(minutes=30), timedelta(minutes=15))
WANG = Person("u1", "wang", "王敏", frozenset({Role.exam_office}))
HEAD = "课程代码,课程名称,考试时间,考场"
WINDOW_S = (2 * 60 + 45) * 60
GB = 1_000_000_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
async def site(store: Store) -> None:
    """Two boxes; the first has two cameras, the second one."""
    async with store.write() as connection:
        for edge in ("box-1", "box-2"):
            await connection.execute(insert(edges).values(id=edge))
        for code, name in {"N101": "北楼101", "N102": "北楼102", "S201": "南楼201"}.items():
            await connection.execute(insert(rooms).values(id=code, name=name, aliases=[]))
        for camera, room, edge in (
            ("cam-1", "N101", "box-1"),
            ("cam-2", "N102", "box-1"),
            ("cam-3", "S201", "box-2"),
        ):
            values = {"id": camera, "room": room, "edge": edge, "sealed": "-", "added_at": NOW}
            await connection.execute(insert(cameras).values(**values))


class Office:
    """The exam office at work, and boxes that tell."""

    def __init__(self, store: Store, clock: ManualClock, held: Sequence[HeldSpan] = ()) -> None:
        async def holds(connection: AsyncConnection, now: datetime) -> Sequence[HeldSpan]:
            return held

        self.store = store
        self.clock = clock
        self.capacity = Capacity(store, clock, LEAD, "Asia/Shanghai", holds)
        self.timetables = Timetables(store, clock, LEAD, "Asia/Shanghai", capacity=self.capacity)

    async def hear(self, edge: str, total: int, free: int, **rates: int) -> None:
        status = EdgeStatus(
            state="online",
            at=NOW,
            boot="b",
            epoch=1,
            revision=1,
            free_bytes=free,
            total_bytes=total,
            cameras=tuple(
                CameraStatus(
                    camera=name.replace("_", "-"), stream="main", state="streaming", bitrate_bps=bps
                )
                for name, bps in rates.items()
            ),
        )
        async with self.store.write() as connection:
            await told.keep_status(connection, edge, status, NOW)

    async def shelve(self, camera: str, start: datetime, size: int, kept: datetime) -> None:
        """Put an hour of footage into the catalogue."""
        values: dict[str, Any] = {
            "id": f"{camera}.main.{start:%Y%m%dT%H%M%S}",
            "edge": "box-1",
            "camera": camera,
            "stream": "main",
            "starts_at": start,
            "ends_at": start + timedelta(hours=1),
            "bytes": size,
            "path": "x",
            "root": "r",
            "previous": "",
            "fragments": 1,
            "clock": "trusted",
            "volume": "v",
            "adopted": False,
            "retain_until": kept,
        }
        async with self.store.write() as connection:
            await connection.execute(insert(segments).values(**values))

    async def stage(self, *rows: str, name: str = "期末.csv") -> Staged:
        return await self.timetables.stage("\n".join((HEAD, *rows)).encode(), name, WANG)

    async def acts(self) -> list[tuple[str, str, str]]:
        entries = await Ledger(self.store, self.clock).entries(limit=100)
        return [(entry.act.action, entry.act.reason, entry.act.result) for entry in entries]


@pytest.fixture
def office(store: Store, clock: ManualClock, site: None) -> Office:
    return Office(store, clock)


EXAM = "M1,高等数学,2027-01-13 09:00-11:00,北楼101"
OTHER = "P1,大学物理,2027-01-14 09:00-11:00,北楼102"


async def test_exams_count_with_lead_in_and_out_at_the_rate_that_was_measured(
    office: Office,
) -> None:
    await office.hear("box-1", 100 * GB, 60 * GB, cam_1=8_000_000)
    await office.shelve("cam-2", NOW - timedelta(days=2), 3600 * 250_000, NOW + timedelta(days=28))
    staged = await office.stage(EXAM, OTHER)
    await office.timetables.apply(staged.id, WANG)
    first, second = await office.capacity.forecast()
    planned = {day.date: day.planned_bytes for day in first.days if day.planned_bytes}
    assert planned == {
        date(2027, 1, 13): pytest.approx(WINDOW_S * 1_000_000 * SAFETY, abs=2),
        date(2027, 1, 14): pytest.approx(WINDOW_S * 250_000 * SAFETY, abs=2),
    }
    assert first.rates == {"reported": 1, "recorded": 1}
    assert first.days[0].used_bytes == 40 * GB
    assert sum(day.expiring_bytes for day in first.days) == 3600 * 250_000
    assert (first.is_known, second.is_known) == (True, False)


async def test_held_footage_stays_beyond_its_term(
    store: Store, clock: ManualClock, site: None
) -> None:
    start = NOW - timedelta(days=2)
    span = Span(start + timedelta(minutes=5), start + timedelta(minutes=6))
    office = Office(store, clock, [HeldSpan("cam-1", span), HeldSpan("cam-1", span, NOW)])
    await office.hear("box-1", 100 * GB, 60 * GB)
    kept = NOW + timedelta(days=5)
    await office.shelve("cam-1", start, 7 * GB, kept)
    await office.shelve("cam-1", start + timedelta(hours=1), 2 * GB, kept)
    box = (await office.capacity.forecast())[0]
    assert box.held_bytes == 7 * GB
    assert sum(day.expiring_bytes for day in box.days) == 2 * GB


async def test_what_lies_on_a_second_volume_frees_nothing_on_the_first(
    office: Office, store: Store
) -> None:
    await office.hear("box-1", 1000 * GB, 100 * GB)
    await office.shelve("cam-1", NOW - timedelta(hours=2), 500 * GB, NOW + timedelta(days=2))
    async with store.write() as connection:
        await connection.execute(
            update(segments).values(path="shelf/.second/footage/cam-1/2026-11-22/x.mp4")
        )
    box = (await office.capacity.forecast())[0]
    assert sum(day.expiring_bytes for day in box.days) == 0


async def test_what_its_box_deleted_is_not_held(
    store: Store, clock: ManualClock, site: None
) -> None:
    start = NOW - timedelta(days=32)
    office = Office(store, clock, [HeldSpan("cam-1", Span(start, NOW))])
    await office.hear("box-1", 100 * GB, 60 * GB)
    await office.shelve("cam-1", start, 7 * GB, NOW - timedelta(days=2))
    await office.shelve("cam-1", start + timedelta(hours=1), 2 * GB, NOW - timedelta(days=2))
    name = f"cam-1.main.{start:%Y%m%dT%H%M%S}"
    async with store.write() as connection:
        await connection.execute(gone("box-1", name, "cam-1", start, NOW - timedelta(days=1)))
    assert (await office.capacity.forecast())[0].held_bytes == 2 * GB


async def test_planned_footage_goes_when_its_class_ends(office: Office) -> None:
    await office.hear("box-1", 100 * GB, 60 * GB, cam_1=8_000_000, cam_2=8_000_000)
    retention = Retention(office.store, office.clock, LEAD)
    await retention.set_class(WANG, "国家教育考试", 60, "上级要求")
    data = f"{HEAD},考试类别\n{EXAM},国家教育考试\n{OTHER},校级课程考试\n".encode()
    staged = await office.timetables.stage(data, "期末.csv", WANG)
    await office.timetables.apply(staged.id, WANG)
    box = (await office.capacity.forecast(days=80))[0]
    expiring = [day.date for day in box.days if day.expiring_bytes]
    assert expiring == [date(2027, 2, 13), date(2027, 3, 14)]


async def test_a_timetable_that_does_not_fit_is_refused_and_nothing_changes(
    office: Office,
) -> None:
    await office.hear("box-1", 100 * GB, 10 * GB, cam_1=8_000_000, cam_2=8_000_000)
    staged = await office.stage(EXAM, OTHER)
    assert staged.capacity is not None
    assert staged.capacity.worst is not None
    assert staged.capacity.worst.edge == "box-1"
    with pytest.raises(DoesNotFit) as refused:
        await office.timetables.apply(staged.id, WANG)
    need = round(WINDOW_S * 1_000_000 * SAFETY)
    assert (refused.value.edge, refused.value.day) == ("box-1", date(2027, 1, 13))
    assert refused.value.shortfall_bytes == pytest.approx(need - 8 * GB, abs=2)
    assert (await office.timetables.get(staged.id)).applied_at is None
    said = str(refused.value)
    assert (await office.acts())[-1] == ("apply_timetable", said, "does_not_fit")


async def test_it_is_applied_in_spite_of_that_for_a_reason_that_is_written_down(
    office: Office,
) -> None:
    await office.hear("box-1", 100 * GB, 10 * GB, cam_1=8_000_000)
    staged = await office.stage(EXAM)
    with pytest.raises(ReasonRequired):
        await office.timetables.apply(staged.id, WANG, " ", override=True)
    applied = await office.timetables.apply(staged.id, WANG, "新盘周五到货", override=True)
    assert applied.added == 1
    override, apply = (await office.acts())[-2:]
    assert override[:2] == ("override_capacity", "新盘周五到货")
    assert "box-1 2027-01-13" in override[2]
    assert apply[0] == "apply_timetable"


async def test_what_does_not_fit_already_hinders_nothing_that_makes_it_no_worse(
    office: Office,
) -> None:
    await office.hear("box-1", 100 * GB, 10 * GB, cam_1=8_000_000, cam_2=8_000)
    await office.hear("box-2", 100 * GB, 90 * GB)
    full = await office.stage(EXAM)
    await office.timetables.apply(full.id, WANG, "已知", override=True)
    elsewhere = await office.stage("L1,法规,2027-01-14 14:00-16:00,南楼201", name="法学院.csv")
    assert (await office.timetables.apply(elsewhere.id, WANG)).added == 1
    shorter = await office.stage("M1,高等数学,2027-01-13 09:00-10:50,北楼101")
    assert (await office.timetables.apply(shorter.id, WANG)).changed == 1


async def test_exams_beyond_thirty_days_are_looked_at_too(office: Office) -> None:
    await office.hear("box-1", 100 * GB, 10 * GB, cam_1=8_000_000)
    staged = await office.stage("M1,高等数学,2027-02-25 09:00-11:00,北楼101")
    with pytest.raises(DoesNotFit) as refused:
        await office.timetables.apply(staged.id, WANG)
    assert refused.value.day == date(2027, 2, 25)


async def test_a_box_that_never_told_its_size_refuses_nothing(office: Office) -> None:
    staged = await office.stage(EXAM)
    assert (await office.timetables.apply(staged.id, WANG)).added == 1
