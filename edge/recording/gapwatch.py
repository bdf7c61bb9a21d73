"""Comparing what was ordered with what is on disk, all the time, and telling each gap once."""

from datetime import datetime, timedelta
from typing import get_args

from contract.clock import Clock
from contract.messages import CameraChanged, GapCause, GapFound, Stream
from contract.spans import Span, subtract
from edge.journal import to_us
from edge.orders import OrdersInForce
from edge.recording.arming import ordered_spans
from edge.recording.books import Books
from edge.recording.coverage import Coverage
from edge.recording.fleet import Fleet
from edge.recording.gaps import SETTLE, Absence, Failure, Gap, absence, explain, missing
from edge.recording.names import Name, whole_ms
from edge.recording.rows import Rows

Key = tuple[str, Stream]
_LOOK_S = 2.0
_LATE = timedelta(seconds=2)
_PAST = timedelta(hours=24)
"""A window that ended longer ago was judged by an earlier run."""


class GapWatch:
    """Looks at every window from its start until a little after its end."""

    def __init__(
        self,
        fleet: Fleet,
        rows: Rows,
        books: Books,
        clock: Clock,
        last_alive: datetime | None,
    ) -> None:
        self._fleet = fleet
        self._rows = rows
        self._books = books
        self._clock = clock
        self._last_alive = last_alive
        self._began = clock.now()
        self._followed: OrdersInForce | None = None
        self._windows: dict[Key, list[Span]] = {}
        self._known_since: dict[tuple[Key, datetime], datetime] = {}
        self._earlier: dict[Key, list[Failure]] = {}
        self._done: set[tuple[Key, Span]] = set()
        self._is_tidy = False

    async def run(self) -> None:
        """Work until cancelled."""
        await self._remember_failures()
        while True:
            await self._follow_orders()
            now = self._clock.now()
            for key, windows in self._windows.items():
                for window in windows:
                    self._judge(key, window, now)
            self._forget()
            await self._clock.sleep(_LOOK_S)

    async def _remember_failures(self) -> None:
        since = self._began - _PAST
        last: dict[Key, CameraChanged] = {}
        for at, change in await self._rows.read(lambda journal: journal.camera_changes(since)):
            last[change.camera, change.stream] = change
            self._remember(at, change)
        for change in last.values():
            if self._last_alive is not None:  # said once, it held until the end of that run
                self._remember(self._last_alive, change)

    def _remember(self, at: datetime, change: CameraChanged) -> None:
        if change.cause:
            failures = self._earlier.setdefault((change.camera, change.stream), [])
            failures.append(Failure(at, _cause(change.cause), change.detail))

    async def _follow_orders(self) -> None:
        """Take up new windows; one that was taken back is judged up to now."""
        orders = self._fleet.file.orders
        if orders is self._followed:
            return
        self._followed, now = orders, self._clock.now()
        current = ordered_spans(orders)
        for key in {*self._windows, *current}:
            new = [window for window in current.get(key, []) if window.end > now - _PAST]
            old = self._windows.get(key, [])
            if new == old:
                continue
            for window in new:
                if window not in old:
                    await self._take_up(key, window, now)
            ended = [Span(window.start, min(window.end, now)) for window in old]
            rest = [part for window in ended for part in subtract(window, new)]
            self._windows[key] = sorted({*new, *(part for part in rest if part.start < part.end)})
            self._is_tidy = False

    async def _take_up(self, key: Key, window: Span, now: datetime) -> None:
        self._known_since.setdefault((key, window.start), now)
        coverage = self._fleet.coverage.setdefault(key, Coverage())
        coverage.know(await self._rows.read(lambda journal: journal.accounted(*key, window.start)))

    def _judge(self, key: Key, window: Span, now: datetime) -> None:
        if (key, window) in self._done or window.start >= now - SETTLE:
            return
        coverage = self._fleet.coverage[key]
        if not coverage.reaches(window.start, min(window.end, now - SETTLE)):
            for span in missing(window, coverage.spans(), now):
                failures = [*self._earlier.get(key, []), *self._fleet.failures(key)]
                for gap in explain(span, self._absences(key, window), failures):
                    self._tell(key, gap)
                coverage.know([span])
        if now > window.end + 2 * SETTLE:
            self._done.add((key, window))
            self._is_tidy = False

    def _absences(self, key: Key, window: Span) -> list[Absence]:
        known = self._known_since[key, window.start]
        found = []
        if self._began > window.start:
            found.append(absence(window, self._last_alive, self._began))
        if known - self._began > _LATE and known > window.start:
            late = Span(window.start, known)
            found.append(Absence(late, "started_late", "the order came after its start"))
        return found

    def _tell(self, key: Key, gap: Gap) -> None:
        camera, stream = key
        name = Name(camera, stream, whole_ms(to_us(gap.span.start)))
        self._books.tell_gap(
            GapFound(
                gap=name.segment,
                camera=camera,
                stream=stream,
                start=gap.span.start,
                end=gap.span.end,
                cause=gap.cause,
                detail=gap.detail,
            )
        )

    def _forget(self) -> None:
        """Let go of what was on disk before the windows that are still to be judged."""
        if self._is_tidy:
            return
        self._is_tidy = True
        for key, windows in self._windows.items():
            starts = [window.start for window in windows if (key, window) not in self._done]
            self._fleet.coverage[key].forget_before(min(starts, default=self._clock.now()))
        known = {(key, window) for key, windows in self._windows.items() for window in windows}
        self._done &= known


def _cause(word: str) -> GapCause:
    """Read a cause as facts carry it; an unknown one is the vaguest."""
    causes: tuple[GapCause, ...] = get_args(GapCause)
    return next((cause for cause in causes if cause == word), "lost")
