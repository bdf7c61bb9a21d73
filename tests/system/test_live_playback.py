"""Recordings through the box's server: one ticket, one file, any ranges."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from aiohttp import ClientResponse
from yarl import URL

from contract.boxapi import TICKET_HEADER, Growing, SegmentIndex
from contract.messages import LookChanged
from contract.ticket import Ticket, issue
from tests.fakes.encoder import pictures
from tests.fakes.live_centre import LiveBox, live_box, make_ticket
from tests.fakes.waiting import until
from tests.unit.test_fmp4 import written

PATH = "cam1/2026-11-22/080000.mp4"
BYTES = bytes(range(256)) * 400


def lay(folder: Path, path: str = PATH, mode: int = 0o440) -> Path:
    file = folder / "shelf" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(BYTES)
    file.chmod(mode)
    return file


@asynccontextmanager
async def box_with_recording(tmp_path: Path) -> AsyncGenerator[LiveBox]:
    lay(tmp_path)
    async with live_box(tmp_path, "cam1") as box:
        yield box


def leave_for(path: str, edge: str = "box1", **changes: object) -> Ticket:
    return make_ticket(path, "cam1", edge=edge, **{"purpose": "playback", **changes})


async def get(
    box: LiveBox, path: str, ticket: Ticket, bytes_range: str | None = None
) -> ClientResponse:
    headers = {TICKET_HEADER: issue(box.ticket_key, ticket)}
    if bytes_range:
        headers["Range"] = bytes_range
    url = URL(f"{box.config.url}/shelf/{path}", encoded=True)
    response = await box.session.get(url, headers=headers)
    await response.read()
    return response


async def code(response: ClientResponse) -> tuple[int, str]:
    return response.status, str((await response.json())["code"])


async def test_a_ticket_opens_its_recording_whole_and_in_ranges(tmp_path: Path) -> None:
    async with box_with_recording(tmp_path) as box:
        ticket = leave_for(PATH)
        whole = await get(box, PATH, ticket)
        assert (whole.status, await whole.read()) == (200, BYTES)
        part = await get(box, PATH, ticket, "bytes=1000-1999")
        assert (part.status, await part.read()) == (206, BYTES[1000:2000])
        assert part.headers["Content-Range"] == f"bytes 1000-1999/{len(BYTES)}"
        tail = await get(box, PATH, ticket, "bytes=-100")
        assert await tail.read() == BYTES[-100:]
        beyond = await get(box, PATH, ticket, "bytes=999999-")
        assert beyond.status == 416
        assert beyond.headers["Content-Range"] == f"bytes */{len(BYTES)}"


async def test_watching_is_told_once_however_many_ranges(tmp_path: Path) -> None:
    async with box_with_recording(tmp_path) as box:
        ticket = leave_for(PATH)
        await get(box, PATH, ticket)
        await get(box, PATH, ticket, "bytes=0-9")
        told = [fact for fact in box.facts.facts if isinstance(fact, LookChanged)]
        assert [(fact.state, fact.jti) for fact in told] == [("began", ticket.jti)]
        assert told[0].reason == f"playback {PATH}"


async def test_watching_that_could_not_be_told_is_told_at_the_next_try(tmp_path: Path) -> None:
    async with box_with_recording(tmp_path) as box:
        ticket = leave_for(PATH)
        box.facts.busy = True
        assert (await get(box, PATH, ticket)).status == 503
        box.facts.busy = False
        assert (await get(box, PATH, ticket)).status == 200
        told = [fact for fact in box.facts.facts if isinstance(fact, LookChanged)]
        assert [(fact.state, fact.jti) for fact in told] == [("began", ticket.jti)]


async def test_a_recording_may_be_watched_beyond_the_start_but_not_beyond_the_end(
    tmp_path: Path,
) -> None:
    async with box_with_recording(tmp_path) as box:
        now = datetime.now(UTC)
        start, end = now + timedelta(seconds=1), now + timedelta(seconds=2)
        ticket = leave_for(PATH, start_by=start, view_until=end)
        assert (await get(box, PATH, ticket)).status == 200
        await until(lambda: datetime.now(UTC) > start)
        assert (await get(box, PATH, ticket)).status == 200
        unused = leave_for(PATH, start_by=start, view_until=end + timedelta(minutes=1))
        assert await code(await get(box, PATH, unused)) == (403, "late")
        await until(lambda: datetime.now(UTC) > end)
        assert await code(await get(box, PATH, ticket)) == (403, "late")


async def test_a_recording_past_its_term_is_not_given_whatever_the_ticket(tmp_path: Path) -> None:
    lay(tmp_path)
    async with live_box(tmp_path, "cam1", over=frozenset({PATH})) as box:
        assert await code(await get(box, PATH, leave_for(PATH))) == (404, "no_such")


async def test_a_ticket_opens_no_other_recording(tmp_path: Path) -> None:
    lay(tmp_path, "cam2/other.mp4")
    async with box_with_recording(tmp_path) as box:
        assert await code(await get(box, "cam2/other.mp4", leave_for(PATH))) == (
            403,
            "other_offer",
        )
        live = make_ticket(PATH, "cam1")
        assert await code(await get(box, PATH, live)) == (403, "other_purpose")
        elsewhere = leave_for(PATH, edge="box2")
        assert await code(await get(box, PATH, elsewhere)) == (403, "other_box")
        response = await box.session.get(f"{box.config.url}/shelf/{PATH}")
        assert response.status == 400


@pytest.mark.parametrize(
    "path",
    ["../keys/box.pem", "..%2Fkeys%2Fbox.pem", "%2E%2E/live.sqlite", "cam1/../../live.sqlite"],
)
async def test_no_path_leads_out_of_the_shelf(tmp_path: Path, path: str) -> None:
    async with box_with_recording(tmp_path) as box:
        for meant in (path, URL(f"/{path}", encoded=True).path.lstrip("/")):
            assert (await get(box, path, leave_for(meant))).status in (403, 404)


async def test_only_sealed_recordings_are_given(tmp_path: Path) -> None:
    lay(tmp_path, "cam1/writing.mp4", mode=0o640)
    lay(tmp_path, "cam1/notes.txt")
    (tmp_path / "outside.mp4").write_bytes(b"secret")
    (tmp_path / "outside.mp4").chmod(0o440)
    async with box_with_recording(tmp_path) as box:
        (tmp_path / "shelf" / "link.mp4").symlink_to(tmp_path / "outside.mp4")
        for path in ("cam1/writing.mp4", "cam1/notes.txt", "link.mp4", "cam1/none.mp4", "cam1"):
            assert (await get(box, path, leave_for(path))).status == 404


SEGMENT = "cam1/2026-11-22/20261122T080000000.mp4"


def lay_segment(folder: Path, path: str = SEGMENT, mode: int = 0o440) -> Path:
    file = lay(folder, path, 0o640)
    file.write_bytes(b"".join(written(pictures("h264", 40, gop=10), 8)))
    file.chmod(mode)
    return file


async def ask(box: LiveBox, address: str, ticket: Ticket) -> ClientResponse:
    headers = {TICKET_HEADER: issue(box.ticket_key, ticket)}
    response = await box.session.get(f"{box.config.url}/{address}", headers=headers)
    await response.read()
    return response


async def test_the_ticket_of_a_recording_opens_its_index_and_its_key_pictures(
    tmp_path: Path,
) -> None:
    file = lay_segment(tmp_path)
    async with live_box(tmp_path, "cam1") as box:
        ticket = leave_for(SEGMENT)
        answer = await ask(box, f"index/{SEGMENT}", ticket)
        index = msgspec.json.decode(await answer.read(), type=SegmentIndex)
        assert (index.bytes, index.growing) == (file.stat().st_size, False)
        whole = await ask(box, f"keyframes/{SEGMENT}", ticket)
        part = await ask(box, f"keyframes/{SEGMENT}?from=0&to=0", ticket)
        assert 0 < len(await part.read()) < len(await whole.read()) < file.stat().st_size
        assert (await ask(box, f"keyframes/{SEGMENT}?from=soon", ticket)).status == 400
        other = leave_for("cam1/other.mp4")
        assert await code(await ask(box, f"index/{SEGMENT}", other)) == (403, "other_offer")
        told = [fact for fact in box.facts.facts if isinstance(fact, LookChanged)]
        assert [fact.state for fact in told] == ["began", "refused"]


async def test_a_growing_file_is_given_up_to_its_last_whole_fragment(tmp_path: Path) -> None:
    part = SEGMENT.replace(".mp4", ".part")
    file = lay_segment(tmp_path, part, 0o640)
    whole = file.read_bytes()
    file.write_bytes(whole + whole[-300:])
    async with live_box(tmp_path, "cam1") as box:
        answer = await ask(box, "growing/cam1", leave_for("growing/cam1"))
        growing = msgspec.json.decode(await answer.read(), type=Growing)
        assert (growing.path, growing.bytes) == (part, len(whole))
        assert growing.end - growing.start == timedelta(seconds=1.6)
        ticket = leave_for(part)
        everything = await get(box, part, ticket)
        assert (everything.status, await everything.read()) == (206, whole)
        tail = await get(box, part, ticket, f"bytes={len(whole) - 10}-{len(whole) + 100}")
        assert await tail.read() == whole[-10:]
        assert (await get(box, part, ticket, f"bytes={len(whole)}-")).status == 416
        nothing = await ask(box, "growing/cam2", leave_for("growing/cam2"))
        assert await code(nothing) == (404, "no_such")
