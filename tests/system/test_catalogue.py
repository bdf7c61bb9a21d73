import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select, update

from contract import topics
from contract.bus import Arrival
from contract.keys import SigningKey
from contract.messages import (
    Booted,
    CameraChanged,
    CameraStatus,
    Deleted,
    Fact,
    GapFound,
    Hold,
    HoldsHeard,
    LookChanged,
    Message,
    sign_fact,
)
from orchestrator.belonging import Ordered
from orchestrator.centre import Centre
from orchestrator.config import DatabaseConfig
from orchestrator.events import Event, Mailbox
from orchestrator.overview import Overview
from orchestrator.store.tables import (
    camera_states,
    cameras,
    dispatches,
    edge_states,
    fact_marks,
    facts,
    gaps,
    segments,
)
from tests.fakes.box import FakeBox, segment
from tests.fakes.centre import acts, add_site, count, hold_exam, join, running_centre
from tests.fakes.statements import counted
from tests.fakes.waiting import until, until_async

HOUR = timedelta(hours=1)
BOOTED = Booted(boot="b", version="1", clock_trusted=True)


@pytest.fixture
async def centre(tmp_path: Path, database: str) -> AsyncGenerator[Centre]:
    async with running_centre(tmp_path, database=DatabaseConfig(url=database)) as running:
        await add_site(running, ("cam1", "r1", "b1"))
        yield running


@pytest.fixture
async def box(centre: Centre, tmp_path: Path) -> AsyncGenerator[FakeBox]:
    async with (await join(centre, tmp_path, "b1")).online() as online:
        yield online


def arrival(fact: Fact, edge: str = "b1") -> Arrival:
    return Arrival(topics.fact(edge), msgspec.json.encode(fact), retained=False)


async def marked(centre: Centre) -> int:
    async with centre.store.read() as connection:
        return int((await connection.scalars(select(fact_marks.c.up_to))).one())


async def test_a_fact_is_stored_once_and_answered_each_time(centre: Centre, box: FakeBox) -> None:
    fact = box.fact(BOOTED)
    await box.tell(fact, fact)
    await until(lambda: box.heard)
    await box.tell(fact)
    await until(lambda: len(box.heard) >= 2)
    assert set(box.heard) == {1}
    assert await count(centre, facts) == 1


async def test_facts_in_any_order_are_answered_without_holes(centre: Centre, box: FakeBox) -> None:
    one, two, three = (box.fact(BOOTED) for _ in range(3))
    await box.tell(three)
    await until(lambda: box.heard == [0])
    await box.tell(one)
    await until(lambda: box.heard[-1] == 1)
    await box.tell(two)
    await until(lambda: box.heard[-1] == 3)
    assert await count(centre, facts) == 3


async def test_many_facts_at_once_are_all_stored(centre: Centre, box: FakeBox) -> None:
    now = centre.clock.now()
    told = [box.fact(segment("cam1", now + timedelta(minutes=n))) for n in range(500)]
    await box.tell(*told)
    await until(lambda: box.heard and box.heard[-1] == 500, 30)
    assert await count(centre, segments) == 500


async def test_many_segments_take_few_statements(centre: Centre, box: FakeBox) -> None:
    now = centre.clock.now()
    told = [box.fact(segment("cam1", now + timedelta(minutes=n))) for n in range(50)]
    with counted(centre.store) as sent:
        await centre.catalogue.take([arrival(fact) for fact in told])
    assert await count(centre, segments) == 50
    assert len(sent) < 50


async def test_a_segment_is_kept_30_days_from_its_windows_end(centre: Centre, box: FakeBox) -> None:
    now = centre.clock.now()
    exam = await hold_exam(centre, "r1", now)
    await box.tell(box.fact(segment("cam1", now)), box.fact(segment("cam1", now - 9 * HOUR)))
    await until_async(lambda: _has(centre, segments, 2))
    outside, inside = await centre.recordings.segments(limit=2)
    assert inside.retain_until == exam.end + timedelta(days=30, minutes=15)
    assert outside.retain_until == outside.end + timedelta(days=30)


async def _has(centre: Centre, table: object, rows: int) -> bool:
    return await count(centre, table) == rows


async def test_a_gap_is_stored_with_its_cause(centre: Centre, box: FakeBox) -> None:
    now = centre.clock.now()
    gap = GapFound(
        gap="g1",
        camera="cam1",
        stream="main",
        start=now,
        end=now + timedelta(seconds=7),
        cause="box_down",
    )
    await box.tell(box.fact(gap), box.fact(gap))
    await until_async(lambda: _has(centre, facts, 2))
    async with centre.store.read() as connection:
        row = (await connection.execute(select(gaps))).one()
    assert (row.cause, row.ends_at - row.starts_at) == ("box_down", timedelta(seconds=7))


async def test_a_forged_fact_is_refused_and_in_the_ledger(centre: Centre, box: FakeBox) -> None:
    forged = sign_fact(SigningKey.make(), box.fact(BOOTED))
    await centre.catalogue.take([arrival(forged), arrival(forged)])
    assert await count(centre, facts) == 0
    assert [row.act.result for row in await acts(centre, "tell_fact")] == ["forged"]


async def test_a_forged_fact_does_not_hide_the_true_one(centre: Centre, box: FakeBox) -> None:
    true = box.fact(BOOTED)
    forged = sign_fact(SigningKey.make(), true)
    await centre.catalogue.take([arrival(true), arrival(forged)])
    await centre.catalogue.take([arrival(true)])
    assert await count(centre, facts) == 1


@pytest.fixture
async def other(centre: Centre, tmp_path: Path) -> FakeBox:
    """A second box; camera cam2 is its own."""
    await add_site(centre, ("cam2", "r2", "b2"))
    return await join(centre, tmp_path, "b2")


async def test_a_box_cannot_speak_for_another(centre: Centre, box: FakeBox, other: FakeBox) -> None:
    await centre.catalogue.take(
        [arrival(box.fact(BOOTED), "b2"), arrival(other.fact(BOOTED), "b1")]
    )
    assert await count(centre, facts) == 0


async def test_a_box_tells_nothing_of_anothers_camera(
    centre: Centre, box: FakeBox, other: FakeBox
) -> None:
    now = centre.clock.now()
    gap = GapFound(gap="g", camera="cam1", stream="main", start=now, end=now, cause="stalled")
    changed = CameraChanged(camera="cam1", stream="main", state="lost")
    told = [other.fact(data) for data in (segment("cam1", now), gap, changed)]
    seen = CameraStatus(camera="cam1", stream="main", state="lost")
    status = msgspec.json.encode(other.status(cameras=[seen]))
    await centre.catalogue.take(
        [*(arrival(fact, "b2") for fact in told), Arrival(topics.status("b2"), status, False)]
    )
    assert [await count(centre, table) for table in (segments, gaps, camera_states)] == [0, 0, 0]
    assert await count(centre, facts) == 3
    assert [row.act.result for row in await acts(centre, "tell_fact")] == ["not_its_own"]


async def test_a_box_tells_of_a_camera_that_was_its_own(
    centre: Centre, box: FakeBox, other: FakeBox
) -> None:
    await until(lambda: box.states)
    async with centre.store.write() as connection:
        mine = cameras.c.id == "cam1"
        await connection.execute(update(cameras).where(mine).values(edge="b2"))
    await centre.catalogue.take([arrival(box.fact(segment("cam1", centre.clock.now())))])
    assert await count(centre, segments) == 1


async def test_a_camera_that_moved_is_spoken_of_by_its_new_box_alone(
    centre: Centre, box: FakeBox, other: FakeBox
) -> None:
    await until(lambda: box.states)
    async with centre.store.write() as connection:
        await connection.execute(update(cameras).values(edge="b2"))
    seen = CameraStatus(camera="cam1", stream="main", state="streaming")
    late = msgspec.structs.replace(seen, state="off")
    heartbeats = [
        Arrival(topics.status(of.id), msgspec.json.encode(of.status(cameras=[said])), False)
        for of, said in ((other, seen), (box, late))
    ]
    changed = box.fact(CameraChanged(camera="cam1", stream="main", state="lost"))
    with counted(centre.store) as sent:
        await centre.catalogue.take([*heartbeats, arrival(changed)])
    async with centre.store.read() as connection:
        row = (await connection.execute(select(camera_states))).one()
    assert (row.edge, row.state) == ("b2", "streaming")
    assert not await acts(centre, "tell_fact")  # it was told to watch it once: no offence
    assert not [
        one for one in sent if "FROM dispatches" in one
    ]  # nobody waits while it is found out


async def test_what_a_box_was_ordered_is_read_once(
    centre: Centre, box: FakeBox, other: FakeBox
) -> None:
    await until(lambda: box.states)
    ordered = Ordered()
    async with centre.store.read() as connection:
        assert await ordered.cameras(connection, "b1") == {"cam1"}
    async with centre.store.write() as connection:
        await connection.execute(update(dispatches).values(payload=b"not read again"))
        assert await ordered.cameras(connection, "b1") == {"cam1"}


async def test_a_segments_id_that_another_box_took_hides_nothing(
    centre: Centre, box: FakeBox, other: FakeBox
) -> None:
    now = centre.clock.now()
    mine = segment("cam1", now)
    thief = msgspec.structs.replace(mine, camera="cam2")
    await centre.catalogue.take([arrival(other.fact(thief), "b2")])
    told = [arrival(box.fact(mine)), arrival(box.fact(mine))]
    await centre.catalogue.take(told)
    async with centre.store.read() as connection:
        rows = (await connection.execute(select(segments.c.edge, segments.c.camera))).all()
    assert sorted(tuple(row) for row in rows) == [("b1", "cam1"), ("b2", "cam2")]


async def test_a_gaps_id_that_another_box_took_hides_nothing(
    centre: Centre, box: FakeBox, other: FakeBox
) -> None:
    now = centre.clock.now()
    mine = GapFound(gap="g", camera="cam1", stream="main", start=now, end=now, cause="stalled")
    thief = msgspec.structs.replace(mine, camera="cam2")
    await centre.catalogue.take([arrival(other.fact(thief), "b2")])
    await centre.catalogue.take([arrival(box.fact(mine)), arrival(box.fact(mine))])
    assert await count(centre, gaps) == 2


async def test_a_look_with_a_senseless_id_holds_up_no_other_fact(
    centre: Centre, box: FakeBox
) -> None:
    look = LookChanged(jti="a\0b", user="chen", cameras=("cam1",), state="ended")
    await centre.catalogue.take(
        [arrival(box.fact(look)), arrival(box.fact(segment("cam1", centre.clock.now())))]
    )
    assert await count(centre, segments) == 1


async def test_a_revoked_boxs_facts_are_refused(centre: Centre, box: FakeBox) -> None:
    await centre.revoke("b1", "admin", "stolen")
    await centre.catalogue.take([arrival(box.fact(BOOTED))])
    assert await count(centre, facts) == 0
    assert [row.act.result for row in await acts(centre, "tell_fact")] == ["unknown_box"]


@pytest.mark.parametrize(
    "payload",
    [b"", b"{}", b"null", b"\xff", b'{"edge":"b1","seq":0}', b"[" * 100_000],
)
async def test_nonsense_is_passed_over(centre: Centre, box: FakeBox, payload: bytes) -> None:
    noise = [
        Arrival(topics.fact("b1"), payload, False),
        Arrival(topics.status("b1"), payload, False),
    ]
    await centre.catalogue.take([*noise, arrival(box.fact(BOOTED))])
    assert await count(centre, facts) == 1


async def test_a_signed_fact_that_cannot_be_kept_holds_up_no_other(
    centre: Centre, box: FakeBox
) -> None:
    now = centre.clock.now()
    backwards = segment("cam1", now, -60)
    huge = segment("cam1", now - HOUR, bytes=1 << 70)
    await box.tell(box.fact(backwards), box.fact(huge), box.fact(segment("cam1", now)))
    await until(lambda: box.heard and box.heard[-1] == 3)
    assert await count(centre, segments) == 1
    assert await count(centre, facts) == 3


async def test_facts_told_to_a_lost_database_are_given_up_at_last(
    centre: Centre, box: FakeBox
) -> None:
    box.seq = 499
    rest = [box.fact(BOOTED) for _ in range(3)]
    for _ in range(3):
        await centre.catalogue.take([arrival(fact) for fact in rest])
    assert await marked(centre) == 502
    assert [row.act.object for row in await acts(centre, "miss_facts")] == ["b1 1-499"]


async def test_a_box_that_lost_its_journal_is_heard_from_one_again(
    centre: Centre, box: FakeBox
) -> None:
    await centre.catalogue.take([arrival(box.fact(BOOTED)) for _ in range(5)])
    assert await marked(centre) == 5
    anew = [box.fact(BOOTED, seq, f"anew{seq}") for seq in (1, 2, 3)]
    await centre.catalogue.take([arrival(anew[0])])
    assert await marked(centre) == 1
    await centre.catalogue.take([arrival(fact) for fact in anew])
    assert await marked(centre) == 3
    assert await count(centre, facts) == 8


async def test_a_heartbeat_keeps_what_the_box_saw(centre: Centre, box: FakeBox) -> None:
    now = centre.clock.now()
    seen = CameraStatus(
        camera="cam1",
        stream="main",
        state="streaming",
        last_frame_at=now,
        bitrate_bps=2_000_000,
        recording=True,
    )
    async with centre.events.subscribe() as mailbox:
        await box.beat(seen, msgspec.structs.replace(seen, stream="sub", recording=False))
        event = await _next(mailbox, "camera")
        await box.beat(msgspec.structs.replace(seen, state="stalled", recording=False))
        after = await _next(mailbox, "camera")
    assert (event.id, said(event)["state"], said(event)["recording"]) == ("cam1", "streaming", True)
    assert said(after)["state"] == "stalled"
    state = (await Overview(centre.store).cameras())["cam1"]
    assert (state.state, state.bitrate_bps) == ("stalled", 2_000_000)
    assert (await Overview(centre.store).edges())["b1"].state == "online"


async def _next(mailbox: Mailbox, type: str) -> Event:
    async with asyncio.timeout(10):
        while (event := await mailbox.get()).type != type:
            pass
        return event


def said(event: Event) -> dict[str, object]:
    assert isinstance(event.data, dict)
    return event.data


async def test_a_late_fact_does_not_undo_a_heartbeat(centre: Centre, box: FakeBox) -> None:
    late = box.fact(CameraChanged(camera="cam1", stream="main", state="lost"))
    await box.beat(CameraStatus(camera="cam1", stream="main", state="streaming"))
    await until_async(lambda: _known(centre))
    await box.tell(msgspec.structs.replace(late))
    await until(lambda: box.heard)
    assert (await Overview(centre.store).cameras())["cam1"].state == "streaming"


async def _known(centre: Centre) -> bool:
    return "cam1" in await Overview(centre.store).cameras()


async def test_a_box_that_is_cut_off_is_offline_and_its_cameras_unknown(
    centre: Centre, tmp_path: Path
) -> None:
    box = await join(centre, tmp_path, "b1")
    async with box.online():
        await box.beat(CameraStatus(camera="cam1", stream="main", state="streaming"))
        await until_async(lambda: _known(centre))
    will = msgspec.json.encode(box.status("offline"))

    async def is_offline() -> bool:  # what it said last may still be on its way
        await centre.catalogue.take([Arrival(topics.status("b1"), will, False)])
        return (await Overview(centre.store).edges())["b1"].state == "offline"

    await until_async(is_offline)
    camera = (await Overview(centre.store).cameras())["cam1"]
    assert (camera.state, camera.cause) == ("unknown", "box_offline")
    assert (await Overview(centre.store).edges())["b1"].revision == box.revision


async def test_the_will_of_an_earlier_start_says_nothing(centre: Centre, box: FakeBox) -> None:
    await until_async(lambda: _online(centre))
    will = msgspec.structs.replace(box.status("offline"), boot="boot0")
    await centre.catalogue.take([Arrival(topics.status("b1"), msgspec.json.encode(will), False)])
    assert (await Overview(centre.store).edges())["b1"].state == "online"


async def _online(centre: Centre) -> bool:
    state = (await Overview(centre.store).edges()).get("b1")
    return state is not None and state.state == "online"


async def test_a_silent_box_is_offline_after_45_seconds(centre: Centre, box: FakeBox) -> None:
    await until_async(lambda: _online(centre))
    for seconds, state in ((44, "online"), (46, "offline")):
        ago = centre.clock.now() - timedelta(seconds=seconds)
        async with centre.store.write() as connection:
            await connection.execute(update(edge_states).values(heard_at=ago))
        await centre.catalogue.notice_silence()
        assert (await Overview(centre.store).edges())["b1"].state == state


async def test_a_look_refused_at_the_box_is_in_the_ledger(centre: Centre, box: FakeBox) -> None:
    look = LookChanged(jti="j", user="chen", cameras=("cam1",), state="refused", reason="used")
    await box.tell(box.fact(look))
    await until(lambda: box.heard)
    (row,) = await acts(centre, "look")
    assert (row.act.actor, row.act.result) == ("chen", "used")


async def test_a_box_whose_clock_is_wrong_backdates_no_row_of_the_ledger(
    centre: Centre, box: FakeBox
) -> None:
    now = centre.clock.now()
    past = now - timedelta(days=400)
    look = LookChanged(jti="j", user="chen", cameras=("cam1",), state="refused", reason="used")
    refused = HoldsHeard(epoch=1, number=1, accepted=False, reason="stale", holds=())
    known = Hold(hold="h1", kind="incident", cameras=("cam1",), start=now, end=now + HOUR)
    heard = HoldsHeard(epoch=1, number=1, accepted=True, holds=(known,))
    gone = Deleted(
        segment="cam1.main.1",
        camera="cam1",
        start=past,
        end=past,
        path="shelf/1.mp4",
        bytes=1,
        root="",
        retain_until=past,
        deleted_at=past,
        policy="30d",
        late_s=0.0,
        missing=True,
    )
    said: list[Message] = [look, refused, heard, gone]
    told = [msgspec.structs.replace(box.fact(each), at=past) for each in said]
    await centre.catalogue.take([arrival(sign_fact(box.signing, fact)) for fact in told])
    for action in ("look", "refuse_hold_list", "recover_hold", "miss_recording"):
        (row,) = await acts(centre, action)
        assert row.at >= now, action
        assert f"({past:%Y-%m-%dT%H:%M:%SZ} by the box's clock)" in row.act.reason


async def test_the_first_word_of_a_camera_is_told_whole(centre: Centre, box: FakeBox) -> None:
    async with centre.events.subscribe() as mailbox:
        await box.tell(box.fact(CameraChanged(camera="cam1", stream="main", state="streaming")))
        event = await _next(mailbox, "camera")
    assert said(event) == {
        "state": "streaming",
        "cause": "",
        "recording": False,
        "last_frame_at": None,
        "bitrate_bps": 0,
    }
