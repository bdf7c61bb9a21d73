"""What is asked of a reading process, and what it answers."""

from datetime import datetime

import msgspec

from orchestrator.timetable.rooms import KnownRoom
from orchestrator.timetable.sessions import Reading


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A file to be read, with what is known beside it."""

    data: bytes
    name: str
    timezone: str = "Asia/Shanghai"
    """Zone of the file's times when there is no term table."""
    term: bytes = b""
    """A term table as JSON; empty: none is known."""
    rooms: tuple[KnownRoom, ...] | None = None
    """The list of rooms; None: rooms stay as written."""
    now: datetime | None = None
    """Exams that ended before are warned of; None: none is."""
    memory_bytes: int = 1 << 30
    cpu_seconds: int = 30


class Failure(msgspec.Struct, frozen=True, kw_only=True, tag="failure"):
    """The file as a whole was not read."""

    code: str
    zh: str
    en: str


Outcome = Reading | Failure
