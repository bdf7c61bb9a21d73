"""The playback page in Chromium, over a centre and a box that holds a minute of footage."""

import io
import itertools
import os
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, Route, ViewportSize, async_playwright, expect

from contract.messages import GapFound
from contract.segmentindex import index_of, key_pictures
from orchestrator.access import Role
from tests.e2e.conftest import CHROMIUM, FLAGS
from tests.fakes.box import FakeBox, segment
from tests.fakes.encoder import pictures
from tests.fakes.waiting import until_async
from tests.system.test_web_alerts import tell
from tests.system.webhouse import PASSWORD, House, enrolled_box, load_exams, open_house
from tests.unit.test_fmp4 import written
from web.app import create_app
from web.routes.recordings import SOURCE_HEADER

WIDE: ViewportSize = {"width": 1440, "height": 900}
NARROW: ViewportSize = {"width": 390, "height": 844}
FRAME_MS = 40
BAR_PX = 4
BARS = 80
"""The bar walks 4 of 320 pixels a frame, so that the picture tells its number, modulo 80."""
WHOLE_BARS = 78
"""The last place where all of a bar is in the picture; one further it looks the same."""
GAP_S = 12
_STILL = 25
"""So many looks alike in a row: half a second and more."""

LOOK = """() => {
  const bar = (video) => {
    const canvas = document.createElement('canvas');
    canvas.width = 320; canvas.height = 180;
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(video, 0, 0, 320, 180);
    const row = context.getImageData(0, 90, 320, 1).data;
    let [at, most] = [0, -1];
    for (let x = 0; x < 313; x++) {
      let sum = 0;
      for (let on = 0; on < 8; on++) sum += row[(x + on) * 4];
      if (sum > most) [at, most] = [x, sum];
    }
    return Math.round(at / 4);
  };
  const screens = [...document.querySelectorAll('[data-testid="screen"]')];
  return {
    clock: Number(document.querySelector('[data-testid="clock"]').dataset.at),
    screens: screens.map((screen) => {
      const video = screen.querySelector('video');
      return {
        state: screen.dataset.state,
        ahead: Number(screen.dataset.ahead),
        frames: video.getVideoPlaybackQuality().totalVideoFrames,
        bar: video.readyState > 1 ? bar(video) : null,
      };
    }),
  };
}"""


@dataclass
class Scene:
    """A page of the exam office, and when the footage begins."""

    house: House
    box: FakeBox
    page: Page
    url: str
    start: datetime

    def ms(self, seconds: float) -> float:
        """An instant of the footage, milliseconds since 1970."""
        return self.start.timestamp() * 1000 + seconds * 1000

    async def look(self) -> dict[str, Any]:
        """What the page shows now."""
        return dict(await self.page.evaluate(LOOK))

    async def settled(self) -> dict[str, Any]:
        """What it shows when nothing moves any more."""
        seen: dict[str, Any] = {}
        alike = 0  # a busy machine paints a picture long after it is due

        async def quiet() -> bool:
            nonlocal seen, alike
            before, seen = seen, await self.look()
            alike = alike + 1 if before == seen else 0
            return alike >= _STILL

        await until_async(quiet, 30, "pictures that stand still")
        return seen

    async def at_its_clock(self) -> dict[str, Any]:
        """What it shows when nothing moves any more, and each picture is the one of the clock."""
        seen = await self.settled()

        async def is_there() -> bool:
            nonlocal seen
            seen = await self.settled()
            right = self.bars_at(seen["clock"], 0)
            return all(screen["bar"] in right for screen in seen["screens"])

        await until_async(is_there, 30, "the pictures of the clock")
        return seen

    async def watch(self, cameras: str, at: float) -> None:
        """Open the page at an instant and begin, with a reason."""
        when = datetime.fromtimestamp(self.ms(at) / 1000, UTC).isoformat(timespec="milliseconds")
        await self.page.goto(
            f"{self.url}/recordings?cameras={cameras}&at={when.replace('+00:00', 'Z')}"
        )
        await self.page.get_by_test_id("play").click()
        await self.page.get_by_test_id("reason").fill("核查考场秩序")
        await self.page.get_by_test_id("start-playback").click()
        showing = self.page.locator('[data-testid="screen"][data-state="showing"]')
        await expect(showing).to_have_count(len(cameras.split(",")), timeout=20_000)

    def bars_at(self, clock: float, began: float) -> set[int]:
        """Which bar a picture of that instant shows, in a segment that began then.

        The page goes half a millisecond into a picture, at a joint it may be either.
        """
        into = clock - self.ms(began) + 0.5
        return {min(int((into + off) // FRAME_MS) % BARS, WHOLE_BARS) for off in (-0.2, 0.2)}


async def shelve(house: House, box: FakeBox, camera: str, start: datetime, seconds: int) -> None:
    began_us = int(start.timestamp() * 1_000_000)
    shots = pictures("h264", seconds * 25, gop=25, start_us=began_us)
    data = b"".join(written(shots, 12))
    sealed = segment(camera, start, seconds, bytes=len(data))
    path = sealed.path.removeprefix("shelf/")
    box.shelf[path], box.indexes[path] = data, index_of(io.BytesIO(data), start)
    await tell(house, box, sealed)


@asynccontextmanager
async def on_stage(tmp_path: Path, locale: str, size: ViewportSize) -> AsyncGenerator[Scene]:
    async with (
        open_house(tmp_path) as house,
        enrolled_box(house, tmp_path) as box,
        async_playwright() as playwright,
    ):
        await load_exams(house)
        start = (house.clock.now() - timedelta(minutes=5)).replace(microsecond=0)
        box.cut_keys = lambda path, first, last: b"".join(
            key_pictures(io.BytesIO(box.shelf[path]), first, last)
        )
        for camera, began, seconds in (
            ("cam-01", 0, 20),
            ("cam-01", 20 + GAP_S, 20),
            ("cam-02", 0, 30),
            ("cam-02", 30, 22),
        ):
            await shelve(house, box, camera, start + timedelta(seconds=began), seconds)
        gap = GapFound(
            gap="g1",
            camera="cam-01",
            stream="main",
            start=start + timedelta(seconds=20),
            end=start + timedelta(seconds=20 + GAP_S),
            cause="lost",
        )
        await tell(house, box, gap)
        server = TestServer(create_app(house.centre))
        await server.start_server()
        chromium = await playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=FLAGS
        )
        try:
            page = await chromium.new_page(viewport=size, locale=locale)
            url = str(server.make_url("")).rstrip("/")
            await page.goto(f"{url}/login")
            await page.locator("#user").fill(Role.exam_office.value)
            await page.locator("#password").fill(PASSWORD)
            await page.get_by_test_id("log-in").click()
            await page.wait_for_url(lambda at: "/login" not in at)
            yield Scene(house, box, page, url, start)
        finally:
            await chromium.close()
            await server.close()


async def test_pictures_follow_the_clock_a_frame_at_a_time_and_over_a_gap(tmp_path: Path) -> None:
    async with on_stage(tmp_path, "zh-CN", WIDE) as scene:
        page = scene.page
        await scene.watch("cam-01,cam-02", 6)
        await page.wait_for_timeout(1000)
        before = await scene.look()
        await page.wait_for_timeout(2000)
        after = await scene.look()
        for old, new in zip(before["screens"], after["screens"], strict=True):
            assert new["frames"] > old["frames"] + 20
            assert abs(new["ahead"]) < 100
        await page.keyboard.press("k")
        seen = [await scene.at_its_clock()]
        for key in (".", ".", ",", "."):
            await page.keyboard.press(key)
            seen.append(await scene.at_its_clock())
        clocks = [one["clock"] for one in seen[1:]]
        assert [b - a for a, b in itertools.pairwise(clocks)] == pytest.approx([40, -40, 40])

        await page.goto(f"{scene.url}/sessions")
        await scene.watch("cam-01", 17.5)
        said = page.get_by_test_id("skipped")
        await expect(said).to_have_text("跳过缺失 12 秒 · 连接中断", timeout=15_000)
        await page.keyboard.press("k")
        landed = await scene.settled()
        assert landed["clock"] >= scene.ms(20 + GAP_S)
        assert landed["screens"][0]["bar"] in scene.bars_at(landed["clock"], 20 + GAP_S)

        await page.goto(f"{scene.url}/sessions")

        async def told() -> bool:
            acts = {row.act.action for row in await scene.house.ledger()}
            return {"open_playback", "watch_recording", "report_playback"} <= acts

        await until_async(told, 10, "the ledger's word of what was watched")


async def test_sixteen_times_the_speed_takes_key_frames_alone(tmp_path: Path) -> None:
    async with on_stage(tmp_path, "en-GB", NARROW) as scene:
        page = scene.page
        await scene.watch("cam-02", 1)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.get_by_test_id("speed-16").click()

        async def far() -> bool:
            return bool((await scene.look())["clock"] > scene.ms(25))

        await until_async(far, 15, "twenty seconds of footage")
        assert any("/keyframes?" in url for url in asked)
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= NARROW["width"], "nothing lies beside a phone's screen"


async def test_a_picture_from_the_archives_copy_says_so(tmp_path: Path) -> None:
    async with on_stage(tmp_path, "en-GB", WIDE) as scene:

        async def as_the_copy(route: Route) -> None:
            answer = await route.fetch()
            headers = {**answer.headers, SOURCE_HEADER: "archive"}
            await route.fulfill(response=answer, headers=headers)

        await scene.page.route(re.compile(r"/recordings/cam-02[^/]*/media"), as_the_copy)
        await scene.watch("cam-01,cam-02", 6)
        said = scene.page.get_by_test_id("from-copy")
        await expect(said).to_have_count(1)
        await expect(said).to_have_text("Archive copy")
        await expect(said).to_have_attribute("title", re.compile("box cannot give"))
        if shot := os.environ.get("XUNKAO_SHOT"):
            await scene.page.screenshot(path=shot)
