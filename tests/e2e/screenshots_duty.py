"""Pictures of a covered and a blurred camera, on the phone, in the alert centre and on the wall.

`make screenshots` takes them too; `python -m tests.e2e.screenshots_duty DIR` takes these alone.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright, expect

from tests.e2e.alerting import alert_of, alerts, heal, ready_to_see, simulate, solve
from tests.e2e.conftest import CHROMIUM, FLAGS, Demo, log_in, start_demo, stop_demo
from tests.e2e.pictures import DESK, LANGUAGES, PHONE, open_page, shoot
from tests.fakes.waiting import until_async

COVERED, BLURRED = "cam-01", "cam-02"
FAULTS = {COVERED: ("cover", 0.6), BLURRED: ("defocus", 0.6)}


async def duty(browser: Browser, demo: Demo, folder: Path) -> None:
    """Cover one camera and blur another, and look at what people see, in both languages."""
    for language in LANGUAGES:
        console = await open_page(browser, demo, language, DESK)
        await log_in(console, demo, "exam_office")
        await console.goto(f"{demo.url}/wall")
        await ready_to_see(demo, console)
        for camera, (kind, extent) in FAULTS.items():
            begins = await simulate(demo, camera, "faults", kind=kind, extent=extent)
            await alert_of(demo, console, camera, begins, 60)
        phone = await _phone(browser, demo, folder, language)
        await _console(console, demo, folder, language)
        await phone.context.close()
        for camera in FAULTS:
            await heal(demo, camera)
        await _put_in_order(demo, console)
        await console.context.close()


async def _phone(browser: Browser, demo: Demo, folder: Path, language: str) -> Page:
    """Log in, read, take, and lose the network for a moment."""
    page = await open_page(browser, demo, language, PHONE, "/phone/")
    await page.get_by_test_id("log-in").wait_for()
    await shoot(page, folder, f"phone-login.{language}")
    user, password = demo.account("operator")
    await page.locator("#user").fill(user)
    await page.locator("#password").fill(password)
    await page.get_by_test_id("log-in").click()
    waiting = page.locator('[data-testid="phone-alert"]:not([data-state="solved"])')
    await expect(waiting).to_have_count(len(FAULTS), timeout=30_000)
    await expect(page.get_by_test_id("phone-bar")).to_be_hidden(timeout=30_000)
    await shoot(page, folder, f"phone-duty.{language}")
    covered = page.locator('[data-class="covered"]:not([data-state="solved"])')
    await covered.get_by_test_id("phone-open").click()
    await page.get_by_test_id("phone-back").wait_for()
    await shoot(page, folder, f"phone-alert.{language}")
    await page.get_by_test_id("phone-take").click()
    await page.get_by_test_id("phone-back").click()
    await expect(covered).to_have_attribute("data-state", "taken")
    await page.context.set_offline(True)
    await page.get_by_test_id("phone-bar").wait_for()
    await shoot(page, folder, f"phone-offline.{language}")
    await page.context.set_offline(False)
    return page


async def _console(page: Page, demo: Demo, folder: Path, language: str) -> None:
    """The wall with one alert taken and one waiting, then the alert centre."""
    taken = page.get_by_test_id("alert-taken-by")
    await expect(taken).to_have_count(1, timeout=30_000)
    await page.locator('[data-testid="tile"][data-state="ok"]').first.wait_for(timeout=30_000)
    await shoot(page, folder, f"wall-alerts.{language}.jpg")
    await page.goto(f"{demo.url}/alerts")
    await page.get_by_test_id("alert-open").first.click()
    await page.get_by_test_id("alert-pane").wait_for()
    await shoot(page, folder, f"alerts.{language}")


async def _put_in_order(demo: Demo, page: Page) -> None:
    for alert in await alerts(demo, page, "open"):
        if alert["state"] == "taken":
            await solve(demo, page, alert["id"])

    async def none_is_open() -> bool:
        return not await alerts(demo, page, "open")

    await until_async(none_is_open, 60, "the end of all alerts")


async def main() -> None:
    """Run a demo of four rooms and look at it."""
    with tempfile.TemporaryDirectory() as scratch:
        demo = await start_demo(Path(scratch), rooms=4)
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
