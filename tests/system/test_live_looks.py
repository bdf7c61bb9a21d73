"""A live process over real TLS, fed over a real socket, watched by a WebRTC client."""

import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from aiohttp import ClientError, ClientSession, TCPConnector

from contract.boxapi import LiveAnswer
from contract.keys import SigningKey
from contract.messages import LookChanged, Stream
from contract.ticket import Ticket
from contract.tls import client_context, self_signed
from edge.live.pictures import Timeline
from tests.fakes.feed import FPS, FakeFeed, drawn_h264
from tests.fakes.live_centre import LiveBox, live_box, make_ticket
from tests.fakes.viewer import FakeViewer
from tests.fakes.waiting import until, until_async

NINE = tuple(f"cam{number}" for number in range(1, 10))


def level_of(camera: str) -> int:
    return 20 + 24 * int(camera[3:])


def gray_cameras(*cameras: str) -> FakeFeed:
    pairs: dict[tuple[str, Stream], list[bytes]] = {
        (camera, "sub"): drawn_h264(level_of(camera)) for camera in cameras
    }
    return FakeFeed(pairs)


@asynccontextmanager
async def box_with(tmp_path: Path, *cameras: str) -> AsyncGenerator[LiveBox]:
    feed = gray_cameras(*cameras)
    async with feed.listen(tmp_path / "run" / "feed.sock"), live_box(tmp_path, *cameras) as box:
        yield box


async def watch(box: LiveBox, viewer: FakeViewer, *cameras: str) -> tuple[Ticket, LiveAnswer]:
    """Look at cameras and wait until a picture of each was decoded."""
    sdp = await viewer.offer()
    ticket = make_ticket(sdp, *cameras)
    answer = await box.answer(ticket, sdp)
    await viewer.accept(answer)
    await until(lambda: len(viewer.frames) == len(answer.tracks), what="a picture of each")
    return ticket, answer


async def refusal(box: LiveBox, ticket: Ticket, sdp: str, key: SigningKey | None = None) -> str:
    response = await box.offer(ticket, sdp, key)
    assert response.status == 403
    return str((await response.json())["code"])


async def test_nine_cameras_on_one_connection_show_nine_pictures(tmp_path: Path) -> None:
    async with box_with(tmp_path, *NINE) as box, FakeViewer.open(9) as viewer:
        _, answer = await watch(box, viewer, *NINE)
        assert [track.camera for track in answer.tracks] == list(NINE)
        for track in answer.tracks:
            assert abs(viewer.levels[track.mid] - level_of(track.camera)) < 10
        seen = dict(viewer.frames)
        await until(lambda: all(viewer.frames[mid] > seen[mid] + 10 for mid in seen))


async def test_only_the_configured_addresses_are_offered(tmp_path: Path) -> None:
    async with box_with(tmp_path, "cam1") as box, FakeViewer.open(1) as viewer:
        _, answer = await watch(box, viewer, "cam1")
        candidates = [line for line in answer.sdp.splitlines() if "candidate:" in line]
        assert candidates
        assert all(" 127.0.0.1 " in line for line in candidates)


async def test_a_refused_ticket_gets_its_code_and_a_fact(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    async with box_with(tmp_path, "cam1") as box, FakeViewer.open(1) as viewer:
        sdp = await viewer.offer()
        good = make_ticket(sdp, "cam1")
        assert await refusal(box, good, sdp, SigningKey.make()) == "forged"
        assert await refusal(box, make_ticket(sdp, "cam1", edge="box2"), sdp) == "other_box"
        assert await refusal(box, make_ticket(sdp + "x", "cam1"), sdp) == "other_offer"
        playback = make_ticket(sdp, "cam1", purpose="playback")
        assert await refusal(box, playback, sdp) == "other_purpose"
        late = make_ticket(sdp, "cam1", start_by=now - timedelta(seconds=1))
        assert await refusal(box, late, sdp) == "late"
        assert await refusal(box, make_ticket(sdp, "cam7"), sdp) == "no_camera"
        assert await refusal(box, make_ticket(sdp, *["cam1"] * 17), sdp) == "too_many"
        await box.answer(good, sdp)
        assert await refusal(box, good, sdp) == "used"
        refused = [
            (fact.reason, fact.jti)
            for fact in box.facts.facts
            if isinstance(fact, LookChanged) and fact.state == "refused"
        ]
        assert refused[0] == ("forged", "")
        assert [reason for reason, _ in refused[1:5]] == [
            "other_box",
            "other_offer",
            "other_purpose",
            "late",
        ]
        assert refused[-1] == ("used", good.jti)


async def test_a_used_ticket_stays_used_after_a_restart(tmp_path: Path) -> None:
    async with FakeViewer.open(1) as viewer:
        sdp = await viewer.offer()
        ticket = make_ticket(sdp, "cam1")
        async with box_with(tmp_path, "cam1") as box:
            await box.answer(ticket, sdp)
        async with box_with(tmp_path, "cam1") as box:
            assert await refusal(box, ticket, sdp) == "used"


async def test_a_client_without_the_pinned_certificate_is_not_heard(tmp_path: Path) -> None:
    thief = SigningKey.make()
    thief.save(tmp_path / "thief.pem")
    (tmp_path / "thief.crt").write_text(self_signed(thief, "centre"))
    async with box_with(tmp_path, "cam1") as box:
        tls = client_context(
            tmp_path / "thief.crt",
            tmp_path / "thief.pem",
            (box.config.keys / "box.crt").read_text(),
        )
        async with ClientSession(connector=TCPConnector(ssl=tls)) as session:
            with pytest.raises((ClientError, ssl.SSLError)):
                await session.get(f"{box.config.url}/live")


async def test_a_look_ends_when_its_leave_runs_out(tmp_path: Path) -> None:
    async with box_with(tmp_path, "cam1") as box, FakeViewer.open(1) as viewer:
        sdp = await viewer.offer()
        soon = datetime.now(UTC) + timedelta(seconds=2)
        ticket = make_ticket(sdp, "cam1", view_until=soon)
        await viewer.accept(await box.answer(ticket, sdp))
        await until(lambda: viewer.frames)
        await until(lambda: viewer.state == "closed", 10)
        assert datetime.now(UTC) >= soon
        assert await box.looks() == []
        assert await box.renew(ticket.jti, soon + timedelta(minutes=1)) == 404


async def test_a_renewed_look_goes_on(tmp_path: Path) -> None:
    async with box_with(tmp_path, "cam1") as box, FakeViewer.open(1) as viewer:
        sdp = await viewer.offer()
        soon = datetime.now(UTC) + timedelta(seconds=2)
        ticket = make_ticket(sdp, "cam1", view_until=soon)
        await viewer.accept(await box.answer(ticket, sdp))
        assert await box.renew(ticket.jti, soon + timedelta(minutes=1)) == 204
        await until(lambda: datetime.now(UTC) > soon + timedelta(seconds=1))
        seen = viewer.frames["0"]
        await until(lambda: viewer.frames["0"] > seen + 5)
        assert await box.looks() == [ticket.jti]


async def test_the_centre_ends_a_look(tmp_path: Path) -> None:
    async with box_with(tmp_path, "cam1") as box, FakeViewer.open(1) as viewer:
        ticket, _ = await watch(box, viewer, "cam1")
        response = await box.session.delete(f"{box.config.url}/live/{ticket.jti}")
        assert response.status == 204
        await until(lambda: viewer.state == "closed")
        states = [fact.state for fact in box.facts.facts if isinstance(fact, LookChanged)]
        assert states == ["began", "ended"]


async def test_a_viewer_who_hangs_up_ends_the_look(tmp_path: Path) -> None:
    async with box_with(tmp_path, "cam1") as box, FakeViewer.open(1) as viewer:
        await watch(box, viewer, "cam1")
        await viewer.hang_up()

        async def nobody_looks() -> bool:
            return not await box.looks()

        await until_async(nobody_looks)


async def test_pictures_go_on_after_the_feed_was_away(tmp_path: Path) -> None:
    feed = gray_cameras("cam1")
    path = tmp_path / "run" / "feed.sock"
    async with live_box(tmp_path, "cam1") as box, FakeViewer.open(1) as viewer:
        async with feed.listen(path):
            await watch(box, viewer, "cam1")
        again = gray_cameras("cam1")
        seen = viewer.frames["0"]
        async with again.listen(path):
            await until(lambda: viewer.frames["0"] > seen + 20)
        stamps = viewer.stamps["0"]
        assert stamps == sorted(set(stamps))


async def test_a_lost_picture_is_sent_again_from_the_cache(tmp_path: Path) -> None:
    async with box_with(tmp_path, "cam1") as box, FakeViewer.open(1) as viewer:
        await watch(box, viewer, "cam1")
        await until(lambda: viewer.frames["0"] > FPS)
        begun = len(viewer.stamps["0"])
        await viewer.say_lost()
        await viewer.say_lost()
        squeezed = Timeline.SQUEEZED
        await until(lambda: squeezed in steps(viewer.stamps["0"][begun:]))
        seen = viewer.frames["0"]
        await until(lambda: viewer.frames["0"] > seen + FPS)
        assert steps(viewer.stamps["0"]).count(squeezed) <= FPS
        assert min(steps(viewer.stamps["0"])) > 0


def steps(stamps: list[int]) -> list[int]:
    return [after - before for before, after in pairwise(stamps)]


async def test_nobody_looking_asks_the_recorder_for_nothing(tmp_path: Path) -> None:
    feed = gray_cameras("cam1")
    async with (
        feed.listen(tmp_path / "run" / "feed.sock"),
        live_box(tmp_path, "cam1") as box,
        FakeViewer.open(1) as viewer,
        FakeViewer.open(1) as second,
    ):
        await watch(box, viewer, "cam1")
        await watch(box, second, "cam1")
        await viewer.hang_up()
        await second.hang_up()
        await until(lambda: feed.wishes[-1] == [])
        assert feed.wishes == [[], [("cam1", "sub")], []]
        assert feed.connections == 1


async def test_a_stream_with_b_frames_is_refused_and_the_others_shown(tmp_path: Path) -> None:
    feed = FakeFeed({("cam1", "sub"): drawn_h264(60, b_frames=2), ("cam2", "sub"): drawn_h264(90)})
    async with (
        feed.listen(tmp_path / "run" / "feed.sock"),
        live_box(tmp_path, "cam1", "cam2") as box,
        FakeViewer.open(2) as viewer,
    ):
        _, answer = await watch(box, viewer, "cam1", "cam2")
        assert [track.camera for track in answer.tracks] == ["cam2"]
        assert [(track.camera, track.code) for track in answer.refused] == [("cam1", "b_frames")]


async def test_a_look_at_h265_alone_is_refused(tmp_path: Path) -> None:
    feed = FakeFeed({("cam1", "sub"): drawn_h264(60)}, codec="h265")
    async with (
        feed.listen(tmp_path / "run" / "feed.sock"),
        live_box(tmp_path, "cam1") as box,
        FakeViewer.open(1) as viewer,
    ):
        sdp = await viewer.offer()
        response = await box.offer(make_ticket(sdp, "cam1"), sdp)
        assert response.status == 400
        assert "h265" in (await response.json())["detail"]


@pytest.mark.parametrize("sdp", ["", "v=0", "m=video nonsense", "v=0\r\nm=application 9 x y\r\n"])
async def test_an_offer_that_is_none_is_refused(tmp_path: Path, sdp: str) -> None:
    async with box_with(tmp_path, "cam1") as box:
        response = await box.offer(make_ticket(sdp, "cam1"), sdp)
        assert response.status == 400
        assert (await response.json())["code"] == "bad_offer"
