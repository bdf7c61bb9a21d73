"""Writing a timetable's difference."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import insert, select

from orchestrator.applying import Applied, carry_out
from orchestrator.exams import Lead
from orchestrator.ledger import Act, append
from orchestrator.planning import Change, Difference, Session
from orchestrator.store import Store
from orchestrator.store.tables import (
    cameras,
    cancellations,
    edges,
    exam_sessions,
    rooms,
    timetables,
)
from tests.fakes.clock import ManualClock
from tests.fakes.statements import counted

LEAD = Lead(timedelta(minutes=30), timedelta(minutes=15))
MANY = 600
NOW = ManualClock().now()


def exams(prefix: str, room: str) -> list[Session]:
    hour = timedelta(hours=1)
    starts = (NOW + (n + 1) * 3 * hour for n in range(MANY))
    return [
        Session(id=f"{prefix}{n}", room=room, start=start, end=start + hour)
        for n, start in enumerate(starts)
    ]


async def apply(store: Store, difference: Difference) -> Applied:
    async with store.write() as connection:
        row = await append(connection, Act("office", "apply", "t"), NOW)
        return await carry_out(connection, difference, "t", LEAD, ("office", "why", row), NOW)


async def test_a_large_difference_takes_few_statements(store: Store) -> None:
    async with store.write() as connection:
        await connection.execute(insert(edges).values(id="b1"))
        await connection.execute(insert(rooms), [{"id": f"r{n}", "name": f"r{n}"} for n in (1, 2)])
        for n in (1, 2):
            camera = {"id": f"cam{n}", "room": f"r{n}", "edge": "b1", "sealed": "-"}
            await connection.execute(insert(cameras).values(**camera, added_at=NOW))
        upload = {"id": "t", "name": "t", "sha256": "", "columns": {}}
        await connection.execute(
            insert(timetables).values(**upload, uploaded_by="office", uploaded_at=NOW)
        )
    stay, go = exams("stay", "r1"), exams("go", "r2")
    await apply(store, Difference(added=(*stay, *go), removed=(), changed=(), unchanged=()))
    later = [replace(one, start=one.start + timedelta(minutes=30)) for one in stay]
    changed = tuple(Change(before, after) for before, after in zip(stay, later, strict=True))
    with counted(store) as sent:
        done = await apply(
            store, Difference(added=(), removed=tuple(go), changed=changed, unchanged=())
        )
    assert done == Applied(added=0, removed=MANY, changed=MANY)
    assert len(sent) < 30
    async with store.read() as connection:
        rows = (await connection.execute(select(exam_sessions))).all()
        taken_back = (await connection.execute(select(cancellations))).all()
    assert {row.starts_at for row in rows if row.cancelled_at is None} == {o.start for o in later}
    assert sum(row.cancelled_at is not None for row in rows) == MANY
    assert len(taken_back) == 2 * MANY
