"""The second volume: new files are made there before the first has no room for them.

It is mounted at `shelf/.second`. What is on it stays where it is until its term ends. Whether it is
there is looked at beside the recording, which goes by the last answer: a disk that hangs, vanishes
or takes no bytes costs the first volume nothing.
"""

import asyncio
import logging
import os
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec

from contract.clock import Clock, Instant
from contract.keys import write_private
from contract.messages import Pressure, ShelfTrouble
from edge.config import EdgeConfig
from edge.recording.adoption import unfinished
from edge.recording.names import MOUNT, SECOND, is_on_second
from edge.recording.pressure import marks, step
from edge.recording.volume import WrongVolume

log = logging.getLogger(__name__)

_LOOK_S = 5.0
_ANSWERS_WITHIN_S = 5.0
_AVOIDED_S = 60.0
"""So long after it took no bytes no new file is made on it."""
_AVOIDED_AT_MOST_S = 3600.0
_TRIED_EVERY_S = 60.0
_PROBE = ".volume.probe"
_FRESH_S = 30.0
"""What the recorder said of it counts for so long."""


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of `volume.json` on a second volume."""

    volume: str
    beside: str
    """The first volume's id: whose disk this is."""
    made_at: Instant


class Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is remembered on the first volume, in `second.json`."""

    volume: str = ""
    """The id of the second volume that was here last; empty: there was none."""
    is_away: bool = False
    """That it is away, or another's, was told."""


class Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was seen of it last; the box's other processes read it from `run/second.json`."""

    volume: str
    free_bytes: int
    total_bytes: int
    is_writable: bool


def last_seen(data: Path) -> Seen | None:
    """Give what the recorder said of the second volume within half a minute; None: nothing."""
    place = data / "run" / "second.json"
    try:
        if abs(time.time() - place.stat().st_mtime) > _FRESH_S:
            return None
        return msgspec.json.decode(place.read_bytes(), type=Seen)
    except (OSError, msgspec.MsgspecError):
        return None


def is_reachable(data: Path, path: str, volume: str) -> bool:
    """False for a path on a second volume that is not this one, or not there. May block."""
    if not is_on_second(path):
        return True
    seen = last_seen(data)
    if seen is None or seen.volume != volume:
        return False
    try:  # it may have gone since
        return (data / "shelf" / MOUNT).stat().st_dev != data.stat().st_dev
    except OSError:
        return False


class Second:
    """Knows whether there is a second volume that is ours, and whether it takes new files."""

    def __init__(
        self, config: EdgeConfig, first: str, tell: Callable[[ShelfTrouble], None], clock: Clock
    ) -> None:
        """`first` is the id of the first volume."""
        self.looked = asyncio.Event()
        """Set once it was looked for, and what was left on it is about to be sealed."""
        self.on_found: Callable[[list[Path]], Awaitable[None]] = _nothing
        """Hears once in a run of what an earlier one left unfinished on it."""
        self.place = config.shelf / SECOND
        self.volume = ""
        """Its id, once it was seen."""
        self._mount = config.shelf / MOUNT
        self._said = config.run / "second.json"
        self._config = config
        self._first = first
        self._tell = tell
        self._clock = clock
        self._seen: Seen | None = None
        self._pressure: Pressure = "none"
        self._looking: asyncio.Task[Seen | None] | None = None
        self._avoided_until = float("-inf")
        self._avoided_s = _AVOIDED_S
        self._tried_at = float("-inf")
        self._taken_over: set[str] = set()
        self._known = _read_known(config.data)

    @property
    def is_there(self) -> bool:
        """True when it was there, and ours, at the last look."""
        return self._seen is not None

    async def run(self) -> None:
        """Look every five seconds until cancelled."""
        while True:
            await self.look()
            self.looked.set()
            await self._clock.sleep(_LOOK_S)

    async def look(self) -> None:
        """See whether it is there and ours; that it is not, and that it is again, is told once."""
        looking = self._looking or asyncio.create_task(
            asyncio.to_thread(self._look), name="second volume"
        )
        self._looking = looking  # one that hangs is waited for, and no other is begun
        done, _ = await asyncio.wait({looking}, timeout=_ANSWERS_WITHIN_S)
        if not done:
            self._seen = None
            self._unsay()
            self._say_away(f"{self._mount}: the second volume does not answer")
            return
        self._looking = None
        try:
            found = looking.result()
            if found is not None:
                self.volume = found.volume
                await self._take_over()
        except (WrongVolume, OSError, ValueError) as error:
            self._seen = None
            self._unsay()
            self._say_away(str(error))
            return
        self._seen = found
        self._say(found)
        self._say_there()

    async def _take_over(self) -> None:
        """Hand on, once in a run, what was left on it: before this run makes files of its own."""
        if self.volume in self._taken_over:
            return
        left = await asyncio.to_thread(unfinished, self.place)
        self._taken_over.add(self.volume)
        await self.on_found(left)

    def room(self) -> Path | None:
        """Give where new files may be made, as it was seen last; None: nowhere on it."""
        seen = self._seen
        if seen is None or not seen.is_writable or self._clock.monotonic() < self._avoided_until:
            return None
        at = marks(seen.total_bytes, self._config.minimum_free_bytes)
        self._pressure = step(self._pressure, seen.free_bytes, at)
        return None if self._pressure == "newest" else self.place

    def avoid(self) -> None:
        """Make no new file on it for a minute, and longer each time: it took no bytes."""
        self._avoided_until = self._clock.monotonic() + self._avoided_s
        self._avoided_s = min(2 * self._avoided_s, _AVOIDED_AT_MOST_S)

    # ------------------------------------------------------------ in a thread: disks may hang

    def _look(self) -> Seen | None:
        """Look for it; raises WrongVolume for one that is away, or another's, and OSError."""
        if not os.path.ismount(self._mount):
            if self._known.volume:
                raise WrongVolume(f"{self._mount}: the second volume is not mounted")
            return None
        volume = self._identify(self._clock.now())
        about = os.statvfs(self._mount)
        is_writable = not about.f_flag & os.ST_RDONLY
        if is_writable:
            self._try_out()
        return Seen(
            volume=volume,
            free_bytes=about.f_bavail * about.f_frsize,
            total_bytes=about.f_blocks * about.f_frsize,
            is_writable=is_writable,
        )

    def _try_out(self) -> None:
        """Write a little and have the disk take it, once a minute: what it says may not be true."""
        now = self._clock.monotonic()
        if now < self._tried_at + _TRIED_EVERY_S:
            return
        self.place.mkdir(exist_ok=True)
        probe = self._mount / _PROBE
        with probe.open("wb") as file:
            file.write(b"xunkao")
            file.flush()
            os.fsync(file.fileno())
        self._tried_at = now

    def _identify(self, now: datetime) -> str:
        """Give its id; an empty one gets its own at its first use."""
        place = self._mount / "volume.json"
        try:
            identity = msgspec.json.decode(place.read_bytes(), type=Identity)
        except FileNotFoundError:
            if not all(_is_of_a_new_disk(one.name) for one in self._mount.iterdir()):
                raise WrongVolume(f"{self._mount} is not empty: whose disk is this?") from None
            identity = Identity(secrets.token_hex(16), self._first, now)
            write_private(place, msgspec.json.encode(identity))
        except msgspec.MsgspecError as error:
            raise WrongVolume(f"{place} cannot be read: {error}") from error
        if identity.beside != self._first:
            raise WrongVolume(f"{self._mount} is the second volume of another box")
        return identity.volume

    # ------------------------------------------------------------ said and remembered

    def _say(self, seen: Seen | None) -> None:
        """Let the box's other processes know; on a full first volume write over what was said."""
        if seen is None:
            return self._unsay()
        data = msgspec.json.encode(seen)
        beside = self._said.with_suffix(".new")
        try:
            beside.write_bytes(data)
            beside.replace(self._said)
        except OSError:
            with suppress(OSError), self._said.open("r+b") as file:
                file.write(data)
                file.truncate()
        return None

    def _unsay(self) -> None:
        with suppress(OSError):
            self._said.unlink(missing_ok=True)

    def _say_away(self, detail: str) -> None:
        if not self._known.is_away:
            log.error("%s", detail)
            self._tell(ShelfTrouble(kind="second_away", detail=detail))
            self._remember(Known(self._known.volume, is_away=True))

    def _say_there(self) -> None:
        """It is there, or there never was one."""
        if self._known.is_away:
            log.warning("nothing is wrong with the second volume any more")
            self._tell(ShelfTrouble(kind="second_back", detail="nothing is wrong with it"))
        if self._known != Known(self.volume):
            self._remember(Known(self.volume))

    def _remember(self, known: Known) -> None:
        self._known = known
        try:
            write_private(self._config.data / "second.json", msgspec.json.encode(known))
        except OSError as error:  # at worst it is told once more after the next start
            log.warning("second.json: %s", error)


def _is_of_a_new_disk(name: str) -> bool:
    """True for what a filesystem begins with, and for what a kill left of an identity."""
    return name == "lost+found" or name.startswith(".volume.")


def _read_known(data: Path) -> Known:
    try:
        return msgspec.json.decode((data / "second.json").read_bytes(), type=Known)
    except (OSError, msgspec.MsgspecError):
        return Known()


async def _nothing(_: list[Path]) -> None:
    pass
