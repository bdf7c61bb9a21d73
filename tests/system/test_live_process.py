"""The live process as the agent runs it, and its adapter to WebRTC alone."""

import asyncio
import re
from pathlib import Path

import msgspec
import pytest
from aiohttp import ClientError, ClientSession

from contract.anchors import AnchorFile
from contract.clock import SystemClock
from edge.config import EdgeConfig
from edge.identity import NotEnrolled
from edge.journal import Journal
from edge.live.process import run
from edge.live.webrtc import OfferRefused, Packet, PeerSession, SourceEnded, missing_parts
from tests.fakes.feed import FakeFeed, drawn_h264
from tests.fakes.live_centre import live_box, make_ticket
from tests.fakes.viewer import FakeViewer

HERE = Path(__file__).parents[2]


class NoPictures:
    """A camera that sends nothing."""

    async def next(self) -> Packet:
        raise SourceEnded("nothing to see")

    def begin_again(self) -> None:
        """Nothing to begin with."""


async def test_a_box_without_a_centre_says_so(tmp_path: Path) -> None:
    config = EdgeConfig(edge="box1", data=tmp_path, url="https://127.0.0.1:1")
    with pytest.raises(NotEnrolled, match="xunkao-edge enrol"):
        await run(config, SystemClock())


async def test_looks_and_refusals_stand_in_the_journal(tmp_path: Path) -> None:
    feed = FakeFeed({("cam1", "sub"): drawn_h264(80)})
    async with (
        Journal.open(tmp_path / "journal.sqlite") as journal,
        feed.listen(tmp_path / "run" / "feed.sock"),
        FakeViewer.open(1) as viewer,
    ):
        async with live_box(tmp_path, "cam1", facts=journal) as box:
            sdp = await viewer.offer()
            ticket = make_ticket(sdp, "cam1")
            await box.answer(ticket, sdp)
            await box.offer(ticket, sdp)
        facts = await journal.facts_after(0, 10)
        assert [kind for _, _, kind, _, _ in facts] == ["look"] * 3
        states = re.findall(r'"state":"(\w+)","reason":"([\w ]*)"', str(facts))
        assert states == [("began", ""), ("refused", "used"), ("ended", "the box stopped")]


async def test_an_offer_that_nobody_follows_up_is_given_up() -> None:
    async with FakeViewer.open(1) as viewer:
        offer = await viewer.offer()
        async with PeerSession.open(offer, [NoPictures()], ("127.0.0.1",)) as peer:
            assert await peer.ended(connect_within_s=0.2) == "never connected"


async def test_more_tracks_than_sections_are_refused() -> None:
    async with FakeViewer.open(1) as viewer:
        offer = await viewer.offer()
        with pytest.raises(OfferRefused, match="fewer"):
            async with PeerSession.open(offer, [NoPictures(), NoPictures()], ()):
                pass


async def test_sections_nobody_asked_for_stay_inactive() -> None:
    async with FakeViewer.open(2) as viewer:
        offer = await viewer.offer()
        async with PeerSession.open(offer, [NoPictures()], ("127.0.0.1",)) as peer:
            directions = re.findall(r"a=(sendonly|inactive)", peer.answer)
            assert directions == ["sendonly", "inactive"]
            assert peer.mids == ("0",)
            assert "VP8" not in peer.answer


async def test_two_sessions_at_once_offer_their_own_addresses() -> None:
    async def candidates(address: str) -> set[str]:
        async with FakeViewer.open(1) as viewer:
            offer = await viewer.offer()
            async with PeerSession.open(offer, [NoPictures()], (address,)) as peer:
                return set(re.findall(r"a=candidate:\S+ \d udp \d+ (\S+)", peer.answer))

    both = await asyncio.gather(candidates("127.0.0.1"), candidates("127.0.0.2"))
    assert list(both) == [{"127.0.0.1"}, {"127.0.0.2"}]


def test_the_libraries_have_what_the_adapter_leans_on() -> None:
    assert missing_parts() == []


def test_one_module_alone_imports_the_webrtc_libraries() -> None:
    imports = re.compile(r"^\s*(import|from) (aiortc|aioice|pylibsrtp)\b", re.MULTILINE)
    found = [
        path.relative_to(HERE).as_posix()
        for package in ("contract", "edge", "orchestrator", "web", "vision")
        for path in (HERE / package).rglob("*.py")
        if imports.search(path.read_text())
    ]
    assert found == ["edge/live/webrtc.py"]


async def test_the_centre_alone_may_ask_what_the_box_has_of_the_ledger(tmp_path: Path) -> None:
    async with live_box(tmp_path) as box:
        answer = await box.session.get(f"{box.config.url}/anchors")
        given = msgspec.json.decode(await answer.read(), type=AnchorFile)
        assert (given.edge, given.links) == ("box1", ())
        async with ClientSession() as stranger:
            with pytest.raises(ClientError):
                await stranger.get(f"{box.config.url}/anchors", ssl=False)
