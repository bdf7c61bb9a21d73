"""Evidence packages through centre and box: what leaves, and what is on record of it."""

import asyncio
import errno
import json
import sys
import zipfile
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import insert, update

from contract.messages import SegmentClosed
from contract.spans import Span
from orchestrator.access import Role
from orchestrator.accounts import Person
from orchestrator.centre import Centre
from orchestrator.certificates.document import read
from orchestrator.certificates.records import columns_of
from orchestrator.certificates.verifying import parse
from orchestrator.evidence import exports as module
from orchestrator.evidence.exports import KEPT_FOR, Asked, Export, Exports
from orchestrator.evidence.package import Growing
from orchestrator.evidence.plan import EvidenceRefused
from orchestrator.evidence.verifier import GENUINE, verify
from orchestrator.store.tables import certificates, exports, segments
from tests.fakes.box import FakeBox
from tests.fakes.broker import background
from tests.fakes.centre import acts, add_site, hold_exam, join, log_in, running_centre
from tests.fakes.certified import chain, issued, known
from tests.fakes.certified import facts as known_facts
from tests.fakes.footage import record, taken
from tests.fakes.gone import gone
from tests.fakes.shelf_box import serving_shelf
from tests.fakes.waiting import until, until_async
from tests.guard.sealed_guard import by_hand

SINCE = timedelta(seconds=2.35)
UNTIL = timedelta(seconds=7.25)


@dataclass
class Scene:
    """A centre, a box with ten seconds of footage, and the exam office."""

    centre: Centre
    box: FakeBox
    data: Path
    office: Person
    start: datetime
    told: list[SegmentClosed] = field(default_factory=list)

    def asked(self, since: timedelta = SINCE, until: timedelta = UNTIL) -> Asked:
        return Asked(
            cameras=("cam-1",),
            span=Span(self.start + since, self.start + until),
            reason="成绩复核",
            request="附2-2026-0007",
            recipient="教务处 王敏",
            requester="李雷",
            approved_by=("赵主任",),
            undertaking=True,
        )

    async def made(self, asked: Asked | None = None) -> Export:
        """Ask for a package and wait until it stands."""
        export = await self.centre.exports.ask(self.office, asked or self.asked())
        return await self.ended(export.id)

    async def ended(self, id: str) -> Export:
        async def is_over() -> bool:
            found = await self.centre.exports.get(id)
            return found.state not in ("waiting", "making")

        await until_async(is_over)
        return await self.centre.exports.get(id)

    def file(self, export: Export) -> Path:
        return self.centre.config.exports / f"{export.id}.zip"

    @property
    def left(self) -> list[str]:
        return sorted(path.name for path in self.centre.config.exports.iterdir())


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncGenerator[Scene]:
    async with running_centre(tmp_path) as centre:
        await add_site(centre, ("cam-1", "r1", "b1"), ("cam-2", "r1", "b1"))
        box = await join(centre, tmp_path, "b1")
        data = tmp_path / "shelf-of-b1"
        start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
        first = record(data, "cam-1", start, 5)
        later = start + timedelta(seconds=5)
        second = record(data, "cam-1", later, 5, previous=first.root, codec="h265")
        office = await log_in(centre, Role.exam_office)
        async with box.online(), serving_shelf(box, data):
            await box.tell(box.fact(first), box.fact(second))
            await until(lambda: bool(box.heard) and box.heard[-1] == box.seq)
            yield Scene(centre, box, data, office, start, [first, second])


async def refusal(scene: Scene, asked: Asked, person: Person | None = None) -> str:
    with pytest.raises(EvidenceRefused) as refused:
        await scene.centre.exports.ask(person or scene.office, asked)
    return refused.value.code


# ---------------------------------------------------------------- what leaves


async def test_a_package_holds_the_span_proved_and_nothing_outside_it(
    scene: Scene, tmp_path: Path
) -> None:
    export = await scene.made()
    assert (export.state, export.problem) == ("made", "")
    path = scene.file(export)
    assert path.stat().st_mode & 0o777 == 0o600
    report = verify(str(path), scene.centre.keyring.evidence.public)
    assert (report.code, report.notes) == (GENUINE, [])
    expected = [scene.start + timedelta(seconds=n / 10) for n in range(24, 73)]
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "out")
    footage = sorted((tmp_path / "out/footage/cam-1").iterdir())
    assert [at for file in footage for at in taken(file)] == expected
    assert taken(tmp_path / "out/viewing/cam-1.mp4") == expected
    manifest = json.loads((tmp_path / "out/manifest.json").read_bytes())
    assert manifest["who"] == {
        "requester": "李雷",
        "approved_by": ["赵主任"],
        "exported_by": "exam_office",
        "recipient": "教务处 王敏",
    }
    assert manifest["why"] == {"reason": "成绩复核", "request": "附2-2026-0007"}
    assert [row["lead_in"]["pictures"] for row in manifest["segments"]] == [4, 0]
    assert manifest["what"]["missing"] == []


async def test_the_certificates_of_the_exams_concerned_are_in_it_and_no_others(
    scene: Scene, tmp_path: Path
) -> None:
    office = scene.centre.certificates
    for name, hours in (("s-in", 0), ("s-before", 5)):
        await certify(scene.centre, name, scene.start - timedelta(hours=hours))
    path = scene.file(await scene.made())
    report = verify(str(path), scene.centre.keyring.evidence.public)
    assert (report.code, report.notes) == (GENUINE, [])
    (row,) = report.manifest["certificates"]
    assert row["session"] == "s-in"
    kept = await office.get("s-in", row["edition"])
    with zipfile.ZipFile(path) as archive:
        assert kept is not None
        assert parse(archive.read(row["file"])) == kept.document


async def certify(centre: Centre, session: str, start: datetime) -> None:
    """Have a certificate of a ten-minute session that cam-1 watched."""
    await hold_exam(centre, "r1", start, 10, session)
    plain = known_facts(known("cam-1", chain("cam-1", (0, 9900))))
    window = {"window_start": start, "window_end": start + timedelta(minutes=10)}
    sitting = msgspec.structs.replace(plain.sitting, id=session, **window)
    document = issued(replace(plain, sitting=sitting))
    columns = columns_of(document, read(document.certificate.body))
    async with centre.store.write() as connection:
        await connection.execute(insert(certificates).values(**columns))


async def test_every_step_stands_in_the_ledger_before_it_is_taken(scene: Scene) -> None:
    export = await scene.made()
    link = await scene.centre.exports.link(scene.office, export.id)
    async with scene.centre.exports.fetch(scene.office, export.id, link.token) as (_, content):
        assert content.read(2) == b"PK"
    (asked,) = await acts(scene.centre, "ask_evidence")
    assert export.id in asked.act.object
    assert asked.act.reason == "成绩复核"
    (made,) = await acts(scene.centre, "make_evidence")
    assert made.act.reason == f"sha256 {export.sha256}"
    (fetched,) = await acts(scene.centre, "fetch_evidence")
    assert (fetched.act.actor, fetched.act.result) == ("exam_office", "ok")
    with zipfile.ZipFile(scene.file(export)) as archive:
        head = json.loads(archive.read("manifest.json"))["ledger"]
    assert asked.id <= head["row"] < made.id


async def test_a_part_that_was_not_recorded_is_declared(scene: Scene) -> None:
    asked = scene.asked(until=timedelta(seconds=14))
    plan = await scene.centre.exports.estimate(scene.office, asked.cameras, asked.span)
    ((camera, hole),) = plan.missing
    assert (camera, hole.seconds) == ("cam-1", 4)
    export = await scene.made(asked)
    with zipfile.ZipFile(scene.file(export)) as archive:
        (missing,) = json.loads(archive.read("manifest.json"))["what"]["missing"]
    assert missing["camera"] == "cam-1"


async def test_what_its_box_deleted_before_a_hold_was_placed_is_declared_as_missing(
    scene: Scene,
) -> None:
    first = scene.told[0]
    async with scene.centre.store.write() as connection:
        await connection.execute(gone("b1", first.segment, "cam-1", first.start, first.end))
    with by_hand():
        (scene.data / first.path).unlink()
    export = await scene.made()
    assert export.state == "made", export.problem
    with zipfile.ZipFile(scene.file(export)) as archive:
        (missing,) = json.loads(archive.read("manifest.json"))["what"]["missing"]
    assert missing["camera"] == "cam-1"


async def test_the_size_is_said_beforehand_and_is_about_right(scene: Scene) -> None:
    asked = scene.asked()
    plan = await scene.centre.exports.estimate(scene.office, asked.cameras, asked.span)
    export = await scene.made()
    assert export.bytes is not None
    assert export.bytes < plan.bytes < 20 * export.bytes


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize("role", [Role.patrol, Role.operator, Role.sys_admin, Role.auditor])
async def test_only_the_exam_office_exports(scene: Scene, role: Role) -> None:
    person = await log_in(scene.centre, role)
    assert await refusal(scene, scene.asked(), person) == "forbidden"
    (row,) = await acts(scene.centre, "ask_evidence")
    assert (row.act.actor, row.act.result) == (role.value, "forbidden")


async def test_without_reason_number_recipient_or_undertaking_nothing_leaves(scene: Scene) -> None:
    asked = scene.asked()
    assert await refusal(scene, replace(asked, reason=" ")) == "reason_required"
    assert await refusal(scene, replace(asked, request="")) == "bad_request"
    assert await refusal(scene, replace(asked, recipient="")) == "bad_request"
    assert await refusal(scene, replace(asked, undertaking=False)) == "undertaking_required"


async def test_spans_that_cannot_be_exported_are_refused_by_code(scene: Scene) -> None:
    asked, now = scene.asked(), scene.centre.clock.now()
    hour = timedelta(hours=1)

    def at(since: datetime, until: datetime) -> Asked:
        return replace(asked, span=Span(since, until))

    assert await refusal(scene, at(now - hour, now + hour)) == "not_over"
    assert await refusal(scene, at(now - 9 * hour, now - hour / 2)) == "too_long"
    assert await refusal(scene, at(now - hour, now - 2 * hour)) == "bad_request"
    assert await refusal(scene, at(now - 9 * hour, now - 5 * hour)) == "no_footage"
    old = now - timedelta(days=31)
    assert await refusal(scene, at(old, old + hour)) == "expired"
    assert await refusal(scene, replace(asked, cameras=("cam-1", "cam-1"))) == "bad_request"
    assert await refusal(scene, replace(asked, cameras=("cam-9",))) == "no_such"


async def test_a_span_of_which_a_part_is_past_its_term_is_refused(scene: Scene) -> None:
    first = segments.c.id == scene.told[0].segment
    async with scene.centre.store.write() as connection:
        now = scene.centre.clock.now()
        await connection.execute(update(segments).where(first).values(retain_until=now))
    assert await refusal(scene, scene.asked()) == "expired"


async def test_footage_that_was_changed_on_the_box_does_not_become_evidence(scene: Scene) -> None:
    path = scene.data / scene.told[1].path
    data = bytearray(path.read_bytes())
    data[-1000] ^= 1
    with by_hand():
        path.chmod(0o640)
        path.write_bytes(data)
        path.chmod(0o440)
    export = await scene.made()
    assert (export.state, export.problem) == ("failed", "footage_changed")
    assert scene.left == []
    (row,) = await acts(scene.centre, "fail_evidence")
    assert (row.act.object, row.act.reason) == (export.id, "footage_changed")


async def test_a_recording_that_is_gone_from_the_box_is_said_to_be(scene: Scene) -> None:
    with by_hand():
        (scene.data / scene.told[0].path).unlink()
    assert (await scene.made()).problem == "no_footage"


async def test_a_full_disk_is_noticed_before_anything_is_taken(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("", (), {"free": 1000})())
    export = await scene.made()
    assert (export.state, export.problem) == ("failed", "no_space")
    assert scene.left == []


async def test_a_disk_that_fills_up_on_the_way_is_named_and_nothing_half_is_left(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(growing: Growing, data: bytes) -> None:
        if growing.size > 10_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(growing, data)

    write = Growing.write
    monkeypatch.setattr(Growing, "write", full)
    export = await scene.made()
    assert (export.state, export.problem) == ("failed", "no_space")
    assert scene.left == []


# ---------------------------------------------------------------- fetching, cancelling, ending


async def opened(scene: Scene, export: Export, token: str) -> str:
    """Open a package by a link; gives the refusal's code, or ok."""
    try:
        async with scene.centre.exports.fetch(scene.office, export.id, token):
            return "ok"
    except EvidenceRefused as refused:
        return refused.code


async def test_a_link_opens_the_package_once(scene: Scene) -> None:
    export = await scene.made()
    centre = scene.centre.exports
    old = await centre.link(scene.office, export.id)
    new = await centre.link(scene.office, export.id)
    assert await opened(scene, export, old.token) == "link_used"
    assert await opened(scene, export, new.token) == "ok"
    assert await opened(scene, export, new.token) == "link_used"
    results = [row.act.result for row in await acts(scene.centre, "fetch_evidence")]
    assert results == ["link_used", "ok", "link_used"]


async def test_a_package_is_removed_after_its_day_and_the_ledger_says_so(scene: Scene) -> None:
    export = await scene.made()
    link = await scene.centre.exports.link(scene.office, export.id)
    over = scene.centre.clock.now() - timedelta(seconds=1)
    assert export.retain_until is not None
    assert export.made_at is not None
    assert export.retain_until - export.made_at == KEPT_FOR
    async with scene.centre.store.write() as connection:
        await connection.execute(update(exports).values(retain_until=over, link_until=over))
    await scene.centre.exports.remove_due()
    assert scene.left == []
    assert (await scene.centre.exports.get(export.id)).state == "removed"
    assert len(await acts(scene.centre, "remove_evidence")) == 1
    with pytest.raises(EvidenceRefused, match="expired"):
        async with scene.centre.exports.fetch(scene.office, export.id, link.token):
            pass


async def test_a_package_is_removed_while_another_is_made(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = await scene.made()
    over = scene.centre.clock.now() - timedelta(seconds=1)
    async with scene.centre.store.write() as connection:
        await connection.execute(update(exports).values(retain_until=over, link_until=over))
    making = asyncio.Event()

    async def for_hours(_: Exports) -> bool:
        making.set()
        await asyncio.Event().wait()
        return True

    monkeypatch.setattr(Exports, "make_next", for_hours)
    async with background(scene.centre.exports.run()):
        await making.wait()
        await until(lambda: scene.left == [], what="its removal")
    assert (await scene.centre.exports.get(export.id)).state == "removed"


async def test_a_package_that_is_given_up_leaves_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(*_: object) -> None:
        begun.set()
        await go_on.wait()

    monkeypatch.setattr("orchestrator.evidence.maker._Job.viewing", slow)
    export = await scene.centre.exports.ask(scene.office, scene.asked())
    await asyncio.wait_for(begun.wait(), 20)
    assert scene.left == [f".{export.id}.zip.part"]
    assert (await scene.centre.exports.get(export.id)).done_bytes > 0
    await scene.centre.exports.cancel(scene.office, export.id)
    await until(lambda: scene.left == [])
    assert (await scene.centre.exports.get(export.id)).state == "cancelled"
    with pytest.raises(EvidenceRefused, match="cancelled"):
        await scene.centre.exports.link(scene.office, export.id)
    monkeypatch.undo()
    assert (await scene.made()).state == "made"


async def test_what_a_crash_left_half_is_removed_and_made_anew_on_record(scene: Scene) -> None:
    export = await scene.made()
    scene.file(export).rename(scene.file(export).with_name(f".{export.id}.zip.part"))
    again = module.Exports(
        scene.centre.store,
        scene.centre.ledger,
        scene.centre.events,
        scene.centre.clock,
        scene.centre.exports._maker,
        scene.centre.config.exports,
    )
    await again.recover()
    (row,) = await acts(scene.centre, "restart_evidence")
    assert row.act.object == export.id
    with suppress(EvidenceRefused):
        await again.make_next()
    remade = await scene.ended(export.id)
    assert remade.state == "made"
    assert verify(str(scene.file(remade)), scene.centre.keyring.evidence.public).code == GENUINE
    assert scene.left == [f"{export.id}.zip"]


async def test_a_package_left_after_its_removal_goes_at_the_next_start(scene: Scene) -> None:
    gone, stays = await scene.made(), await scene.made()
    removed = update(exports).where(exports.c.id == gone.id).values(state="removed")
    async with scene.centre.store.write() as connection:  # and killed before the file went
        await connection.execute(removed)
    await scene.centre.exports.recover()
    assert scene.left == [f"{stays.id}.zip"]
    assert not await acts(scene.centre, "restart_evidence")


async def test_what_a_killed_command_was_making_blocks_nobody_and_ends(scene: Scene) -> None:
    desk = scene.centre.exports
    killed = [
        await desk._write_down(scene.office, scene.asked(), "", handed_out=True)
        for _ in range(module.MOST_WAITING)
    ]
    assert (await scene.made()).state == "made"
    await desk.cancel(scene.office, killed[0].id)
    assert (await desk.get(killed[0].id)).state == "cancelled"
    ago = scene.centre.clock.now() - module.HANDED_OUT_WITHIN
    old = exports.c.id == killed[1].id
    async with scene.centre.store.write() as connection:
        await connection.execute(update(exports).where(old).values(asked_at=ago))
    await desk.remove_due()
    states = [(await desk.get(each.id)).state for each in killed[1:3]]
    assert states == ["cancelled", "making"]
    reasons = [row.act.reason for row in await acts(scene.centre, "cancel_evidence")]
    assert reasons.count("its command had ended") == 1


async def test_packages_are_listed_newest_first_page_by_page(scene: Scene) -> None:
    asked = [await scene.centre.exports.ask(scene.office, scene.asked()) for _ in range(3)]
    first = await scene.centre.exports.list(limit=2)
    rest = await scene.centre.exports.list(limit=2, after=first[-1].id)
    assert [one.id for one in (*first, *rest)] == [one.id for one in reversed(asked)]
    for one in asked:
        with suppress(EvidenceRefused):
            await scene.centre.exports.cancel(scene.office, one.id)


# ---------------------------------------------------------------- by command


async def xunkao(*words: object) -> tuple[int, str]:
    """Run `xunkao evidence`; gives exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "orchestrator", "evidence", *map(str, words)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


def wish(scene: Scene, config: Path) -> list[object]:
    span = scene.asked().span
    return [
        *("--camera", "cam-1", "--from", span.start.isoformat(), "--to", span.end.isoformat()),
        *("--reason", "成绩复核", "--request", "附2-2026-0007", "--recipient", "王敏"),
        *("--config", config),
    ]


async def test_the_commands_make_and_check_a_package_while_the_centre_runs(
    scene: Scene, tmp_path: Path
) -> None:
    config = tmp_path / "xunkao.toml"
    config.write_text(f'data = "{scene.centre.config.data}"\n')
    out = tmp_path / "out.zip"
    code, said = await xunkao("export", *wish(scene, config), "--yes", out)
    assert code == 0, said
    (listed,) = await scene.centre.exports.list()
    assert listed.sha256 is not None
    assert listed.sha256 in said
    assert (listed.state, listed.handed_out) == ("made", True)
    assert out.stat().st_mode & 0o777 == 0o600
    (row,) = await acts(scene.centre, "ask_evidence")
    assert row.act.actor.startswith("shell:")
    _, key = await xunkao("key", "--config", config)
    assert (await xunkao("verify", out, "--key", key.strip()))[0] == 0
    assert (await xunkao("verify", out))[0] == 3
    data = bytearray(out.read_bytes())
    data[5000] ^= 1
    out.write_bytes(data)
    code, said = await xunkao("verify", out, "--key", key.strip())
    assert code == 1
    assert "verify.py at offset" in said
    assert (await xunkao("verify", config))[0] == 2


async def test_the_command_refuses_by_code_asks_first_and_overwrites_nothing(
    scene: Scene, tmp_path: Path
) -> None:
    config = tmp_path / "xunkao.toml"
    config.write_text(f'data = "{scene.centre.config.data}"\n')
    out = tmp_path / "out.zip"
    words = wish(scene, config)
    code, said = await xunkao("export", *words, "--camera", "cam-9", "--yes", out)
    assert (code, "no_such" in said) == (1, True)
    code, said = await xunkao("export", *words, out)
    assert code == 1
    assert "王敏" in said
    out.write_text("mine")
    assert (await xunkao("export", *words, "--yes", out))[0] == 2
    assert out.read_text() == "mine"
    assert await scene.centre.exports.list() == []
