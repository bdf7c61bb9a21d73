"""Which pictures of a stream are kept, and in which file: windows, key pictures, cuts."""

import hashlib
import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from contract.clock import Clock
from contract.messages import Stream
from contract.spans import Span
from edge.journal import from_us, to_us
from edge.recording.coverage import Coverage
from edge.recording.names import Name
from edge.recording.segment import Finished, GrowingSegment, ShelfBroken
from edge.rtsp.intake import Picture

log = logging.getLogger(__name__)

_FRAGMENT_90K: Final = 45_000 - 3_600
"""Half a second less one picture: no fragment is longer."""
_WORTH_90K: Final = 22_500
"""A quarter of a second: what a read must have gathered to be written at once."""
_LEAD_LIMIT: Final = 4 << 20
_AGAIN_S: Final = 3.0
_EXACT_US: Final = 20_000
_STEP_US: Final = 1_000_000
_NEVER: Final = (0, 0)


class Cuts(NamedTuple):
    """When a stream's files begin anew: every `seconds`, at its own offset in the minute."""

    seconds: int
    offset_us: int

    @classmethod
    def staggered(cls, key: tuple[str, str], seconds: int) -> "Cuts":
        """Spread the streams' cuts evenly, and always in the same way."""
        digest = hashlib.sha256("/".join(key).encode()).digest()
        share = int.from_bytes(digest[:4], "big") / 2**32
        return cls(seconds, int(share * seconds * 1_000_000))

    def after(self, us: int) -> int:
        """Give the first cut later than `us` by at least half a segment."""
        period = self.seconds * 1_000_000
        earliest = us + period // 2
        return earliest + (self.offset_us - earliest) % period


class Recorder:
    """Writes one stream's pictures to the shelf while a window is open."""

    def __init__(
        self,
        key: tuple[str, Stream],
        shelf: Path,
        cuts: Cuts,
        coverage: Coverage,
        clock: Clock,
        finished: Callable[[Finished], None],
        trouble: Callable[[ShelfBroken], None],
    ) -> None:
        self.coverage = coverage
        self._name = Name(key[0], key[1], 0)
        self._shelf = shelf
        self._cuts = cuts
        self._clock = clock
        self._finished = finished
        self._trouble = trouble
        self._kept: list[Span] = []
        self._windows: list[tuple[int, int]] = []
        self._segment: GrowingSegment | None = None
        self._cut_at = 0
        self._lead: list[Picture] = []
        self._lead_bytes = 0
        self._retry_at = 0.0
        self.written_at = clock.monotonic()
        """When bytes last went to the shelf, by the monotonic clock."""

    @property
    def is_recording(self) -> bool:
        """True while a file grows."""
        return self._segment is not None

    @property
    def growing(self) -> GrowingSegment | None:
        """The file that grows."""
        return self._segment

    def grows_in(self, shelf: Path) -> bool:
        """True while a file grows that was made there."""
        return self._segment is not None and self._segment.shelf == shelf

    @property
    def is_waiting_for_disk(self) -> bool:
        """True for some seconds after the shelf refused bytes."""
        return self._clock.monotonic() < self._retry_at + _AGAIN_S

    def is_due(self, now: datetime) -> bool:
        """True while a window is open."""
        return self._is_inside(to_us(now))

    def keep(self, windows: list[Span]) -> None:
        """Replace the windows in which pictures are kept."""
        if windows and windows == self._kept:
            return
        self._kept = windows
        self._windows = [(to_us(window.start), to_us(window.end)) for window in windows]
        if not windows:
            self.end()

    def move(self, shelf: Path) -> None:
        """Make new files there from now on; the one that grows ends before the next key picture."""
        self._shelf = shelf
        self._cut_at = 0
        self._retry_at = 0.0  # what took no bytes was the other

    def take(self, pictures: list[Picture]) -> None:
        """Keep those of the pictures that fall into a window; none: write what is collected."""
        if not self._windows:
            return
        try:
            at = 0
            while at < len(pictures):
                after = self._go_on(pictures, at)
                if after == at:
                    self._take(pictures[at])
                    after += 1
                at = after
            segment = self._segment
            if segment is not None and (not pictures or segment.pending_90k >= _WORTH_90K):
                self._flush(segment)
        except ShelfBroken as error:
            self._broken(error)

    def end(self) -> None:
        """Finish the file that grows; the next one begins at a key picture."""
        segment, self._segment = self._segment, None
        self._forget_lead()
        if segment is None:
            return
        try:
            self._flush(segment, last=True)
        except ShelfBroken as error:
            self._trouble(error)
        self._hand_over(segment)

    def refuse(self, error: ShelfBroken) -> None:
        """End the file that grows and begin none for some seconds: the shelf is to take no more."""
        self._broken(error)

    def doubt(self, segment: GrowingSegment, error: ShelfBroken) -> None:
        """End the file at what the disk has for certain: it did not take the rest."""
        start_us, end_us = segment.doubt()
        self.coverage.lose(Span(from_us(start_us), from_us(end_us)))
        if segment is self._segment:
            self._broken(error)
        else:
            self._trouble(error)

    def _go_on(self, pictures: list[Picture], at: int) -> int:
        """Take the pictures from `at` on that simply belong to the file that grows.

        Nearly all of a stream do, and are looked at once. Gives where the first other one is, or
        the first behind a whole fragment.
        """
        segment = self._segment
        if segment is None:
            return at
        run, parameters = segment.run, segment.parameters
        start, end = self._window_at(pictures[at].captured_us)
        full_at = segment.reaches(_FRAGMENT_90K, pictures[at])
        stop = at
        while stop < len(pictures):
            picture = pictures[stop]
            is_same = picture.run == run and picture.parameters is parameters
            if picture.key or not is_same or not start <= picture.captured_us < end:
                break
            stop += 1
            if picture.timestamp_90k >= full_at:
                break
        if stop > at:
            is_all = stop - at == len(pictures)
            self._append(segment, pictures if is_all else pictures[at:stop])
        return stop

    def _take(self, picture: Picture) -> None:
        segment = self._segment
        if segment is not None and (
            picture.run != segment.run
            or picture.parameters is not segment.parameters
            or not self._is_inside(picture.captured_us)
            or (picture.key and not self._is_timed(segment, picture))
        ):
            self.end()
            segment = None
        if segment is None:
            self._wait(picture)
            return
        if picture.key and picture.captured_us >= self._cut_at:
            self._cut(segment, picture)
            return
        self._append(segment, [picture])

    def _is_timed(self, segment: GrowingSegment, picture: Picture) -> bool:
        """Correct the segment's start as the stream's time gets known better; false: a step."""
        off_us = segment.off_by_us(picture)
        if off_us > _STEP_US:
            return False
        if off_us < -_EXACT_US:
            segment.correct(off_us)
            self.coverage.add(*segment.span_us)
        return True

    def _wait(self, picture: Picture) -> None:
        """Keep the pictures since the last key, so that a window's first second is whole."""
        if picture.key:
            self._forget_lead()
        elif not self._lead or picture.run != self._lead[0].run:
            self._forget_lead()
            return
        self._lead.append(picture)
        self._lead_bytes += len(picture.data)
        if self._is_inside(picture.captured_us):
            self._begin()
        elif self._lead_bytes > _LEAD_LIMIT:
            self._forget_lead()

    def _begin(self) -> None:
        if self._clock.monotonic() < self._retry_at:
            self._forget_lead()
            return
        lead = self._lead
        self._forget_lead()
        segment = self._segment = GrowingSegment(self._shelf, self._name, lead[0])
        self._cut_at = self._cuts.after(lead[0].captured_us)
        for picture in lead:
            self._append(segment, [picture])

    def _cut(self, segment: GrowingSegment, first: Picture) -> None:
        self._flush(segment, last=True)
        self._segment = None
        self._hand_over(segment)
        self._lead = [first]
        self._begin()

    def _append(self, segment: GrowingSegment, pictures: list[Picture]) -> None:
        segment.add(pictures)
        if segment.pending_90k >= _FRAGMENT_90K:
            self._flush(segment)

    def _flush(self, segment: GrowingSegment, *, last: bool = False) -> None:
        span = segment.flush(last=last)
        if span is not None:
            self.coverage.add(*span)
            self.written_at = self._clock.monotonic()

    def _broken(self, error: ShelfBroken) -> None:
        self._retry_at = self._clock.monotonic() + _AGAIN_S
        segment, self._segment = self._segment, None
        self._forget_lead()
        if segment is not None:
            self._hand_over(segment)
        self._trouble(error)

    def _hand_over(self, segment: GrowingSegment) -> None:
        finished = segment.finish()
        if finished is not None:
            self._finished(finished)

    def _is_inside(self, us: int) -> bool:
        return self._window_at(us) != _NEVER

    def _window_at(self, us: int) -> tuple[int, int]:
        """Give the window that is open then; one without a length: none is."""
        for window in self._windows:
            if window[0] <= us < window[1]:
                return window
        return _NEVER

    def _forget_lead(self) -> None:
        self._lead = []
        self._lead_bytes = 0

    def __repr__(self) -> str:
        at = f" since {from_us(self._segment.name.start_us)}" if self._segment else ""
        return f"<Recorder {self._name.camera}/{self._name.stream}{at}>"
