from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from contract.spans import Span
from orchestrator.access import Role
from orchestrator.accounts import Person
from orchestrator.boxes import BoxUnreachable
from orchestrator.centre import Centre
from orchestrator.holds import NewHold
from orchestrator.recordings import Media, PlaybackRefused
from orchestrator.store.tables import segments
from tests.fakes.box import FakeBox, segment
from tests.fakes.centre import acts, add_site, join, log_in, running_centre
from tests.fakes.gone import gone
from tests.fakes.waiting import until

BYTES = bytes(range(256)) * 1000
WHY = "parents' complaint 12"


@pytest.fixture
async def centre(tmp_path: Path) -> AsyncGenerator[Centre]:
    async with running_centre(tmp_path) as running:
        await add_site(running, ("cam1", "r1", "b1"), ("cam2", "r2", "b1"))
        yield running


@pytest.fixture
async def box(centre: Centre, tmp_path: Path) -> AsyncGenerator[FakeBox]:
    box = await join(centre, tmp_path, "b1")
    async with box.online(), box.serving():
        yield box


@pytest.fixture
async def office(centre: Centre) -> Person:
    return await log_in(centre, Role.exam_office)


async def recorded(centre: Centre, box: FakeBox, *, minutes: int = 1, camera: str = "cam1") -> str:
    """Let the box tell of segments; gives the first one's id, whose file is on the shelf."""
    began = centre.clock.now() - timedelta(hours=1)
    told = [segment(camera, began + timedelta(minutes=n)) for n in range(minutes)]
    box.shelf[told[0].path.removeprefix("shelf/")] = BYTES
    await box.tell(*(box.fact(one) for one in told))
    await until(lambda: box.heard and box.heard[-1] == box.seq)
    return told[0].segment


async def read(media: Media) -> bytes:
    return b"".join([chunk async for chunk in media.chunks])


async def refusal_of(centre: Centre, person: Person, id: str, reason: str = WHY) -> str:
    with pytest.raises(PlaybackRefused) as refused:
        async with centre.recordings.open_media(person, id, reason):
            pass
    return refused.value.code


async def results(centre: Centre) -> list[str]:
    return [row.act.result for row in await acts(centre, "play_recording")]


async def test_a_recordings_bytes_come_from_the_box(
    centre: Centre, box: FakeBox, office: Person
) -> None:
    one = await recorded(centre, box)
    async with centre.recordings.open_media(office, one, WHY, source="10.1.1.1") as media:
        assert (media.status, media.length) == (200, len(BYTES))
        assert await read(media) == BYTES
    (row,) = await acts(centre, "play_recording")
    assert (row.act.actor, row.act.object, row.act.reason) == ("exam_office", one, WHY)


async def test_a_part_is_sent_as_a_part(centre: Centre, box: FakeBox, office: Person) -> None:
    one = await recorded(centre, box)
    async with centre.recordings.open_media(office, one, WHY, "bytes=100-199") as media:
        assert media.status == 206
        assert media.content_range == f"bytes 100-199/{len(BYTES)}"
        assert await read(media) == BYTES[100:200]


@pytest.mark.parametrize("role", [Role.patrol, Role.operator, Role.sys_admin, Role.auditor])
async def test_only_the_exam_office_plays_recordings(
    centre: Centre, box: FakeBox, role: Role
) -> None:
    one = await recorded(centre, box)
    assert await refusal_of(centre, await log_in(centre, role), one) == "forbidden"
    assert await results(centre) == ["forbidden"]


async def test_nobody_plays_without_a_reason(centre: Centre, box: FakeBox, office: Person) -> None:
    assert await refusal_of(centre, office, await recorded(centre, box), "  ") == "reason_required"
    assert await results(centre) == ["reason_required"]


async def test_what_is_not_in_the_catalogue_is_not_played(
    centre: Centre, box: FakeBox, office: Person
) -> None:
    assert await refusal_of(centre, office, "cam1.main.19700101T000000000") == "no_such"


async def test_a_recording_past_its_term_is_neither_listed_nor_played(
    centre: Centre, box: FakeBox, office: Person
) -> None:
    one = await recorded(centre, box)
    async with centre.store.write() as connection:
        await connection.execute(update(segments).values(retain_until=centre.clock.now()))
    assert await refusal_of(centre, office, one) == "expired"
    assert await centre.recordings.segments() == []


async def test_days_are_those_of_which_something_may_be_seen(
    centre: Centre, box: FakeBox, office: Person
) -> None:
    one = await recorded(centre, box)
    now, zone = centre.clock.now(), ZoneInfo("Asia/Shanghai")
    first, last = (now - timedelta(days=2)).date(), (now + timedelta(days=2)).date()

    async def days() -> int:
        return len(await centre.recordings.days("cam1", first, last, zone))

    seen = await days()
    assert seen >= 1
    async with centre.store.write() as connection:
        await connection.execute(update(segments).values(retain_until=now))
    assert await days() == 0
    span = Span(now - timedelta(hours=2), now)
    held = NewHold(
        cameras=("cam1",),
        start=span.start,
        end=span.end,
        kind="incident",
        reason="停电",
        review_at=now + timedelta(days=30),
    )
    await centre.holds.place(office, held)
    assert await days() == seen
    async with centre.store.write() as connection:
        await connection.execute(gone("b1", one, "cam1", span.start, span.end))
    assert await days() == 0


async def test_a_file_that_is_gone_from_the_shelf_is_said_to_be(
    centre: Centre, box: FakeBox, office: Person
) -> None:
    one = await recorded(centre, box)
    box.shelf.clear()
    assert await refusal_of(centre, office, one) == "no_such"
    assert await results(centre) == ["ok", "no_such"]


async def test_a_box_that_is_off_is_named_so(
    centre: Centre, tmp_path: Path, office: Person
) -> None:
    box = await join(centre, tmp_path, "b1")
    async with box.online():
        one = await recorded(centre, box)
    with pytest.raises(BoxUnreachable, match="b1"):
        async with centre.recordings.open_media(office, one, WHY):
            pass


async def test_recordings_are_listed_by_time_and_page_by_page(centre: Centre, box: FakeBox) -> None:
    await recorded(centre, box, minutes=5)
    await recorded(centre, box, minutes=5, camera="cam2")
    first = await centre.recordings.segments(limit=7)
    rest = await centre.recordings.segments(limit=7, after=first[-1].id)
    every = [*first, *rest]
    assert len({one.id for one in every}) == 10
    assert every == sorted(every, key=lambda one: (one.start, one.id))
    assert await centre.recordings.segments(after="nothing") == []


async def test_recordings_are_found_by_camera_and_span(centre: Centre, box: FakeBox) -> None:
    await recorded(centre, box, minutes=5)
    await recorded(centre, box, minutes=5, camera="cam2")
    second = (await centre.recordings.segments("cam2"))[1]
    found = await centre.recordings.segments("cam2", second.start, second.end)
    assert [one.id for one in found] == [second.id]
