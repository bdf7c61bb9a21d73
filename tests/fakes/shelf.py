"""A box's shelf with real files, a real journal and a clock that a test moves."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from contract.keys import write_private
from contract.messages import Camera, Hold, HoldList, HoldReleased, KeptLonger, Order, SegmentClosed
from edge.clockrun import sealed_in
from edge.expiring import deleting
from edge.expiry import CentreTime
from edge.holds import HoldsInForce, adopt, load, save
from edge.journal import Journal, from_us, to_us
from edge.orders import OrdersInForce
from edge.recording.adoption import name_of
from edge.recording.names import Name
from edge.recording.volume import Identity
from edge.remover import Remover
from edge.terms import Terms
from tests.fakes.clock import ManualClock

EDGE = "box-1"


class TurnedClock(ManualClock):
    """A manual clock whose passing wakes nobody: the test calls what looks at it."""

    def turn(self, by: timedelta) -> None:
        """Let time pass by both clocks."""
        self._now += by
        self._monotonic += by.total_seconds()


class Shelf:
    """What the agent does for expiry, without broker and processes."""

    def __init__(self, data: Path, journal: Journal, terms: Terms, clock: TurnedClock) -> None:
        self.data = data
        self.journal = journal
        self.terms = terms
        self.clock = clock
        self.boot = "b0"
        self.is_trusted = True
        self.orders: dict[str, Order] = {}
        self.cameras: tuple[Camera, ...] = ()
        self.centre = CentreTime()
        self.holds = load(data / "holds.json")
        self.remover = self._remover()

    @classmethod
    @asynccontextmanager
    async def open(cls, data: Path, clock: TurnedClock) -> AsyncGenerator["Shelf"]:
        """Open journal and shelf below `data`; made at the first call."""
        (data / "shelf").mkdir(parents=True, exist_ok=True)
        async with Journal.open(data / "journal.sqlite") as journal:
            if await journal.meta("volume") is None:
                await journal.set_meta("volume", "v1")
            if not (data / "volume.json").exists():
                mount(data, "v1", clock.now())
            yield cls(data, journal, await Terms.open(journal), clock)

    def restart(self, *, machine: bool = False) -> None:
        """Begin anew as after a kill; a machine's monotonic clock begins anew too."""
        if machine:
            self.boot = f"b{int(self.boot[1:]) + 1}"
            self.clock._monotonic = 7.0
        self.centre = CentreTime()
        self.holds = load(self.data / "holds.json")
        self.remover = self._remover()

    def _remover(self) -> Remover:
        return Remover(
            self.data,
            self.terms,
            self.journal,
            self.centre,
            self.clock,
            self.boot,
            lambda: OrdersInForce(orders=tuple(self.orders.values()), cameras=self.cameras),
            lambda: self.holds,
            lambda: self.is_trusted,
        )

    async def record(
        self, camera: str, seconds: float = 60, size: int = 100, *, knows_clock: bool = True
    ) -> Path:
        """Seal a segment that ends now."""
        end = self.clock.now()
        return await self.seal(camera, end - timedelta(seconds=seconds), end, size, knows_clock)

    async def seal(
        self,
        camera: str,
        start: datetime,
        end: datetime,
        size: int = 100,
        knows_clock: bool = True,
        *,
        place: str = "shelf",
        volume: str = "v1",
    ) -> Path:
        """Seal a segment of this span."""
        name = Name(camera, "main", to_us(start) // 1000 * 1000)
        file = name.file(self.data / place, "mp4")
        await asyncio.to_thread(_write, file, size)
        await self.journal.add_segment(
            SegmentClosed(
                segment=name.segment,
                camera=camera,
                stream="main",
                start=start,
                end=end,
                bytes=size,
                path=file.relative_to(self.data).as_posix(),
                root=f"{name.stamp}{camera}",
                previous="",
                fragments=1,
                clock="trusted" if self.is_trusted else "untrusted",
                volume=volume,
                clock_run=sealed_in(self.clock, self.boot, end) if knows_clock else "",
            ),
            self.clock.now(),
        )
        return file

    async def adopt(self, file: Path, camera: str) -> None:
        """Put a sealed file on record that the journal does not know, as the recorder does."""
        name = name_of(file, self.data / "shelf")
        assert name is not None
        start = from_us(name.start_us)
        await self.journal.add_segment(
            SegmentClosed(
                segment=name.segment,
                camera=camera,
                stream="main",
                start=start,
                end=start + timedelta(minutes=1),
                bytes=file.stat().st_size,
                path=file.relative_to(self.data).as_posix(),
                root=f"{name.stamp}{camera}",
                previous="",
                fragments=1,
                clock="trusted",
                volume="v1",
                adopted=True,
            ),
            self.clock.now(),
        )

    def order(self, id: str, camera: str, start: datetime, end: datetime, days: int = 30) -> None:
        """Order a window, as a desired state does."""
        self.orders[id] = Order(
            id=id, camera=camera, session=id, start=start, end=end, retain_days=days
        )

    def hear(
        self,
        issued_at: datetime,
        *holds: Hold,
        released: tuple[HoldReleased, ...] = (),
        longer: tuple[KeptLonger, ...] = (),
        epoch: int = 1,
        number: int | None = None,
    ) -> HoldsInForce:
        """Take a hold list in, as the agent does with one whose signatures hold."""
        new = HoldList(
            edge=EDGE,
            epoch=epoch,
            number=self.holds.number + 1 if number is None else number,
            issued_at=issued_at,
            holds=holds,
            released=released,
            longer=longer,
        )
        after = adopt(self.holds, new)
        save(self.data / "holds.json", after)
        self.holds = after
        self.centre.hear(issued_at, self.clock.monotonic())
        return after

    async def facts(self, kind: str) -> list[dict[str, object]]:
        """Give what was told of one type."""
        rows = await self.journal.facts_after(0, 100_000)
        return [msgspec.json.decode(row[4]) for row in rows if row[2] == kind]

    def files(self) -> set[Path]:
        """Give what lies on the shelf."""
        return set((self.data / "shelf").rglob("*.mp4"))


def mount(data: Path, volume: str | None, now: datetime) -> None:
    """Have this volume below the box; None: the identity is gone."""
    place = data / "volume.json"
    if volume is None:
        place.unlink(missing_ok=True)
    else:
        write_private(place, msgspec.json.encode(Identity(volume, now)))


def take_away(file: Path) -> None:
    """Remove a file as somebody at the machine would, or a lost disk."""
    with deleting():
        file.unlink()


def hold(id: str, camera: str, start: datetime, end: datetime, kind: str = "violation") -> Hold:
    """Make a hold."""
    wire = {"hold": id, "kind": kind, "cameras": [camera], "start": start, "end": end}
    return msgspec.convert(wire, type=Hold)


def _write(file: Path, size: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"x" * size)
    file.chmod(0o440)
