"""What was last heard of cameras and boxes, as the store has it at one moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contract.messages import Pressure
from orchestrator.alerts.classes import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraSeen:
    """A camera whose window is open, as its box described its main stream last."""

    camera: str
    edge: str
    room: str
    session: str
    state: str = "unknown"
    recording: bool = False
    switch: str = ""
    """What it hangs on; empty: unknown."""
    last_frame_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxSeen:
    """A box that has cameras whose windows are open."""

    edge: str
    cameras: int
    is_online: bool
    heard_at: datetime | None
    pressure: Pressure = "none"
    """The step of the ladder its disk stands on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tamper:
    """A word of a box about a picture that is not ended, or not counted yet."""

    id: str
    camera: str
    kind: str
    score: float
    model: str
    first_at: datetime
    ended_at: datetime | None
    is_counted: bool
    edge: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxTrouble:
    """Something lasting about a box, whether or not one of its windows is open."""

    edge: str
    kind: Kind
    cameras: int
    is_online: bool
    since: datetime | None
    """None: it has not said since when."""


@dataclass(frozen=True, slots=True)
class Incomplete:
    """A session whose newest certificate says INCOMPLETE, and nobody has dealt with it."""

    session: str
    room: str
    since: datetime


@dataclass(frozen=True, slots=True)
class LateDeletion:
    """A box that could not delete what is past its term, and since when."""

    edge: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """All that was seen at one moment."""

    cameras: Sequence[CameraSeen] = ()
    boxes: Sequence[BoxSeen] = ()
    tampers: Sequence[Tamper] = ()
    late: Sequence[LateDeletion] = ()
    troubles: Sequence[BoxTrouble] = ()
    incomplete: Sequence[Incomplete] = ()
