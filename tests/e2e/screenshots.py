"""Pictures of the pages for the documents: `make screenshots`; with a folder, of every page."""

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from tests.e2e.conftest import CHROMIUM, FLAGS, Demo, log_in, start_demo, stop_demo
from tests.e2e.pictures import DESK, LANGUAGES, PHONE, open_page, shoot
from tests.e2e.screenshots_duty import duty
from tests.e2e.screenshots_footage import footage
from tests.e2e.timetables import tomorrow

OUT = Path(__file__).parents[2] / "docs" / "guide"


async def wall(page: Page, demo: Demo, folder: Path, name: str) -> None:
    """The wall with every picture there."""
    await page.goto(f"{demo.url}/wall")
    await page.locator('[data-testid="tile"][data-state="ok"]').nth(8).wait_for(timeout=30_000)
    await page.wait_for_timeout(3000)
    await shoot(page, folder, name)


async def timetable(page: Page, demo: Demo, folder: Path, name: str) -> None:
    """The preview of a timetable file with a bad row."""
    await page.goto(f"{demo.url}/timetables")
    await page.get_by_test_id("timetable-file").set_input_files(
        {
            "name": "期末考试安排.xlsx",
            "mimeType": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "buffer": tomorrow(rooms=9, bad_row=True),
        }
    )
    await page.get_by_test_id("apply").wait_for()
    await shoot(page, folder, name)


async def tour(browser: Browser, demo: Demo, folder: Path, *, whole: bool) -> None:
    """Wall and timetable, or every page, in both languages, wide and narrow."""
    for language in LANGUAGES:
        for size, kind in ((DESK, ""), (PHONE, "phone.")):
            page = await open_page(browser, demo, language, size)
            suffix = f"{kind}{language}"
            await page.wait_for_timeout(500)
            if whole:
                await shoot(page, folder, f"login.{suffix}")
            await log_in(page, demo, "exam_office")
            await wall(page, demo, folder, f"wall.{suffix}")
            await timetable(page, demo, folder, f"timetable.{suffix}")
            for path in ("sessions", "recordings", "devices") if whole else ():
                await page.goto(f"{demo.url}/{path}")
                await shoot(page, folder, f"{path}.{suffix}")
            await page.context.close()


async def main() -> None:
    """Run a demo, look at it, keep the pictures that the documents show."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    with tempfile.TemporaryDirectory() as scratch:
        demo = await start_demo(Path(scratch), rooms=9)
        try:
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(
                    executable_path=CHROMIUM, headless=True, args=FLAGS
                )
                await tour(browser, demo, folder, whole=len(sys.argv) > 1)
                await duty(browser, demo, folder)
                await footage(browser, demo, folder)
                await browser.close()
        finally:
            await stop_demo(demo)


if __name__ == "__main__":
    asyncio.run(main())
