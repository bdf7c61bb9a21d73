"""What does `xunkao-edge shelf verify` cost beside `sha256sum` of the same files?

Both read the same sealed segments, from the page cache, alternating. The figures are user and
system time of the whole command, its start included, and the rate the command itself says.
"""

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from contract.clock import SystemClock
from contract.spans import Span
from edge.journal import to_us
from edge.recording.books import Books
from edge.recording.coverage import Coverage
from edge.recording.recorder import Cuts, Recorder
from edge.rtsp.intake import Picture
from edge.rtsp.lengths import joined
from edge.rtsp.parameters import Parameters
from tests.fakes.encoder import parameter_sets
from tests.fakes.recorder import Box
from tests.fakes.sealed import START, opened

_FPS, _SECONDS = 25, 60
_PICTURE = 10_000
"""2 Mbit/s."""


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured."""

    segments: int
    megabytes: float
    cpu_seconds: float
    cpu_seconds_sha256sum: float
    cpu_ratio_sha256sum: float
    megabytes_per_second: float


async def fill(box: Box, segments: int) -> None:
    """Put so many segments of a minute on the shelf and on record."""
    sets, lot = parameter_sets("h264"), random.Random(3)
    noise = lot.randbytes(_PICTURE * 8)
    async with opened(box) as books:
        for number in range(segments):
            _record(box, books, f"cam-{number:02}", sets, noise)
            await asyncio.sleep(0)


def _record(box: Box, books: Books, camera: str, sets: Parameters, noise: bytes) -> None:
    recorder = Recorder(
        (camera, "main"),
        box.config.shelf,
        Cuts(_SECONDS * 2, 0),
        Coverage(),
        SystemClock(),
        books.seal,
        print,
    )
    recorder.keep([Span(START, START.replace(year=START.year + 1))])
    for number in range(_FPS * _SECONDS):
        head = b"\x65" if number % _FPS == 0 else b"\x41"
        at = number * 7919 % (len(noise) - _PICTURE)
        captured = to_us(START) + number * 40_000
        picture = Picture(
            2**32 + number * 3600,
            captured,
            1,
            number % _FPS == 0,
            joined([head + noise[at : at + _PICTURE]]),
            sets,
        )
        recorder.take([picture])
    recorder.end()


def cpu_of(command: Sequence[str]) -> tuple[float, str]:
    """Run it; gives user and system seconds, and what it said."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}")
    return used.ru_utime + used.ru_stime, said


def measure(segments: int, rounds: int, folder: Path) -> Result:
    """Fill a shelf and read it both ways."""
    box = Box.make(folder)
    asyncio.run(fill(box, segments))
    files = [str(path) for path in box.files()]
    ours = (sys.executable, "-m", "edge", "shelf", "verify", "--json", "--config", str(box.path))
    theirs = ("sha256sum", *files)
    costs, peer_costs, rates = [], [], []
    for _ in range(rounds):
        peer_costs.append(cpu_of(theirs)[0])
        cost, said = cpu_of(ours)
        costs.append(cost)
        rates.append(json.loads(said)["megabytes_per_second"])
    return Result(
        segments=len(files),
        megabytes=round(sum(path.stat().st_size for path in box.files()) / 1e6, 1),
        cpu_seconds=round(median(costs), 3),
        cpu_seconds_sha256sum=round(median(peer_costs), 3),
        cpu_ratio_sha256sum=round(median(costs) / median(peer_costs), 3),
        megabytes_per_second=round(median(rates), 1),
    )


def main() -> None:
    """Measure and say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shelf_verify")
    parser.add_argument("--segments", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="xunkao-bench-") as folder:
        figures = asdict(measure(given.segments, given.rounds, Path(folder)))
    if given.json:
        print(json.dumps(figures))
    else:
        print("\n".join(f"{name}: {value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
