"""What the tests of the eyes share: a box whose recorder and eyes run, its facts, its views."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiohttp
import msgspec

from contract.messages import Message, ReferenceTaken, TamperChanged
from edge.journal import Journal
from tests.fakes.cameras import Farm
from tests.fakes.recorder import Box
from tests.fakes.waiting import until, until_async

KINDS: dict[str, type[Message]] = {"tamper": TamperChanged, "reference": ReferenceTaken}


@asynccontextmanager
async def running_eyes(box: Box) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `xunkao-edge eyes` until the block ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "edge", "eyes", "--config", str(box.path)),
        stdin=asyncio.subprocess.PIPE,
        env={**os.environ, "XUNKAO_LOG": "INFO"},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGCONT)
            assert process.stdin
            process.stdin.close()
        async with asyncio.timeout(20):
            await process.wait()


async def tampers(box: Box, camera: str | None = None) -> list[TamperChanged]:
    """Give what was told of pictures, in order."""
    found = [fact for fact in await _facts(box, "tamper") if isinstance(fact, TamperChanged)]
    return [fact for fact in found if camera in (None, fact.camera)]


async def views_taken(box: Box) -> list[ReferenceTaken]:
    """Give what was told of reference views, in order."""
    return [fact for fact in await _facts(box, "reference") if isinstance(fact, ReferenceTaken)]


async def _facts(box: Box, name: str) -> list[Message]:
    kind = KINDS[name]
    async with Journal.open(box.config.journal) as journal:
        rows = await journal.facts_after(0, 10_000)
    return [msgspec.json.decode(row[4], type=kind) for row in rows if row[2] == name]


def approve(box: Box, camera: str, sha256: str) -> None:
    """Approve a reference view, as the centre's next desired state would."""
    box.cameras[camera] = msgspec.structs.replace(box.cameras[camera], reference=sha256)


def order_hour(box: Box) -> None:
    """Order everything for an hour from now."""
    now = datetime.now(UTC)
    box.order(now, now + timedelta(hours=1))


async def approve_first_views(box: Box) -> None:
    """Wait for a view of every camera and approve it."""

    async def taken() -> bool:
        return {fact.camera for fact in await views_taken(box)} >= box.cameras.keys()

    await until_async(taken, 40, "a reference view of every camera")
    for fact in await views_taken(box):
        approve(box, fact.camera, fact.sha256)
    box.save()


async def until_calibrated(box: Box) -> None:
    """Wait until every camera's thresholds are set."""
    folder = box.config.data / "references"
    await until(
        lambda: all((folder / camera / "thresholds.json").exists() for camera in box.cameras),
        60,
        "thresholds for every camera",
    )


@asynccontextmanager
async def fault(farm: Farm, camera: str, kind: str, **more: object) -> AsyncIterator[datetime]:
    """Have one camera fail meanwhile; gives when its pictures begin to show it."""
    async with aiohttp.ClientSession() as http:
        async with http.post(farm.faults(camera), json={"kind": kind, **more}) as answer:
            assert answer.status < 300, await answer.text()
            begins = datetime.fromisoformat((await answer.json())["begins"])
        try:
            yield begins
        finally:
            async with http.delete(farm.faults(camera)) as answer:
                assert answer.status < 300
