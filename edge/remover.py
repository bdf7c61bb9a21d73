"""The expiry task: the only one that deletes footage, and only what `expiry.due` says is due."""

import asyncio
import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path, PurePosixPath

from contract.clock import Clock
from contract.messages import DeferCause
from edge import references
from edge.clockrun import run_of
from edge.expiring import deleting, is_deleting
from edge.expiry import CentreTime, Decision, Defer, Delete, Footing, Keep, Term, due
from edge.holds import HoldsInForce, holding
from edge.journal import Journal
from edge.orders import OrdersInForce
from edge.recording.names import MOUNT, SECOND, is_on_second
from edge.recording.second import last_seen
from edge.recording.volume import read_identity
from edge.terms import Terms

log = logging.getLogger(__name__)

LOOK_S = 30.0
_STRAYS_EVERY_S = 3600.0
_OLD_PART = timedelta(days=1)
_AT_ONCE = 200
_CHUNK = 1 << 20
_NO_FOOTAGE = tuple(f"shelf/{MOUNT}/{name}" for name in ("volume.json", ".volume", "lost+found/"))
"""What lies on a second volume beside the footage."""
_PLACES = ("shelf", "quarantine", references.PLACE)


class NotExpiring(Exception):
    """Something wanted to delete footage without leave: a mistake in the program."""


class Remover:
    """Registers footage, gives it its term, and deletes it when that is over."""

    def __init__(
        self,
        data: Path,
        terms: Terms,
        journal: Journal,
        centre: CentreTime,
        clock: Clock,
        boot: str,
        orders: Callable[[], OrdersInForce],
        holds: Callable[[], HoldsInForce],
        is_trusted: Callable[[], bool],
    ) -> None:
        self._data = data
        self._terms = terms
        self._journal = journal
        self._centre = centre
        self._clock = clock
        self._boot = boot
        self._orders = orders
        self._holds = holds
        self._is_trusted = is_trusted
        self._views = references.References.below(data)
        self._grown: set[str] = set()
        self._has_raised = False
        self._strays_at: float | None = None
        self._work = asyncio.Event()
        self.deciding = asyncio.Lock()
        """Held from the last look at the holds until the footage is gone: a hold that is kept and
        confirmed under it is of footage that is there, or was gone before."""

    async def run(self) -> None:
        """Look every half minute, and soon after `touch`, until cancelled; raises JournalBusy."""
        while True:
            self._work.clear()
            await self.look()
            nap = asyncio.ensure_future(self._clock.sleep(LOOK_S))
            work = asyncio.ensure_future(self._work.wait())
            try:
                await asyncio.wait({nap, work}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                nap.cancel()
                work.cancel()

    def touch(self) -> None:
        """Look soon: the centre said something."""
        self._work.set()

    async def look(self) -> None:
        """Register what is new, set and raise terms, delete what is due."""
        await self._remember()
        while await self._terms.register():
            pass
        await self._look_for_strays()
        footing = await self._footing()
        if footing.is_confirmed and footing.certain is not None:
            confirmed = max(footing.now, footing.certain)
            run = run_of(self._clock, self._boot)
            while await self._terms.settle(run, confirmed, footing.now):
                pass
            await self._terms.forget_windows(footing.certain)
        if not self._has_raised:  # a kill may lie between a window that grew and its footage
            self._grown |= await self._terms.cameras()
        await self._raise_grown()
        self._has_raised = True
        if footing.is_trusted:
            await self._expire()

    async def _remember(self) -> None:
        self._grown |= await self._terms.remember(self._orders().orders, self._holds().longer)

    async def _raise_grown(self) -> None:
        """Raise the terms of what is known to have a window that grew."""
        await self._remember()
        await self._terms.raise_of(sorted(self._grown), self._clock.now())
        self._grown = set()

    async def _footing(self, path: str = "") -> Footing:
        """Give what is certain now, with the volume on which this path lies."""
        volume = await self._volume(path)
        return Footing(
            now=self._clock.now(),
            is_trusted=self._is_trusted(),
            certain=self._centre.certain(self._clock.monotonic()),
            issued_at=self._holds().issued_at,
            volume=volume,
        )

    async def _volume(self, path: str = "") -> str | None:
        """Give the volume on which this path lies, when it is the one the journal knows."""
        found = read_identity(self._data)
        if found is None or await self._journal.meta("volume") != found:
            return None
        if not is_on_second(path):
            return found
        seen = last_seen(self._data)
        return seen.volume if seen is not None else None

    async def _expire(self) -> None:
        stays = 0
        while terms := await self._terms.over(self._clock.now(), _AT_ONCE, stays):
            late: dict[DeferCause, list[Term]] = {}
            held: list[Term] = []
            for term in terms:
                decision = await self._decide(term)
                if isinstance(decision, Delete):
                    decision = await self._delete(term)
                    if isinstance(decision, Delete):
                        continue
                stays += 1
                if term.is_begun and not await self._settled(term, decision):
                    stays -= 1
                if isinstance(decision, Defer):
                    late.setdefault(decision.why, []).append(term)
                elif keepers := self._keepers(term):
                    await self._terms.note_held(term.id, keepers)
                    held.append(term)
            await self._terms.end_deferrals(held, self._clock.now())
            for why, which in late.items():
                await self._terms.defer(which, why, self._clock.now())

    async def _decide(self, term: Term) -> Decision:
        """Decide by what holds at this instant: a backlog takes minutes, and lists come meanwhile.

        The holds are read last, and nothing is awaited after them.
        """
        await self._raise_grown()
        footing = await self._footing(term.path)
        fresh = await self._terms.renewed(term)
        mine = [one for one in self._orders().cameras if one.id == term.camera]
        if term.path.startswith(f"{references.PLACE}/") and term.path in self._views.in_use(mine):
            return Keep("a view in use")
        return due(fresh, self._keepers(fresh), footing)

    def _keepers(self, term: Term) -> list[str]:
        return holding(self._holds().holds, term.camera, term.start, term.end)

    async def _settled(self, term: Term, decision: Keep | Defer) -> bool:
        """End what was begun and may not go on; false when it is gone already and is on record."""
        if (self._data / term.path).exists() or not await self._is_right(term):
            if isinstance(decision, Keep):
                await self._terms.take_back(term)
            return True
        await self._terms.record(term, self._clock.now(), missing=False)
        return False

    async def _is_right(self, term: Term) -> bool:
        volume = await self._volume(term.path)
        anyones = () if is_on_second(term.path) else ("",)
        return volume is not None and term.volume in (*anyones, volume)

    async def _delete(self, term: Term) -> Decision:
        """Intent, look again, unlink, folder, look, record: the next look mends a crash anywhere.

        Gives Delete when it is gone; else what keeps it, and what was begun here is taken back.
        """
        if not term.is_begun:
            await self._terms.begin(term, self._clock.now())
        try:
            root = "" if term.root else await asyncio.to_thread(_hash, self._data, term.path)
            async with self.deciding:
                decision = await self._decide(term)
                if isinstance(decision, Delete):
                    with deleting():
                        missing = not await asyncio.to_thread(remove, self._data, term.path)
            if not isinstance(decision, Delete):
                if not term.is_begun:
                    await self._terms.take_back(term)
                return decision
        except OSError as error:
            log.error("%s cannot be deleted: %s", term.path, error)
            return Defer("failed")
        if missing and not await self._is_right(term):  # unmounted since
            return Defer("failed")
        if missing and term.id.startswith("stray."):
            await self._terms.forget(term)
            return decision
        await self._terms.record(
            term, self._clock.now(), missing=missing and not term.is_begun, root=root
        )
        log.info("deleted %s: its term ended %s", term.path, term.retain_until)
        return decision

    # ------------------------------------------------------------ what is no segment

    async def _look_for_strays(self) -> None:
        """Every hour: what lies on the shelf or in quarantine without a term gets one too.

        So do reference views that are in use no more; one that is again loses its term.
        """
        now = self._clock.monotonic()
        if self._strays_at is not None and now - self._strays_at < _STRAYS_EVERY_S:
            return
        volume = await self._volume()
        if volume is None:
            return
        known = await self._terms.known_paths()
        used = await asyncio.to_thread(self._views.in_use, self._orders().cameras)
        for path in sorted(used & known):
            term = await self._terms.by_path(path)
            if term is not None and not term.is_begun:
                await self._terms.forget(term)
        before = self._clock.now() - _OLD_PART
        second = await self._volume(f"shelf/{MOUNT}/")
        passed_over = () if second else (MOUNT,)
        found = await asyncio.to_thread(
            lambda: list(_strays(self._data, known | used, before.timestamp(), passed_over))
        )
        for of, is_second in ((volume, False), (second, True)):
            mine = [stray for stray in found if is_on_second(stray[0]) == is_second]
            if mine and of is not None:
                await self._terms.register_strays(mine, of)
        self._strays_at = now


def remove(data: Path, path: str) -> bool:
    """Unlink a file below `data` for good; false when there is none.

    Follows no link out of the folder. Raises NotExpiring without leave, OSError.
    """
    if not is_deleting():
        raise NotExpiring(path)
    try:
        folder = _open_folder(data, PurePosixPath(path))
    except FileNotFoundError:
        return False
    try:
        name = PurePosixPath(path).name
        try:
            os.unlink(name, dir_fd=folder)
        except FileNotFoundError:
            return False
        finally:
            os.fsync(folder)
        with suppress(FileNotFoundError):
            os.stat(name, dir_fd=folder, follow_symlinks=False)
            raise OSError(f"{path} is still there")
        return True
    finally:
        os.close(folder)


def _open_folder(data: Path, path: PurePosixPath) -> int:
    """Open the folder of a file, step by step, so that no link leads elsewhere; raises OSError."""
    if path.is_absolute() or ".." in path.parts or path.parts[0] not in _PLACES:
        raise OSError(f"{path} is no place of footage")
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    here = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    volume = os.fstat(here).st_dev
    on_second = is_on_second(path.as_posix())
    for step in path.parent.parts:
        try:
            deeper = os.open(step, flags, dir_fd=here)
        finally:
            os.close(here)
        here = deeper
        if on_second and step == MOUNT:
            first, volume = volume, os.fstat(here).st_dev
            if volume == first:
                os.close(here)
                raise OSError(f"{path}: the second volume is not mounted")
    if os.fstat(here).st_dev != volume:
        os.close(here)
        raise OSError(f"{path} lies on another volume")
    return here


def _hash(data: Path, path: str) -> str:
    digest = hashlib.sha256()
    try:
        with (data / path).open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except FileNotFoundError:
        return ""
    return digest.hexdigest()


def _strays(
    data: Path, known: frozenset[str], before: float, passed_over: tuple[str, ...]
) -> Iterator[tuple[str, str, int]]:
    for place in _PLACES:
        for folder, below, names in os.walk(data / place):
            below[:] = [name for name in below if name not in passed_over]
            for name in names:
                file = Path(folder) / name
                path = file.relative_to(data).as_posix()
                if path in known or (place == references.PLACE and name in references.NO_VIEWS):
                    continue
                if path.startswith(_NO_FOOTAGE):
                    continue
                with suppress(OSError):  # gone, or it cannot be asked: the next walk may
                    found = file.lstat()
                    if place != "shelf" or found.st_ctime < before:  # it may be about to be sealed
                        yield path, _camera_in(path), found.st_size


def _camera_in(path: str) -> str:
    parts = [
        part
        for part in PurePosixPath(path).parts
        if part not in (*_PLACES, *PurePosixPath(SECOND).parts)
    ]
    return parts[0] if len(parts) > 1 else ""
