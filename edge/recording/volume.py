"""Which volume this is: footage is never written to, or deleted from, one that only looks right."""

import secrets
from pathlib import Path

import msgspec

from contract.clock import Clock, Instant
from contract.keys import write_private
from edge.journal import Journal
from edge.recording.names import MOUNT
from edge.recording.rows import Rows

_META = "volume"


class WrongVolume(Exception):
    """The shelf is not the one this box has recorded to; the message says what to look at."""


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of `volume.json`."""

    volume: str
    made_at: Instant


async def identify(data: Path, shelf: Path, rows: Rows, clock: Clock) -> str:
    """Give the volume's id; raises WrongVolume.

    The file alone says it. Only where there is none, at the first use of an empty volume, must the
    journal be asked.
    """
    place = data / "volume.json"
    try:
        return msgspec.json.decode(place.read_bytes(), type=Identity).volume
    except FileNotFoundError:
        return _make(place, shelf, await rows.read(_remembered), clock)
    except msgspec.MsgspecError as error:
        raise WrongVolume(f"{place} cannot be read: {error}") from error


async def confirm(data: Path, found: str, journal: Journal) -> None:
    """Hold the volume's id against the one the journal knows; raises WrongVolume."""
    expected = await _remembered(journal)
    if expected is None:
        await journal.set_meta(_META, found)
    elif expected != found:
        raise WrongVolume(
            f"{data} holds volume {found}, the journal knows {expected}: is the right disk mounted?"
        )


def read_identity(data: Path) -> str | None:
    """Give the id that a volume says it has; None: it says nothing that can be read."""
    try:
        return msgspec.json.decode((data / "volume.json").read_bytes(), type=Identity).volume
    except (OSError, msgspec.MsgspecError):
        return None


async def _remembered(journal: Journal) -> str | None:
    return await journal.meta(_META)


def _make(place: Path, shelf: Path, expected: str | None, clock: Clock) -> str:
    if expected is not None:
        raise WrongVolume(f"{place} is gone, the journal knows {expected}: is the disk mounted?")
    if shelf.exists() and any(one.name != MOUNT for one in shelf.iterdir()):
        raise WrongVolume(f"{shelf} holds footage but {place} is gone: whose disk is this?")
    identity = Identity(secrets.token_hex(16), clock.now())
    shelf.mkdir(exist_ok=True)  # before: who has an identity is never asked for a shelf again
    write_private(place, msgspec.json.encode(identity))
    return identity.volume
