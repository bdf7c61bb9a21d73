"""What tests of alerts share: phones, faults on request, and when a page showed what."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import Browser, Page, expect

from edge.references import References
from edge.simulator.film import Job
from edge.simulator.studio import Studio
from tests.e2e.conftest import Demo
from tests.fakes.waiting import until, until_async

CACHE = Path.home() / ".cache" / "xunkao" / "simulator"
NOTING = """
window.shownAt = {}
const note = () => {
  for (const element of document.querySelectorAll('[data-alert]')) {
    window.shownAt[element.dataset.alert] ??= Date.now()
  }
}
new MutationObserver(note).observe(document, { subtree: true, childList: true, attributes: true })
"""
"""Has a page remember when it first showed each alert."""


async def drawn(jobs: Iterable[Job]) -> None:
    """Have reels in the cache, so that drawing them takes no time from what is measured."""
    async with Studio.open(CACHE) as studio:
        await asyncio.gather(*(studio.reels(job) for job in jobs))


async def simulate(site: Demo, camera: str, what: str, **order: object) -> datetime:
    """Begin a fault or a disturbance; gives when the first picture that shows it is taken."""
    url = f"{site.ready['simulator']['url']}/cameras/{camera}/{what}"
    async with aiohttp.ClientSession() as http, http.post(url, json=order) as answer:
        assert answer.status < 300, await answer.text()
        return datetime.fromisoformat((await answer.json())["begins"])


async def heal(site: Demo, camera: str, what: str = "faults") -> None:
    """End a camera's faults or disturbances."""
    url = f"{site.ready['simulator']['url']}/cameras/{camera}/{what}"
    async with aiohttp.ClientSession() as http, http.delete(url) as answer:
        assert answer.status < 300, await answer.text()


async def a_phone(site: Demo, browser: Browser, role: str, script: str = NOTING) -> Page:
    """A phone of its own, logged in and connected."""
    context = await browser.new_context(viewport={"width": 390, "height": 844})
    page = await context.new_page()
    await page.add_init_script(script)
    user, password = site.account(role)
    await page.goto(f"{site.url}/phone/")
    await page.locator("#user").fill(user)
    await page.locator("#password").fill(password)
    await page.get_by_test_id("log-in").click()
    await expect(page.get_by_test_id("phone-state")).to_be_visible(timeout=20_000)
    await expect(page.get_by_test_id("phone-bar")).to_be_hidden(timeout=20_000)
    return page


async def ready_to_see(site: Demo, page: Page) -> None:
    """Wait until every camera has an approved view and thresholds of its own."""

    async def every_view_is_approved() -> bool:
        listed = await (await page.request.get(f"{site.url}/api/v1/references")).json()
        return all(item["state"] == "approved" for item in listed["items"])

    await until_async(every_view_is_approved, 60, "approved reference views")
    data = {edge["id"]: Path(edge["data"]) for edge in site.ready["edges"]}
    places = [
        References.below(data[camera["edge"]]).folder(camera["id"]) / "thresholds.json"
        for camera in site.ready["cameras"]
    ]
    await until(lambda: all(place.exists() for place in places), 90, "thresholds")


async def alerts(site: Demo, page: Page, state: str = "all") -> list[dict[str, Any]]:
    """The centre's alerts, newest first."""
    answer = await page.request.get(f"{site.url}/api/v1/alerts?state={state}")
    assert answer.ok
    items: list[dict[str, Any]] = (await answer.json())["items"]
    return items


async def solve(site: Demo, page: Page, alert: str, reason: str = "已查看") -> None:
    """Close an alert in the name of whoever the page belongs to."""
    me = await (await page.request.get(f"{site.url}/api/v1/me")).json()
    answer = await page.request.post(
        f"{site.url}/api/v1/alerts/{alert}/solve",
        data={"reason": reason},
        headers={"X-CSRF-Token": me["csrf"]},
    )
    assert answer.ok, await answer.text()


async def alert_of(
    site: Demo, page: Page, camera: str, since: datetime, seconds: float = 20
) -> dict[str, Any]:
    """Wait for the alert about a camera that was raised since then."""
    found: list[dict[str, Any]] = []

    async def is_raised() -> bool:
        found[:] = [
            alert
            for alert in await alerts(site, page)
            if alert["camera"] == camera and datetime.fromisoformat(alert["raised_at"]) >= since
        ]
        return bool(found)

    await until_async(is_raised, seconds, f"an alert about {camera}")
    return found[0]


async def shown_at(page: Page, alert: str, seconds: float = 20) -> datetime:
    """When a page first showed an alert; waits for it."""
    await page.wait_for_function("id => window.shownAt[id]", arg=alert, timeout=seconds * 1000)
    return datetime.fromtimestamp(
        await page.evaluate("id => window.shownAt[id]", alert) / 1000, UTC
    )
