"""What happens in the demo: after a minute one camera is covered and another is cut.

The first is covered again and again: whoever looks in later sees an alert too.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import aiohttp

from contract.clock import Clock
from orchestrator.accounts import Person
from orchestrator.alerts.classes import PRIORITY_ZH
from orchestrator.centre import Centre

BEGINS_AFTER_S = 60.0
COVERED_S = 45.0
CUT_AFTER_S = 15.0
CUT_S = 40.0
AGAIN_AFTER_S = 180.0

_STATES = {
    "raised": "[red]新 new[/]",
    "delivered": "[yellow]已送达 delivered[/]",
    "taken": "[cyan]已有人处理 taken[/]",
    "solved": "[green]已解除 over[/]",
    "shelved": "[dim]已搁置 put aside[/]",
}
_FARED = {
    "sent": "已发送 sent",
    "undelivered": "未送达 undelivered",
    "delivered": "已送达 delivered",
    "read": "已读 read",
    "taken": "我来处理 taken",
    "declined": "不便处理 declined",
}


async def play(control: str, cameras: Sequence[str], clock: Clock) -> None:
    """Cover the first camera, once cut the last, through the simulator's control; no end."""
    await clock.sleep(BEGINS_AFTER_S)
    await _cover(control, cameras[0])
    if len(cameras) > 1:
        await clock.sleep(CUT_AFTER_S)
        await fault(control, cameras[-1], kind="cut", seconds=CUT_S)
    while True:
        await clock.sleep(AGAIN_AFTER_S)
        await _cover(control, cameras[0])


async def _cover(control: str, camera: str) -> None:
    await fault(control, camera, kind="cover", seconds=COVERED_S, extent=1.0)


async def fault(control: str, camera: str, **order: object) -> None:
    """Have the simulator make a camera fail; one that is gone changes nothing."""
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{control}/cameras/{camera}/faults", json=order),
        ):
            return
    except aiohttp.ClientError:
        return


async def approve_views(centre: Centre, person: Person) -> None:
    """Approve each camera's first reference view as it comes, until every camera has one."""
    async with centre.events.subscribe() as mailbox:
        while True:
            known = await centre.references.list()
            for reference in known:
                if reference.approved is None and reference.sha256 is not None:
                    await centre.references.approve(person, reference.camera, reference.sha256)
            if all(reference.sha256 is not None for reference in known):
                return
            try:
                async with asyncio.timeout(1):
                    while (await mailbox.get()).type != "reference":
                        pass
            except TimeoutError:
                continue


def alert_sentence(fields: dict[str, Any], *, is_known: bool = False) -> str:
    """Put an alert into words: what, how it stands, and which phone shows it.

    `is_known`: it was told of before, so it is not new.
    """
    what = f"{PRIORITY_ZH[fields['priority']]} {fields['text_zh']} {fields['text_en']}"
    state = "[red]通知中 being told[/]" if is_known else _STATES["raised"]
    if fields["state"] != "raised":
        state = _STATES[fields["state"]]
    said = [f"[bold]警情 alert[/] {state} {what}"]
    said += [
        f"手机 phone {one['phone']}（{one['person']}）{_FARED[one['state']]}"
        for one in fields["delivery"]
    ]
    if fields["taken_by"]:
        said.append(f"处理人 taken by {fields['taken_by']}")
    return " · ".join(said)
