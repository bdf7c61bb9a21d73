"""Timetable → recorded → seen live, as people do it: in Chromium, on the whole demo."""

import asyncio
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e import shelf
from tests.e2e.conftest import Demo, log_in
from tests.e2e.timetables import tomorrow
from tests.fakes.waiting import until, until_async

pytestmark = pytest.mark.asyncio(loop_scope="module")
READ_PICTURE = (Path(__file__).parent / "picture.js").read_text()


async def pictures(page: Page) -> dict[str, dict[str, Any]]:
    """What each tile shows: frames decoded so far, and the stamp of its picture."""
    return dict(
        await page.evaluate(
            """() => {
              const stamp = READ_PICTURE;
              const tiles = [...document.querySelectorAll('[data-testid="tile"]')];
              return Object.fromEntries(tiles.map((tile) => {
                const video = tile.querySelector('video');
                const quality = video ? video.getVideoPlaybackQuality() : null;
                return [tile.dataset.camera, {
                  state: tile.dataset.state,
                  frames: quality ? quality.totalVideoFrames : 0,
                  stamp: video && video.videoWidth ? stamp(video) : null,
                }];
              }));
            }""".replace("READ_PICTURE", READ_PICTURE)
        )
    )


async def all_tiles_play(page: Page, count: int) -> None:
    tiles = page.locator('[data-testid="tile"][data-state="ok"]')
    await expect(tiles).to_have_count(count, timeout=30_000)


async def test_the_wall_shows_nine_moving_pictures_of_nine_cameras(
    demo: Demo, browser: Browser
) -> None:
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    await log_in(page, demo, "patrol")
    await page.goto(f"{demo.url}/wall")
    await all_tiles_play(page, 9)
    before = await pictures(page)
    await page.wait_for_timeout(3000)
    after = await pictures(page)
    assert set(after) == {camera["id"] for camera in demo.ready["cameras"]}
    for camera, shown in after.items():
        assert shown["frames"] > before[camera]["frames"] + 15, f"{camera} stands still"
        assert shown["stamp"], f"{camera} shows no stamp"
        assert shown["stamp"]["camera"] == int(camera.removeprefix("cam-"))
        late_ms = time.time() * 1000 - shown["stamp"]["at"]
        assert -500 < late_ms < 2000, f"{camera} is {late_ms} ms old"
    await page.close()


async def test_the_exam_office_imports_a_timetable_and_the_boxes_get_it(
    demo: Demo, browser: Browser
) -> None:
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    await log_in(page, demo, "exam_office")
    await page.goto(f"{demo.url}/timetables")
    book = tomorrow(rooms=9, bad_row=True)
    await page.get_by_test_id("timetable-file").set_input_files(
        {"name": "明日考试.xlsx", "mimeType": "application/octet-stream", "buffer": book}
    )
    await page.get_by_test_id("apply").click()
    await expect(page.get_by_text("待定").first).to_be_visible()
    await page.get_by_test_id("confirm-apply").click()
    answer = await page.request.get(f"{demo.url}/api/v1/sessions?limit=100")

    async def planned() -> bool:
        nonlocal answer
        answer = await page.request.get(f"{demo.url}/api/v1/sessions?limit=100")
        return len((await answer.json())["items"]) == 18

    await until_async(planned, 30, "eighteen sessions")

    async def at_the_boxes() -> bool:
        listed = await (await page.request.get(f"{demo.url}/api/v1/edges")).json()
        return all(edge["revision"] >= 2 for edge in listed["items"])

    await until_async(at_the_boxes, 30, "a newer revision at both boxes")
    await page.close()


async def test_an_unreadable_file_is_refused_with_a_reason_and_changes_nothing(
    demo: Demo, browser: Browser
) -> None:
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    await log_in(page, demo, "exam_office")
    before = await (await page.request.get(f"{demo.url}/api/v1/sessions?limit=100")).json()
    await page.goto(f"{demo.url}/timetables")
    await page.get_by_test_id("timetable-file").set_input_files(
        {"name": "坏文件.xlsx", "mimeType": "application/octet-stream", "buffer": b"\x00\x01" * 999}
    )
    await expect(page.get_by_test_id("timetable-error")).to_be_visible(timeout=15_000)
    after = await (await page.request.get(f"{demo.url}/api/v1/sessions?limit=100")).json()
    assert after == before
    await page.close()


async def test_recorded_pictures_carry_the_time_of_the_wall_clock(demo: Demo) -> None:
    cameras = {camera["id"]: camera for camera in demo.ready["cameras"]}
    folders = {edge["id"]: Path(edge["data"]) for edge in demo.ready["edges"]}
    sealed: dict[str, Path] = {}

    def every_camera_has_a_sealed_segment() -> bool:
        for camera, about in cameras.items():
            found = [
                path
                for path in shelf.files(folders[about["edge"]], camera)
                if path.suffix == ".mp4"
            ]
            if found:
                sealed[camera] = found[0]
        return len(sealed) == len(cameras)

    await until(every_camera_has_a_sealed_segment, 150, "a sealed segment of every camera")
    for camera, path in sealed.items():
        taken = await asyncio.to_thread(list, shelf.stamps(path, keys_only=True))
        assert abs(taken[0].captured_at - shelf.began(path)) < timedelta(seconds=1.1), camera
        assert {stamp.camera for stamp in taken} == {int(camera.removeprefix("cam-"))}
        assert not path.stat().st_mode & 0o222, "a sealed segment is not writable"


async def test_a_recording_plays_in_the_browser_with_a_reason_and_stands_in_the_ledger(
    demo: Demo, browser: Browser
) -> None:
    office = await browser.new_page()
    await log_in(office, demo, "exam_office")
    camera = demo.ready["cameras"][0]["id"]
    listed: dict[str, Any] = {}

    async def catalogued() -> bool:
        nonlocal listed
        url = f"{demo.url}/api/v1/recordings?camera={camera}"
        listed = await (await office.request.get(url)).json()
        return bool(listed["items"])

    await until_async(catalogued, 120, "a catalogued recording")
    item = listed["items"][0]
    media = f"{demo.url}/api/v1/recordings/{item['id']}/media"
    refused = await office.request.get(media)
    assert refused.status in (400, 403), "without a reason"
    reason = "复核缺口 e2e"
    shown = await office.evaluate(
        """async (url) => {
          const stamp = READ_PICTURE;
          const video = document.createElement('video');
          video.muted = true;
          video.src = url;
          document.body.append(video);
          await new Promise((resolve, reject) => {
            video.onseeked = resolve;
            video.onerror = () => reject(new Error(video.error.message));
            video.onloadeddata = () => { video.currentTime = 5; };
          });
          return { seconds: video.currentTime, stamp: stamp(video) };
        }""".replace("READ_PICTURE", READ_PICTURE),
        f"{media}?reason={reason}",
    )
    started = datetime.fromisoformat(item["start"]).timestamp()
    assert abs(shown["stamp"]["at"] / 1000 - (started + shown["seconds"])) < 1
    await office.close()
    audit = await browser.new_page()
    await log_in(audit, demo, "auditor")
    rows = await (await audit.request.get(f"{demo.url}/api/v1/ledger?limit=1000")).json()
    assert any(reason in row["reason"] for row in rows["items"])
    await audit.close()


async def test_nobody_sees_pictures_who_keeps_the_system(demo: Demo, browser: Browser) -> None:
    for role in ("sys_admin", "auditor"):
        page = await browser.new_page()
        await log_in(page, demo, role)
        me = await (await page.request.get(f"{demo.url}/api/v1/me")).json()
        camera = demo.ready["cameras"][0]
        answer = await page.request.post(
            f"{demo.url}/api/v1/live",
            data={
                "edge": camera["edge"],
                "cameras": [{"id": camera["id"], "stream": "sub"}],
                "sdp": "v=0\r\n",
            },
            headers={"X-CSRF-Token": me["csrf"], "Origin": demo.url},
        )
        assert answer.status == 403
        assert (await answer.json())["code"] == "forbidden"
        await page.close()
