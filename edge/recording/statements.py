"""The box's own word on every order whose window is over: told once, and again when it changes."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

from contract.clock import Clock
from contract.coverage import Hole, account, roots_digest
from contract.keys import canonical
from contract.messages import (
    CoverageStated,
    GapFound,
    Order,
    SegmentClosed,
    StatedGap,
    Stream,
)
from contract.spans import Span
from edge.journal import Journal
from edge.recording.gaps import SETTLE
from edge.recording.ordersfile import OrdersFile
from edge.recording.rows import Rows

SETTLED = 3 * SETTLE
"""So long after a window its last file is sealed and its gaps are found; later finds are told."""
_LOOK_S = 5.0
_AHEAD = timedelta(minutes=5)
_KEPT = timedelta(days=7)
"""A file that is found later than this after its window changes no statement."""

Key = tuple[str, Stream]


def state(
    order: Order, stream: Stream, segments: Iterable[SegmentClosed], gaps: Iterable[GapFound]
) -> CoverageStated:
    """Say what of an order's window is on disk; pure, and the same for the same rows."""
    window = Span(order.start, order.end)
    mine = sorted(
        (one for one in segments if one.stream == stream and _touches(one.start, one.end, window)),
        key=lambda one: (one.start, one.segment),
    )
    told = sorted(
        Hole(Span(gap.start, gap.end), gap.cause, gap.detail)
        for gap in gaps
        if gap.stream == stream and _touches(gap.start, gap.end, window)
    )
    found = account(window, [Span(one.start, one.end) for one in mine], told)
    return CoverageStated(
        order=order.id,
        camera=order.camera,
        session=order.session,
        stream=stream,
        start=order.start,
        end=order.end,
        recorded_us=found.recorded_us,
        seams_us=found.seams_us,
        gaps=tuple(
            StatedGap(start=gap.span.start, end=gap.span.end, cause=gap.cause, detail=gap.detail)
            for gap in found.gaps
        ),
        segments=len(mine),
        roots=roots_digest((one.segment, one.root) for one in mine),
        chain_head=mine[-1].root if mine else "",
        untrusted=sum(one.clock == "untrusted" for one in mine),
    )


def _touches(start: datetime, end: datetime, window: Span) -> bool:
    return start < window.end and window.start < end


def id_of(statement: CoverageStated) -> str:
    """Name a statement by all it says: the same one is told once."""
    digest = hashlib.sha256(canonical(statement)).hexdigest()
    return f"coverage.{digest[:48]}"


class Statements:
    """Remembers orders beyond their windows and states each when it is over."""

    def __init__(self, file: OrdersFile, rows: Rows, clock: Clock) -> None:
        self._file = file
        self._rows = rows
        self._clock = clock
        self._remembered: frozenset[Order] = frozenset()
        self._marks: tuple[int, int] | None = None
        self._stated: set[Order] = set()

    async def run(self) -> None:
        """Work until cancelled."""
        self._rows.on_begun_anew.append(self._forget)
        while True:
            await self.look()
            await self._clock.sleep(_LOOK_S)

    async def look(self) -> None:
        """Remember what has begun, state what is over and new, and what came to light since."""
        await self._remember()
        now = self._clock.now()
        over = [
            order
            for order in await self._rows.read(Journal.promised)
            if now - _KEPT < order.end < now - SETTLED
        ]
        found = await self._found_since()
        again = {order for order in over if _concerned(order, found)}
        for order in over:
            if order in again or order not in self._stated:
                await self._state(order)
        self._stated = set(over)

    def _forget(self) -> None:
        """A new journal knows of no promise and no statement."""
        self._remembered, self._marks, self._stated = frozenset(), None, set()

    async def _found_since(self) -> list[tuple[str, str, Span]]:
        before, self._marks = self._marks, await self._rows.read(Journal.marks)
        if before is None or before == self._marks:  # at first everything is stated anyway
            return []
        return await self._rows.read(lambda journal: journal.recorded_after(before))

    async def _remember(self) -> None:
        """An order leaves the plan with its window; what it promised is stated all the same."""
        now = self._clock.now()
        begun = frozenset(
            order
            for order in self._file.orders.orders
            if order.start < now + _AHEAD and order.end > now - _KEPT
        )
        if begun <= self._remembered:
            return
        await self._rows.read(lambda journal: journal.promise(begun, now - _KEPT))
        self._remembered = begun

    async def _state(self, order: Order) -> None:
        segments = await self._rows.read(
            lambda journal: journal.segments_between(order.camera, order.start, order.end)
        )
        gaps = await self._rows.read(
            lambda journal: journal.gaps_between(order.camera, order.start, order.end)
        )
        at = self._clock.now()
        for stream in order.record:
            statement = state(order, stream, segments, gaps)
            name = id_of(statement)
            self._rows.put(partial(Journal.add_fact, data=statement, at=at, id=name))


def _concerned(order: Order, found: Sequence[tuple[str, str, Span]]) -> bool:
    window = Span(order.start, order.end)
    return any(
        camera == order.camera and stream in order.record and _touches(span.start, span.end, window)
        for camera, stream, span in found
    )
