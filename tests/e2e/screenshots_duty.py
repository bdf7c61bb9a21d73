"""Pictures of the duty phone and of the alerts page: `python -m tests.e2e.screenshots_duty DIR`."""

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright, expect

from tests.e2e.alerting import alert_of, heal, ready_to_see, simulate
from tests.e2e.conftest import CHROMIUM, FLAGS, Demo, log_in, start_demo, stop_demo

DESK, PHONE = (1440, 900), (390, 844)
LANGUAGES = ("zh-CN", "en")
FAULTS = {"cam-01": ("cover", 0.6), "cam-02": ("defocus", 0.6)}


async def duty(browser: Browser, demo: Demo, folder: Path) -> None:
    """Cover one camera and blur another; then look at phone and console in both languages."""
    console = await _page(browser, demo, LANGUAGES[0], DESK)
    await log_in(console, demo, "patrol")
    await ready_to_see(demo, console)
    for camera, (kind, extent) in FAULTS.items():
        begins = await simulate(demo, camera, "faults", kind=kind, extent=extent)
        await alert_of(demo, console, camera, begins, 60)
    await console.context.close()
    for language in LANGUAGES:
        await _phone(browser, demo, folder, language)
        await _alerts(browser, demo, folder, language)
    for camera in FAULTS:
        await heal(demo, camera)


async def _phone(browser: Browser, demo: Demo, folder: Path, language: str) -> None:
    page = await _page(browser, demo, language, PHONE, "/phone/")
    await page.get_by_test_id("log-in").wait_for()
    await _shoot(page, folder / f"phone-login.{language}.png")
    user, password = demo.account("operator")
    await page.locator("#user").fill(user)
    await page.locator("#password").fill(password)
    await page.get_by_test_id("log-in").click()
    await expect(page.get_by_test_id("phone-alert")).to_have_count(len(FAULTS), timeout=30_000)
    await expect(page.get_by_test_id("phone-bar")).to_be_hidden(timeout=30_000)
    await _shoot(page, folder / f"phone-duty.{language}.png")
    await page.locator('[data-class="covered"]').get_by_test_id("phone-open").click()
    await page.get_by_test_id("phone-back").wait_for()
    await _shoot(page, folder / f"phone-alert.{language}.png")
    await page.get_by_test_id("phone-back").click()
    await page.context.set_offline(True)
    await page.get_by_test_id("phone-bar").wait_for()
    await _shoot(page, folder / f"phone-offline.{language}.png")
    await page.context.close()


async def _alerts(browser: Browser, demo: Demo, folder: Path, language: str) -> None:
    page = await _page(browser, demo, language, DESK)
    await log_in(page, demo, "exam_office")
    await page.goto(f"{demo.url}/alerts")
    await page.get_by_test_id("alert-open").first.click()
    await page.get_by_test_id("alert-pane").wait_for()
    await _shoot(page, folder / f"alerts.{language}.png")
    await page.context.close()


async def _page(
    browser: Browser, demo: Demo, language: str, size: tuple[int, int], path: str = ""
) -> Page:
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        locale=language,
        timezone_id="Asia/Shanghai",
    )
    await context.add_init_script(f"localStorage.setItem('xunkao.language', '{language}')")
    page = await context.new_page()
    await page.goto(f"{demo.url}{path}")
    return page


async def _shoot(page: Page, file: Path) -> None:
    await page.wait_for_timeout(700)
    await page.screenshot(path=file)
    print(file)


async def main() -> None:
    """Run a demo of two rooms and look at it."""
    with tempfile.TemporaryDirectory() as scratch:
        demo = await start_demo(Path(scratch), rooms=len(FAULTS))
        try:
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(
                    executable_path=CHROMIUM, headless=True, args=FLAGS
                )
                await duty(browser, demo, Path(sys.argv[1]))
                await browser.close()
        finally:
            await stop_demo(demo)


if __name__ == "__main__":
    asyncio.run(main())
