"""The eyes process: one feed, a watch for each camera whose order is open."""

import asyncio
import logging
import os
from concurrent.futures import ThreadPoolExecutor

from contract.clock import Clock
from edge import orders as in_force
from edge.config import EdgeConfig
from edge.eyes.bursts import Bursts
from edge.eyes.telling import Book, Telling
from edge.eyes.views import Model, Views
from edge.eyes.watch import Watch
from edge.eyes.watched import watched
from edge.feed import AccessUnit
from edge.feedclient import FeedClient
from edge.journal import Journal
from edge.orders import OrdersInForce
from edge.references import References

log = logging.getLogger(__name__)

MODEL = "obstruction"
_NICE = 5
_THREADS = 2
_LOOK_S = 1.0
_SAY_DROPPED_S = 60.0


async def run(config: EdgeConfig, clock: Clock) -> None:
    """Watch until cancelled; the recorder is never kept waiting.

    Raises JournalReplaced, in a group: what is open stands in the journal, so all begins anew.
    """
    os.nice(_NICE - os.nice(0))
    async with Journal.open(config.journal) as journal, asyncio.TaskGroup() as group:
        group.create_task(journal.until_replaced(clock), name="journal")
        await watch(config, clock, journal, Model.load(MODEL))


async def watch(config: EdgeConfig, clock: Clock, book: Book, model: Model) -> None:
    """Do so, telling `book`, with that model."""
    with ThreadPoolExecutor(_THREADS, "eyes") as threads:
        async with asyncio.TaskGroup() as group:
            await Eyes(config, clock, book, model, threads, group).run()


class Eyes:
    """Keeps the watches that the orders ask for."""

    def __init__(
        self,
        config: EdgeConfig,
        clock: Clock,
        book: Book,
        model: Model,
        threads: ThreadPoolExecutor,
        group: asyncio.TaskGroup,
    ) -> None:
        self._config = config
        self._clock = clock
        self._threads = threads
        self._group = group
        self._references = References.below(config.data)
        self._views = Views(self._references, model)
        self._telling = Telling(book, clock)
        self._bursts = Bursts()
        self._watches: dict[str, Watch] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._feed = FeedClient(config.run / "feed.sock", clock, self._take, self._interrupted)
        self._orders = OrdersInForce()
        self._stamp = (0, 0)

    async def run(self) -> None:
        """Watch until cancelled."""
        self._group.create_task(self._feed.run(), name="feed")
        self._group.create_task(self._telling.run(), name="telling")
        self._group.create_task(self._say_dropped(), name="dropped")
        while True:
            await self._become(watched(self._read_orders(), self._clock.now()))
            self._hear_wishes()
            await self._clock.sleep(_LOOK_S)

    def _read_orders(self) -> OrdersInForce:
        try:
            stat = self._config.orders.stat()
        except FileNotFoundError:
            return self._orders
        stamp = stat.st_mtime_ns, stat.st_ino
        if stamp != self._stamp:
            self._stamp = stamp
            self._orders = in_force.load(self._config.orders)
        return self._orders

    async def _become(self, wanted: dict[str, str]) -> None:
        """Watch these cameras, by these reference views, and no others."""
        surplus = [self._stop(camera) for camera in self._watches.keys() - wanted.keys()]
        if surplus:
            await asyncio.wait(surplus)
        missing = wanted.keys() - self._watches.keys()
        for camera in sorted(missing):
            self._begin(camera, wanted[camera])
        for camera, reference in wanted.items():
            self._watches[camera].reference = reference
        if surplus or missing:
            self._feed.want([(camera, "sub") for camera in sorted(self._watches)])

    def _begin(self, camera: str, reference: str) -> None:
        watch = Watch(
            camera,
            reference,
            self._views,
            self._telling,
            self._bursts,
            self._threads,
            self._clock,
        )
        self._watches[camera] = watch
        self._tasks[camera] = self._group.create_task(watch.run(), name=f"watch {camera}")

    def _stop(self, camera: str) -> asyncio.Task[None]:
        del self._watches[camera]
        task = self._tasks.pop(camera)
        task.cancel()
        return task

    def _hear_wishes(self) -> None:
        for camera in self._references.asked() & self._watches.keys():
            self._watches[camera].is_asked = True
            self._references.granted(camera)

    def _take(self, unit: AccessUnit) -> None:
        watch = self._watches.get(unit.camera)
        if watch is not None and unit.stream == "sub":
            watch.take(unit)

    def _interrupted(self) -> None:
        for watch in self._watches.values():
            watch.interrupted()

    async def _say_dropped(self) -> None:
        said = 0
        while True:
            await self._clock.sleep(_SAY_DROPPED_S)
            dropped = sum(watch.dropped for watch in self._watches.values())
            if dropped > said:
                log.warning("too slow: %d key pictures were not looked at", dropped - said)
            said = dropped
