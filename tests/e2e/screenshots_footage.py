"""Pictures of what becomes of footage: the day's coverage, playback, and what will be deleted.

`make screenshots` takes them too; `python -m tests.e2e.screenshots_footage DIR` takes these alone.
"""

import asyncio
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from tests.e2e.conftest import CHROMIUM, FLAGS, Demo, log_in, start_demo, stop_demo
from tests.e2e.pictures import DESK, LANGUAGES, open_page, shoot

CAMERA = "cam-02"
_SEALED_AFTER_S = 75
REASONS = {"zh-CN": "核查考场秩序", "en": "Conduct in the room"}
HELD = {"zh-CN": "疑似夹带，14 号座位", "en": "Suspected notes, seat 14"}


async def footage(browser: Browser, demo: Demo, folder: Path) -> None:
    """Look at coverage, play what was recorded, and hold some of it, in both languages."""
    for language in LANGUAGES:
        page = await open_page(browser, demo, language, DESK)
        await log_in(page, demo, "exam_office")
        await page.goto(f"{demo.url}/coverage")
        await shoot(page, folder, f"coverage.{language}")
        await _play(page, demo, folder, language)
        await _hold(page, demo, folder, language)
        await page.context.close()


async def _play(page: Page, demo: Demo, folder: Path, language: str) -> None:
    at = datetime.now(UTC) - timedelta(seconds=40)
    stamp = f"{at:%Y-%m-%dT%H:%M:%S}Z"
    await page.goto(f"{demo.url}/recordings?cameras={CAMERA}&at={stamp}")
    await page.get_by_test_id("play").click()
    await page.get_by_test_id("reason").fill(REASONS[language])
    await page.get_by_test_id("start-playback").click()
    await page.wait_for_timeout(3000)
    await shoot(page, folder, f"playback.{language}.jpg")


async def _hold(page: Page, demo: Demo, folder: Path, language: str) -> None:
    await page.goto(f"{demo.url}/holds")
    await page.get_by_test_id("new-hold").click()
    await page.get_by_test_id("hold-rooms").click()
    await page.locator(".el-select-dropdown__item:visible").nth(1).click()
    await page.locator(".el-dialog__title:visible").click()  # the list of rooms is put away
    await page.get_by_test_id("hold-last").first.click()
    await page.get_by_test_id("hold-reason").fill(HELD[language])
    await page.get_by_test_id("place-hold").click()
    await page.get_by_test_id("due-exams").first.wait_for()
    await page.get_by_test_id("hold-exams").first.locator("summary").click()
    await page.wait_for_timeout(5000)  # the boxes have confirmed, and the message is gone
    await page.evaluate("scrollTo(0, 0)")
    await shoot(page, folder, f"holds.{language}")


async def main() -> None:
    """Run a demo until something is sealed, and take these pictures alone."""
    folder = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as scratch:
        demo = await start_demo(Path(scratch), rooms=9)
        try:
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(
                    executable_path=CHROMIUM, headless=True, args=FLAGS
                )
                await asyncio.sleep(_SEALED_AFTER_S)
                await footage(browser, demo, folder)
                await browser.close()
        finally:
            await stop_demo(demo)


if __name__ == "__main__":
    asyncio.run(main())
