"""The archive from the centre: what counts, a lost box, expiry by the same rule, restoring."""

import asyncio
import hashlib
import shutil
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.archive import encrypt
from contract.keys import SealKey
from contract.messages import Archived, SegmentClosed
from contract.objects import MARK, ArchivePlace, Objects, StoreAway
from orchestrator.access import Role
from orchestrator.archive import copies_of
from orchestrator.archiveexpiry import ArchiveExpiry
from orchestrator.boxes import BoxUnreachable
from orchestrator.centre import Centre
from orchestrator.recordings import Media, PlaybackRefused
from orchestrator.store.tables import archive_copies, segments
from tests.fakes.archive import footage
from tests.fakes.box import FakeBox, segment
from tests.fakes.centre import acts, add_site, join, log_in, running_centre
from tests.fakes.waiting import until
from tests.system.test_commands import xunkao

WHY = "投诉 12"


@pytest.fixture
async def centre(tmp_path: Path) -> AsyncGenerator[Centre]:
    place = tmp_path / "archive"
    place.mkdir()
    (place / MARK).touch()
    archive = ArchivePlace(url=f"file://{place}")
    async with running_centre(tmp_path, archive=archive) as running:
        await add_site(running, ("cam1", "r1", "b1"), ("cam2", "r2", "b2"))
        yield running


def public_of(centre: Centre) -> bytes:
    return SealKey.load(centre.config.keys / "archive.key").public


def objects(centre: Centre) -> Objects:
    assert centre.config.archive is not None
    return Objects.of(centre.config.archive)


async def archived(
    centre: Centre, box: FakeBox, tmp_path: Path, size: int = 300_000
) -> tuple[SegmentClosed, bytes, Path]:
    """Let a box tell of a segment and its copy, which stands in the archive."""
    body, root, fragments = footage(size, 3)
    start = centre.clock.now() - timedelta(hours=1)
    told = segment("cam1", start, bytes=len(body), root=root, fragments=fragments)
    copy = b"".join(encrypt(public_of(centre), told.segment, root, len(body), [body]))
    place = f"b1/cam1/{told.segment}.xka"
    await objects(centre).put(place, copy)
    fact = Archived(
        segment=told.segment,
        camera="cam1",
        copy="archive",
        place=place,
        bytes=len(copy),
        sha256=hashlib.sha256(copy).hexdigest(),
        verified_at=centre.clock.now(),
    )
    await box.tell(box.fact(told), box.fact(fact))
    await until(lambda: box.heard and box.heard[-1] == box.seq)
    return told, body, tmp_path / "archive" / place


async def read(media: Media) -> bytes:
    return b"".join([chunk async for chunk in media.chunks])


async def test_a_lost_box_is_answered_from_the_archive_whole_and_in_part(
    centre: Centre, tmp_path: Path
) -> None:
    box = await join(centre, tmp_path, "b1")
    office = await log_in(centre, Role.exam_office)
    async with box.online():
        told, body, place = await archived(centre, box, tmp_path)
    async with centre.recordings.open_media(office, told.segment, WHY) as media:
        assert (media.status, media.length) == (200, len(body))
        assert await read(media) == body
    for start, end in ((0, 10), (65_530, 65_550), (100_000, len(body)), (len(body) - 1, len(body))):
        wanted = f"bytes={start}-{end - 1}"
        async with centre.recordings.open_media(office, told.segment, WHY, wanted) as media:
            assert media.status == 206
            assert media.content_range == f"bytes {start}-{end - 1}/{len(body)}"
            assert await read(media) == body[start:end]
    with pytest.raises(PlaybackRefused, match="unsatisfiable"):
        async with centre.recordings.open_media(office, told.segment, WHY, f"bytes={len(body)}-"):
            pass
    rows = await acts(centre, "play_recording")
    assert [row.act.result for row in rows[:2]] == ["ok", "from_archive"]
    place.unlink()
    with pytest.raises(BoxUnreachable):
        async with centre.recordings.open_media(office, told.segment, WHY):
            pass


async def test_only_its_own_box_can_say_that_a_segment_has_a_copy(
    centre: Centre, tmp_path: Path
) -> None:
    box, other = await join(centre, tmp_path, "b1"), await join(centre, tmp_path, "b2")
    async with box.online(), other.online():
        told, _, _ = await archived(centre, box, tmp_path)
        async with centre.store.read() as connection:
            (copy,) = await copies_of(connection, told.segment)
        stranger = Archived(
            segment=told.segment,
            camera="cam2",
            copy="elsewhere",
            place="x",
            bytes=1,
            sha256="0" * 64,
            verified_at=centre.clock.now(),
        )
        await other.tell(other.fact(stranger))
        await until(lambda: other.heard and other.heard[-1] == other.seq)
        async with centre.store.read() as connection:
            assert await copies_of(connection, told.segment) == (copy,)
    assert copy.verified_at <= centre.clock.now()


async def test_copies_go_by_the_rule_alone_and_a_record_stays(
    centre: Centre, tmp_path: Path
) -> None:
    box = await join(centre, tmp_path, "b1")
    async with box.online():
        told, _, place = await archived(centre, box, tmp_path)
    held = {told.segment}

    async def rule(connection: AsyncConnection, segment: str, now: datetime) -> bool:
        return segment not in held

    expiry = ArchiveExpiry(centre.store, objects(centre), centre.clock, rule)
    assert await expiry.sweep() == 0  # its term is not over
    past = centre.clock.now() - timedelta(seconds=1)
    async with centre.store.write() as connection:
        await connection.execute(update(segments).values(retain_until=past))
    assert await expiry.sweep() == 0
    assert place.exists()
    held.clear()
    (tmp_path / "archive").rename(tmp_path / "unplugged")
    with pytest.raises(StoreAway):
        await expiry.sweep()
    (tmp_path / "unplugged").rename(tmp_path / "archive")
    assert await expiry.sweep() == 1
    assert not place.exists()
    assert await expiry.sweep() == 0
    async with centre.store.read() as connection:
        assert await copies_of(connection, told.segment) == ()
        (row,) = (await connection.execute(select(archive_copies))).all()
    assert row.deleted_why == "term is over"
    written = await acts(centre, "delete_archive_copy")
    assert written[-1].act.object == f"{told.segment} archive"


async def test_a_recording_is_restored_with_the_key_alone_and_proved(
    centre: Centre, tmp_path: Path
) -> None:
    box = await join(centre, tmp_path, "b1")
    async with box.online():
        told, body, place = await archived(centre, box, tmp_path, size=100_000)
    config = tmp_path / "xunkao.toml"
    archive = tmp_path / "archive"
    config.write_text(f'data = "centre"\n[archive]\nurl = "file://{archive}"\n')
    safe = tmp_path / "safe.key"
    shutil.move(centre.config.keys / "archive.key", safe)
    out = tmp_path / "out.mp4"
    words = ("archive", "restore", told.segment, out, "--reason", WHY, "--config", config)
    missing = await asyncio.to_thread(xunkao, *words)
    assert (missing.returncode, out.exists()) == (2, False)
    done = await asyncio.to_thread(xunkao, *words, "--key", safe)
    assert done.returncode == 0, done.stderr
    assert out.read_bytes() == body
    (row,) = await acts(centre, "restore_recording")
    assert (row.act.object, row.act.reason) == (told.segment, WHY)
    copy = bytearray(place.read_bytes())
    copy[-1] ^= 1
    place.write_bytes(copy)
    out.unlink()
    refused = await asyncio.to_thread(xunkao, *words, "--key", safe)
    assert refused.returncode == 2
    assert "not what was written" in refused.stderr
    # The public half is still told, and no second key is made in place of the one in the safe.
    printed = await asyncio.to_thread(xunkao, "archive", "key", "--config", config)
    assert printed.returncode == 0, printed.stderr
    assert not (centre.config.keys / "archive.key").exists()
