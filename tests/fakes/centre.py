"""A centre that runs, with a site and exams, for tests."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update

from contract.clock import Clock, SystemClock
from contract.messages import Source
from orchestrator.access import Role
from orchestrator.accounts import Person
from orchestrator.centre import Centre
from orchestrator.config import BrokerConfig, Config
from orchestrator.ledger import Act, Entry
from orchestrator.planning import Session
from orchestrator.sessions import columns_of
from orchestrator.site import NewCamera, Room, SiteCamera
from orchestrator.store.tables import cancellations, exam_sessions
from tests.fakes.box import FakeBox
from tests.fakes.broker import background
from tests.fakes.waiting import until

PASSWORD = "a long enough passphrase 7"


def config_in(folder: Path, **changes: Any) -> Config:
    """A configuration with everything in one folder and a broker on a free port."""
    changes.setdefault("broker", BrokerConfig(port=0))
    return Config(data=folder / "centre", camera_subnets=("127.0.0.0/8",), **changes)


@asynccontextmanager
async def running_centre(
    folder: Path, clock: Clock | None = None, **changes: Any
) -> AsyncGenerator[Centre]:
    """A centre at work until the end."""
    config = config_in(folder, **changes)
    async with (
        Centre.open(config, clock or SystemClock()) as centre,
        background(centre.run()),
    ):
        await until(lambda: centre.bus.is_up)
        yield centre


async def add_site(centre: Centre, *cameras: tuple[str, str, str], switch: str = "") -> None:
    """Take in cameras (id, room, box) and their rooms, all at one switch."""
    rooms = sorted({room for _, room, _ in cameras})
    await centre.site.put(
        [Room(room, room) for room in rooms],
        [
            NewCamera(
                SiteCamera(camera, room, edge, switch),
                Source(
                    main=f"rtsp://127.0.0.1:8554/{camera}/main",
                    sub=f"rtsp://127.0.0.1:8554/{camera}/sub",
                    user="viewer",
                    password=f"secret of {camera}",
                ),
            )
            for camera, room, edge in cameras
        ],
        by="test",
    )


async def join(centre: Centre, folder: Path, edge: str) -> FakeBox:
    """Invite a box and enrol it."""
    (folder / edge).mkdir(parents=True, exist_ok=True)
    box = FakeBox(edge, folder / edge, centre.clock)
    code = (await centre.enrolment.invite(edge, "admin")).code
    box.pin(await centre.enrol(box.request(code)), code)
    return box


async def hold_exam(
    centre: Centre, room: str, start: datetime, minutes: int = 120, id: str = ""
) -> Session:
    """Put an exam into the store, as an applied timetable does."""
    session = Session(
        id=id or f"s-{room}-{start:%m%d%H%M}",
        room=room,
        start=start,
        end=start + timedelta(minutes=minutes),
    )
    async with centre.store.write() as connection:
        await connection.execute(insert(exam_sessions).values(**columns_of(session)))
    centre.dispatch.touch()
    return session


async def cancel_exam(centre: Centre, session: Session, cameras: Iterable[str], edge: str) -> None:
    """Take an exam back, as an applied timetable does."""
    row = await centre.ledger.record(Act("office", "cancel", session.id))
    now = centre.clock.now()
    async with centre.store.write() as connection:
        mine = exam_sessions.c.id == session.id
        await connection.execute(update(exam_sessions).where(mine).values(cancelled_at=now))
        for camera in cameras:
            await connection.execute(
                insert(cancellations).values(
                    order_id=f"{session.id}.{camera}",
                    edge=edge,
                    session=session.id,
                    reason="moved",
                    ledger=row,
                    approved_by=["office"],
                    at=now,
                    ends_at=session.end + timedelta(minutes=15),
                )
            )
    centre.dispatch.touch()


async def log_in(centre: Centre, role: Role, user: str = "") -> Person:
    """Make an account and log it in; gives the person as the web does."""
    name = user or role.value
    await centre.accounts.add_user(name, name, PASSWORD, [role], by="test")
    token = (await centre.accounts.log_in(name, PASSWORD)).token
    person = await centre.accounts.who(token)
    assert person is not None
    return person


async def log_out(centre: Centre, person: Person) -> None:
    """End the person's log-in."""
    await centre.accounts.disable(person.user, "test", "gone")


async def acts(centre: Centre, action: str) -> list[Entry]:
    """Give the ledger's rows of one action."""
    entries = await centre.ledger.entries(limit=1000)
    return [entry for entry in entries if entry.act.action == action]


async def count(centre: Centre, table: Any) -> int:
    """Count a table's rows."""
    async with centre.store.read() as connection:
        return len((await connection.execute(select(table))).all())
