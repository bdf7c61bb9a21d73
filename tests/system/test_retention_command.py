"""`xunkao retention due`, beside a centre that runs."""

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from orchestrator.__main__ import app
from tests.system.covered import Exam, recorded_exam
from tests.system.webhouse import open_house


@pytest.fixture
async def exam(tmp_path: Path) -> AsyncGenerator[Exam]:
    async with open_house(tmp_path) as house, recorded_exam(house, tmp_path) as exam:
        await exam.tell(*exam.segments)
        text = f'data = "{tmp_path / "centre"}"\nsite_name = "试验大学"\n'
        (tmp_path / "xunkao.toml").write_text(text)
        yield exam


async def due(tmp_path: Path, at: str, *arguments: str) -> Result:
    command = ["retention", "due", "--at", at, "--config", str(tmp_path / "xunkao.toml")]
    return await asyncio.to_thread(CliRunner().invoke, app, [*command, *arguments])


async def shown(tmp_path: Path, at: datetime, *arguments: str) -> dict[str, Any]:
    done = await due(tmp_path, at.isoformat(), "--json", *arguments)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


async def test_thirty_days_after_its_window_footage_is_due_and_not_a_second_before(
    exam: Exam, tmp_path: Path
) -> None:
    end = exam.order.end + timedelta(days=30)
    before = await shown(tmp_path, end - timedelta(seconds=1))
    assert (before["due"], before["totals"]["due"]["segments"]) == ([], 0)
    after = await shown(tmp_path, end)
    assert after["totals"]["due"]["segments"] == len(exam.segments)
    assert after["totals"]["due"]["bytes"] == sum(one.bytes for one in exam.segments)
    (named,) = after["exams"]
    assert (named["session"]["id"], named["room"]) == (exam.order.session, "A101")
    assert named["due"] == after["totals"]["due"]
    assert {one["id"] for one in after["due"]} == {one.segment for one in exam.segments}
    some = await shown(tmp_path, end, "--limit", "3")
    assert len(some["due"]) == 3
    assert some["totals"] == after["totals"]


async def test_an_instant_without_an_offset_is_local_and_the_words_say_so(
    exam: Exam, tmp_path: Path
) -> None:
    local = (exam.order.end + timedelta(days=30, hours=8)).replace(tzinfo=None)
    done = await due(tmp_path, local.isoformat())
    assert done.exit_code == 0, done.output
    assert f"by {local:%Y-%m-%d %H:%M}:" in done.stdout
    assert f"deleted        {len(exam.segments):8} recordings" in done.stdout
    (named,) = [line for line in done.stdout.splitlines() if line.startswith(f"  {local:%Y-%m-%d}")]
    assert f"{local:%Y-%m-%d %H:%M}" in named
    assert f"{len(exam.segments)} recordings" in named


async def test_what_is_no_instant_is_refused_with_an_example(exam: Exam, tmp_path: Path) -> None:
    done = await due(tmp_path, "next week")
    assert done.exit_code == 2
    assert "'next week' is no instant (2026-11-25T08:00:00+08:00)" in done.output
