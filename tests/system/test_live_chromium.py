"""The box's pictures in a real browser: how soon the first is shown, and whose it is."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp.web import Application, AppRunner, Request, Response, TCPSite, json_response
from playwright.async_api import Page, async_playwright

from contract.messages import Stream
from tests.fakes.feed import FPS, FakeFeed, drawn_h264
from tests.fakes.live_centre import LiveBox, free_port, live_box, make_ticket

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NINE = tuple(f"cam{number}" for number in range(1, 10))
PAGE = """<!doctype html><meta charset="utf-8"><title>tiles</title>
<script>
async function look(cameras) {
  const pc = new RTCPeerConnection({iceServers: [], bundlePolicy: 'max-bundle'});
  const began = performance.now();
  const tiles = cameras.map(camera => {
    const transceiver = pc.addTransceiver('video', {direction: 'recvonly'});
    const video = document.createElement('video');
    video.muted = video.autoplay = video.playsInline = true;
    video.width = 320;
    video.srcObject = new MediaStream([transceiver.receiver.track]);
    document.body.append(video);
    const tile = {camera, video, receiver: transceiver.receiver, frames: 0};
    tile.first = new Promise(resolve => {
      const count = () => {
        if (tile.frames++ === 0) resolve(performance.now() - began);
        video.requestVideoFrameCallback(count);
      };
      video.requestVideoFrameCallback(count);
    });
    return tile;
  });
  await pc.setLocalDescription(await pc.createOffer());
  const body = JSON.stringify({cameras, sdp: pc.localDescription.sdp});
  const answer = await (await fetch('/live', {method: 'POST', body})).json();
  const answered = performance.now() - began;
  await pc.setRemoteDescription({type: 'answer', sdp: answer.sdp});
  window.pc = pc; window.tiles = tiles;
  return {answered, first: await Promise.all(tiles.map(tile => tile.first))};
}
function gray(tile) {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const context = canvas.getContext('2d');
  const {videoWidth, videoHeight} = tile.video;
  context.drawImage(tile.video, 0, 0, videoWidth, videoHeight / 3, 0, 0, 1, 1);
  return context.getImageData(0, 0, 1, 1).data[0];
}
async function seen() {
  const all = [];
  for (const tile of tiles) {
    const stats = [...(await tile.receiver.getStats()).values()];
    const inbound = stats.find(report => report.type === 'inbound-rtp') || {};
    const codec = stats.find(report => report.type === 'codec') || {};
    all.push({gray: gray(tile), decoded: inbound.framesDecoded || 0, lost: inbound.packetsLost,
      pli: inbound.pliCount, freezes: inbound.freezeCount, codec: codec.mimeType});
  }
  return all;
}
</script>"""


def level_of(camera: str) -> int:
    return 20 + 24 * int(camera[3:])


@asynccontextmanager
async def page_for(box: LiveBox) -> AsyncGenerator[Page]:
    """Open a page that asks the box through the test, as the centre relays."""

    async def page(_: Request) -> Response:
        return Response(text=PAGE, content_type="text/html")

    async def live(request: Request) -> Response:
        asked: dict[str, Any] = await request.json()
        ticket = make_ticket(asked["sdp"], *asked["cameras"])
        return json_response(msgspec.to_builtins(await box.answer(ticket, asked["sdp"])))

    app = Application()
    app.router.add_get("/", page)
    app.router.add_post("/live", live)
    runner = AppRunner(app)
    await runner.setup()
    port = free_port()
    await TCPSite(runner, "127.0.0.1", port).start()
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            tab = await browser.new_page()
            await tab.goto(f"http://127.0.0.1:{port}/")
            yield tab
            await browser.close()
    finally:
        await runner.cleanup()


@asynccontextmanager
async def wall(tmp_path: Path) -> AsyncGenerator[Page]:
    """Give a page before a box of nine cameras, 640x360 at 15 a second, GOP 1 s."""
    pairs: dict[tuple[str, Stream], list[bytes]] = {
        (camera, "sub"): drawn_h264(level_of(camera), size=(640, 360), rough=18) for camera in NINE
    }
    async with (
        FakeFeed(pairs).listen(tmp_path / "run" / "feed.sock"),
        live_box(tmp_path, *NINE) as box,
        page_for(box) as page,
    ):
        yield page


@pytest.mark.parametrize("cameras", [NINE[:1], NINE], ids=["one", "nine"])
async def test_chromium_shows_each_cameras_picture_at_once(
    tmp_path: Path, cameras: tuple[str, ...]
) -> None:
    async with wall(tmp_path) as page:
        look = await page.evaluate("cameras => look(cameras)", list(cameras))
        first = sorted(round(ms) for ms in look["first"])
        print(f"\n{len(cameras)} cameras: answered in {look['answered']:.0f} ms, first {first} ms")
        assert first[-1] < 3000  # a busy machine's; the aim of 500 is what is printed
        before = await page.evaluate("seen()")
        await page.wait_for_function(
            "want => Promise.all(tiles.map(async tile => [...(await tile.receiver.getStats())"
            ".values()].find(report => report.type === 'inbound-rtp').framesDecoded))"
            ".then(decoded => decoded.every((frames, at) => frames >= want[at]))",
            arg=[tile["decoded"] + 2 * FPS for tile in before],
            timeout=20_000,
        )
        after = await page.evaluate("seen()")
        print([{key: tile[key] for key in ("lost", "pli", "freezes")} for tile in after])
        assert {tile["codec"] for tile in after} == {"video/H264"}
        for camera, tile in zip(cameras, after, strict=True):
            assert abs(tile["gray"] - level_of(camera)) < 12
