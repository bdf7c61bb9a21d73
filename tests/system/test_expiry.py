"""The expiry task on real files and a real journal."""

import ast
import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contract.keys import write_private
from contract.messages import Camera, HoldReleased, KeptLonger, RetentionRaised
from contract.retention import LIST_LIVES
from edge import remover
from edge.expiring import deleting, is_deleting
from edge.expiry import MARGIN, Term
from edge.references import References
from edge.remover import NotExpiring
from tests.fakes.shelf import Shelf, TurnedClock, hold, mount, take_away
from tests.fakes.waiting import until_async
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


async def test_a_hold_that_comes_just_before_the_unlink_keeps_its_footage(shelf: Shelf) -> None:
    file = await recorded(shelf)
    made = shelf.clock.now()
    shelf.clock.turn(DAYS_30 + HOUR)
    shelf.hear(shelf.clock.now())

    async def is_begun() -> bool:
        (term,) = await shelf.terms.all()
        return term.is_begun

    async with shelf.remover.deciding:  # the agent has it while it keeps a list and says so
        looking = asyncio.create_task(shelf.remover.look())
        await until_async(is_begun)
        shelf.hear(shelf.clock.now(), hold("h1", "c1", made - HOUR, made))
    await looking
    assert file.exists()
    assert await shelf.terms.deletions() == []


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


async def test_the_centre_hears_the_true_span_of_what_an_unbelieved_clock_wrote(
    shelf: Shelf,
) -> None:
    """The box began in the year 2000 and was set right later: the same boot, a known step."""
    true_end = shelf.clock.now()
    shelf.is_trusted = False
    shelf.clock.step(-timedelta(days=9000))
    await shelf.record("c1")
    await shelf.seal("c2", shelf.clock.now(), shelf.clock.now(), knows_clock=False)
    shelf.clock.turn(HOUR)
    shelf.clock.step(timedelta(days=9000))
    shelf.is_trusted = True
    await shelf.record("c3")
    shelf.hear(shelf.clock.now())
    await shelf.remover.look()
    (fact,) = await shelf.facts("retention")
    kept = {one.segment[:2]: one for one in msgspec.convert(fact, type=RetentionRaised).kept}
    assert (kept["c1"].start, kept["c1"].end) == (true_end - timedelta(minutes=1), true_end)
    assert kept["c1"].retain_until == shelf.clock.now() + DAYS_30
    assert kept["c2"].start is None, "nobody knows when that was"
    assert kept["c3"].start is None, "it was right when it was told"


async def test_a_span_of_another_boot_is_not_guessed(shelf: Shelf) -> None:
    shelf.is_trusted = False
    await shelf.record("c1")
    shelf.restart(machine=True)
    shelf.is_trusted = True
    shelf.hear(shelf.clock.now())
    await shelf.remover.look()
    (fact,) = await shelf.facts("retention")
    assert msgspec.convert(fact, type=RetentionRaised).kept[0].start is None


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


async def test_what_a_hold_keeps_is_no_longer_late_and_may_be_late_again(shelf: Shelf) -> None:
    file = await recorded(shelf)
    end = shelf.clock.now()
    shelf.clock.turn(DAYS_30 + HOUR)
    await shelf.remover.look()
    shelf.hear(shelf.clock.now(), hold("h1", "c1", end - HOUR, end))
    await shelf.remover.look()
    await shelf.remover.look()
    (term,) = await shelf.terms.all()
    assert term.late_since is None
    assert await shelf.facts("deferral_ended") == [{"segments": [term.id]}]
    away = HoldReleased(hold="h1", ledger=1, approved_by=("li", "wang"))
    shelf.hear(shelf.clock.now(), released=(away,))
    shelf.clock.turn(2 * LIST_LIVES)
    await shelf.remover.look()
    assert [one["why"] for one in await shelf.facts("deferred")] == ["centre_unreachable"] * 2
    assert file.exists()


async def test_what_was_raised_and_is_late_again_is_told_anew(shelf: Shelf) -> None:
    end = shelf.clock.now()
    shelf.order("w1", "c1", end - HOUR, end)
    await recorded(shelf)
    shelf.clock.turn(DAYS_30 + HOUR)
    await shelf.remover.look()
    longer = KeptLonger(window="w1", camera="c1", start=end - HOUR, end=end, retain_days=60)
    shelf.hear(shelf.clock.now(), longer=(longer,))
    await shelf.remover.look()
    assert (await shelf.terms.all())[0].late_since is None
    shelf.clock.turn(DAYS_30)
    await shelf.remover.look()
    since = [one["since"] for one in await shelf.facts("deferred")]
    assert len(set(since)) == 2


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


@pytest.mark.parametrize("moment", ["begin", "record"])
async def test_a_hold_that_comes_within_a_sweep_keeps_what_still_lies_there(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """A backlog takes minutes: `begin` is of the footage itself, `record` of what went before."""
    first, file = await shelf.record("c1"), await recorded(shelf, "c2")
    end = shelf.clock.now()
    shelf.clock.turn(DAYS_30 + HOUR)
    shelf.hear(shelf.clock.now())
    real = getattr(shelf.terms, moment)

    async def then_hear(term: Term, *given: Any, **options: Any) -> None:
        await real(term, *given, **options)
        if term.camera == ("c2" if moment == "begin" else "c1"):
            shelf.hear(shelf.clock.now(), hold("h1", "c2", end - HOUR, end))

    monkeypatch.setattr(shelf.terms, moment, then_hear)
    await shelf.remover.look()
    assert not first.exists()
    assert file.exists()
    (term,) = await shelf.terms.all()
    assert not term.is_begun


async def test_a_window_that_grows_within_a_sweep_raises_what_still_lies_there(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = shelf.clock.now()
    shelf.order("w1", "c2", end - HOUR, end)
    first, file = await shelf.record("c1"), await recorded(shelf, "c2")
    shelf.clock.turn(DAYS_30 + HOUR)
    shelf.hear(shelf.clock.now())
    real = shelf.terms.record

    async def then_grow(*given: Any, **options: Any) -> None:
        await real(*given, **options)
        shelf.order("w1", "c2", end - HOUR, end, 60)

    monkeypatch.setattr(shelf.terms, "record", then_grow)
    await shelf.remover.look()
    assert not first.exists()
    assert file.exists()


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


async def test_a_window_is_forgotten_when_it_asks_for_nothing_more(shelf: Shelf) -> None:
    """Its days are over and its footage is gone; while a hold keeps that, the window stays, too."""
    end = shelf.clock.now()
    shelf.order("w1", "c1", end - HOUR, end)
    shelf.order("w2", "c2", end - HOUR, end, 60)
    shelf.order("w3", "c3", end - HOUR, end)
    for camera in ("c1", "c2", "c3"):
        await recorded(shelf, camera)
    for days, left in ((30, {"c1", "c2", "c3"}), (1, {"c1", "c2"}), (30, {"c1"})):
        shelf.clock.turn(timedelta(days=days) + HOUR)
        shelf.hear(shelf.clock.now(), hold("h1", "c1", end - HOUR, end))
        await shelf.remover.look()
        await shelf.remover.look()
        assert await shelf.terms.cameras() == left


async def test_a_reference_view_that_is_in_use_no_more_goes_after_thirty_days(shelf: Shelf) -> None:
    """The approved view and the newest candidate stay; a view that is approved again does, too."""
    views = References.below(shelf.data)
    await asyncio.to_thread(put_views, views)
    shelf.cameras = (Camera(id="c1", room="r1", sealed="", reference=f"{1:064}"),)
    shelf.hear(shelf.clock.now())
    await shelf.remover.look()
    assert {term.path[-5:] for term in await shelf.terms.all()} == {"2.png", "3.png"}
    shelf.clock.turn(DAYS_30 - HOUR)
    await shelf.remover.look()
    shelf.cameras = (Camera(id="c1", room="r1", sealed="", reference=f"{2:064}"),)
    shelf.clock.turn(2 * HOUR)
    shelf.hear(shelf.clock.now())
    await shelf.remover.look()
    left = sorted(file.stem[-1] for file in views.folder("c1").glob("*.png"))
    assert left == ["1", "2", "4"]
    assert [one.path[-5:] for one in await shelf.terms.deletions()] == ["3.png"]
    assert [term.path[-5:] for term in await shelf.terms.all()] == ["1.png"]
    assert (views.folder("c1") / "thresholds.json").exists()


async def test_a_view_that_came_into_use_within_the_hour_stays(shelf: Shelf) -> None:
    views = References.below(shelf.data)
    await asyncio.to_thread(put_views, views)
    shelf.cameras = (Camera(id="c1", room="r1", sealed="", reference=f"{1:064}"),)
    shelf.hear(shelf.clock.now())
    await shelf.remover.look()
    shelf.clock.turn(DAYS_30)
    shelf.hear(shelf.clock.now())
    await shelf.remover.look()
    shelf.clock.turn(timedelta(minutes=1))
    shelf.cameras = (Camera(id="c1", room="r1", sealed="", reference=f"{2:064}"),)
    await shelf.remover.look()
    assert views.place("c1", f"{2:064}").exists()
    assert not views.place("c1", f"{3:064}").exists()


def put_views(views: References) -> None:
    """Four views of a camera, of which the last is the newest."""
    for number in range(1, 5):
        write_private(views.place("c1", f"{number:064}"), b"people in a room")
        views.put_forward("c1", f"{number:064}")
    write_private(views.folder("c1") / "thresholds.json", b"{}")


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
    "outgoing.py": {"file.unlink"},  # encrypted copies whose footage is gone (edge/archive)
    "references.py": {"(self._wishes / camera).unlink"},
    "remover.py": {"os.unlink"},
    "second.py": {"self._said.unlink"},  # what the recorder said of a volume
    "sending.py": {"file.unlink"},  # the encrypted copy, once it is in the archive
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
