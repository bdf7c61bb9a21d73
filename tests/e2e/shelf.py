"""What a box has on its shelf, told by the pictures themselves."""

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import msgspec
import numpy as np

from contract.messages import GapFound
from contract.spans import Span
from edge.simulator.stamp import Stamp, read_stamp


def files(data: Path, camera: str) -> list[Path]:
    """A camera's recordings, sealed and growing, in order."""
    folder = data / "shelf" / camera
    return sorted(path for path in folder.glob("*/*") if path.suffix in (".mp4", ".part"))


def stamps(path: Path, *, keys_only: bool = False) -> Iterator[Stamp]:
    """Decode a recording, or its key pictures; gives each picture's stamp."""
    with av.open(str(path)) as container:
        if keys_only:
            container.streams.video[0].codec_context.skip_frame = "NONKEY"
        for frame in container.decode(video=0):
            assert isinstance(frame, av.VideoFrame)
            stamp = read_stamp(frame.to_ndarray(format="gray").astype(np.uint8, copy=False))
            if stamp is not None:
                yield stamp


def began(path: Path) -> datetime:
    """When a recording begins, by its name."""
    return datetime.strptime(path.stem[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)


def instants(data: Path, camera: str, since: datetime) -> list[datetime]:
    """When the recorded pictures of a camera were taken, by the recordings that reach so far."""
    number = int(camera.removeprefix("cam-"))
    taken = []
    every = files(data, camera)
    over = [one for one, after in itertools.pairwise(every) if began(after) <= since]
    for path in every[len(over) :]:
        for stamp in stamps(path if path.exists() else path.with_suffix(".mp4")):
            assert stamp.camera == number, f"{path} shows camera {stamp.camera}"
            taken.append(stamp.captured_at)
    return sorted(taken)


def holes(taken: list[datetime], since: datetime, until: datetime) -> list[Span]:
    """Spans of more than one second between `since` and `until` without a picture."""
    inside = [instant for instant in taken if since <= instant <= until]
    edges = [since, *inside, until]
    return [
        Span(one, two) for one, two in itertools.pairwise(edges) if two - one > timedelta(seconds=1)
    ]


def told_gaps(data: Path, camera: str) -> list[GapFound]:
    """The gaps in a box's journal."""
    with closing(_journal(data)) as db:
        rows = db.execute("select row from gaps where camera = ? order by start_us", (camera,))
        return [msgspec.json.decode(row, type=GapFound) for (row,) in rows]


def unheard(data: Path) -> int:
    """How many facts the centre has not yet stored."""
    with closing(_journal(data)) as db:
        last = db.execute("select coalesce(max(seq), 0) from facts").fetchone()[0]
        heard = db.execute("select value from meta where key = 'heard'").fetchone()
        return int(last) - (int(heard[0]) if heard else 0)


def _journal(data: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{data / 'journal.sqlite'}?mode=ro", uri=True)
