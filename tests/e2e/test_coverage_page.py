"""The coverage page in a browser: the matrix, the panel, keys, and what each role sees."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from contract.messages import GapFound
from orchestrator.access import Role
from tests.e2e.conftest import CHROMIUM, FLAGS
from tests.system.covered import Exam, recorded_exam
from tests.system.webhouse import PASSWORD, open_house
from web.pages import STATIC

pytestmark = pytest.mark.timeout(120)


@pytest_asyncio.fixture
async def exam(tmp_path: Path) -> AsyncIterator[Exam]:
    """An exam with a minute missing, certified as incomplete; the other room has not told."""
    async with open_house(tmp_path, STATIC) as house, recorded_exam(house, tmp_path) as exam:
        lost = exam.segments.pop(40)
        told = {
            "gap": "g1",
            "camera": "cam-01",
            "stream": "main",
            "start": lost.start,
            "end": lost.end,
            "cause": "refused",
        }
        exam.gaps = [msgspec.convert(told, GapFound)]
        await exam.tell(*exam.segments, *exam.gaps, exam.word())
        assert await exam.issue() == ["INCOMPLETE"]
        await house.hire(*Role)
        yield exam


@pytest_asyncio.fixture
async def own_browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=FLAGS
        )
        yield browser
        await browser.close()


async def open_page(browser: Browser, exam: Exam, role: Role, width: int = 1440) -> Page:
    """Log in and open the page on the exam's day."""
    context = await browser.new_context(viewport={"width": width, "height": 900}, locale="zh-CN")
    page = await context.new_page()
    url = str(exam.house.client.make_url("/")).rstrip("/")
    answer = await context.request.post(
        f"{url}/api/v1/login", data={"user": role.value, "password": PASSWORD}
    )
    assert answer.ok
    await context.add_init_script("localStorage.setItem('xunkao.loggedIn', '1')")
    await page.goto(f"{url}/coverage?day=2026-11-22")
    return page


async def test_a_gap_is_found_by_keys_and_leads_to_playback_and_paper(
    exam: Exam, own_browser: Browser
) -> None:
    page = await open_page(own_browser, exam, Role.exam_office)
    cells = page.get_by_test_id("cell")
    await expect(cells).to_have_count(2)
    await expect(cells.nth(0)).to_have_attribute("data-fare", "gaps")
    await expect(cells.nth(1)).to_have_attribute("data-fare", "untold")
    await cells.nth(1).focus()
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    panel = page.get_by_test_id("panel")
    await expect(panel.get_by_test_id("gap")).to_contain_text("摄像机拒绝连接")
    await expect(panel.get_by_test_id("gap")).to_contain_text("60.0 秒")
    link = panel.get_by_test_id("gap").get_by_role("link")
    assert "/recordings?camera=cam-01&day=2026-11-22&at=" in str(await link.get_attribute("href"))
    paper = await panel.get_by_test_id("pdf-zh").get_attribute("href")
    answer = await page.request.get(str(exam.house.client.make_url(str(paper))))
    assert (await answer.body()).startswith(b"%PDF-")
    await expect(page.get_by_test_id("silence").first).to_be_visible()


async def test_the_auditor_sees_certificates_and_no_way_to_pictures(
    exam: Exam, own_browser: Browser
) -> None:
    page = await open_page(own_browser, exam, Role.auditor, width=390)
    await page.get_by_test_id("cell").nth(0).click()
    panel = page.get_by_test_id("panel")
    await expect(panel.get_by_test_id("pdf-en")).to_be_visible()
    await expect(panel.get_by_test_id("gap").get_by_role("link")).to_have_count(0)
