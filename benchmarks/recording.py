"""What does recording cost beside one `ffmpeg -c copy` process a camera, and what does kill -9?

Cost: 32 simulated cameras (720p, 2 Mbit/s) are recorded twice at once: by the recorder as it
ships and by 32 ffmpeg processes, main streams alone. Both are measured over the same windows, so
that noise hits them alike; the figure is user and system time, the median of the windows. Then
once more with a recorder that pulls the sub-streams too, which nobody watches. The machine's
memory is touched before. Memory is what `ps` shows as resident, summed over the processes; in the
proportional set, beside it, pages that processes share count once.

Loss: recorders of a few cameras each are killed with -9 at random moments. Lost is what lies
between the end of the last whole picture on disk and the kill. What is left is decoded by PyAV.
"""

import argparse
import asyncio
import json
import random
import signal
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

import av
import psutil

from benchmarks import _ffmpeg
from contract.messages import Source
from edge.compiled import is_compiled
from edge.recording import adoption
from tests.fakes.cameras import Farm, running_cameras
from tests.fakes.oracle import decode
from tests.fakes.recorder import Box, running_recorder
from tests.fakes.waiting import until

_SETTLE_S = 6.0
_TOUCHED_BYTES, _PIECE_BYTES = 6 << 30, 256 << 20
"""More than a run writes."""
_BOXES, _CAMERAS_A_BOX = 5, 4
_YOUNGEST_S, _OLDEST_S = 0.5, 9.5
"""How long a file has grown when it is killed: a stream is read more often in its first 3 s."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one way to record took in one window, of all its processes."""

    cpu_share: float
    rss_bytes: int
    pss_bytes: int


class Window(NamedTuple):
    """What both cost in the same seconds."""

    ours: Cost
    ffmpeg: Cost


@dataclass(frozen=True, slots=True)
class Loss:
    """What a kill cost one camera."""

    seconds: float
    is_clean: bool
    is_torn: bool
    """The last fragment was cut short, and adoption cut it off."""


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured; the shares are of one core, a camera."""

    cameras: int
    is_compiled: bool
    windows: int
    window_seconds: float
    cpu_share_a_camera: float
    cpu_share_a_camera_with_sub: float
    cpu_share_a_camera_ffmpeg: float
    cpu_ratio_ffmpeg: float
    cpu_ratio_ffmpeg_lowest: float
    cpu_ratio_ffmpeg_highest: float
    cpu_ratio_ffmpeg_with_sub: float
    rss_megabytes: float
    rss_megabytes_ffmpeg: float
    pss_megabytes: float
    pss_megabytes_ffmpeg: float
    memory_ratio_ffmpeg: float
    """Of the resident set size: what `ps` shows, summed over the processes."""
    memory_ratio_ffmpeg_pss: float
    """Of the proportional one, in which pages that processes share count once."""
    kill9_moments: int
    kill9_camera_kills: int
    kill9_loss_p50_s: float
    kill9_loss_p95_s: float
    kill9_loss_max_s: float
    kill9_files_clean: int
    kill9_files_cut_to_last_fragment: int
    kill9_loss_p50_s_ffmpeg: float
    kill9_loss_max_s_ffmpeg: float
    kill9_files_clean_ffmpeg: int
    kill9_files_ffmpeg: int


@asynccontextmanager
async def _recorder(
    farm: Farm, cameras: Sequence[str], folder: Path, *, with_sub: bool = False
) -> AsyncGenerator[tuple[Box, asyncio.subprocess.Process]]:
    box = Box.make(folder)
    for camera in cameras:
        sub = farm.url(camera, "sub") if with_sub else ""
        box.has_camera(camera, Source(main=farm.url(camera), sub=sub))
    now = datetime.now(UTC)
    box.order(now, now + timedelta(hours=1))
    async with running_recorder(box, log="ERROR") as process:
        await until(lambda: len(box.files("*.part")) == len(cameras), 60, "every file grows")
        yield box, process


async def cost(
    cameras: int, windows: int, seconds: float, folder: Path, *, with_sub: bool = False
) -> list[Window]:
    """Record all cameras by us and by ffmpeg at once; gives what each window cost."""
    async with AsyncExitStack() as stack:
        farm = await stack.enter_async_context(running_cameras(cameras))
        urls = [farm.url(camera) for camera in farm.cameras]
        _, recorder = await stack.enter_async_context(
            _recorder(farm, farm.cameras, folder / "ours", with_sub=with_sub)
        )
        peers = await stack.enter_async_context(_ffmpeg.recording(urls, folder / "ffmpeg"))
        await until(lambda: len([*folder.glob("ffmpeg/*/*.mp4")]) == cameras, 60, "ffmpeg records")
        await asyncio.sleep(_SETTLE_S)
        ours = [psutil.Process(recorder.pid)]
        theirs = [psutil.Process(peer.pid) for peer in peers]
        return [await _window(ours, theirs, seconds) for _ in range(windows)]


async def _window(
    ours: list[psutil.Process], theirs: list[psutil.Process], seconds: float
) -> Window:
    before, began = (_used(ours), _used(theirs)), time.monotonic()
    await asyncio.sleep(seconds)
    after, passed = (_used(ours), _used(theirs)), time.monotonic() - began
    costs = []
    for processes, start, end in zip((ours, theirs), before, after, strict=True):
        memory = [process.memory_full_info() for process in processes]
        rss, pss = sum(one.rss for one in memory), sum(one.pss for one in memory)
        costs.append(Cost((end - start) / passed, rss, pss))
    return Window(*costs)


def touch_memory() -> None:
    """Have this machine's free memory backed before anything is measured.

    On a virtual machine the first touch of a page is the host's work, and whoever writes a file
    pays for it: several times what writing to a page costs that was in use before.
    """
    size = min(_TOUCHED_BYTES, psutil.virtual_memory().available // 2)
    held = [b"\1" * _PIECE_BYTES for _ in range(size // _PIECE_BYTES)]
    del held


def _used(processes: list[psutil.Process]) -> float:
    times = [process.cpu_times() for process in processes]
    return sum(one.user + one.system for one in times)


async def kills(moments: int, folder: Path) -> tuple[list[Loss], list[Loss]]:
    """Kill recorders, and ffmpeg processes, at random moments; gives the losses of both."""
    ours: list[Loss] = []
    theirs: list[Loss] = []
    lot = random.Random(9)
    async with running_cameras(_BOXES * _CAMERAS_A_BOX) as farm:
        for first in range(0, moments, _BOXES):
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(
                        _kill(farm, number, folder / f"{first + number}", lot.random())
                    )
                    for number in range(min(_BOXES, moments - first))
                ]
            for task in tasks:
                our_losses, their_loss = task.result()
                ours += our_losses
                theirs.append(their_loss)
    return ours, theirs


async def _kill(farm: Farm, number: int, folder: Path, chance: float) -> tuple[list[Loss], Loss]:
    cameras = farm.cameras[number * _CAMERAS_A_BOX : (number + 1) * _CAMERAS_A_BOX]
    async with (
        _ffmpeg.recording([farm.url(cameras[0])], folder / "ffmpeg") as (peer,),
        _recorder(farm, cameras, folder) as (box, recorder),
    ):
        file = folder / "ffmpeg" / "0" / "0000.mp4"
        await until(file.exists, 30, "ffmpeg records")
        began = time.time()
        await asyncio.sleep(_YOUNGEST_S + chance * (_OLDEST_S - _YOUNGEST_S))
        killed = datetime.now(UTC)
        recorder.send_signal(signal.SIGKILL)
        peer.kill()
        await asyncio.gather(recorder.wait(), peer.wait())
    parts = box.files("*.part")
    ours = [await asyncio.to_thread(_left_of, part, box.config.shelf, killed) for part in parts]
    clean = await asyncio.to_thread(_is_clean, file)
    theirs = Loss(0.0 if clean else killed.timestamp() - began, clean, is_torn=not clean)
    return ours, theirs


def _left_of(part: Path, shelf: Path, killed: datetime) -> Loss:
    name = adoption.name_of(part, shelf)
    assert name is not None
    size = part.stat().st_size
    kept = adoption.adopt(part, name)
    lost = killed.timestamp() - kept.end_us / 1e6
    return Loss(max(lost, 0.0), _is_clean(part), is_torn=kept.size != size)


def _is_clean(file: Path) -> bool:
    try:
        return not decode(file).corrupt
    except av.FFmpegError:
        return False


def summed_up(
    costs: list[Window],
    with_sub: list[Window],
    seconds: float,
    cameras: int,
    losses: tuple[list[Loss], list[Loss]],
) -> Result:
    """Give the figures."""
    ratios, ratios_with_sub = ([_ratio(one) for one in some] for some in (costs, with_sub))
    ours, theirs = costs[-1].ours, costs[-1].ffmpeg
    lost = [loss.seconds for loss in losses[0]]
    lost_there = [loss.seconds for loss in losses[1]]
    return Result(
        cameras=cameras,
        is_compiled=is_compiled(),
        windows=len(costs),
        window_seconds=seconds,
        cpu_share_a_camera=_share([one.ours for one in costs], cameras),
        cpu_share_a_camera_with_sub=_share([one.ours for one in with_sub], cameras),
        cpu_share_a_camera_ffmpeg=_share([one.ffmpeg for one in costs], cameras),
        cpu_ratio_ffmpeg=round(median(ratios), 4),
        cpu_ratio_ffmpeg_lowest=round(min(ratios), 4),
        cpu_ratio_ffmpeg_highest=round(max(ratios), 4),
        cpu_ratio_ffmpeg_with_sub=round(median(ratios_with_sub), 4),
        rss_megabytes=round(ours.rss_bytes / 1e6, 1),
        rss_megabytes_ffmpeg=round(theirs.rss_bytes / 1e6, 1),
        pss_megabytes=round(ours.pss_bytes / 1e6, 1),
        pss_megabytes_ffmpeg=round(theirs.pss_bytes / 1e6, 1),
        memory_ratio_ffmpeg=round(ours.rss_bytes / theirs.rss_bytes, 4),
        memory_ratio_ffmpeg_pss=round(ours.pss_bytes / theirs.pss_bytes, 4),
        kill9_moments=len(losses[1]),
        kill9_camera_kills=len(lost),
        kill9_loss_p50_s=round(median(lost), 3),
        kill9_loss_p95_s=round(quantiles(lost, n=20, method="inclusive")[-1], 3),
        kill9_loss_max_s=round(max(lost), 3),
        kill9_files_clean=sum(loss.is_clean for loss in losses[0]),
        kill9_files_cut_to_last_fragment=sum(loss.is_torn for loss in losses[0]),
        kill9_loss_p50_s_ffmpeg=round(median(lost_there), 3),
        kill9_loss_max_s_ffmpeg=round(max(lost_there), 3),
        kill9_files_clean_ffmpeg=sum(loss.is_clean for loss in losses[1]),
        kill9_files_ffmpeg=len(losses[1]),
    )


def _ratio(window: Window) -> float:
    return window.ours.cpu_share / window.ffmpeg.cpu_share


def _share(costs: list[Cost], cameras: int) -> float:
    return round(median(one.cpu_share for one in costs) / cameras, 6)


def histogram(seconds: list[float], width: float = 0.05) -> str:
    """Draw how the losses are spread."""
    bins: dict[int, int] = {}
    for one in seconds:
        bins[int(one / width)] = bins.get(int(one / width), 0) + 1
    return "\n".join(
        f"  {number * width:4.2f}-{(number + 1) * width:4.2f} s {bins.get(number, 0):4} "
        + "#" * bins.get(number, 0)
        for number in range(max(bins) + 1)
    )


def _say(windows: list[Window], cameras: int, way: str) -> None:
    for number, window in enumerate(windows):
        ours, theirs = (one.cpu_share / cameras for one in window)
        print(f"window {number + 1}, {way}, of a core a camera: {ours:.3%}, ffmpeg {theirs:.3%}")


def main() -> None:
    """Measure and say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recording")
    parser.add_argument("--cameras", type=int, default=32)
    parser.add_argument("--windows", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    given = parser.parse_args()
    if given.kills < 1:
        parser.error("--kills must be 1 or more")
    with tempfile.TemporaryDirectory(prefix="xunkao-bench-") as folder:
        place = Path(folder)
        touch_memory()
        size = given.cameras, given.windows, given.seconds
        costs = asyncio.run(cost(*size, place / "main"))
        _say(costs, given.cameras, "main streams")
        with_sub = asyncio.run(cost(*size, place / "both", with_sub=True))
        _say(with_sub, given.cameras, "with sub-streams")
        losses = asyncio.run(kills(given.kills, place / "kills"))
    print("lost by a kill -9, a camera:")
    print(histogram([loss.seconds for loss in losses[0]]))
    result = asdict(summed_up(costs, with_sub, given.seconds, given.cameras, losses))
    if given.json:
        print(json.dumps(result))
    else:
        print("\n".join(f"{name}: {value}" for name, value in result.items()))
    if not all(loss.is_clean for loss in losses[0]):
        sys.exit("a file was not clean")


if __name__ == "__main__":
    main()
