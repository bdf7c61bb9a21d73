"""Footage of the demo played in Chromium: in time, in step, frame by frame, over a gap."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.e2e.conftest import Demo, log_in, start_demo, stop_demo
from tests.fakes.waiting import until_async

pytestmark = pytest.mark.asyncio(loop_scope="module")
READ_PICTURE = (Path(__file__).parent / "picture.js").read_text()
LOOK = """() => {
  const stamp = READ_PICTURE;
  const screens = [...document.querySelectorAll('[data-testid="screen"]')];
  return {
    clock: Number(document.querySelector('[data-testid="clock"]').dataset.at),
    screens: screens.map((screen) => {
      const video = screen.querySelector('video');
      return {
        camera: screen.dataset.camera,
        state: screen.dataset.state,
        ahead: Number(screen.dataset.ahead),
        frames: video.getVideoPlaybackQuality().totalVideoFrames,
        at: video.readyState > 1 ? stamp(video).at : null,
        number: video.readyState > 1 ? stamp(video).camera : null,
      };
    }),
  };
}""".replace("READ_PICTURE", READ_PICTURE)
RECORDED_FIRST_S = 14
CUT_S = 12
WIDE: ViewportSize = {"width": 1440, "height": 900}


@dataclass(frozen=True)
class Filmed:
    """A demo in which one camera was away for some seconds."""

    demo: Demo
    alert: str
    early: dict[str, Any]
    """The replay that was asked for while the camera was away."""
    growing: dict[str, Any]
    """What a later replay lists last."""
    index: dict[str, Any]
    refused: tuple[int, str]
    """What a person was told who neither took the alert nor was sent it."""
    gap: tuple[float, float]
    """Milliseconds since 1970."""


async def entered(demo: Demo, role: str) -> tuple[aiohttp.ClientSession, dict[str, str]]:
    jar = aiohttp.CookieJar(unsafe=True)
    client = aiohttp.ClientSession(f"{demo.url}/api/v1/", cookie_jar=jar)
    user, password = demo.account(role)
    answer = await client.post("login", json={"user": user, "password": password})
    return client, {"X-CSRF-Token": (await answer.json())["csrf"], "Origin": demo.url}


async def listed(client: aiohttp.ClientSession, path: str) -> list[dict[str, Any]]:
    answer = await client.get(path)
    return list((await answer.json())["items"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def filmed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Filmed]:
    demo = await start_demo(tmp_path_factory.mktemp("playback"), rooms=2)
    try:
        yield await film(demo)
    finally:
        code = await stop_demo(demo)
    assert code == 0, (demo.folder / "demo.log").read_text()[-4000:]


async def film(demo: Demo) -> Filmed:
    operator, headers = await entered(demo, "operator")
    office, others = await entered(demo, "exam_office")
    async with operator, office:
        await asyncio.sleep(RECORDED_FIRST_S)
        url = f"{demo.ready['simulator']['url']}/cameras/cam-01/faults"
        async with aiohttp.ClientSession() as simulator:
            await simulator.post(url, json={"kind": "cut", "seconds": CUT_S})
        found: list[dict[str, Any]] = []

        async def raised() -> bool:
            nonlocal found
            found = [one for one in await listed(operator, "alerts") if one["camera"] == "cam-01"]
            return bool(found)

        await until_async(raised, 30, "an alert of the camera that is away")
        alert = found[0]["id"]
        path = f"alerts/{alert}/replay"
        refusal = await office.post(path, json={}, headers=others)
        refused = (refusal.status, (await refusal.json())["code"])
        assert (await operator.post(f"alerts/{alert}/take", json={}, headers=headers)).ok
        early = await (await operator.post(path, json={}, headers=headers)).json()
        growing: dict[str, Any] = {}
        later: dict[str, Any] = {}

        async def grows() -> bool:
            nonlocal growing, later
            if later:
                await operator.delete(f"playbacks/{later['id']}", headers=headers)
            later = await (await operator.post(path, json={}, headers=headers)).json()
            files = await listed(operator, f"playbacks/{later['id']}/recordings")
            growing = files[-1] if files else {}
            return bool(growing.get("growing"))

        await until_async(grows, 30, "a file that grows after the camera came back")
        answer = await operator.get(f"recordings/{growing['id']}/index?play={later['id']}")
        index = await answer.json()
        await operator.delete(f"playbacks/{later['id']}", headers=headers)
        sealed: list[tuple[float, float]] = []

        async def catalogued() -> bool:
            nonlocal sealed
            sealed = [
                (ms(one["start"]), ms(one["end"]))
                for one in await listed(office, "recordings?camera=cam-01")
            ]
            second = await listed(office, "recordings?camera=cam-02")
            return len(sealed) > 1 and bool(second)

        await until_async(catalogued, 150, "recordings before and after the gap")
        return Filmed(demo, alert, early, growing, index, refused, (sealed[0][1], sealed[1][0]))


def ms(instant: str) -> float:
    return datetime.fromisoformat(instant).timestamp() * 1000


def iso(at: float) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


async def look(page: Page) -> dict[str, Any]:
    return dict(await page.evaluate(LOOK))


async def watch(page: Page, filmed: Filmed, cameras: str, at: float) -> None:
    await log_in(page, filmed.demo, "exam_office")
    await page.goto(f"{filmed.demo.url}/recordings?cameras={cameras}&at={iso(at)}")
    await page.get_by_test_id("play").click()
    await page.get_by_test_id("reason").fill("复核缺口 e2e")
    await page.get_by_test_id("start-playback").click()
    showing = page.locator('[data-testid="screen"][data-state="showing"]')
    await expect(showing).to_have_count(len(cameras.split(",")), timeout=20_000)


async def standing(page: Page) -> dict[str, Any]:
    """Pause, and give what is seen once the pictures have come to the clock."""
    await page.keyboard.press("k")
    return await settled(page)


async def settled(page: Page) -> dict[str, Any]:
    """Give what is seen once every picture stands, and stands at the clock."""
    seen: dict[str, Any] = {}

    async def quiet() -> bool:
        nonlocal seen
        before, seen = seen, await look(page)
        return bool(before) and before == seen and all(map(has_come, seen["screens"]))

    def has_come(screen: dict[str, Any]) -> bool:
        return screen["at"] is not None and abs(screen["at"] - seen["clock"]) < 100

    await until_async(quiet, 20, "pictures that stand still at the clock")
    return seen


async def test_two_cameras_play_in_step_and_on_the_pages_clock(
    filmed: Filmed, browser: Browser
) -> None:
    page = await browser.new_page(viewport=WIDE, locale="zh-CN")
    await watch(page, filmed, "cam-01,cam-02", filmed.gap[0] - 9000)
    await page.wait_for_timeout(1500)
    before = await look(page)
    await page.wait_for_timeout(2500)
    after = await look(page)
    for old, new in zip(before["screens"], after["screens"], strict=True):
        assert new["frames"] > old["frames"] + 30, f"{new['camera']} stands still"
        assert abs(new["ahead"]) < 100
        assert new["number"] == int(new["camera"].removeprefix("cam-"))
    first, second = after["screens"]
    assert abs(first["at"] - second["at"]) <= 100
    still = await standing(page)
    for screen in still["screens"]:
        assert abs(screen["at"] - still["clock"]) < 100, screen
    await page.close()


async def test_a_step_moves_exactly_one_frame(filmed: Filmed, browser: Browser) -> None:
    page = await browser.new_page(viewport=WIDE, locale="zh-CN")
    await watch(page, filmed, "cam-01", filmed.gap[0] - 8000)
    seen = [await standing(page)]
    for key in (".", ".", ".", ","):
        await page.keyboard.press(key)
        seen.append(await settled(page))
    pictures = [one["screens"][0]["at"] for one in seen]
    steps = [b - a for a, b in pairwise(pictures)]
    assert steps == [40, 40, 40, -40], "the simulated cameras send 25 frames a second"
    await page.close()


async def test_a_gap_is_jumped_and_said(filmed: Filmed, browser: Browser) -> None:
    page = await browser.new_page(viewport=WIDE, locale="zh-CN")
    await watch(page, filmed, "cam-01", filmed.gap[0] - 2500)
    said = page.get_by_test_id("skipped")
    await expect(said).to_contain_text("跳过缺失", timeout=15_000)
    seconds = round((filmed.gap[1] - filmed.gap[0]) / 1000)
    await expect(said).to_contain_text(f"{seconds} 秒")
    still = await standing(page)
    assert still["clock"] >= filmed.gap[1]
    assert abs(still["screens"][0]["at"] - still["clock"]) < 100
    await page.close()


async def test_sixteen_times_the_speed_shows_key_frames(filmed: Filmed, browser: Browser) -> None:
    page = await browser.new_page(viewport=WIDE, locale="zh-CN")
    await watch(page, filmed, "cam-02", filmed.gap[0] - 10_000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    before = await look(page)
    await page.get_by_test_id("speed-16").click()

    async def far() -> bool:
        return bool((await look(page))["clock"] > before["clock"] + 15_000)

    await until_async(far, 10, "fifteen seconds of footage")
    assert any("/keyframes?" in url for url in asked)
    assert not any("/media?" in url for url in asked[1:])
    await page.close()


async def test_what_was_watched_stands_in_the_ledger(filmed: Filmed, browser: Browser) -> None:
    page = await browser.new_page(viewport=WIDE, locale="zh-CN")
    await watch(page, filmed, "cam-02", filmed.gap[0] - 6000)
    await page.wait_for_timeout(2000)
    await page.goto(f"{filmed.demo.url}/sessions")
    auditor, _ = await entered(filmed.demo, "auditor")
    async with auditor:

        async def told() -> bool:
            rows = await listed(auditor, "ledger?limit=1000")
            acts = {row["action"] for row in rows if "复核缺口 e2e" in row["reason"]}
            return {"open_playback", "watch_recording", "report_playback"} <= acts

        await until_async(told, 15, "the ledger's word of what was watched")
    await page.close()


async def test_whoever_took_an_alert_looks_back_and_others_do_not(
    filmed: Filmed, browser: Browser
) -> None:
    assert filmed.refused == (403, "not_on_duty")
    assert filmed.index["growing"] is True
    assert filmed.index["fragments"], "whole fragments of the file that grows"
    page = await browser.new_page(viewport=WIDE, locale="zh-CN")
    await log_in(page, filmed.demo, "operator")
    await page.goto(f"{filmed.demo.url}/alerts?tab=taken&alert={filmed.alert}")
    pane = page.locator(f'[data-testid="alert-pane"][data-alert="{filmed.alert}"]')
    await pane.get_by_test_id("replay").click()
    shown = page.locator('[data-testid="replay-dialog"] [data-state="showing"]')
    await expect(shown).to_have_count(1, timeout=20_000)
    await page.wait_for_timeout(1000)
    seen = await look(page)
    assert ms(filmed.early["from"]) - 100 <= seen["screens"][0]["at"] <= filmed.gap[0]
    await page.close()
