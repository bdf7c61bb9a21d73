"""A centre behind the web application, and people of every role."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import ClientResponse, ClientWebSocketResponse, CookieJar, FormData, WSMsgType
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from contract.enrolment import Code
from contract.messages import Source
from orchestrator.access import Role
from orchestrator.centre import Centre
from orchestrator.config import BrokerConfig, Config
from orchestrator.ledger import Entry
from orchestrator.site import NewCamera, Room, SiteCamera
from tests.fakes.box import FakeBox
from tests.fakes.clock import ManualClock
from web.app import create_app

PASSWORD = "Four-horses-9-walls"
BASE = "/api/v1"
OWN_BROKER = BrokerConfig(port=0)

Client = TestClient[Request, Application]


@dataclass(frozen=True, slots=True)
class House:
    """The centre and a client that is nobody yet."""

    centre: Centre
    client: Client
    clock: ManualClock
    hired: set[Role] = field(default_factory=set)

    async def log_in(self, role: Role) -> dict[str, str]:
        """Log in as the person of a role; gives the headers of an unsafe call."""
        await self.hire(role)
        answer = await self.client.post(
            f"{BASE}/login", json={"user": role.value, "password": PASSWORD}
        )
        assert answer.status == 200, await answer.text()
        return {"X-CSRF-Token": (await answer.json())["csrf"]}

    async def hire(self, *roles: Role) -> None:
        """Give each of these roles to a person, unless somebody has it."""
        for role in set(roles) - self.hired:
            name = f"{role.value} 老师"
            await self.centre.accounts.add_user(role.value, name, PASSWORD, [role], "system")
            self.hired.add(role)

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


async def told_at_close(socket: ClientWebSocketResponse) -> int | None:
    """Read to the end; gives the code with which the server closed."""
    code = None
    while not socket.closed:
        message = await socket.receive(timeout=10)
        if message.type is WSMsgType.CLOSE:
            code = message.data
    return code


@asynccontextmanager
async def open_house(
    tmp_path: Path, static: Path | None = None, broker: BrokerConfig = OWN_BROKER
) -> AsyncGenerator[House]:
    """Open a centre with two rooms, two cameras and one box; without pages, unless given some."""
    clock = ManualClock()
    config = Config(
        data=tmp_path / "centre",
        broker=broker,
        camera_subnets=("127.0.0.0/8",),
        site_name="试验大学",
    )
    async with Centre.open(config, clock) as centre:
        await furnish(centre)
        server = TestServer(create_app(centre, static=static or tmp_path / "no-pages"))
        async with TestClient(server, cookie_jar=CookieJar(unsafe=True)) as client:
            yield House(centre, client, clock)


async def furnish(centre: Centre) -> None:
    """Put rooms and cameras in."""
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


def exam_file(
    now: datetime, rooms: tuple[str, ...] = ("A101", "A102"), rejected: bool = True
) -> bytes:
    """Make a timetable of one running exam a room, with a row that cannot be taken."""
    start = now.astimezone(ZoneInfo("Asia/Shanghai")) - timedelta(minutes=10)
    when = f"{start:%Y-%m-%d},{start:%H:%M}-{start + timedelta(hours=2):%H:%M}"
    rows = ["课程代码,课程名称,考试日期,考试时间,考场,考试人数,监考教师"]
    rows += [f"MATH{n},高等数学,{when},{room},30,王敏" for n, room in enumerate(rooms)]
    rows += [f"MATH9,高等数学,{when},Z999,30,王敏"] if rejected else []
    return "\n".join(rows).encode()


async def load_exams(house: House) -> None:
    """Let the exam office load the file; leaves the exam office logged in."""
    headers = await house.log_in(Role.exam_office)
    form = FormData()
    form.add_field("file", exam_file(house.clock.now()), filename="考试安排.csv")
    answer = await house.client.post(f"{BASE}/timetables", data=form, headers=headers)
    staged = await answer.json()
    path = f"{BASE}/timetables/{staged['id']}/apply"
    applied = await house.client.post(path, json={"reason": "期末"}, headers=headers)
    assert await applied.json() == {"added": 2, "removed": 0, "changed": 0}


@asynccontextmanager
async def enrolled_box(house: House, tmp_path: Path) -> AsyncGenerator[FakeBox]:
    """Let box-1 join with a code over HTTP, and serve until the end; leaves nobody logged in."""
    box = await join_box(house, tmp_path)
    async with box.serving():
        yield box


async def join_box(house: House, tmp_path: Path) -> FakeBox:
    """Let box-1 join with a code over HTTP; leaves nobody logged in."""
    headers = await house.log_in(Role.sys_admin)
    invited = await house.client.post(f"{BASE}/edges/box-1/invite", headers=headers)
    code = Code.parse((await invited.json())["code"])
    house.forget()
    folder = tmp_path / "box-1"
    folder.mkdir()
    box = FakeBox("box-1", folder, house.clock)
    body = msgspec.json.encode(box.request(code))
    json = {"Content-Type": "application/json"}
    answer = await house.client.post(f"{BASE}/enrol", data=body, headers=json)
    assert answer.status == 201, await answer.text()
    box.pin(await answer.read(), code)
    again = await house.client.post(f"{BASE}/enrol", data=body, headers=json)
    assert (again.status, await code_of(again)) == (403, "bad_code")
    return box
