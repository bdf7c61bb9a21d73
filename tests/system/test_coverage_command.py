"""`xunkao coverage`, beside a centre that runs or not."""

import asyncio
import json
from collections.abc import AsyncGenerator
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from contract.keys import SigningKey, to_base64
from orchestrator.__main__ import app
from tests.system.covered import Exam, recorded_exam
from tests.system.webhouse import open_house


@pytest.fixture
async def exam(tmp_path: Path) -> AsyncGenerator[Exam]:
    async with open_house(tmp_path) as house, recorded_exam(house, tmp_path) as exam:
        await exam.tell(*exam.segments, exam.word())
        assert await exam.issue() == ["VERIFIED"]
        text = f'data = "{tmp_path / "centre"}"\nsite_name = "试验大学"\n'
        (tmp_path / "xunkao.toml").write_text(text)
        yield exam


async def coverage(tmp_path: Path, *arguments: str) -> Result:
    config = ("--config", str(tmp_path / "xunkao.toml"))
    return await asyncio.to_thread(CliRunner().invoke, app, ["coverage", *arguments, *config])


async def test_all_sessions_are_listed_with_percentages_and_states(
    exam: Exam, tmp_path: Path
) -> None:
    done = await coverage(tmp_path, "--json")
    assert done.exit_code == 0, done.output
    rows = {row["room"]: row for row in json.loads(done.stdout)}
    assert (rows["A101"]["state"], rows["A101"]["percent"]) == ("VERIFIED", 100)
    assert (rows["A102"]["state"], rows["A102"]["percent"]) == ("ENDED", None)


async def test_what_is_printed_of_a_session_can_be_verified(exam: Exam, tmp_path: Path) -> None:
    done = await coverage(tmp_path, exam.order.session, "--json")
    assert done.exit_code == 0, done.output
    shown = json.loads(done.stdout)
    assert (shown["state"], shown["certificate"]["edition"]) == ("VERIFIED", 1)
    file = tmp_path / "shown.json"
    file.write_text(done.stdout)
    assert (await coverage(tmp_path, "verify", str(file))).exit_code == 0
    file.write_text(done.stdout.replace('\\"recorded_us\\":99', '\\"recorded_us\\":89', 1))
    changed = await coverage(tmp_path, "verify", str(file))
    assert changed.exit_code == 1
    file.write_text("{}")
    assert (await coverage(tmp_path, "verify", str(file))).exit_code == 2


async def test_verifying_needs_the_centres_key_and_nothing_else(exam: Exam, tmp_path: Path) -> None:
    kept = await exam.house.centre.certificates.get(exam.order.session)
    assert kept is not None
    file = tmp_path / "elsewhere.json"
    file.write_bytes(msgspec.json.encode(kept.document))
    (tmp_path / "xunkao.toml").unlink()
    assert (await coverage(tmp_path, "verify", str(file))).exit_code == 3
    key = to_base64(exam.house.centre.certificates.public)
    assert (await coverage(tmp_path, "verify", str(file), "--key", key)).exit_code == 0
    other = to_base64(SigningKey.make().public)
    assert (await coverage(tmp_path, "verify", str(file), "--key", other)).exit_code == 1


async def test_the_paper_goes_into_a_file(exam: Exam, tmp_path: Path) -> None:
    paper = tmp_path / "paper.pdf"
    done = await coverage(tmp_path, exam.order.session, "--pdf", str(paper), "--lang", "en")
    assert done.exit_code == 0, done.output
    assert paper.read_bytes().startswith(b"%PDF-")


async def test_silence_that_is_not_proved_ends_with_one(exam: Exam, tmp_path: Path) -> None:
    span = ("--from", "2026-11-21T12:00:00", "--to", "2026-11-22T12:00:00")
    done = await coverage(tmp_path, "silence", *span, "--json")
    assert done.exit_code == 1, done.output
    assert json.loads(done.stdout)["unproved"]


async def test_a_session_that_is_none_is_said(exam: Exam, tmp_path: Path) -> None:
    assert (await coverage(tmp_path, "s-none")).exit_code == 2
