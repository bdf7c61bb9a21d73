"""The peer: one `ffmpeg -c copy` process a camera, as most recorders run it."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

SEGMENT_S = 60


def command(url: str, folder: Path) -> list[str]:
    """Give the usual way to keep a stream in files of a minute."""
    return [
        *("ffmpeg", "-nostdin", "-loglevel", "error", "-rtsp_transport", "tcp", "-i", url),
        *("-map", "0:v", "-c", "copy", "-f", "segment", "-segment_time", str(SEGMENT_S)),
        *("-segment_format", "mp4", "-reset_timestamps", "1", str(folder / "%04d.mp4")),
    ]


@asynccontextmanager
async def recording(
    urls: Sequence[str], folder: Path
) -> AsyncGenerator[list[asyncio.subprocess.Process]]:
    """Have a process for each stream write below `folder/<number>/`; killed in the end."""
    processes = []
    try:
        for number, url in enumerate(urls):
            place = folder / str(number)
            place.mkdir(parents=True)
            processes.append(
                await asyncio.create_subprocess_exec(
                    *command(url, place), stderr=asyncio.subprocess.DEVNULL
                )
            )
        yield processes
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
            await process.wait()
