"""Everything on one machine: broker, centre, two boxes, cameras that are not there, an exam now."""

import asyncio
import io
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import openpyxl
from rich.console import Console
from rich.table import Table

from contract import topics
from contract.clock import SystemClock
from contract.keys import write_private
from contract.messages import Source
from orchestrator import config as configuration
from orchestrator.access import Role
from orchestrator.accounts import Person
from orchestrator.centre import Centre, free_port
from orchestrator.config import Config
from orchestrator.overview import Overview
from orchestrator.phones import PhoneLogin
from orchestrator.site import NewCamera, Room, SiteCamera
from orchestrator.story import alert_sentence, approve_views, play

EDGES = ("box-1", "box-2")
ACCOUNTS = {
    Role.exam_office: "王敏",
    Role.patrol: "李建国",
    Role.operator: "陈静",
    Role.sys_admin: "赵磊",
    Role.auditor: "孙丽华",
}
ROLE_WORDS = {
    Role.exam_office: "考试中心 exam office",
    Role.patrol: "巡考 patrol",
    Role.operator: "值班员 operator",
    Role.sys_admin: "系统管理员 system administrator",
    Role.auditor: "审计管理员 auditor",
}
COURSES = (
    ("MATH1001", "高等数学（上）"),
    ("PHYS1102", "大学物理"),
    ("ENGL1003", "大学英语（三）"),
    ("CSCI2101", "数据结构"),
    ("ECON1201", "微观经济学"),
    ("MATH1203", "线性代数"),
    ("LAWS1001", "思想道德与法治"),
    ("ELEC2004", "电路分析"),
    ("STAT2002", "概率论与数理统计"),
)
INVIGILATORS = ("周海燕", "吴志强", "郑晓东", "冯丽", "蒋文", "沈涛", "韩雪", "杨帆", "朱琳")
READY_WITHIN_S = 60.0
VIEWS_WITHIN_S = 20.0
POSTS = {Role.patrol: "A 楼巡考 patrol", Role.operator: "监控室 control room"}
"""Who has a duty phone, and where."""

Pages = Callable[[Centre, Config], AbstractAsyncContextManager[int]]
"""Serves the centre's pages while its block runs; gives the port."""


class DemoFailed(Exception):
    """The demo cannot go on; the message says what failed and where its log is."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line chose."""

    port: int
    rooms: int
    data: Path | None
    ready_file: Path | None
    calm: bool = False
    """Nothing happens by itself."""


@dataclass(slots=True)
class Stage:
    """What stands so far, for the ready-file and the printed summary."""

    options: Options
    folder: Path
    config: Config
    rtsp: str = ""
    control: str = ""
    accounts: dict[Role, tuple[str, str]] = field(default_factory=dict)
    persons: dict[Role, Person] = field(default_factory=dict)
    boxes: dict[str, tuple[str, int, Path]] = field(default_factory=dict)
    phones: list[tuple[str, PhoneLogin]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The console's address."""
        return f"http://127.0.0.1:{self.options.port}"


def room_code(number: int) -> str:
    """Name the n-th room (from 0): six on a floor of building A, then B."""
    building, rest = divmod(number, 18)
    floor, door = divmod(rest, 6)
    return f"{chr(ord('A') + building)}{floor + 1}{door + 1:02d}"


def camera_id(number: int) -> str:
    """Name the n-th camera as the simulator does."""
    return f"cam-{number + 1:02d}"


def demo_zone(now: datetime) -> str:
    """Name a zone in which an exam of two hours may begin now: at night, one where it is day."""
    home = "Asia/Shanghai"
    if 8 <= now.astimezone(ZoneInfo(home)).hour < 20:
        return home
    east = (10 - now.hour + 12) % 24 - 12
    return f"Etc/GMT{-east:+d}"  # POSIX counts westward


def timetable(rooms: int, now: datetime, zone: ZoneInfo) -> bytes:
    """Make the workbook that the demo's exam office loads: one exam per room, running now."""
    local = now.astimezone(zone)
    start = local.replace(second=0, microsecond=0)
    end = start + timedelta(hours=2)
    book = openpyxl.Workbook()
    sheet = book.create_sheet("考试安排", 0)
    sheet.append(["课程代码", "课程名称", "考试日期", "考试时间", "考场", "考试人数", "监考教师"])
    for number in range(rooms):
        code, name = COURSES[number % len(COURSES)]
        first = INVIGILATORS[number % len(INVIGILATORS)]
        second = INVIGILATORS[(number + 4) % len(INVIGILATORS)]
        clock = f"{start:%H:%M}-{end:%H:%M}"
        day = f"{start:%Y-%m-%d}"
        sheet.append([code, name, day, clock, room_code(number), 28 + number, f"{first}、{second}"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@asynccontextmanager
async def child(
    name: str, folder: Path, *command: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a process of ours (`python -m …`) with its log in the folder; it leaves with us."""
    with (folder / f"{name}.log").open("ab") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=out,
            start_new_session=True,  # Ctrl-C is ours to pass on, in order
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(15):
                    await process.communicate()
            except TimeoutError:
                process.kill()
                await process.communicate()
        else:
            await process.communicate()


@contextmanager
def data_folder(chosen: Path | None) -> Iterator[Path]:
    """Give the chosen folder, or one that is gone afterwards."""
    if chosen is not None:
        chosen.mkdir(parents=True, exist_ok=True)
        yield chosen.resolve()
        return
    made = Path(tempfile.mkdtemp(prefix="xunkao-demo-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def prepare(folder: Path, options: Options, now: datetime) -> Stage:
    """Write the centre's configuration; raises DemoFailed for a folder that was used before."""
    if (folder / "centre").exists():
        raise DemoFailed(f"{folder} holds an earlier demo: choose another --data or remove it")
    if options.ready_file is not None:
        options.ready_file.unlink(missing_ok=True)
    path = folder / "xunkao.toml"
    path.write_text(
        f"""data = "centre"
timezone = "{demo_zone(now)}"
listen = "127.0.0.1:{options.port}"
site_name = "巡考演示大学"
camera_subnets = ["127.0.0.0/8"]
lead_in_minutes = 1
lead_out_minutes = 15

[broker]
port = {free_port()}
"""
    )
    return Stage(options, folder, configuration.load(path))


async def make_accounts(stage: Stage, centre: Centre) -> None:
    """One account per role, with a password made for this run."""
    for role, name in ACCOUNTS.items():
        password = secrets.token_urlsafe(12)
        person = await centre.accounts.add_user(role, name, password, [role], by="demo")
        stage.accounts[role] = (role, password)
        stage.persons[role] = person


async def make_phones(stage: Stage, centre: Centre) -> None:
    """A duty phone's log-in for MQTT applications, for patrol and operator."""
    for role, post in POSTS.items():
        login = await centre.phones.issue(stage.persons[role], post, by="demo")
        stage.phones.append((post, login))


async def make_site(stage: Stage, centre: Centre) -> None:
    """The rooms, one camera each, shared among the boxes."""
    rooms, cameras = [], []
    for number in range(stage.options.rooms):
        code, camera = room_code(number), camera_id(number)
        rooms.append(Room(code, code, f"教学楼{code[0]}", "主校区", 60))
        url = f"{stage.rtsp}/{camera}"
        place = SiteCamera(camera, code, EDGES[number % len(EDGES)], f"switch-{code[:2]}")
        cameras.append(NewCamera(place, Source(main=f"{url}/main", sub=f"{url}/sub")))
    await centre.site.put(rooms, cameras, by="demo")


async def start_box(stage: Stage, centre: Centre, stack: AsyncExitStack, edge: str) -> None:
    """Invite a box, enrol it as an administrator would, and run it."""
    folder = stage.folder / edge
    folder.mkdir()
    port = free_port()
    url = f"https://127.0.0.1:{port}"
    path = folder / "edge.toml"
    path.write_text(
        f'''edge = "{edge}"
data = "data"
listen = "127.0.0.1:{port}"
url = "{url}"
media_addresses = ["127.0.0.1"]
camera_subnets = ["127.0.0.0/8"]
minimum_free_bytes = 1_000_000_000
'''
    )
    code = await centre.enrolment.invite(edge, stage.persons[Role.sys_admin].user)
    arguments = ("--centre", stage.url, "--code", str(code), "--config", str(path))
    async with child(f"{edge}-enrol", stage.folder, "edge", "enrol", *arguments) as enrolling:
        await enrolling.communicate()
        if enrolling.returncode:
            log = (stage.folder / f"{edge}-enrol.log").read_text()
            raise DemoFailed(f"{edge} could not enrol: {log[-500:]}")
    process = await stack.enter_async_context(
        child(edge, stage.folder, "edge", "run", "--config", str(path))
    )
    stage.boxes[edge] = (url, process.pid, folder / "data")


async def start_cameras(stage: Stage, stack: AsyncExitStack) -> None:
    """Run the simulator and learn its ports; at the first run it draws and encodes the rooms."""
    count = str(stage.options.rooms)
    process = await stack.enter_async_context(
        child(
            "simulator",
            stage.folder,
            "edge",
            "simulate",
            "--cameras",
            count,
            "--port",
            "0",
            "--control",
            "0",
        )
    )
    if process.stdout is None:
        raise DemoFailed("the simulator has no output")
    while line := (await process.stdout.readline()).decode():
        if line.startswith("ready "):
            _, stage.rtsp, stage.control = line.split()
            return
    raise DemoFailed(f"the simulator did not start: {stage.folder / 'simulator.log'}")


async def load_timetable(stage: Stage, centre: Centre) -> None:
    """Load an exam for every room as the exam office would: file, preview, apply."""
    office = stage.persons[Role.exam_office]
    now = SystemClock().now()
    book = timetable(stage.options.rooms, now, stage.config.zone)
    staged = await centre.timetables.stage(book, "期末考试安排.xlsx", office)
    # A demo is ended long before its two hours: a small disk need not keep it from beginning.
    await centre.timetables.apply(staged.id, office, "演示 demo", override=True)


async def not_recording(stage: Stage, centre: Centre) -> set[str]:
    """Name the cameras that no box says it records."""
    seen = await Overview(centre.store).cameras()
    wanted = {camera_id(number) for number in range(stage.options.rooms)}
    return wanted - {camera for camera, state in seen.items() if state.recording}


async def all_recording(stage: Stage, centre: Centre) -> None:
    """Return when every camera is being recorded; raise DemoFailed when that takes too long."""
    missing: set[str] = set()
    try:
        async with asyncio.timeout(READY_WITHIN_S), centre.events.subscribe() as mailbox:
            while missing := await not_recording(stage, centre):
                try:
                    async with asyncio.timeout(1):
                        await mailbox.get()
                except TimeoutError:
                    continue
    except TimeoutError as error:
        raise DemoFailed(
            f"not recording after {READY_WITHIN_S:g} s: {', '.join(sorted(missing))}; "
            f"logs in {stage.folder}"
        ) from error


async def ready_document(stage: Stage, centre: Centre) -> dict[str, Any]:
    """What a test needs to know of the demo (the form is stable)."""
    return {
        "url": stage.url,
        "accounts": {
            str(role): {"user": user, "password": password}
            for role, (user, password) in stage.accounts.items()
        },
        "mqtt": {
            "url": f"mqtt://127.0.0.1:{stage.config.broker.port}",
            "phones": [
                {
                    "id": login.phone,
                    "post": post,
                    "user": login.user,
                    "password": login.password,
                    "subscribe": topics.duty_alert(login.phone),
                    "ack": topics.duty_ack(login.phone),
                }
                for post, login in stage.phones
            ],
        },
        "edges": [
            {"id": edge, "url": url, "pid": pid, "data": str(data)}
            for edge, (url, pid, data) in stage.boxes.items()
        ],
        "cameras": [
            {
                "id": camera_id(number),
                "room": room_code(number),
                "edge": EDGES[number % len(EDGES)],
                "main": f"{stage.rtsp}/{camera_id(number)}/main",
                "sub": f"{stage.rtsp}/{camera_id(number)}/sub",
            }
            for number in range(stage.options.rooms)
        ],
        "sessions": await sessions_of(centre),
        "simulator": {"url": stage.control},
    }


async def sessions_of(centre: Centre) -> list[dict[str, Any]]:
    """The exams of the timetable, with the windows in which they are recorded."""
    views = await centre.sessions.list(None, None, None, None, 1000)
    return [
        {
            "id": view.session.id,
            "room": view.session.room,
            "start": view.session.start,
            "end": view.session.end,
            "window_start": view.window.start,
            "window_end": view.window.end,
        }
        for view in views
    ]


def show(console: Console, stage: Stage) -> None:
    """Print the address and the accounts."""
    table = Table(title="账号 accounts（仅本次运行有效 for this run only）", title_justify="left")
    table.add_column("角色 role")
    table.add_column("用户名 user", style="bold")
    table.add_column("密码 password", style="bold")
    for role, (user, password) in stage.accounts.items():
        table.add_row(ROLE_WORDS[role], user, password)
    console.print(table)
    console.print(f"\n[bold green]▶ {stage.url}[/]   Ctrl-C 结束 ends it", highlight=False)
    console.print(f"  值班手机 duty phone: {stage.url}/phone/", highlight=False)
    console.print(f"  配置 configuration: {stage.folder}\n", highlight=False, soft_wrap=True)


async def narrate(console: Console, centre: Centre) -> None:
    """Say what happens, as it happens, until cancelled."""
    before: dict[str, str] = {}
    async with centre.events.subscribe() as mailbox:
        async for event in mailbox:
            said = sentence(event.type, event.id, event.data, is_known=event.id in before)
            if said and before.get(event.id) != said:
                before[event.id] = said
                local = event.at.astimezone()
                console.print(f"[dim]{local:%H:%M:%S}[/] {said}", highlight=False)


def sentence(kind: str, subject: str, data: object, *, is_known: bool = False) -> str:
    """Put an event into words, both languages; empty for what is not worth a line."""
    fields = data if isinstance(data, dict) else {}
    state = str(fields.get("state", ""))
    if kind == "camera" and state:
        words = {
            "streaming": "[green]有画面 streaming[/]",
            "stalled": "[yellow]画面停滞 stalled[/]",
            "refused": "[red]拒绝连接 refused[/]",
            "lost": "[red]失去连接 lost[/]",
        }
        return f"摄像机 camera {subject}: {words[state]}" if state in words else ""
    if kind == "alert" and state:
        return alert_sentence(fields, is_known=is_known)
    if kind == "edge" and state:
        return f"边缘盒 box {subject}: {state}"
    if kind == "recording" and "gap" in fields:
        return f"[yellow]录像缺口 gap {fields.get('camera', subject)}: {fields['gap']}[/]"
    if kind == "duty":
        where = "在线 on duty" if fields.get("present") else "离线 gone"
        return f"值班手机 phone {subject}: {where}"
    if kind == "recording":
        return f"录像段已封存 segment sealed {subject}"
    return ""


async def run(options: Options, pages: Pages) -> None:
    """Put everything up, say so, and keep it until cancelled. Raises DemoFailed."""
    console = Console()
    with data_folder(options.data) as folder:
        stage = prepare(folder, options, SystemClock().now())
        async with AsyncExitStack() as stack:
            with console.status("模拟考场 drawing exam rooms…"):
                await start_cameras(stage, stack)
            with console.status("中心 centre…") as status:
                centre = await stack.enter_async_context(Centre.open(stage.config, SystemClock()))
                async with asyncio.TaskGroup() as group:
                    group.create_task(centre.run(), name="centre")
                    await stack.enter_async_context(pages(centre, stage.config))
                    await make_accounts(stage, centre)
                    await make_phones(stage, centre)
                    await make_site(stage, centre)
                    for edge in EDGES:
                        status.update(f"边缘盒 box {edge}…")
                        await start_box(stage, centre, stack, edge)
                    await load_timetable(stage, centre)
                    status.update("等待录像 waiting for every camera to be recorded…")
                    await all_recording(stage, centre)
                    status.update("批准参考画面 approving reference views…")
                    views = group.create_task(
                        approve_views(centre, stage.persons[Role.patrol]), name="views"
                    )
                    await asyncio.wait({views}, timeout=VIEWS_WITHIN_S)
                    if options.ready_file is not None:
                        document = await ready_document(stage, centre)
                        write_private(options.ready_file, msgspec.json.encode(document))
                    status.stop()
                    show(console, stage)
                    if not options.calm:
                        cameras = [camera_id(number) for number in range(options.rooms)]
                        story = play(stage.control, cameras, SystemClock())
                        group.create_task(story, name="story")
                    try:
                        await narrate(console, centre)
                    finally:
                        console.print("正在结束 ending：封存录像 sealing what is open…")
