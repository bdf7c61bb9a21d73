"""Twenty tampered cameras → phone and wall within seconds; ordinary life → nobody is called."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from edge.simulator.faults import Disturbance, FaultKind
from edge.simulator.film import Job
from tests.e2e.alerting import (
    NOTING,
    a_phone,
    alert_of,
    alerts,
    drawn,
    heal,
    ready_to_see,
    shown_at,
    simulate,
    solve,
)
from tests.e2e.conftest import Demo, log_in, start_demo, stop_demo
from tests.fakes.waiting import until_async

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]
ROOMS = 6
WITHIN_S = 5.0
"""From the instant of the first fully tampered picture to phone and wall, each."""
TAMPERED = (
    ("cam-01", "cover", 1.0),
    ("cam-02", "defocus", 0.6),
    ("cam-03", "move", 0.3),
    ("cam-04", "black", 1.0),
    ("cam-05", "cover", 0.3),
    ("cam-06", "defocus", 0.4),
    ("cam-01", "move", 0.6),
    ("cam-02", "cover", 0.5),
    ("cam-03", "cover", 0.4),
    ("cam-04", "cover", 0.6),
    ("cam-05", "defocus", 1.0),
    ("cam-06", "cover", 0.5),
    ("cam-03", "cover", 0.75),
    ("cam-02", "black", 1.0),
    ("cam-01", "cover", 0.9),
    ("cam-04", "move", 0.15),
    ("cam-03", "defocus", 0.8),
    ("cam-02", "cover", 0.35),
    ("cam-05", "move", 1.0),
    ("cam-06", "black", 1.0),
)
"""Twenty, two at a time, one on each box. `dark` waits 90 s by design and is not here."""
ORDINARY = {"cam-01": "passerby", "cam-02": "lights", "cam-03": "window"}
LASTS_S = 60.0
UNANSWERED = "cam-06"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Demo]:
    tampered = [Job(int(camera[4:]), FaultKind(kind), extent) for camera, kind, extent in TAMPERED]
    ordinary = [
        Job(int(camera[4:]), disturbance=Disturbance(kind)) for camera, kind in ORDINARY.items()
    ]
    await drawn([*tampered, *ordinary, Job(int(UNANSWERED[4:]), FaultKind.COVER, 1.0)])
    running = await start_demo(tmp_path_factory.mktemp("story"), rooms=ROOMS)
    try:
        yield running
    finally:
        assert await stop_demo(running) == 0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wall(site: Demo, browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    page = await context.new_page()
    await page.add_init_script(NOTING)
    await log_in(page, site, "exam_office")
    await page.goto(f"{site.url}/wall")
    tiles = page.locator('[data-testid="tile"][data-state="ok"]')
    await expect(tiles).to_have_count(ROOMS, timeout=60_000)
    await ready_to_see(site, page)
    yield page
    await context.close()


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def all_is_well_again(site: Demo, browser: Browser, wall: Page) -> AsyncIterator[None]:
    """Whatever became of a test, the next one finds no phone on duty and no alert open."""
    yield
    for context in browser.contexts:
        if context is not wall.context:
            await context.close()
    await asyncio.gather(*(heal(site, camera["id"]) for camera in site.ready["cameras"]))
    for alert in await alerts(site, wall, "open"):
        if alert["state"] == "taken":  # it stays with its person until somebody solves it
            await solve(site, wall, alert["id"])
    await until_async(lambda: _none_is_open(site, wall), 30, "the end of all alerts")
    await until_async(lambda: _nobody_is_on_duty(site, wall), 40, "the absence of all phones")


async def test_tampered_cameras_reach_phone_and_wall_within_five_seconds(
    site: Demo, browser: Browser, wall: Page
) -> None:
    phone = await a_phone(site, browser, "operator")
    measured: list[tuple[float, float]] = []
    for pair in zip(TAMPERED[::2], TAMPERED[1::2], strict=True):
        measured += await asyncio.gather(*(_measured(site, wall, phone, *one) for one in pair))
        await asyncio.gather(*(heal(site, camera) for camera, _, _ in pair))
        await until_async(lambda: _none_is_open(site, wall), 30, "the end of all alerts")
    delays = sorted(on_phone for on_phone, _ in measured)
    p50, p95, most = delays[9], delays[18], delays[19]
    print(f"{len(delays)} to the phone: p50 {p50:.2f} p95 {p95:.2f} max {most:.2f} s", flush=True)
    assert len(delays) == 20
    assert max(delays) <= WITHIN_S
    assert max(on_wall for _, on_wall in measured) <= WITHIN_S


async def _measured(
    site: Demo, wall: Page, phone: Page, camera: str, kind: str, extent: float
) -> tuple[float, float]:
    """Seconds from the first fully tampered picture to phone and wall."""
    begins = await simulate(site, camera, "faults", kind=kind, extent=extent)
    alert = await alert_of(site, wall, camera, begins)
    on_phone, on_wall = await asyncio.gather(*(shown_at(p, alert["id"]) for p in (phone, wall)))
    seconds = (on_phone - begins).total_seconds(), (on_wall - begins).total_seconds()
    told = f"{camera} {kind} {extent:g} as {alert['class']}"
    print(f"{told}: phone {seconds[0]:.2f} s, wall {seconds[1]:.2f} s", flush=True)
    return seconds


async def _none_is_open(site: Demo, page: Page) -> bool:
    return not await alerts(site, page, "open")


async def _nobody_is_on_duty(site: Demo, page: Page) -> bool:
    answer = await page.request.get(f"{site.url}/api/v1/duty")
    return not any(one["present"] for one in (await answer.json())["items"])


@dataclass(frozen=True)
class Minute:
    """What became of a minute of ordinary life beside one alert that nobody answers."""

    told: dict[str, list[str]]
    """Of each camera, the classes of its alerts."""
    begins: datetime
    unanswered: dict[str, Any]
    """The alert, as the centre has it once the second phone shows it."""
    first_at: datetime
    second_at: datetime


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def minute(site: Demo, browser: Browser, wall: Page) -> Minute:
    """Let people walk, lights and sun come and go, and one phone lie unanswered, all at once."""
    first = await a_phone(site, browser, "operator")
    second = await a_phone(site, browser, "patrol")
    begins = await simulate(site, UNANSWERED, "faults", kind="cover", extent=1.0)
    orders = (
        simulate(site, camera, "disturbances", kind=kind, seconds=LASTS_S)
        for camera, kind in ORDINARY.items()
    )
    over = max(await asyncio.gather(*orders)) + timedelta(seconds=LASTS_S)
    unanswered = await alert_of(site, wall, UNANSWERED, begins)
    first_at = await shown_at(first, unanswered["id"])
    second_at = await shown_at(second, unanswered["id"], 90)
    await wall.wait_for_function("end => Date.now() > end", arg=over.timestamp() * 1000)
    listed = await alerts(site, wall)
    since = [one for one in listed if datetime.fromisoformat(one["raised_at"]) >= begins]
    told = {
        camera: [one["class"] for one in since if one["camera"] == camera] for camera in ORDINARY
    }
    unanswered = next(one for one in listed if one["id"] == unanswered["id"])
    await heal(site, UNANSWERED)
    await until_async(lambda: _none_is_open(site, wall), 30, "the end of the alert")
    await first.context.close()
    await second.context.close()
    return Minute(told, begins, unanswered, first_at, second_at)


@pytest.mark.parametrize(("camera", "kind"), ORDINARY.items())
async def test_nobody_is_called_for_a_minute_of_ordinary_life(
    minute: Minute, camera: str, kind: str
) -> None:
    assert minute.told[camera] == [], kind


async def test_a_second_phone_gets_what_the_first_does_not_answer(minute: Minute) -> None:
    assert (minute.first_at - minute.begins).total_seconds() <= WITHIN_S
    waited = (minute.second_at - minute.first_at).total_seconds()
    print(f"unanswered → the next person: {waited:.1f} s", flush=True)
    assert 55 < waited < 90
    asked = [one["person"] for one in minute.unanswered["delivery"]]
    assert asked[0] == "陈静"
    assert "李建国" in asked


async def test_a_declined_alert_goes_to_the_next_person_at_once(
    site: Demo, browser: Browser, wall: Page
) -> None:
    first = await a_phone(site, browser, "operator")
    second = await a_phone(site, browser, "patrol")
    begins = await simulate(site, "cam-04", "faults", kind="black")
    alert = (await alert_of(site, wall, "cam-04", begins))["id"]
    await shown_at(first, alert)
    declined_at = datetime.now(UTC)
    await first.locator(f'[data-alert="{alert}"]').get_by_test_id("phone-decline").click()
    waited = (await shown_at(second, alert) - declined_at).total_seconds()
    print(f"declined → the next person: {waited:.1f} s", flush=True)
    assert 0 < waited <= WITHIN_S
    await second.locator(f'[data-alert="{alert}"]').get_by_test_id("phone-take").click()
    on_wall = wall.locator(f'[data-testid="alert"][data-alert="{alert}"]')
    await expect(on_wall.get_by_test_id("alert-taken-by")).to_contain_text("李建国")
    declined = first.locator(f'[data-alert="{alert}"]').get_by_test_id("phone-note")
    await expect(declined).to_contain_text("李建国")


async def test_a_phone_without_network_says_so_and_gets_everything_afterwards(
    site: Demo, browser: Browser, wall: Page
) -> None:
    phone = await a_phone(site, browser, "operator")
    begins = await simulate(site, "cam-02", "faults", kind="cover", extent=0.5)
    before = (await alert_of(site, wall, "cam-02", begins))["id"]
    await shown_at(phone, before)
    await phone.context.set_offline(True)
    await expect(phone.get_by_test_id("phone-bar")).to_be_visible(timeout=30_000)
    faults = {"cam-05": ("black", 1.0), "cam-01": ("cover", 0.9)}
    missed = []
    for camera, (kind, extent) in faults.items():
        begins = await simulate(site, camera, "faults", kind=kind, extent=extent)
        missed.append((await alert_of(site, wall, camera, begins))["id"])
    await solve(site, wall, before)
    for alert in missed:
        await shown_at(wall, alert)
        await expect(phone.locator(f'[data-alert="{alert}"]')).to_have_count(0)
    await expect(phone.get_by_test_id("phone-bar")).to_be_visible()
    await phone.context.set_offline(False)
    await expect(phone.get_by_test_id("phone-bar")).to_be_hidden(timeout=30_000)
    for alert in missed:
        await expect(phone.locator(f'[data-alert="{alert}"]')).to_be_visible(timeout=10_000)
    over = phone.locator(f'[data-alert="{before}"]')
    await expect(over).to_have_attribute("data-state", "solved", timeout=10_000)
    await phone.locator(f'[data-alert="{missed[0]}"]').get_by_test_id("phone-take").click()
    on_wall = wall.locator(f'[data-testid="alert"][data-alert="{missed[0]}"]')
    await expect(on_wall.get_by_test_id("alert-taken-by")).to_contain_text("陈静")
