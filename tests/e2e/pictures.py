"""What all pictures of the pages share: sizes, languages, and how one is taken."""

import sys
from pathlib import Path

from playwright.async_api import Browser, Page

from tests.e2e.conftest import Demo

DESK = (1440, 900)
PHONE = (390, 844)
LANGUAGES = ("zh-CN", "en")


async def shoot(page: Page, folder: Path, name: str) -> None:
    """Save what the page shows once it has settled; with video in it, as JPEG."""
    await page.wait_for_timeout(700)
    if name.endswith(".jpg"):
        await page.screenshot(path=folder / name, type="jpeg", quality=80)
    else:
        name = f"{name}.png"
        await page.screenshot(path=folder / name)
    sys.stdout.write(f"{folder / name}\n")


async def open_page(
    browser: Browser, demo: Demo, language: str, size: tuple[int, int], path: str = ""
) -> Page:
    """Open a page in a language and size, nobody logged in."""
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        locale=language,
        timezone_id="Asia/Shanghai",
    )
    await context.add_init_script(f"localStorage.setItem('xunkao.language', '{language}')")
    page = await context.new_page()
    await page.goto(f"{demo.url}{path}")
    return page
