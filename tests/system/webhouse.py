"""A centre behind the web application, with a person of every role."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ClientResponse, CookieJar
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from contract.messages import Source
from orchestrator.access import Role
from orchestrator.centre import Centre
from orchestrator.config import BrokerConfig, Config
from orchestrator.ledger import Entry
from orchestrator.site import NewCamera, Room, SiteCamera
from tests.fakes.clock import ManualClock
from web.app import create_app

PASSWORD = "Four-horses-9-walls"
BASE = "/api/v1"

Client = TestClient[Request, Application]


@dataclass(frozen=True, slots=True)
class House:
    """The centre and a client that is nobody yet."""

    centre: Centre
    client: Client
    clock: ManualClock

    async def log_in(self, role: Role) -> dict[str, str]:
        """Log in as the person of a role; gives the headers of an unsafe call."""
        answer = await self.client.post(
            f"{BASE}/login", json={"user": role.value, "password": PASSWORD}
        )
        assert answer.status == 200, await answer.text()
        return {"X-CSRF-Token": (await answer.json())["csrf"]}

    def forget(self) -> None:
        """Drop the cookies: nobody again."""
        self.client.session.cookie_jar.clear()

    async def ledger(self) -> list[Entry]:
        """Give the whole ledger."""
        return await self.centre.ledger.entries(limit=10_000)


async def code_of(answer: ClientResponse) -> str:
    """Give the stable code of a refusal."""
    assert answer.content_type == "application/problem+json", await answer.text()
    return str((await answer.json())["code"])


@asynccontextmanager
async def open_house(tmp_path: Path) -> AsyncGenerator[House]:
    """Open a centre with two rooms, two cameras, one box and a person of every role."""
    clock = ManualClock()
    config = Config(
        data=tmp_path / "centre",
        broker=BrokerConfig(port=0),
        camera_subnets=("127.0.0.0/8",),
        site_name="试验大学",
    )
    async with Centre.open(config, clock) as centre:
        await furnish(centre)
        server = TestServer(create_app(centre, static=tmp_path / "no-pages"))
        async with TestClient(server, cookie_jar=CookieJar(unsafe=True)) as client:
            yield House(centre, client, clock)


async def furnish(centre: Centre) -> None:
    """Put rooms, cameras and people in."""
    source = Source(main="rtsp://127.0.0.1/main", sub="rtsp://127.0.0.1/sub")
    await centre.site.put(
        [
            Room("A101", "教一 101", "教一", "东校区", 60),
            Room("A102", "教一 102", "教一", "东校区"),
        ],
        [
            NewCamera(SiteCamera("cam-01", "A101", "box-1"), source),
            NewCamera(SiteCamera("cam-02", "A102", "box-1"), source),
        ],
        by="system",
    )
    for role in Role:
        await centre.accounts.add_user(role.value, f"{role.value} 老师", PASSWORD, [role], "system")
