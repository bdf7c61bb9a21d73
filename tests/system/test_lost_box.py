"""A box that is gone: its second copies are played and leave the house, under the same rule."""

import asyncio
import hashlib
import zipfile
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import msgspec
import pytest

from contract.archive import FRAME_BYTES, encrypt
from contract.boxapi import SegmentIndex
from contract.keys import SealKey
from contract.messages import Archived, Kept, RetentionRaised, SegmentClosed
from contract.objects import MARK, ArchivePlace, Objects, StoreAway
from contract.segmentindex import index_of, key_pictures
from contract.spans import Span
from orchestrator.access import Role
from orchestrator.accounts import Person
from orchestrator.archive import Archive, NoCopy, open_copy
from orchestrator.boxes import BoxUnreachable
from orchestrator.centre import Centre
from orchestrator.copiedfootage import CopiedFootage
from orchestrator.evidence.exports import Asked
from orchestrator.evidence.maker import Maker
from orchestrator.evidence.plan import EvidenceRefused, Piece, is_over
from orchestrator.evidence.verifier import GENUINE, Report, verify
from orchestrator.playbacks import Playback
from orchestrator.recordings import Media, PlaybackRefused
from tests.fakes.box import FakeBox
from tests.fakes.centre import acts, add_site, join, log_in, running_centre
from tests.fakes.footage import record, taken
from tests.fakes.oracle import decode
from tests.fakes.shelf_box import serving_shelf
from tests.fakes.waiting import until
from tests.guard import sealed_guard


@dataclass
class Scene:
    """A centre with an archive, and ten seconds that box b1 recorded and copied."""

    centre: Centre
    box: FakeBox
    data: Path
    copies: Path
    office: Person
    told: list[SegmentClosed]
    copied: list[bool] = field(default_factory=list)
    """What each opened footage said of itself."""

    @property
    def span(self) -> Span:
        return Span(self.told[0].start, self.told[-1].end)

    def file(self, told: SegmentClosed) -> Path:
        return self.data / told.path

    def second_copies(self) -> CopiedFootage:
        archive = Archive.of(self.centre.store, self.centre.config.archive, self.centre.config.keys)
        assert archive is not None
        return CopiedFootage(archive)

    async def session(self, span: Span | None = None) -> Playback:
        return await self.centre.playbacks.open(
            self.office, ["cam-1"], span or self.span, "核查考场秩序"
        )

    async def index(self, play: Playback, told: SegmentClosed) -> SegmentIndex:
        raw = await self.centre.screening.index(self.office, play.id, told.segment)
        return msgspec.json.decode(raw, type=SegmentIndex)

    async def media(
        self, play: Playback, told: SegmentClosed, wanted: str = ""
    ) -> tuple[str, bytes]:
        opened = self.centre.screening.media(self.office, play.id, told.segment, wanted)
        async with opened as found:
            self.copied.append(found.is_copy)
            return found.content_range, await read(found)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncGenerator[Scene]:
    place, data = tmp_path / "archive", tmp_path / "b1-data"
    place.mkdir()
    (place / MARK).touch()
    archive = ArchivePlace(url=f"file://{place}")
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    first = record(data, "cam-1", start, 5)
    told = [first, record(data, "cam-1", start + timedelta(seconds=5), 5, previous=first.root)]
    async with running_centre(tmp_path, archive=archive) as centre:
        await add_site(centre, ("cam-1", "r1", "b1"))
        box = await join(centre, tmp_path, "b1")
        office = await log_in(centre, Role.exam_office)
        async with box.online():
            copied = [await copy(centre, data, one) for one in told]
            await box.tell(*map(box.fact, told), *map(box.fact, copied))
            await until(lambda: bool(box.heard) and box.heard[-1] == box.seq)
        yield Scene(centre, box, data, place, office, told)


async def copy(centre: Centre, data: Path, told: SegmentClosed) -> Archived:
    """Put a second copy into the archive, as its box does."""
    body = (data / told.path).read_bytes()
    public = SealKey.load(centre.config.keys / "archive.key").public
    sealed = b"".join(encrypt(public, told.segment, told.root, len(body), [body]))
    place = f"b1/cam-1/{told.segment}.xka"
    assert centre.config.archive is not None
    await Objects.of(centre.config.archive).put(place, sealed)
    return Archived(
        segment=told.segment,
        camera="cam-1",
        copy="archive",
        place=place,
        bytes=len(sealed),
        sha256=hashlib.sha256(sealed).hexdigest(),
        verified_at=centre.clock.now(),
    )


async def read(media: Media) -> bytes:
    return b"".join([chunk async for chunk in media.chunks])


async def test_what_a_lost_box_held_plays_to_the_byte_and_says_whence(scene: Scene) -> None:
    play = await scene.session()
    listed = await scene.centre.screening.footage(scene.office, play.id)
    assert [one.id for one in listed] == [one.segment for one in scene.told]
    for told in scene.told:
        file = scene.file(told)
        with file.open("rb") as opened:
            expected = index_of(opened, told.start)
            keys = b"".join(key_pictures(opened, 0, 10**9))
        index = await scene.index(play, told)
        assert index == msgspec.structs.replace(expected, copied=True)
        assert await scene.media(play, told) == (
            f"bytes 0-{told.bytes - 1}/{told.bytes}",
            file.read_bytes(),
        )
        part = index.fragments[1]
        wanted = f"bytes={part.at}-{part.at + part.size - 1}"
        _, some = await scene.media(play, told, wanted)
        assert some == file.read_bytes()[part.at : part.at + part.size]
        opened_keys = scene.centre.screening.key_pictures(scene.office, play.id, told.segment)
        async with opened_keys as found:
            assert await read(found) == keys
    rows = await acts(scene.centre, "play_recording")
    assert [row.act.result for row in rows] == ["from_archive"] * 2, "once a recording"


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A box that does not answer once is lost."""
    monkeypatch.setattr("orchestrator.evidence.maker._TRIES", 1)


async def package(scene: Scene, folder: Path, since_s: float = 0.0) -> tuple[Report, Path]:
    """Hand a genuine package out: of all there is, from so many seconds on."""
    asked = Asked(
        cameras=("cam-1",),
        span=Span(scene.span.start + timedelta(seconds=since_s), scene.span.end),
        reason="成绩复核",
        request="附2-2026-0007",
        recipient="教务处 王敏",
        undertaking=True,
    )
    place = folder / "lost.zip"
    export = await scene.centre.exports.hand_out(scene.office, asked, place)
    assert export.state == "made"
    report = verify(str(place), scene.centre.keyring.evidence.public)
    assert report.code == GENUINE
    return report, place


async def test_a_package_of_a_lost_box_is_made_from_its_copies_and_proved(
    scene: Scene, tmp_path: Path, no_patience: None
) -> None:
    report, place = await package(scene, tmp_path, since_s=2.35)
    assert [row["copied"] for row in report.manifest["segments"]] == ["box_lost"] * 2
    assert report.manifest["viewing"] == []
    files, viewing = report.notes
    assert "2 footage files were read from the archive's copies" in files
    assert "no viewing copy of r1 (cam-1)" in viewing
    with zipfile.ZipFile(place) as archive:
        archive.extractall(tmp_path / "out")
    footage = sorted((tmp_path / "out/footage/cam-1").iterdir())
    expected = [scene.span.start + timedelta(seconds=n / 10) for n in range(24, 100)]
    assert [at for file in footage for at in taken(file)] == expected


async def test_a_box_that_stumbles_gives_all_of_it_itself(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AsyncExitStack() as stack:

        async def come_back(_: Maker, __: float) -> None:
            await stack.enter_async_context(serving_shelf(scene.box, scene.data))

        monkeypatch.setattr(Maker, "pause", come_back)
        report, _ = await package(scene, tmp_path)
    assert not any("copied" in row for row in report.manifest["segments"])
    assert [row["camera"] for row in report.manifest["viewing"]] == ["cam-1"]


def do(harm: str, file: Path) -> None:
    """Play the person who lays hands on a recording."""
    with sealed_guard.by_hand():
        if harm == "gone":
            file.unlink()
            return
        mode = file.stat().st_mode
        file.chmod(0o640)
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
        file.chmod(mode)


@pytest.mark.parametrize("harm", ["gone", "changed"])
async def test_what_its_box_cannot_give_is_the_archives_and_the_rest_its_own(
    scene: Scene, tmp_path: Path, harm: str
) -> None:
    do(harm, scene.file(scene.told[0]))
    async with serving_shelf(scene.box, scene.data):
        report, place = await package(scene, tmp_path)
    assert [row.get("copied") for row in report.manifest["segments"]] == [harm, None]
    (viewing,) = report.manifest["viewing"]
    assert any("does not show all of it" in note for note in report.notes)
    with zipfile.ZipFile(place) as archive:
        archive.extract(viewing["file"], tmp_path)
    blank, *times = decode(tmp_path / viewing["file"]).times
    assert (blank, times[0], len(times)) == (0.0, 5.0, 50), "the second segment's alone"


async def test_a_box_that_is_lost_after_it_gave_the_footage_costs_the_copy_to_look_at_alone(
    scene: Scene, tmp_path: Path, no_patience: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = Maker.ask

    @asynccontextmanager
    async def until_it_dies(
        maker: Maker,
        user: str,
        login: str,
        piece: Piece,
        method: str,
        path: str,
        body: bytes | None,
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        if path == "viewing":
            raise BoxUnreachable(piece.edge)
        async with ask(maker, user, login, piece, method, path, body) as response:
            yield response

    monkeypatch.setattr(Maker, "ask", until_it_dies)
    async with serving_shelf(scene.box, scene.data):
        report, _ = await package(scene, tmp_path)
    assert not any("copied" in row for row in report.manifest["segments"])
    assert report.manifest["viewing"] == []
    (note,) = report.notes
    assert "no viewing copy of r1 (cam-1)" in note


async def test_footage_of_a_wrong_clock_plays_and_leaves_under_its_true_time(
    scene: Scene, tmp_path: Path
) -> None:
    wrong = scene.span.start - timedelta(hours=3)
    told = msgspec.structs.replace(record(scene.data, "cam-1", wrong, 5), clock="untrusted")
    true = Span(told.start + timedelta(hours=2), told.end + timedelta(hours=2))
    kept = Kept(
        segment=told.segment,
        retain_until=scene.centre.clock.now() + timedelta(days=30),
        start=true.start,
        end=true.end,
    )
    box = scene.box
    async with box.online():
        await box.tell(box.fact(told), box.fact(RetentionRaised(kept=(kept,))))
        await until(lambda: bool(box.heard) and box.heard[-1] == box.seq)
    asked = Asked(("cam-1",), true, "成绩复核", "附2-8", "王敏", undertaking=True)
    async with serving_shelf(box, scene.data):
        play = await scene.session(true)
        for _ in range(2):  # the second time from memory
            assert (await scene.index(play, told)).start == true.start
        assert (await scene.media(play, told))[1] == scene.file(told).read_bytes()
        place = tmp_path / "true.zip"
        assert (await scene.centre.exports.hand_out(scene.office, asked, place)).state == "made"
    report = verify(str(place), scene.centre.keyring.evidence.public)
    assert report.code == GENUINE
    (viewing,) = report.manifest["viewing"]
    with zipfile.ZipFile(place) as archive:
        archive.extract(viewing["file"], tmp_path)
    times = decode(tmp_path / viewing["file"]).times
    assert (times[0], len(times)) == (0.0, 50), "every picture, and no card in front of them"


async def test_the_term_of_a_recording_may_end_while_a_package_is_made(scene: Scene) -> None:
    store, now = scene.centre.store, scene.centre.clock.now()
    segment = scene.told[0].segment
    assert not await is_over(store, segment, now)
    assert await is_over(store, segment, now + timedelta(days=31))
    assert await is_over(store, "cam-1.main.20000101T000000000", now)


async def test_damaged_footage_without_a_genuine_copy_is_refused(
    scene: Scene, tmp_path: Path
) -> None:
    for place in scene.copies.rglob("*.xka"):
        place.unlink()
    do("changed", scene.file(scene.told[0]))
    async with serving_shelf(scene.box, scene.data):
        with pytest.raises(EvidenceRefused) as refused:
            await package(scene, tmp_path)
    assert refused.value.code == "footage_changed"
    assert not (tmp_path / "lost.zip").exists()


async def test_a_lost_box_whose_segment_has_no_picture_in_the_span_holds_nothing_up(
    scene: Scene, tmp_path: Path, no_patience: None
) -> None:
    first, second = scene.told
    hair = timedelta(milliseconds=30)
    span = Span(first.end - hair, second.end)  # behind the last picture of the first segment
    asked = Asked(("cam-1",), span, "成绩复核", "附2-7", "王敏", undertaking=True)
    place = tmp_path / "lost.zip"
    assert (await scene.centre.exports.hand_out(scene.office, asked, place)).state == "made"
    report = verify(str(place), scene.centre.keyring.evidence.public)
    assert [row["segment"] for row in report.manifest["segments"]] == [second.segment]


async def test_a_package_without_box_and_copy_is_not_made(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.evidence.maker._TRIES", 1)
    for place in scene.copies.rglob("*.xka"):
        place.unlink()
    asked = Asked(("cam-1",), scene.span, "成绩复核", "附2-7", "王敏", undertaking=True)
    with pytest.raises(BoxUnreachable):
        await scene.centre.exports.hand_out(scene.office, asked, tmp_path / "lost.zip")
    assert not (tmp_path / "lost.zip").exists()


async def test_the_copy_shows_no_more_than_the_session_may(scene: Scene) -> None:
    first = scene.told[0]
    second = timedelta(seconds=1)
    play = await scene.session(Span(first.start + 2.5 * second, first.start + 3 * second))
    await scene.index(play, first)
    with pytest.raises(PlaybackRefused) as refused:
        await scene.media(play, first)
    assert refused.value.code == "outside_span"


async def test_without_a_copy_the_box_is_what_is_missing(scene: Scene) -> None:
    for place in scene.copies.rglob("*.xka"):
        place.unlink()
    play = await scene.session()
    with pytest.raises(BoxUnreachable):
        await scene.index(play, scene.told[0])
    with pytest.raises(BoxUnreachable):
        await scene.index(play, scene.told[0])


async def test_a_copy_that_was_changed_is_no_copy(scene: Scene) -> None:
    for place in scene.copies.rglob("*.xka"):
        data = bytearray(place.read_bytes())
        data[len(data) // 2] ^= 1
        place.write_bytes(data)
    play = await scene.session()
    with pytest.raises(BoxUnreachable):
        await scene.index(play, scene.told[0])


async def test_a_copy_that_went_while_it_was_watched_is_said_before_a_byte_is_sent(
    scene: Scene,
) -> None:
    play = await scene.session()
    await scene.index(play, scene.told[0])
    for place in scene.copies.rglob("*.xka"):
        sealed = place.read_bytes()
        place.write_bytes(sealed[:600] + bytes(len(sealed) - 600))  # its header stands
    with pytest.raises(BoxUnreachable):
        await scene.media(play, scene.told[0])


async def test_an_archive_that_hangs_holds_nobody_for_good(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: object) -> bytes:
        return await asyncio.Future()

    monkeypatch.setattr(Objects, "part", hang)
    monkeypatch.setattr("orchestrator.archive._PART_WITHIN_S", 0.05)
    play = await scene.session()
    for _ in range(2):
        with pytest.raises(BoxUnreachable):
            await scene.index(play, scene.told[0])


async def test_an_archive_that_hangs_while_it_is_read_is_away(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert scene.centre.config.archive is not None
    objects = Objects.of(scene.centre.config.archive)
    key = SealKey.load(scene.centre.config.keys / "archive.key")
    body = bytes(FRAME_BYTES * 3)
    sealed = encrypt(key.public, "x", "00" * 32, len(body), [body])
    await objects.put("b1/cam-1/x.xka", b"".join(sealed))
    real, asked = Objects.part, 0

    async def hang_at_the_third(self: Objects, name: str, start: int, end: int) -> bytes:
        nonlocal asked
        asked += 1
        return await real(self, name, start, end) if asked < 3 else await asyncio.Future()

    monkeypatch.setattr("orchestrator.archive._FRAMES_AT_ONCE", 1)
    monkeypatch.setattr("orchestrator.archive._PART_WITHIN_S", 0.5)
    monkeypatch.setattr(Objects, "part", hang_at_the_third)
    chunks = (await open_copy(objects, "b1/cam-1/x.xka", key)).read(0, len(body))
    assert await anext(chunks) == bytes(FRAME_BYTES)
    with pytest.raises(StoreAway, match="no answer within"):
        await anext(chunks)


async def test_two_who_read_whole_copies_wait_for_each_other_for_a_while_only(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = scene.second_copies()
    begun, real = asyncio.Event(), Objects.part

    async def slow(self: Objects, name: str, start: int, end: int) -> bytes:
        begun.set()
        await ended.wait()
        return await real(self, name, start, end)

    ended = asyncio.Event()
    monkeypatch.setattr(Objects, "part", slow)
    monkeypatch.setattr("orchestrator.copiedfootage._WAIT_FOR_TURN_S", 0.05)
    told = scene.told[0]
    first = asyncio.create_task(copies.index(told.segment, told.start))
    await begun.wait()
    with pytest.raises(NoCopy, match="too slow"):
        await copies.index(told.segment, told.start)
    ended.set()
    assert (await first).is_copy


async def test_while_the_box_answers_nothing_is_taken_from_the_archive(scene: Scene) -> None:
    play = await scene.session()
    async with scene.box.online(), serving_shelf(scene.box, scene.data):
        assert not (await scene.index(play, scene.told[0])).copied
        await scene.media(play, scene.told[1])
    assert await acts(scene.centre, "play_recording") == []
    _, whole = await scene.media(play, scene.told[0])
    assert whole == scene.file(scene.told[0]).read_bytes(), "lost while it was being watched"
    assert scene.copied == [False, True]
    (row,) = await acts(scene.centre, "play_recording")
    assert row.act.result == "from_archive", "though its index came from the box"
    again = await scene.session()
    assert (await scene.media(again, scene.told[0]))[1] == whole
    assert len(await acts(scene.centre, "play_recording")) == 2, "each session for itself"
