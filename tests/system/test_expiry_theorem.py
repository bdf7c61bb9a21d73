"""Thirty days as a theorem: clocks, holds, kills, lost journals and centres against a model.

The box believes its clock throughout, however wrong that is: the worst that can happen to it.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from contract.messages import Hold, HoldReleased
from contract.retention import Window, retain_until
from contract.spans import Span
from edge import remover
from edge.expiry import MARGIN
from edge.holds import holding
from edge.journal import JournalBusy
from tests.fakes.shelf import Shelf, TurnedClock, hold, mount
from tests.guard.sealed_guard import by_hand

T = TypeVar("T")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CAMERAS = st.sampled_from(["c1", "c2"])
ERRORS = st.sampled_from(
    [timedelta(seconds=each) for each in (0, 3, -3, 3600, -3600)]
) | st.sampled_from([20 * DAY, -20 * DAY, -40 * DAY, 3650 * DAY])
PAUSES = st.sampled_from([MINUTE, 19 * MINUTE, HOUR, 7 * HOUR, 3 * DAY, 9 * DAY, 30 * DAY])


class Killed(Exception):
    """The process is gone in the middle of it."""


@dataclass
class Footage:
    """What truly happened."""

    camera: str
    span: Span
    file: Path
    wrote_right: bool
    """The clock was right while it was written."""


class Life(RuleBasedStateMachine):
    """A box, its centre, and everything that may go wrong between them."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = TurnedClock()
        self.error = timedelta()
        self.heard = self.truth
        self.connected = True
        self.mounted = True
        self.epoch = 1
        self.number = 0
        self.windows: dict[str, tuple[str, Window]] = {}
        self.holds: dict[str, Hold] = {}
        self.released: dict[str, HoldReleased] = {}
        self.footage: list[Footage] = []
        self.gone: set[Path] = set()
        self.lost_journal = False
        self.stack = AsyncExitStack()
        self.shelf = self.do(self.stack.enter_async_context(self._open()))

    def _open(self) -> AbstractAsyncContextManager[Shelf]:
        return Shelf.open(self.folder / "box", self.clock)

    def do(self, work: Awaitable[T]) -> T:
        async def run() -> T:
            return await work

        return self.loop.run(run())

    def teardown(self) -> None:
        self.do(self.stack.aclose())
        self.loop.close()
        with by_hand():
            shutil.rmtree(self.folder)

    @property
    def truth(self) -> datetime:
        return self.clock.now() - self.error

    # ------------------------------------------------------------ what happens

    @initialize()
    def begin(self) -> None:
        self.tell()

    @rule(camera=CAMERAS, days=st.sampled_from([30, 30, 60]), hours=st.integers(1, 4))
    def order(self, camera: str, days: int, hours: int) -> None:
        if not self.connected:
            return
        start = self.truth - MINUTE / 2
        name = f"w{len(self.windows)}"
        window = Window(start, start + hours * HOUR, days)
        self.windows[name] = (camera, window)
        self.shelf.order(name, camera, window.start, window.end, days)
        self.look()

    @rule(camera=CAMERAS)
    def record(self, camera: str) -> None:
        self.clock.turn(MINUTE)
        end = self.truth
        if any(one.camera == camera and one.span.end > end - MINUTE for one in self.footage):
            return
        wall = self.clock.now()
        if any(one.file.name.startswith(f"{wall - MINUTE:%Y%m%dT%H%M%S}") for one in self.footage):
            return
        file = self.do(self.shelf.record(camera))
        right = abs(self.error) < timedelta(seconds=5)
        self.footage.append(Footage(camera, Span(end - MINUTE, end), file, right))

    @precondition(lambda self: self.windows)
    @rule(hours=st.integers(1, 60), is_killed=st.booleans())
    def extend_the_last_exam(self, hours: int, is_killed: bool) -> None:
        """The centre told of it; the box may die before its footage has heard."""
        if not self.connected:
            return
        name, (camera, window) = list(self.windows.items())[-1]
        longer = Window(window.start, window.end + hours * HOUR, window.days)
        self.windows[name] = (camera, longer)
        self.shelf.order(name, camera, longer.start, longer.end, longer.days)

        async def die(*_: object) -> None:
            raise Killed

        if is_killed:
            self.shelf.terms.raise_of = die  # type: ignore[assignment]  # it dies there
            with suppress(Killed):
                self.look()
            del self.shelf.terms.raise_of
            self.shelf.restart()
        self.look()

    @rule(pause=PAUSES, all_is_well=st.booleans())
    def wait(self, pause: timedelta, all_is_well: bool) -> None:
        if all_is_well:
            self.mend()
        self.clock.turn(pause)
        self.look()
        self.tell()

    @rule()
    def cut_off(self) -> None:
        self.connected = False

    @rule()
    def come_back(self) -> None:
        self.connected = True
        self.tell()

    @precondition(lambda self: self.connected)
    @rule(delay=st.sampled_from([MINUTE, 19 * MINUTE, 2 * HOUR]))
    def a_list_travels_long(self, delay: timedelta) -> None:
        issued = self.truth
        self.clock.turn(delay)
        self.deliver(issued)
        self.look()

    @rule(error=ERRORS)
    def clock_steps(self, error: timedelta) -> None:
        self.clock.step(error - self.error)
        self.error = error
        self.look()

    @rule(error=ERRORS)
    def machine_restarts_with_a_wrong_clock(self, error: timedelta) -> None:
        self.clock.turn(MINUTE)
        self.clock.step(error - self.error)
        self.error = error
        self.shelf.restart(machine=True)
        self.look()

    @rule()
    def clock_is_set_right(self) -> None:
        self.clock_steps(timedelta())

    @rule()
    def agent_is_killed(self) -> None:
        self.shelf.restart()
        self.look()

    @rule(where=st.sampled_from(["begin", "record", "remove"]))
    def killed_while_deleting(self, where: str) -> None:
        """Whatever is due after a month is cut off there."""
        self.clock.turn(31 * DAY)
        self.mend()
        real_remove = remover.remove
        terms = self.shelf.terms

        async def die(*_: object, **__: object) -> None:
            raise Killed

        def die_after(data: Path, path: str) -> bool:
            real_remove(data, path)
            raise Killed

        if where == "remove":
            remover.remove = die_after
        else:
            setattr(terms, where, die)
        try:
            with suppress(Killed):
                self.tell()
        finally:
            remover.remove = real_remove
            terms.__dict__.pop(where, None)
        self.shelf.restart()
        self.look()

    @rule(which=st.integers(0, 100), where=st.sampled_from(["begin", "record"]))
    def a_hold_arrives_within_a_sweep(self, which: int, where: str) -> None:
        """After a month much is due; as one goes, the box hears of a hold on what still lies there.

        It confirms that at once: from then on it stays.
        """
        self.clock.turn(31 * DAY)
        self.mend()
        terms, named = self.shelf.terms, [one for one in self.footage if one.file.exists()]
        real = getattr(terms, where)

        async def then_hear(*given: Any, **options: Any) -> Any:
            result = await real(*given, **options)
            terms.__dict__.pop(where, None)
            there = [one for one in named if one.file.exists()]
            if there:
                self.new_hold(there[which % len(there)])
                self.deliver(self.truth)
            return result

        setattr(terms, where, then_hear)
        try:
            self.tell()
        finally:
            terms.__dict__.pop(where, None)

    @rule()
    def journal_is_lost(self) -> None:
        self.do(self.stack.aclose())
        for ending in ("", "-wal", "-shm"):
            (self.folder / "box" / f"journal.sqlite{ending}").unlink(missing_ok=True)
        self.lost_journal = True
        orders, boot = self.shelf.orders, self.shelf.boot
        self.stack = AsyncExitStack()
        self.shelf = self.do(self.stack.enter_async_context(self._open()))
        self.shelf.orders, self.shelf.boot = orders, boot
        self.shelf.restart()
        for one in self.footage:
            if one.file.exists():
                self.do(self.shelf.adopt(one.file, one.camera))
        self.look()

    @rule()
    def disk_comes_and_goes(self) -> None:
        self.mounted = not self.mounted
        mount(self.folder / "box", "v1" if self.mounted else "v2", self.truth)
        self.look()

    @rule()
    def disk_fills_up(self) -> None:
        """The journal takes no row: nothing may go then."""
        before = self.shelf.files()

        def full(*_: object) -> None:
            raise JournalBusy("database or disk is full")

        self.shelf.journal.transaction = full  # type: ignore[assignment]  # sqlite says so then
        with suppress(JournalBusy):
            self.tell()
        del self.shelf.journal.transaction
        assert self.shelf.files() == before
        self.look()

    @precondition(lambda self: self.footage)
    @rule(which=st.integers(0, 100))
    def place_hold(self, which: int) -> None:
        self.new_hold(self.footage[which % len(self.footage)])
        self.tell()

    def new_hold(self, one: Footage) -> None:
        name = f"h{len(self.holds) + len(self.released)}"
        self.holds[name] = hold(name, one.camera, one.span.start, one.span.end)

    @rule(all_is_well=st.booleans(), error=st.sampled_from([timedelta(), HOUR]))
    def a_month_goes_by(self, all_is_well: bool, error: timedelta) -> None:
        self.clock.turn(31 * DAY)
        if all_is_well:
            self.mend()
            self.clock_steps(error)
        self.look()
        self.tell()

    def mend(self) -> None:
        """Clock, disk and centre are as they should be."""
        self.connected = self.mounted = True
        mount(self.folder / "box", "v1", self.truth)
        self.clock_steps(timedelta())

    @precondition(lambda self: self.holds and self.connected)
    @rule()
    def release_hold(self) -> None:
        name = min(self.holds)
        del self.holds[name]
        self.released[name] = HoldReleased(hold=name, ledger=1, approved_by=("li", "wang"))
        self.tell()

    @precondition(lambda self: self.connected)
    @rule()
    def centre_is_restored_from_an_old_backup(self) -> None:
        """It forgot every hold, and opens a new epoch."""
        self.epoch, self.number = self.epoch + 1, 0
        kept, self.holds = self.holds, {}
        self.tell()
        assert {one.hold for one in self.shelf.holds.holds} >= kept.keys()
        self.holds = kept  # the box told of them

    # ------------------------------------------------------------ what the centre does

    def tell(self) -> None:
        if self.connected:
            self.deliver(self.truth)
        self.look()
        if self.connected:  # what needed this look to be settled may be due at once
            self.look()
            self.check_nothing_is_late()

    def deliver(self, issued_at: datetime) -> None:
        self.heard = issued_at
        self.number += 1
        self.shelf.hear(
            issued_at,
            *self.holds.values(),
            released=tuple(self.released.values()),
            epoch=self.epoch,
            number=self.number,
        )

    def look(self) -> None:
        self.do(self.shelf.remover.look())
        self.check_every_deferral_is_recorded()

    def check_every_deferral_is_recorded(self) -> None:
        """What is past its term and still there was told as late, or is held."""
        held, now = self.shelf.holds.holds, self.clock.now()
        for term in self.do(self.shelf.terms.over(now - MARGIN - timedelta(seconds=6))):
            if not holding(held, term.camera, term.start, term.end):
                assert term.late_since is not None, f"not told: {term}"

    # ------------------------------------------------------------ what must hold

    def true_term(self, one: Footage) -> datetime:
        windows = [window for camera, window in self.windows.values() if camera == one.camera]
        return retain_until(one.span, windows)

    def check_nothing_is_late(self) -> None:
        if not self.mounted or abs(self.error) > timedelta(seconds=5):
            return
        held = self.shelf.holds.holds
        for term in self.do(self.shelf.terms.all()):
            keepers = holding(held, term.camera, term.start, term.end)
            assert term.retain_until is not None, "connected, and yet not settled"
            if not keepers:
                assert term.retain_until + HOUR > self.truth, f"late: {term}"

    @invariant()
    def never_early_and_never_held(self) -> None:
        held = self.shelf.holds.holds
        for one in self.footage:
            if one.file in self.gone or one.file.exists():
                continue
            self.gone.add(one.file)
            assert self.mounted, "deleted on another disk"
            assert abs(self.error) <= timedelta(seconds=5), "deleted by a wrong clock"
            assert self.truth - self.heard <= HOUR, "deleted by an old list"
            assert self.truth >= self.true_term(one), f"early: {one}"
            assert holding(held, one.camera, one.span.start, one.span.end) == []

    @invariant()
    def every_deletion_is_recorded_and_every_record_is_true(self) -> None:
        deletions = self.do(self.shelf.terms.deletions())
        assert not any(gone.missing for gone in deletions), "nobody took anything away by hand"
        recorded = {gone.path for gone in deletions}
        begun = {one.path for one in self.do(self.shelf.terms.all()) if one.is_begun}
        box = self.folder / "box"
        for path in recorded:
            assert not (box / path).exists()
        if not self.lost_journal:
            for file in self.gone:
                assert file.relative_to(box).as_posix() in recorded | begun

    @invariant()
    def a_right_clock_sets_the_exact_term(self) -> None:
        if self.lost_journal:
            return
        terms = {term.path: term for term in self.do(self.shelf.terms.all())}
        for one in self.footage:
            term = terms.get(one.file.relative_to(self.folder / "box").as_posix())
            if term is not None and term.retain_until is not None:
                slack = timedelta(seconds=10)
                assert term.retain_until >= self.true_term(one) - slack


Life.TestCase.settings = settings(
    max_examples=50,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestLife = Life.TestCase
