"""The ledger's head on the boxes: what somebody does who owns the centre's machine, is found."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import delete, insert, select, text
from typer.testing import CliRunner, Result

from contract.anchors import Anchor, Witness
from contract.messages import AnchorKept
from edge.__main__ import app as edge_app
from edge.anchors import keep_anchor
from edge.journal import Journal
from orchestrator.anchoring import EVERY_S
from orchestrator.centre import Centre
from orchestrator.commands.ledger import app
from orchestrator.config import load
from orchestrator.keyring import Keyring
from orchestrator.ledger import FIRST, Act, Ledger, hash_of, verify
from orchestrator.store import Store
from orchestrator.store.tables import ledger
from tests.fakes.box import FakeBox
from tests.fakes.centre import acts, add_site, join, running_centre
from tests.fakes.clock import ManualClock
from tests.fakes.enrolled import Centre as Keys
from tests.fakes.enrolled import anchor_of, enrolled_box, toml_of
from tests.fakes.waiting import until

UNLOCK = {
    "sqlite": ("DROP TRIGGER ledger_no_update", "DROP TRIGGER ledger_no_delete"),
    "postgresql": ("DROP TRIGGER ledger_no_change ON ledger",),
}


@dataclass
class Scene:
    """A centre, a box that has its ledger's head, and a file of what the box has."""

    centre: Centre
    box: FakeBox
    folder: Path
    anchored: int
    """The row that the box has on record."""

    @property
    def config(self) -> Path:
        path = self.folder / "xunkao.toml"
        path.write_text('data = "centre"\n')
        return path

    @property
    def file(self) -> Path:
        path = self.folder / "anchors.jsonl"
        path.write_bytes(msgspec.json.encode(self.box.anchors) + b"\n")
        return path

    async def verify(self, *options: str) -> Result:
        """Run the command while box and centre go on."""
        words = ["verify", "--config", str(self.config), *options]
        return await asyncio.to_thread(CliRunner().invoke, app, words)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncGenerator[Scene]:
    clock = ManualClock()
    async with running_centre(tmp_path, clock) as centre:
        await add_site(centre, ("cam1", "r1", "b1"))
        box = await join(centre, tmp_path, "b1")
        for number in range(20):
            await centre.ledger.record(Act("chen", "see_live", f"room {number}"))
        async with box.serving():
            async with box.online():
                await until(lambda: box.states)
                await clock.advance(EVERY_S)
                await until(lambda: box.links and box_rows(box)[-1] >= 20)
            yield Scene(centre, box, tmp_path, box_rows(box)[-1])


def box_rows(box: FakeBox) -> list[int]:
    """Which rows of the ledger the box has on record."""
    bodies = [msgspec.json.decode(link.body)["anchor"]["body"] for link in box.links]
    return [msgspec.json.decode(body, type=Anchor).row for body in bodies]


async def rewrite(store: Store, row: int, change: Callable[[Act], Act | None]) -> None:
    """Change a row, or leave it out, and compute every later one anew: it is whole in itself."""
    book = Ledger(store, ManualClock())
    rows = [entry for entry in await book.entries(limit=10_000) if entry.id >= row]
    before = (await book.entries(after=row - 2, limit=1))[0].hash if row > 1 else FIRST
    async with store.write() as connection:
        for unlock in UNLOCK[connection.dialect.name]:
            await connection.execute(text(unlock))
        await connection.execute(delete(ledger).where(ledger.c.id >= row))
        number, previous = row, before
        for entry in rows:
            act = change(entry.act) if entry.id == row else entry.act
            if act is None:
                continue
            sealed = hash_of(number, entry.at, act, previous)
            await connection.execute(
                insert(ledger).values(
                    id=number,
                    at=entry.at,
                    actor=act.actor,
                    action=act.action,
                    object=act.object,
                    reason=act.reason,
                    result=act.result,
                    source=act.source,
                    previous=previous,
                    hash=sealed,
                )
            )
            number, previous = number + 1, sealed


async def cut(store: Store, last: int) -> None:
    """Leave nothing after a row."""
    async with store.write() as connection:
        for unlock in UNLOCK[connection.dialect.name]:
            await connection.execute(text(unlock))
        await connection.execute(delete(ledger).where(ledger.c.id > last))


def other(act: Act) -> Act:
    """The same, by somebody else."""
    return Act("nobody", act.action, act.object)


# ------------------------------------------------------------ how it gets there


async def test_every_hour_the_head_reaches_the_boxes_also_one_that_was_away(scene: Scene) -> None:
    clock = scene.centre.clock
    assert isinstance(clock, ManualClock)
    await scene.centre.ledger.record(Act("chen", "see_live", "later"))
    await clock.advance(EVERY_S)
    async with scene.box.online():
        await until(lambda: box_rows(scene.box)[-1] > scene.anchored)
    assert box_rows(scene.box) == sorted(set(box_rows(scene.box)))


async def test_the_head_of_the_boxs_own_chain_stands_in_the_ledger_once(scene: Scene) -> None:
    kept = AnchorKept(row=scene.anchored, number=1, link="ab" * 32)
    fact = scene.box.fact(kept)
    async with scene.box.online():
        await scene.box.tell(fact, fact)
        await until(lambda: scene.box.heard)
    (row,) = await acts(scene.centre, "keep_anchor")
    assert (row.act.actor, row.act.object) == ("edge:b1", "b1#1")
    assert row.act.reason == f"row {scene.anchored}: {'ab' * 32}"


# ------------------------------------------------------------ what is found


async def test_an_untouched_ledger_agrees_with_file_and_boxes_and_says_how_far(
    scene: Scene,
) -> None:
    for options in (("--anchors", str(scene.file)), ("--from-edges",)):
        result = await scene.verify(*options)
        assert result.exit_code == 0, result.output
        assert f"b1), the newest with row {scene.anchored} of " in result.stdout
        assert "尚无锚点" in result.stdout


@pytest.mark.parametrize("by", ["file", "boxes"])
async def test_a_cut_ledger_is_whole_in_itself_and_found_by_anchors(scene: Scene, by: str) -> None:
    options = ("--anchors", str(scene.file)) if by == "file" else ("--from-edges",)
    await cut(scene.centre.store, 7)
    alone = await scene.verify()
    assert alone.exit_code == 0
    assert "末尾被截断" in alone.stdout  # it says that it cannot see this
    assert "cannot be seen" in alone.stdout
    found = await scene.verify(*options)
    assert found.exit_code == 1
    assert "第 8 行" in found.stderr
    assert f"row 8: the row is missing, and all up to row {scene.anchored} that b1" in found.stderr


@pytest.mark.parametrize("by", ["file", "boxes"])
async def test_a_chain_computed_anew_is_whole_in_itself_and_found_by_anchors(
    scene: Scene, by: str
) -> None:
    options = ("--anchors", str(scene.file)) if by == "file" else ("--from-edges",)
    await rewrite(scene.centre.store, 5, other)
    assert (await scene.verify()).exit_code == 0
    found = await scene.verify(*options)
    assert found.exit_code == 1
    assert f"第 {scene.anchored} 行" in found.stderr
    assert f"row {scene.anchored}: it is not the row that b1 has on record" in found.stderr
    assert f"written anew between rows 1 and {scene.anchored}" in found.stderr


async def test_a_row_left_out_of_a_chain_computed_anew_is_found_too(scene: Scene) -> None:
    await rewrite(scene.centre.store, 5, lambda act: None)
    assert (await scene.verify()).exit_code == 0
    assert (await scene.verify("--from-edges")).exit_code == 1


async def test_what_happens_after_the_crime_does_not_hide_it(scene: Scene) -> None:
    """The ledger grows past the anchored row again, and the new head is signed and kept."""
    clock = scene.centre.clock
    assert isinstance(clock, ManualClock)
    await cut(scene.centre.store, 7)
    for number in range(40):
        await scene.centre.ledger.record(Act("nobody", "see_live", f"{number}"))
    await clock.advance(EVERY_S)
    async with scene.box.online():
        await until(lambda: box_rows(scene.box)[-1] > scene.anchored)
    found = await scene.verify("--from-edges")
    assert found.exit_code == 1
    assert f"row {scene.anchored}: it is not the row that b1 has on record" in found.stderr


async def test_a_box_that_is_away_is_named_and_the_others_words_count(
    scene: Scene, tmp_path: Path
) -> None:
    await join(scene.centre, tmp_path, "b2")
    result = await scene.verify("--from-edges")
    assert result.exit_code == 0
    assert "b2 未应答" in result.stderr
    assert "agree (b1)" in result.stdout


async def test_a_box_that_was_exchanged_is_not_believed(scene: Scene) -> None:
    scene.box.links.reverse()
    scene.box.links.append(scene.box.links[0])
    result = await scene.verify("--from-edges")
    assert result.exit_code == 2
    assert "b1 留存内容不可信" in result.stderr


async def test_nobody_to_ask_is_no_success(scene: Scene, tmp_path: Path) -> None:
    await scene.centre.revoke("b1", "admin", "stolen")
    await join(scene.centre, tmp_path, "b2")
    result = await scene.verify("--from-edges")
    assert result.exit_code == 2
    assert "b2" in result.stderr


async def test_a_file_that_was_changed_is_named(scene: Scene) -> None:
    file = scene.file
    file.write_bytes(file.read_bytes().replace(b'"b1"', b'"b9"', 1))
    result = await scene.verify("--anchors", str(file))
    assert result.exit_code == 2
    assert "anchors.jsonl" in result.stderr


async def test_cut_and_rewritten_chains_are_found_on_either_database(store: Store) -> None:
    book = Ledger(store, ManualClock())
    for number in range(30):
        await book.record(Act("chen", "see_live", f"{number}"))
    rows = await book.entries(limit=30)
    seen = [
        Witness(Anchor(row=row.id, hash=row.hash, at=row.at), "b1") for row in (rows[9], rows[24])
    ]
    assert await book.verify(seen) is None
    await rewrite(store, 12, other)
    assert await book.verify() is None
    broken = await book.verify(seen)
    assert broken is not None
    assert (broken.id, "between rows 11 and 25" in broken.why) == (25, True)
    async with store.write() as connection:
        await connection.execute(delete(ledger).where(ledger.c.id > 20))
        broken = await verify(connection, seen)
        assert broken is not None
        assert broken.id == 21
        assert len((await connection.execute(select(ledger.c.id))).all()) == 20


# ------------------------------------------------------------ on the box


def test_the_box_writes_the_file_that_the_centre_reads(tmp_path: Path) -> None:
    keys = Keys.make()
    config, box = enrolled_box(tmp_path / "box", keys)
    now = ManualClock().now()

    async def prepare() -> None:
        async with Journal.open(config.journal) as journal:
            for row in (4, 4, 9, 2):  # the last: somebody cut the ledger
                anchor = anchor_of(keys, row, now)
                await keep_anchor(journal, box, "box-1", keys.identity.public, anchor, now)

    asyncio.run(prepare())
    path = tmp_path / "edge.toml"
    path.write_text(toml_of(config))
    shown = CliRunner().invoke(edge_app, ["anchors", "--config", str(path)])
    assert [line.split("\t")[2] for line in shown.stdout.splitlines()] == ["4", "9", "2"]
    given = CliRunner().invoke(edge_app, ["anchors", "--json", "--config", str(path)])
    (tmp_path / "anchors.jsonl").write_text(given.stdout)
    centre = tmp_path / "xunkao.toml"
    centre.write_text('data = "data"\n')

    async def fill() -> None:
        Keyring.open(load(centre).keys, now)
        async with Store.open(load(centre).database_url) as store:
            await Ledger(store, ManualClock()).record(Act("a", "b", "c"))

    asyncio.run(fill())
    words = ["verify", "--config", str(centre), "--anchors", str(tmp_path / "anchors.jsonl")]
    found = CliRunner().invoke(app, words)
    assert found.exit_code == 1
    assert "row 2: the row is missing, and all up to row 9 that box-1" in found.stderr
