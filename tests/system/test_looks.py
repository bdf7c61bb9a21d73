import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from contract.clock import SystemClock
from contract.keys import SigningKey
from contract.messages import LookChanged
from orchestrator.access import Role
from orchestrator.accounts import Person
from orchestrator.centre import Centre
from orchestrator.livetokens import LiveTokens
from orchestrator.looks import MOST_OF_A_BOX, MOST_OF_A_PERSON, VIEW_FOR, LookRefused, Wish
from orchestrator.store.tables import edges, exam_sessions, looks
from tests.fakes.box import FakeBox
from tests.fakes.centre import (
    acts,
    add_site,
    count,
    hold_exam,
    join,
    log_in,
    log_out,
    running_centre,
)
from tests.fakes.waiting import until, until_async

SDP = "v=0 offer"
ONE: list[Wish] = [("cam1", "sub")]


@pytest.fixture
async def centre(tmp_path: Path) -> AsyncGenerator[Centre]:
    async with running_centre(tmp_path) as running:
        await add_site(
            running,
            ("cam1", "r1", "b1"),
            ("cam2", "r2", "b1"),
            ("cam3", "r3", "b1"),
            ("far", "r1", "b2"),
        )
        now = running.clock.now()
        for room in ("r1", "r2"):
            await hold_exam(running, room, now - timedelta(minutes=5))
        await hold_exam(running, "r3", now + timedelta(hours=5))
        yield running


@pytest.fixture
async def box(centre: Centre, tmp_path: Path) -> AsyncGenerator[FakeBox]:
    async with (await join(centre, tmp_path, "b1")).serving() as serving:
        yield serving


@pytest.fixture
async def patrol(centre: Centre) -> Person:
    return await log_in(centre, Role.patrol)


async def refusal_of(centre: Centre, person: Person, wishes: list[Wish], edge: str = "b1") -> str:
    with pytest.raises(LookRefused) as refused:
        await centre.looks.open_live(person, edge, wishes, SDP, "10.1.1.1")
    return refused.value.code


async def cut_off(centre: Centre, person: Person) -> None:
    del person
    await centre.looks.end_all("b1", "cut off")


Ending = Callable[[Centre, Person], Awaitable[None]]


async def results(centre: Centre, action: str = "see_live") -> list[str]:
    return [row.act.result for row in await acts(centre, action)]


async def is_open(centre: Centre, look: str) -> bool:
    async with centre.store.read() as connection:
        query = select(looks.c.ended_at).where(looks.c.id == look)
        return (await connection.execute(query)).one().ended_at is None


async def test_a_look_in_a_window_is_answered_by_the_box(
    centre: Centre, box: FakeBox, patrol: Person
) -> None:
    wishes: list[Wish] = [("cam1", "sub"), ("cam2", "main")]
    look = await centre.looks.open_live(patrol, "b1", wishes, SDP, "10.1.1.1")
    assert look.sdp == "v=0 answer"
    assert [(track.mid, track.camera) for track in look.tracks] == [("0", "cam1"), ("1", "cam2")]
    assert list(box.looks) == [look.id]
    (row,) = await acts(centre, "see_live")
    assert (row.act.actor, row.act.object, row.act.source) == ("patrol", "b1 cam1 cam2", "10.1.1.1")


async def test_the_ledger_knows_of_a_look_before_the_box_does(
    centre: Centre, box: FakeBox, patrol: Person
) -> None:
    look = await centre.looks.open_live(patrol, "b1", ONE, SDP)
    async with centre.store.read() as connection:
        row = (await connection.execute(select(looks).where(looks.c.id == look.id))).one()
    (entry,) = await acts(centre, "see_live")
    assert row.ledger == entry.id
    assert row.view_until - row.began_at <= VIEW_FOR


@pytest.mark.parametrize("role", [Role.sys_admin, Role.auditor])
async def test_who_may_not_look_is_refused(centre: Centre, box: FakeBox, role: Role) -> None:
    person = await log_in(centre, role)
    assert await refusal_of(centre, person, ONE) == "forbidden"
    assert await results(centre) == ["forbidden"]
    assert box.looks == {}


async def test_a_look_outside_the_window_is_refused(
    centre: Centre, box: FakeBox, patrol: Person
) -> None:
    assert await refusal_of(centre, patrol, [("cam3", "sub")]) == "outside_window"
    assert await refusal_of(centre, patrol, [("cam1", "sub"), ("cam3", "sub")]) == "outside_window"
    assert await results(centre) == ["outside_window"] * 2


@pytest.mark.parametrize(
    ("edge", "wishes", "code"),
    [
        ("b1", [("far", "sub")], "no_such"),
        ("b2", [("cam1", "sub")], "no_such"),
        ("b1", [("nothing", "sub")], "no_such"),
        ("", [("cam1", "sub")], "no_such"),
        ("b1", [], "bad_request"),
        ("b1", [("cam1", "sub"), ("cam1", "main")], "bad_request"),
        ("b1", [(f"cam{n}", "sub") for n in range(17)], "bad_request"),
    ],
)
async def test_cameras_that_are_not_this_boxs_are_refused(
    centre: Centre, box: FakeBox, patrol: Person, edge: str, wishes: list[Wish], code: str
) -> None:
    assert await refusal_of(centre, patrol, wishes, edge) == code
    assert await results(centre) == [code]


async def test_a_box_that_is_off_is_named_so(
    centre: Centre, tmp_path: Path, patrol: Person
) -> None:
    await join(centre, tmp_path, "b1")
    assert await refusal_of(centre, patrol, ONE) == "box_unreachable"
    assert await results(centre) == ["ok", "box_unreachable"]


async def test_somebody_else_at_the_boxs_address_gets_no_ticket(
    centre: Centre, box: FakeBox, patrol: Person, tmp_path: Path
) -> None:
    await join(centre, tmp_path, "b2")
    async with centre.store.write() as connection:
        await connection.execute(update(edges).where(edges.c.id == "b2").values(url=box.url))
    assert await refusal_of(centre, patrol, [("far", "sub")], "b2") == "box_unreachable"
    assert box.looks == {}


async def test_a_boxs_refusal_is_passed_on_and_written_down(
    centre: Centre, box: FakeBox, patrol: Person
) -> None:
    box.refuses = "no_camera"
    assert await refusal_of(centre, patrol, ONE) == "box_refused"
    assert await results(centre) == ["ok", "box_refused"]


async def open_more(centre: Centre, box: FakeBox, look: str, more: int) -> None:
    """Put copies of an open look into store and box."""
    box.looks |= {f"{n}": box.looks[look] for n in range(more)}
    async with centre.store.write() as connection:
        row = (await connection.execute(select(looks).where(looks.c.id == look))).mappings().one()
        await connection.execute(insert(looks), [{**row, "id": f"{n}"} for n in range(more)])


async def test_nobody_has_more_looks_open_than_may_be(
    centre: Centre, box: FakeBox, patrol: Person
) -> None:
    first = await centre.looks.open_live(patrol, "b1", ONE, SDP)
    await open_more(centre, box, first.id, MOST_OF_A_PERSON - 1)
    assert await refusal_of(centre, patrol, ONE) == "too_many_looks"
    assert await results(centre) == ["ok", "too_many_looks"]
    await centre.looks.end(first.id, patrol)
    assert (await centre.looks.open_live(patrol, "b1", ONE, SDP)).sdp


async def test_no_box_has_more_looks_open_than_may_be(
    centre: Centre, box: FakeBox, patrol: Person
) -> None:
    other = await log_in(centre, Role.operator)
    first = await centre.looks.open_live(patrol, "b1", ONE, SDP)
    await open_more(centre, box, first.id, MOST_OF_A_BOX - 1)
    assert await refusal_of(centre, other, ONE) == "too_many_looks"


async def test_a_look_is_renewed_while_its_leave_holds(
    centre: Centre, box: FakeBox, patrol: Person
) -> None:
    look = await centre.looks.open_live(patrol, "b1", ONE, SDP)
    before = box.looks[look.id]
    centre.looks._renewed[look.id] -= timedelta(seconds=61)
    await until(lambda: box.looks[look.id] > before)
    assert box.looks[look.id] <= centre.clock.now() + VIEW_FOR


async def test_a_look_that_a_slow_box_still_opens_is_left_alone(
    centre: Centre, box: FakeBox, patrol: Person
) -> None:
    box.opens = asyncio.Event()
    opening = asyncio.create_task(centre.looks.open_live(patrol, "b1", ONE, SDP))
    await until_async(lambda: _began(centre))
    await centre.looks.review()
    box.opens.set()
    look = await opening
    assert await is_open(centre, look.id)
    assert box.ended == []


@pytest.mark.parametrize(("ends", "code"), [(log_out, "not_logged_in"), (cut_off, "box_refused")])
async def test_a_look_that_ends_while_it_is_opened_says_why(
    centre: Centre, box: FakeBox, patrol: Person, ends: Ending, code: str
) -> None:
    box.opens = asyncio.Event()
    opening = asyncio.create_task(refusal_of(centre, patrol, ONE))
    await until_async(lambda: _began(centre))
    await ends(centre, patrol)
    await centre.looks.review()
    box.opens.set()
    assert await opening == code
    assert box.looks == {}


async def _began(centre: Centre) -> bool:
    return await count(centre, looks) == 1


async def test_a_look_never_outlives_its_window(
    centre: Centre, box: FakeBox, patrol: Person
) -> None:
    closes = centre.clock.now() + timedelta(seconds=30)
    async with centre.store.write() as connection:
        mine = exam_sessions.c.room == "r1"
        end = closes - timedelta(minutes=15)
        start = end - timedelta(hours=2)
        await connection.execute(
            update(exam_sessions).where(mine).values(starts_at=start, ends_at=end)
        )
    look = await centre.looks.open_live(patrol, "b1", ONE, SDP)
    assert box.looks[look.id] == closes


async def test_a_look_ends_when_its_window_is_gone(
    centre: Centre, box: FakeBox, patrol: Person
) -> None:
    look = await centre.looks.open_live(patrol, "b1", ONE, SDP)
    async with centre.store.write() as connection:
        await connection.execute(update(exam_sessions).values(cancelled_at=centre.clock.now()))
    centre.looks._renewed[look.id] -= timedelta(seconds=61)
    await until(lambda: box.ended == [look.id])
    assert [row.act.reason for row in await acts(centre, "end_look")] == ["outside_window"]


async def test_a_look_ends_within_seconds_of_a_log_out(
    centre: Centre, box: FakeBox, patrol: Person
) -> None:
    look = await centre.looks.open_live(patrol, "b1", ONE, SDP)
    await log_out(centre, patrol)
    await until(lambda: box.ended == [look.id], 5)
    assert not await is_open(centre, look.id)


async def test_one_ends_ones_own_look_and_no_other(
    centre: Centre, box: FakeBox, patrol: Person
) -> None:
    other = await log_in(centre, Role.operator)
    look = await centre.looks.open_live(patrol, "b1", ONE, SDP)
    with pytest.raises(LookRefused, match="no_such"):
        await centre.looks.end(look.id, other)
    assert await is_open(centre, look.id)
    await centre.looks.end(look.id, patrol)
    assert box.ended == [look.id]


async def test_a_look_that_ended_at_the_box_is_over(
    centre: Centre, box: FakeBox, patrol: Person
) -> None:
    look = await centre.looks.open_live(patrol, "b1", ONE, SDP)
    async with box.online():
        ended = LookChanged(
            jti=look.id, user="patrol", cameras=("cam1",), state="ended", reason="left"
        )
        await box.tell(box.fact(ended))
        await until_async(lambda: _ended(centre, look.id))


async def test_another_box_ends_no_look(
    centre: Centre, box: FakeBox, patrol: Person, tmp_path: Path
) -> None:
    look = await centre.looks.open_live(patrol, "b1", ONE, SDP)
    other = await join(centre, tmp_path, "b2")
    async with other.online():
        ended = LookChanged(jti=look.id, user="patrol", cameras=("cam1",), state="ended")
        await other.tell(other.fact(ended))
        await until(lambda: other.heard)
    assert await is_open(centre, look.id)
    assert [row.act.result for row in await acts(centre, "tell_fact")] == ["not_its_own"]


async def _ended(centre: Centre, look: str) -> bool:
    return not await is_open(centre, look)


async def test_a_look_the_box_does_not_know_any_more_is_over(
    centre: Centre, box: FakeBox, patrol: Person
) -> None:
    look = await centre.looks.open_live(patrol, "b1", ONE, SDP)
    box.looks.clear()
    centre.looks._renewed[look.id] -= timedelta(seconds=61)
    await until_async(lambda: _ended(centre, look.id))


async def test_a_restarted_centre_goes_on_renewing(tmp_path: Path) -> None:
    async with running_centre(tmp_path) as centre:
        await add_site(centre, ("cam1", "r1", "b1"))
        await hold_exam(centre, "r1", centre.clock.now())
        person = await log_in(centre, Role.patrol)
        box = await join(centre, tmp_path, "b1")
        async with box.serving():
            look = await centre.looks.open_live(person, "b1", ONE, SDP)
    before = box.looks[look.id]
    async with box.serving(), running_centre(tmp_path):
        await until(lambda: box.looks[look.id] > before)


async def test_a_revoked_boxs_looks_end(centre: Centre, box: FakeBox, patrol: Person) -> None:
    look = await centre.looks.open_live(patrol, "b1", ONE, SDP)
    await centre.revoke("b1", "admin", "stolen")
    assert not await is_open(centre, look.id)
    assert await refusal_of(centre, patrol, ONE) == "box_unreachable"


async def test_the_cameras_whose_windows_are_open_may_be_looked_at(centre: Centre) -> None:
    every = ["cam1", "cam2", "cam3", "far", "nothing"]
    assert await centre.looks.allowed_now(every) == {"cam1", "cam2", "far"}


# ---------------------------------------------------------------- players with a token


async def test_a_token_begins_a_look_at_its_camera(
    centre: Centre, box: FakeBox, patrol: Person
) -> None:
    token = await centre.looks.issue_live_token(patrol, "cam1")
    holder = await centre.looks.bearer(token.token)
    assert holder is not None
    look = await centre.looks.open_whep(holder, "cam1", SDP)
    await centre.looks.end(look.id, holder)
    assert box.ended == [look.id]
    assert await results(centre, "issue_live_token") == ["ok"]


async def test_a_token_opens_no_other_camera(centre: Centre, box: FakeBox, patrol: Person) -> None:
    holder = await centre.looks.bearer((await centre.looks.issue_live_token(patrol, "cam1")).token)
    assert holder is not None
    assert await refusal_of(centre, holder, [("cam2", "sub")]) == "forbidden"
    other = await centre.looks.open_live(patrol, "b1", [("cam2", "sub")], SDP)
    with pytest.raises(LookRefused, match="another camera"):
        await centre.looks.end(other.id, holder)


async def test_a_token_begins_nothing_after_its_minute(
    centre: Centre, box: FakeBox, patrol: Person
) -> None:
    class Earlier(SystemClock):
        def now(self) -> datetime:
            return super().now() - timedelta(seconds=61)

    old = LiveTokens(centre.keyring.ticket, Earlier()).issue(patrol.login, "cam1")
    holder = await centre.looks.bearer(old.token)
    assert holder is not None
    assert await refusal_of(centre, holder, ONE) == "not_logged_in"


async def test_a_token_dies_with_the_log_in(centre: Centre, patrol: Person) -> None:
    token = await centre.looks.issue_live_token(patrol, "cam1")
    await log_out(centre, patrol)
    assert await centre.looks.bearer(token.token) is None


@pytest.mark.parametrize("text", ["", "x", "é", "QUJD", "a" * 5000])
async def test_what_is_no_token_is_nobody(centre: Centre, text: str) -> None:
    assert await centre.looks.bearer(text) is None


async def test_anothers_token_is_nobody(centre: Centre, patrol: Person) -> None:
    forged = LiveTokens(SigningKey.make(), centre.clock).issue(patrol.login, "cam1")
    assert await centre.looks.bearer(forged.token) is None


async def test_no_token_is_made_for_who_may_not_look(centre: Centre, patrol: Person) -> None:
    admin = await log_in(centre, Role.sys_admin)
    for person, camera, code in ((admin, "cam1", "forbidden"), (patrol, "cam3", "outside_window")):
        with pytest.raises(LookRefused, match=code):
            await centre.looks.issue_live_token(person, camera)
    assert await results(centre, "issue_live_token") == ["forbidden", "outside_window"]
