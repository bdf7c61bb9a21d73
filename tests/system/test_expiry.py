"""The expiry task on real files and a real journal."""

import ast
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from contract.messages import HoldReleased, KeptLonger
from contract.retention import LIST_LIVES
from edge import remover
from edge.expiring import deleting, is_deleting
from edge.expiry import MARGIN
from edge.remover import NotExpiring
from tests.fakes.shelf import Shelf, TurnedClock, hold, mount, take_away
from tests.guard.sealed_guard import by_hand

DAYS_30 = timedelta(days=30)
HOUR = timedelta(hours=1)
EDGE_FOLDER = Path(remover.__file__).parent


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    async with Shelf.open(tmp_path / "box", TurnedClock()) as opened:
        yield opened


async def recorded(shelf: Shelf, camera: str = "c1") -> Path:
    """A segment whose term is set."""
    file = await shelf.record(camera)
    shelf.hear(shelf.clock.now())
    await shelf.remover.look()
    return file


async def test_footage_is_there_until_its_term_and_gone_after(shelf: Shelf) -> None:
    file = await recorded(shelf)
    shelf.clock.turn(DAYS_30 - timedelta(seconds=1))
    shelf.hear(shelf.clock.now())
    await shelf.remover.look()
    assert file.exists()
    shelf.clock.turn(MARGIN + timedelta(seconds=1))
    shelf.hear(shelf.clock.now())
    await shelf.remover.look()
    assert not file.exists()


async def test_a_deletion_is_recorded_with_what_was_deleted_and_why(shelf: Shelf) -> None:
    file = await recorded(shelf)
    term = (await shelf.terms.all())[0]
    shelf.clock.turn(DAYS_30 + HOUR)
    shelf.hear(shelf.clock.now())
    await shelf.remover.look()
    (gone,) = await shelf.terms.deletions()
    assert gone.path == file.relative_to(shelf.data).as_posix()
    assert (gone.segment, gone.root, gone.bytes) == (term.id, term.root, 100)
    assert gone.retain_until == term.retain_until
    assert gone.deleted_at == shelf.clock.now()
    assert gone.late_s == HOUR.total_seconds()
    assert not gone.missing
    (fact,) = await shelf.facts("deleted")
    assert fact["segment"] == term.id


async def test_a_window_keeps_all_its_footage_to_the_same_end(shelf: Shelf) -> None:
    now = shelf.clock.now()
    shelf.order("s1", "c1", now - HOUR, now + 2 * HOUR)
    await recorded(shelf)
    (term,) = await shelf.terms.all()
    assert term.retain_until == now + 2 * HOUR + DAYS_30


async def test_an_extended_window_raises_what_was_recorded_and_tells_it(shelf: Shelf) -> None:
    now = shelf.clock.now()
    shelf.order("s1", "c1", now - HOUR, now + HOUR)
    await recorded(shelf)
    shelf.order("s1", "c1", now - HOUR, now + 2 * HOUR)
    await shelf.remover.look()
    shelf.order("s1", "c1", now - HOUR, now + HOUR / 2)
    await shelf.remover.look()
    (term,) = await shelf.terms.all()
    assert term.retain_until == now + 2 * HOUR + DAYS_30
    assert len(await shelf.facts("retention")) == 2


async def test_an_order_that_is_over_and_forgotten_still_counts(shelf: Shelf) -> None:
    now = shelf.clock.now()
    shelf.order("s1", "c1", now - HOUR, now + HOUR, days=90)
    await shelf.remover.look()
    shelf.orders.clear()
    await recorded(shelf)
    (term,) = await shelf.terms.all()
    assert term.retain_until == now + HOUR + timedelta(days=90)


async def test_a_class_raised_after_the_exam_reaches_its_footage(shelf: Shelf) -> None:
    await recorded(shelf)
    now = shelf.clock.now()
    longer = KeptLonger(window="s1", camera="c1", start=now - HOUR, end=now + HOUR, retain_days=180)
    shelf.hear(now, longer=(longer,))
    await shelf.remover.look()
    (term,) = await shelf.terms.all()
    assert term.retain_until == now + HOUR + timedelta(days=180)


async def test_a_hold_beats_the_term_and_its_record_names_it(shelf: Shelf) -> None:
    file = await recorded(shelf)
    now = shelf.clock.now()
    shelf.hear(now, hold("h1", "c1", now - HOUR, now))
    shelf.clock.turn(DAYS_30 + HOUR)
    shelf.hear(shelf.clock.now(), hold("h1", "c1", now - HOUR, now))
    await shelf.remover.look()
    assert file.exists()
    two = HoldReleased(hold="h1", ledger=9, approved_by=("li", "wang"))
    shelf.hear(shelf.clock.now(), released=(two,))
    await shelf.remover.look()
    assert not file.exists()
    assert (await shelf.terms.deletions())[0].holds == ("h1",)


async def test_without_a_fresh_list_footage_is_deferred_and_told_once(shelf: Shelf) -> None:
    file = await recorded(shelf)
    shelf.clock.turn(DAYS_30 + HOUR)
    for _ in range(3):
        await shelf.remover.look()
        shelf.clock.turn(HOUR)
    assert file.exists()
    (told,) = await shelf.facts("deferred")
    assert told["why"] == "centre_unreachable"
    shelf.hear(shelf.clock.now())
    await shelf.remover.look()
    assert not file.exists()


async def test_a_list_that_is_an_hour_old_deletes_nothing(shelf: Shelf) -> None:
    file = await recorded(shelf)
    shelf.clock.turn(DAYS_30 - HOUR)
    shelf.hear(shelf.clock.now())
    shelf.clock.turn(LIST_LIVES + MARGIN)
    await shelf.remover.look()
    assert file.exists()


async def test_a_clock_that_differs_from_the_centres_deletes_nothing(shelf: Shelf) -> None:
    file = await recorded(shelf)
    shelf.clock.turn(DAYS_30 + HOUR)
    shelf.hear(shelf.clock.now() - timedelta(seconds=6))
    await shelf.remover.look()
    assert file.exists()
    assert (await shelf.facts("deferred"))[0]["why"] == "clock_unconfirmed"


async def test_a_clock_ten_years_ahead_deletes_nothing(shelf: Shelf) -> None:
    file = await recorded(shelf)
    truth = shelf.clock.now()
    shelf.clock.step(timedelta(days=3650))
    shelf.hear(truth)
    await shelf.remover.look()
    assert file.exists()


async def test_an_untrusted_clock_deletes_nothing(shelf: Shelf) -> None:
    file = await recorded(shelf)
    shelf.clock.turn(DAYS_30 + HOUR)
    shelf.is_trusted = False
    shelf.hear(shelf.clock.now())
    await shelf.remover.look()
    assert file.exists()


async def test_what_a_wrong_clock_wrote_counts_from_the_confirmation(shelf: Shelf) -> None:
    shelf.clock.step(-timedelta(days=20))
    await shelf.record("c1")
    shelf.clock.step(timedelta(days=20))
    shelf.clock.turn(HOUR)
    shelf.hear(shelf.clock.now())
    await shelf.remover.look()
    (term,) = await shelf.terms.all()
    assert term.retain_until == shelf.clock.now() + DAYS_30


async def test_a_lost_journal_deletes_nothing_early(tmp_path: Path) -> None:
    clock = TurnedClock()
    async with Shelf.open(tmp_path / "box", clock) as shelf:
        file = await recorded(shelf)
        start = clock.now() - timedelta(minutes=1)
    for ending in ("", "-wal", "-shm"):
        (tmp_path / "box" / f"journal.sqlite{ending}").unlink(missing_ok=True)
    clock.turn(DAYS_30 - HOUR)
    async with Shelf.open(tmp_path / "box", clock) as shelf:
        take_away(file)
        again = await shelf.seal("c1", start, start + timedelta(minutes=1), knows_clock=False)
        assert again == file
        clock.turn(2 * HOUR)
        shelf.hear(clock.now())
        await shelf.remover.look()
        assert file.exists()
        assert (await shelf.terms.all())[0].retain_until == clock.now() + DAYS_30


@pytest.mark.parametrize("volume", [None, "v2"])
async def test_on_a_wrong_volume_nothing_is_deleted(shelf: Shelf, volume: str | None) -> None:
    file = await recorded(shelf)
    shelf.clock.turn(DAYS_30 + HOUR)
    mount(shelf.data, volume, shelf.clock.now())
    shelf.hear(shelf.clock.now())
    await shelf.remover.look()
    assert file.exists()
    assert (await shelf.facts("deferred"))[0]["why"] == "wrong_volume"
    mount(shelf.data, "v1", shelf.clock.now())
    await shelf.remover.look()
    assert not file.exists()


async def test_a_path_that_leads_elsewhere_is_not_followed(shelf: Shelf) -> None:
    file = await recorded(shelf)
    elsewhere = shelf.data.parent / "elsewhere"
    with by_hand():
        file.parent.rename(elsewhere)
    file.parent.symlink_to(elsewhere)
    shelf.clock.turn(DAYS_30 + HOUR)
    shelf.hear(shelf.clock.now())
    await shelf.remover.look()
    assert file.exists()
    assert (await shelf.facts("deferred"))[0]["why"] == "failed"


async def test_a_kill_between_unlink_and_record_is_mended(shelf: Shelf) -> None:
    file = await recorded(shelf)
    shelf.clock.turn(DAYS_30 + HOUR)
    (term,) = await shelf.terms.all()
    await shelf.terms.begin(term, shelf.clock.now())
    take_away(file)
    shelf.restart()
    shelf.hear(shelf.clock.now())
    await shelf.remover.look()
    (gone,) = await shelf.terms.deletions()
    assert not gone.missing
    assert await shelf.terms.all() == []


async def test_the_intent_stands_in_the_journal_before_the_file_goes(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, real = await recorded(shelf), remover.remove

    def killed_after(data: Path, path: str) -> bool:
        real(data, path)
        raise KeyError("killed")

    shelf.clock.turn(DAYS_30 + HOUR)
    shelf.hear(shelf.clock.now())
    monkeypatch.setattr(remover, "remove", killed_after)
    with pytest.raises(KeyError):
        await shelf.remover.look()
    assert not file.exists()
    assert (await shelf.terms.all())[0].is_begun


async def test_a_deletion_begun_before_a_kill_asks_again(shelf: Shelf) -> None:
    file = await recorded(shelf)
    end = shelf.clock.now()
    shelf.clock.turn(DAYS_30 + HOUR)
    (term,) = await shelf.terms.all()
    await shelf.terms.begin(term, shelf.clock.now())
    shelf.restart()
    shelf.hear(shelf.clock.now(), hold("h1", "c1", end - HOUR, end))
    await shelf.remover.look()
    assert file.exists()
    assert not (await shelf.terms.all())[0].is_begun


async def test_what_somebody_took_away_by_hand_is_recorded_as_missing(shelf: Shelf) -> None:
    file = await recorded(shelf)
    take_away(file)
    shelf.clock.turn(DAYS_30 + HOUR)
    shelf.hear(shelf.clock.now())
    await shelf.remover.look()
    (gone,) = await shelf.terms.deletions()
    assert gone.missing


async def test_quarantined_files_and_remnants_have_a_term_too(shelf: Shelf) -> None:
    quarantined = shelf.data / "quarantine" / "shelf" / "c1" / "x.mp4"
    quarantined.parent.mkdir(parents=True)
    quarantined.write_bytes(b"what is this")
    shelf.hear(shelf.clock.now())
    await shelf.remover.look()
    (term,) = await shelf.terms.all()
    assert (term.camera, term.retain_until) == ("c1", shelf.clock.now() + DAYS_30)
    shelf.clock.turn(DAYS_30 + HOUR)
    shelf.hear(shelf.clock.now())
    await shelf.remover.look()
    assert not quarantined.exists()
    assert len((await shelf.terms.deletions())[0].root) == 64


async def test_the_chain_survives_its_deleted_links(shelf: Shelf) -> None:
    await recorded(shelf)
    shelf.clock.turn(DAYS_30 + HOUR)
    shelf.hear(shelf.clock.now())
    await shelf.remover.look()
    root = (await shelf.terms.deletions())[0].root
    file = await shelf.record("c1")
    found = await shelf.journal.segments_between("c1", shelf.clock.now() - HOUR, shelf.clock.now())
    assert file.exists()
    assert [one.previous for one in found] == [root]


# ------------------------------------------------------------ the leave


async def test_nothing_is_unlinked_without_leave(shelf: Shelf) -> None:
    file = await recorded(shelf)
    path = file.relative_to(shelf.data).as_posix()
    with pytest.raises(NotExpiring):
        remover.remove(shelf.data, path)
    assert file.exists()
    with deleting():
        assert is_deleting()
        assert remover.remove(shelf.data, path)
    assert not is_deleting()
    assert not file.exists()


def test_only_the_expiry_task_takes_the_leave_and_only_around_one_call() -> None:
    takers = [path for path in EDGE_FOLDER.rglob("*.py") if "import deleting" in path.read_text()]
    assert [path.name for path in takers] == ["remover.py"]
    tree = ast.parse(takers[0].read_text())
    guarded = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.With) and "deleting()" in ast.unparse(node.items[0])
    ]
    (block,) = guarded
    assert [ast.unparse(line) for line in block.body] == [
        "missing = not await asyncio.to_thread(remove, self._data, term.path)"
    ]


REMOVES = {
    "children.py": {"child.beat.unlink"},
    "feedserver.py": {"path.unlink"},
    "references.py": {"(self._wishes / camera).unlink"},
    "remover.py": {"os.unlink"},
    "segment.py": {"self.path.unlink"},  # a growing file that holds no picture yet
}


def test_no_other_module_of_the_box_removes_files() -> None:
    removing = {"unlink", "rmtree", "removedirs", "rmdir"}
    found: dict[str, set[str]] = {}
    for path in EDGE_FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if "simulator" in path.parts or not isinstance(node, ast.Call):
                continue
            if isinstance(node.func, ast.Attribute) and node.func.attr in removing:
                found.setdefault(path.name, set()).add(ast.unparse(node.func))
    assert found == REMOVES
