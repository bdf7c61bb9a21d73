"""Certificates of a running centre, from facts over the broker, on either database."""

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from contract.messages import Archived, Order, SegmentClosed
from contract.spans import Span
from edge.recording.statements import state
from orchestrator.access import Role
from orchestrator.centre import Centre
from orchestrator.certificates.records import Kept, of_span
from orchestrator.certificates.verifying import check
from orchestrator.config import DatabaseConfig
from orchestrator.planning import Session
from orchestrator.store.tables import archive_copies, cameras, certificates, rooms
from tests.fakes.box import FakeBox, segment
from tests.fakes.centre import acts, add_site, hold_exam, join, log_in, running_centre
from tests.fakes.waiting import until_async

MINUTES = 105  # an hour with lead-in and lead-out


@pytest.fixture
async def centre(tmp_path: Path, database: str) -> AsyncGenerator[Centre]:
    async with running_centre(tmp_path, database=DatabaseConfig(url=database)) as running:
        await add_site(running, ("cam1", "r1", "b1"))
        yield running


@pytest.fixture
async def box(centre: Centre, tmp_path: Path) -> AsyncGenerator[FakeBox]:
    async with (await join(centre, tmp_path, "b1")).online() as online:
        yield online


@pytest.fixture
async def session(centre: Centre) -> Session:
    """An exam that was over an hour ago."""
    return await hold_exam(centre, "r1", centre.clock.now() - timedelta(hours=3), 60)


def recorded(session: Session) -> list[SegmentClosed]:
    start = session.start - timedelta(minutes=30)
    return [segment("cam1", start + timedelta(minutes=n), root=f"{n:064x}") for n in range(MINUTES)]


def order(session: Session) -> Order:
    return Order(
        id=f"{session.id}.cam1",
        camera="cam1",
        session=session.id,
        start=session.start - timedelta(minutes=30),
        end=session.end + timedelta(minutes=15),
    )


async def kept(centre: Centre, session: Session, edition: int) -> Kept:
    async def is_there() -> bool:
        return await centre.certificates.get(session.id, edition) is not None

    await until_async(is_there, 20)
    found = await centre.certificates.get(session.id)
    assert found is not None
    return found


async def test_what_a_box_tells_over_the_broker_is_certified(
    centre: Centre, box: FakeBox, session: Session
) -> None:
    told = recorded(session)
    facts = [box.fact(one) for one in (*told, state(order(session), "main", told, []))]
    await box.tell(*reversed(facts), *facts)
    found = await kept(centre, session, 1)
    content = check(
        found.document, {centre.keyring.attest.kid: centre.certificates.public}
    ).certificate.content
    assert (content.verdict, content.recorded_us) == ("VERIFIED", MINUTES * 60_000_000)
    assert (await centre.sessions.get(session.id)).state == "VERIFIED"
    (act,) = await acts(centre, "issue_certificate")
    assert (act.act.object, act.act.reason) == (f"{session.id} 1", "VERIFIED")


async def test_a_camera_is_certified_where_it_hung_though_it_was_moved(
    centre: Centre, box: FakeBox, session: Session
) -> None:
    told = recorded(session)
    await box.tell(*map(box.fact, (*told, state(order(session), "main", told, []))))
    await kept(centre, session, 1)
    span = Span(session.start, session.end)
    async with centre.store.write() as connection:
        await connection.execute(insert(rooms).values(id="r2", name="r2"))
        await connection.execute(update(cameras).values(room="r2"))
        for wanted, found in ((["cam1"], [session.id]), (["cam"], []), (["cam_"], [])):
            kept_of_it = await of_span(connection, wanted, span)
            assert [one.session for one in kept_of_it] == found


async def test_a_file_adopted_later_gives_a_second_edition(
    centre: Centre, box: FakeBox, session: Session
) -> None:
    told = recorded(session)
    part = [*told[:50], *told[51:]]
    await box.tell(*map(box.fact, (*part, state(order(session), "main", part, []))))
    first = await kept(centre, session, 1)
    assert first.certificate.content.missing_us == 60_000_000
    await box.tell(*map(box.fact, (told[50], state(order(session), "main", told, []))))
    second = await kept(centre, session, 2)
    assert second.certificate.content.verdict == "VERIFIED"
    older = await centre.certificates.get(session.id, 1)
    assert older == first


async def test_an_incomplete_session_is_an_alert_until_it_is_complete_or_dealt_with(
    centre: Centre, box: FakeBox, session: Session
) -> None:
    async def is_told() -> bool:
        found = [one for one in await centre.alerts.list() if one.kind == "session_incomplete"]
        return [(one.session, one.room) for one in found] == [(session.id, "r1")]

    async def is_over() -> bool:
        return not await is_told()

    told = recorded(session)
    part = [*told[:50], *told[52:]]
    await box.tell(*map(box.fact, (*part, state(order(session), "main", part, []))))
    await until_async(is_told, 20, "the gap is an alert")
    await box.tell(*map(box.fact, (*told[50:52], state(order(session), "main", told, []))))
    await until_async(is_over, 20, "what was found later ends it")

    other = await hold_exam(centre, "r1", centre.clock.now() - timedelta(hours=9), 60)
    await box.tell(box.fact(state(order(other), "main", [], [])))
    await kept(centre, other, 1)

    async def of_other() -> list[str]:
        return [one.id for one in await centre.alerts.list() if one.session == other.id]

    async def is_raised() -> bool:
        return bool(await of_other())

    await until_async(is_raised, 20, "nothing at all is an alert too")
    (case,) = await of_other()
    person = await log_in(centre, Role.exam_office)
    await centre.alerts.solve(case, person, "gaps explained and put on record")
    late = segment("cam1", other.start, root="7" * 64)
    await box.tell(*map(box.fact, (late, state(order(other), "main", [late], []))))
    await kept(centre, other, 2)
    await centre.alerts.look()
    assert await of_other() == []


async def test_the_database_refuses_to_change_or_remove_a_certificate(
    centre: Centre, box: FakeBox, session: Session
) -> None:
    told = recorded(session)
    await box.tell(*map(box.fact, (*told, state(order(session), "main", told, []))))
    await kept(centre, session, 1)
    async with centre.store.read() as connection:
        row = dict((await connection.execute(select(certificates))).mappings().one())
    for statement in (
        update(certificates).values(verdict="INCOMPLETE"),
        delete(certificates),
        insert(certificates).values(**row),
    ):
        with pytest.raises(DBAPIError):
            async with centre.store.write() as connection:
                await connection.execute(statement)


async def test_another_box_cannot_speak_for_this_camera(
    centre: Centre, box: FakeBox, session: Session, tmp_path: Path
) -> None:
    told = recorded(session)
    said = state(order(session), "main", told, [])
    async with (await join(centre, tmp_path, "b2")).online() as other:
        await other.tell(other.fact(said))
        await box.tell(*map(box.fact, told))

        async def is_heard() -> bool:
            return bool(other.heard and box.heard and box.heard[-1] == len(told))

        await until_async(is_heard)
    assert await centre.certificates.consider([session.id]) == []
    await box.tell(box.fact(said))
    assert (await kept(centre, session, 1)).certificate.content.verdict == "VERIFIED"


async def test_a_second_copy_counts_once_every_segment_was_read_back(
    centre: Centre, box: FakeBox, session: Session
) -> None:
    told = recorded(session)
    await box.tell(*map(box.fact, told))
    await box.tell(box.fact(state(order(session), "main", told, [])))
    first = await kept(centre, session, 1)
    (part,) = first.certificate.content.cameras[0].streams
    assert [copy.where for copy in part.copies] == ["box"]
    *most, last = [archived(one, centre.clock.now()) for one in told]
    await box.tell(*map(box.fact, most))
    await until_async(lambda: _are_copied(centre, len(most)), 30)
    await centre.certificates.look()
    assert await centre.certificates.get(session.id, 2) is None
    await box.tell(box.fact(last))
    second = await kept(centre, session, 2)
    (part,) = second.certificate.content.cameras[0].streams
    assert [(copy.where, copy.segments) for copy in part.copies] == [
        ("box", MINUTES),
        ("archive", MINUTES),
    ]
    assert part.copies[1].verified_at == last.verified_at


def archived(segment: SegmentClosed, at: datetime) -> Archived:
    return Archived(
        segment=segment.segment,
        camera=segment.camera,
        copy="second",
        place=f"b1/{segment.segment}",
        bytes=segment.bytes,
        sha256="ab" * 32,
        verified_at=at,
    )


async def _are_copied(centre: Centre, number: int) -> bool:
    async with centre.store.read() as connection:
        found = await connection.scalar(select(func.count()).select_from(archive_copies))
    return found == number
