"""Where a segment stands on the shelf, and what its name says."""

import re
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from contract.messages import Stream
from edge.journal import from_us, to_us

MOUNT = ".second"
"""Below the shelf: where a second volume is mounted. No camera has such a name."""
SECOND = f"{MOUNT}/footage"
"""Where footage lies on it. While nothing is mounted there is no such folder to write into."""

_FORM = re.compile(r"(\d{8}T\d{6}\d{3})(\.sub)?\.(mp4|part)")


class Name(NamedTuple):
    """A segment's camera, stream and start."""

    camera: str
    stream: Stream
    start_us: int
    """Whole milliseconds."""

    @property
    def stamp(self) -> str:
        """The start as it stands in names: YYYYMMDDTHHMMSSmmm, UTC."""
        start = from_us(self.start_us)
        return f"{start:%Y%m%dT%H%M%S}{start.microsecond // 1000:03d}"

    @property
    def segment(self) -> str:
        """The segment's id."""
        return f"{self.camera}.{self.stream}.{self.stamp}"

    def file(self, shelf: Path, ending: str) -> Path:
        """The file, `mp4` when sealed and `part` while it grows."""
        middle = ".sub" if self.stream == "sub" else ""
        date = f"{from_us(self.start_us):%Y-%m-%d}"
        return shelf / self.camera / date / f"{self.stamp}{middle}.{ending}"


def is_on_second(path: str) -> bool:
    """True for a path, relative to the box's data folder, of the second volume."""
    return path.startswith(f"shelf/{MOUNT}/")


def make_folder(file: Path) -> None:
    """Make the folders of camera and day; raises OSError where the second volume is not there.

    Whoever made its folder, too, would write below a mount point where nothing is mounted.
    """
    if MOUNT in file.parts:
        file.parent.parent.mkdir(exist_ok=True)
        file.parent.mkdir(exist_ok=True)
    else:
        file.parent.mkdir(parents=True, exist_ok=True)


def whole_ms(us: int) -> int:
    """Round down to whole milliseconds."""
    return us - us % 1000


def parse(path: PurePosixPath) -> Name | None:
    """Read a path relative to the shelf; None for what is not named by us."""
    if path.is_relative_to(SECOND):
        path = path.relative_to(SECOND)
    if len(path.parts) != 3:
        return None
    match = _FORM.fullmatch(path.name)
    if match is None:
        return None
    try:
        start = datetime.strptime(match[1] + "000", "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
    except ValueError:
        return None
    name = Name(path.parts[0], "sub" if match[2] else "main", to_us(start))
    return name if name.file(Path(), match[3]) == Path(path) else None
