"""Making the streams that are pulled match the orders in force, on observed bytes."""

import asyncio
import errno
import logging
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from contract.clock import Clock
from contract.keys import SealKey
from contract.messages import CameraStatus, GapCause, Pressure, ShelfTrouble, Stream
from contract.spans import Span
from edge.config import EdgeConfig
from edge.feedserver import FeedServer
from edge.journal import from_us
from edge.recording.arming import Ordered, Origins, Wanted, by_camera, wanted
from edge.recording.books import Books, Trouble
from edge.recording.camera import CameraStream, Origin
from edge.recording.coverage import Coverage
from edge.recording.gaps import Failure
from edge.recording.ordersfile import OrdersFile
from edge.recording.pressure import is_spilling, marks, may_record, step
from edge.recording.recorder import Cuts, Recorder
from edge.recording.second import Second
from edge.recording.segment import Finished, GrowingSegment, ShelfBroken
from edge.rtsp.spacing import Spacing
from edge.rtsp.sweep import Sweep

log = logging.getLogger(__name__)

Key = tuple[str, Stream]
_LOOK_S = 1.0
_STEP_S = 1.0
_RECONCILE_S = 3.0
_GROWS_WITHIN_S = 10.0
_BEGINS_WITHIN_S = 25.0
_OPTIONAL = "the disk has no room for streams that are optional"
_AGAIN = timedelta(seconds=30)
_REMEMBERED_S = 60.0
"""So long after its camera left the orders a stream's failures may explain a gap yet."""


class Fleet:
    """Owns one task per stream that is pulled."""

    def __init__(
        self,
        config: EdgeConfig,
        clock: Clock,
        books: Books,
        feed: FeedServer,
        group: asyncio.TaskGroup,
        seal_key: SealKey,
        second: Second,
        earliest: Callable[[], datetime | None],
    ) -> None:
        self.file = OrdersFile(config.orders)
        self.streams: dict[Key, CameraStream] = {}
        self.coverage: dict[Key, Coverage] = {}
        self._config = config
        self._clock = clock
        self._books = books
        self._feed = feed
        self._group = group
        self._origins = Origins(seal_key)
        self._ordered: list[Ordered] = []
        self._earliest = earliest
        self._second = second
        self._sweep = Sweep(clock)
        self._spacing = Spacing(clock)
        self._tasks: dict[Key, tuple[Origin, asyncio.Task[None]]] = {}
        self._grown: dict[Key, tuple[Path | None, int, float]] = {}
        self._reconciled_at = float("-inf")
        self._left_at: dict[Key, float] = {}
        self._trouble_at: float | None = None
        self._told: set[Trouble] = set()
        self._pressure: Pressure = "none"
        self._place = config.shelf
        self._ahead = self._ahead_now()
        feed.on_watched = self._on_watched
        books.on_unsealed = self._on_unsealed

    async def run(self) -> None:
        """Work until cancelled."""
        self._group.create_task(self._sweep.run(), name="sweep")
        while True:
            self._notice_clock_step()
            if self.file.refresh():
                self._origins.forget_all()
                self._ordered = by_camera(self.file.orders)
            now = self._clock.now()
            self._look_at_space(now)
            await self._become(wanted(self._ordered, self._origins, now, self._earliest()))
            if self._clock.monotonic() >= self._reconciled_at + _RECONCILE_S:
                self._reconcile()
            self._forget_left()
            self._notice_recovery()
            await self._clock.sleep(_LOOK_S)

    def statuses(self) -> list[CameraStatus]:
        """Say of every camera of the box what is seen of its streams."""
        known = {key: stream.status() for key, stream in self.streams.items()}
        for camera in self.file.orders.cameras:
            for name in ("main", "sub"):
                off = CameraStatus(camera=camera.id, stream=name, state="off")
                known.setdefault((camera.id, name), off)
        return [status for _, status in sorted(known.items())]

    def growing(self) -> list[GrowingSegment]:
        """Give the segments whose files grow now."""
        open_ones = (stream.recorder.growing for stream in self.streams.values())
        return [segment for segment in open_ones if segment is not None and segment.path]

    def not_synced(self, segment: GrowingSegment, error: OSError) -> None:
        """Note that the disk did not take what was written to a file."""
        stream = self._stream((segment.name.camera, segment.name.stream))
        stream.recorder.doubt(segment, ShelfBroken(error, segment.shelf))

    def failures(self, key: Key) -> list[Failure]:
        """Give why pictures of a stream were missing of late."""
        stream = self.streams.get(key)
        return stream.failures if stream is not None else []

    def shelf_broke(self, key: Key, error: ShelfBroken) -> None:
        """Note that the shelf takes no bytes; each kind is said once until it does again.

        Where it was the second volume's, new files are made on the first at once.
        """
        if error.shelf == self._second.place:
            self._second.avoid()
            self._move(self._config.shelf)
        self._stream(key).fail(Failure(self._clock.now(), "disk", str(error)))
        kind: Trouble = "disk_full" if error.is_full else "write_failed"
        if kind not in self._told:
            self._told.add(kind)
            log.error("the shelf takes no more: %s", error)
            self._books.tell(ShelfTrouble(kind=kind, detail=str(error)))
        self._trouble_at = self._clock.monotonic()

    def _stream(self, key: Key) -> CameraStream:
        stream = self.streams.get(key)
        if stream is None:
            coverage = self.coverage.setdefault(key, Coverage())
            recorder = Recorder(
                key,
                self._place,
                Cuts.staggered(key, self._config.segment_seconds),
                coverage,
                self._clock,
                self._books.seal,
                lambda error: self.shelf_broke(key, error),
            )
            stream = CameraStream(
                key, recorder, self._feed, self._clock, self._books.tell, self._trusts_clock
            )
            self.streams[key] = stream
        return stream

    async def _become(self, desired: dict[Key, Wanted]) -> None:
        """Stop what is no longer wanted or comes from elsewhere, then start what is missing."""
        surplus = [
            key
            for key, (origin, _) in self._tasks.items()
            if key not in desired or not _is_same(desired[key].origin, origin)
        ]
        stopping = [self._tasks.pop(key)[1] for key in surplus]
        for task in stopping:
            task.cancel()
        if stopping:
            await asyncio.wait(stopping)
        for key in surplus:
            self._grown.pop(key, None)
            self.streams[key].recorder.keep([])
        for key, want in desired.items():
            stream = self._stream(key)
            stream.recorder.keep(self._kept(key, stream, want))
            if key not in self._tasks:
                self._tasks[key] = (want.origin, self._start(key, stream, want.origin))

    def _kept(self, key: Key, stream: CameraStream, want: Wanted) -> list[Span]:
        """Give the windows of a stream; none of a sub-stream when the disk has no room for more."""
        if key[1] == "main" or may_record(key[1], self._pressure):
            return list(want.keep)
        now = self._clock.now()
        last = stream.failures[-1] if stream.failures else None
        if last is None or last.detail != _OPTIONAL or now - last.at > _AGAIN:
            stream.fail(Failure(now, "disk", _OPTIONAL))
        return []

    def _start(self, key: Key, stream: CameraStream, origin: Origin) -> asyncio.Task[None]:
        return self._group.create_task(
            stream.pull(origin, self._sweep, self._spacing, self._config.may_contact),
            name=f"camera {key[0]}/{key[1]}",
        )

    def _look_at_space(self, now: datetime) -> None:
        """Stop a little before the disk is full: what happened must still fit into the journal.

        Before that new files are made on the second volume. The agent tells which step of the
        ladder the disk stands on; here it is acted on.
        """
        first = self._config.shelf
        found = os.statvfs(first)
        size, free = found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize
        self._pressure = step(self._pressure, free, marks(size, self._config.minimum_free_bytes))
        second = self._second.room() if is_spilling(self._pressure) else None
        self._move(second or first)
        if may_record("main", self._pressure):
            return
        full = ShelfBroken(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        for stream in self.streams.values():
            if stream.recorder.is_due(now) and (second is None or stream.recorder.grows_in(first)):
                stream.recorder.refuse(full)

    def _move(self, place: Path) -> None:
        """Make new files there from now on."""
        if place == self._place:
            return
        log.warning("new files are made in %s", place)
        self._place = place
        for stream in self.streams.values():
            stream.recorder.move(place)

    def _reconcile(self) -> None:
        """A task that exists proves nothing: a wanted file must grow."""
        now, wall = self._clock.monotonic(), self._clock.now()
        self._reconciled_at = now
        for key in self._tasks:
            stream = self.streams[key]
            if not stream.recorder.is_due(wall) or stream.state != "streaming":
                self._grown.pop(key, None)
                continue
            path, size = _on_disk(stream.recorder.growing)
            if path is not None and size < 0:
                self._redo(key, stream, "disk", "its file vanished")
                continue
            before = self._grown.get(key)
            if before is None or path != before[0] or size > before[1]:
                self._grown[key] = (path, size, now)
                continue
            limit = _GROWS_WITHIN_S if path else _BEGINS_WITHIN_S
            if now - before[2] > limit and not stream.recorder.is_waiting_for_disk:
                self._redo(key, stream, "stalled", "its file did not grow")

    def _forget_left(self) -> None:
        """Let go of streams of cameras that another box looks after now."""
        now = self._clock.monotonic()
        ours = {camera.id for camera in self.file.orders.cameras}
        for key, stream in list(self.streams.items()):
            if key[0] in ours or key in self._tasks or stream.recorder.is_recording:
                self._left_at.pop(key, None)
            elif now - self._left_at.setdefault(key, now) > _REMEMBERED_S:
                del self.streams[key], self._left_at[key]

    def _redo(self, key: Key, stream: CameraStream, cause: GapCause, detail: str) -> None:
        self._grown.pop(key, None)
        log.error("%s/%s is begun anew: %s", *key, detail)
        if stream.player is not None:
            stream.player.give_up(cause, detail)

    def _notice_clock_step(self) -> None:
        ahead = self._ahead_now()
        if abs(ahead - self._ahead) > _STEP_S:
            log.error("the box's clock stepped by %+.1f s", ahead - self._ahead)
            for stream in self.streams.values():
                stream.clock_stepped()
        self._ahead = ahead

    def _trusts_clock(self) -> bool:
        return self._earliest() is None

    def _ahead_now(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic()

    def _notice_recovery(self) -> None:
        since = self._trouble_at
        if since is None:
            return
        if any(stream.recorder.written_at > since for stream in self.streams.values()):
            self._trouble_at = None
            self._told.clear()
            log.warning("the shelf takes bytes again")
            self._books.tell(ShelfTrouble(kind="recovered", detail="written to again"))

    def _on_unsealed(self, finished: Finished) -> None:
        name = finished.name
        span = Span(from_us(name.start_us), from_us(finished.end_us))
        self.coverage.setdefault((name.camera, name.stream), Coverage()).lose(span)

    def _on_watched(self, key: Key, is_watched: bool) -> None:
        stream = self.streams.get(key)
        if stream is not None:
            stream.watched(is_watched)


def _is_same(origin: Origin, other: Origin) -> bool:
    return origin is other or origin == other


def _on_disk(segment: GrowingSegment | None) -> tuple[Path | None, int]:
    if segment is None or segment.path is None:
        return None, 0
    try:
        return segment.path, segment.path.stat().st_size
    except OSError:
        return segment.path, -1
