"""The whole demo, and Chromium to look at it with."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
READY_WITHIN_S = 120


@dataclass(frozen=True)
class Demo:
    """A running demo: what its ready-file says, and its process."""

    ready: dict[str, Any]
    folder: Path
    process: asyncio.subprocess.Process

    @property
    def url(self) -> str:
        """The console's address."""
        return str(self.ready["url"])

    def account(self, role: str) -> tuple[str, str]:
        """User and password of a role."""
        account = self.ready["accounts"][role]
        return account["user"], account["password"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def start_demo(folder: Path, rooms: int) -> Demo:
    ready_file = folder / "ready.json"
    log = (folder / "demo.log").open("wb")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "orchestrator",
        "demo",
        "--calm",
        "--port",
        str(free_port()),
        "--rooms",
        str(rooms),
        "--data",
        str(folder / "data"),
        "--ready-file",
        str(ready_file),
        stdout=log,
        stderr=log,
        stdin=asyncio.subprocess.DEVNULL,
    )
    log.close()
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            while not ready_file.exists():
                if process.returncode is not None:
                    raise AssertionError((folder / "demo.log").read_text()[-4000:])
                await asyncio.sleep(0.2)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise AssertionError((folder / "demo.log").read_text()[-4000:]) from None
    return Demo(json.loads(ready_file.read_bytes()), folder, process)


async def stop_demo(demo: Demo) -> int:
    if demo.process.returncode is None:
        demo.process.send_signal(signal.SIGINT)
    async with asyncio.timeout(40):
        return await demo.process.wait()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Demo]:
    running = await start_demo(tmp_path_factory.mktemp("demo"), rooms=9)
    try:
        yield running
    finally:
        code = await stop_demo(running)
    assert code == 0, (running.folder / "demo.log").read_text()[-4000:]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=FLAGS
        )
        yield chromium
        await chromium.close()


async def log_in(page: Page, demo: Demo, role: str) -> None:
    """Log in on the page as a role of the demo."""
    user, password = demo.account(role)
    await page.goto(f"{demo.url}/login")
    await page.locator("#user").fill(user)
    await page.locator("#password").fill(password)
    await page.get_by_test_id("log-in").click()
    await page.wait_for_url(lambda url: "/login" not in url)
