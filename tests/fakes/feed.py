"""A recorder's feed for tests: cameras of one colour each, H.264, over the real socket."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from fractions import Fraction
from pathlib import Path

import av
import msgspec
import numpy as np

from contract.messages import Stream
from edge.feed import AccessUnit, encode

FPS = 15
TICK = 90000 // FPS


def drawn_h264(
    level: int,
    seconds: int = 2,
    size: tuple[int, int] = (320, 180),
    b_frames: int = 0,
    rough: int = 0,
) -> list[bytes]:
    """Encode a loop of pictures of one gray level in which a bar walks; a key frame a second.

    `rough` adds still noise of that much, which makes key frames as large as a camera's.
    """
    noise = np.random.default_rng(level).integers(-rough, rough + 1, (size[1], size[0], 1))
    still = np.clip(level + noise, 0, 255).astype(np.uint8).repeat(3, axis=2)
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height = size
    codec.pix_fmt = "yuv420p"
    codec.time_base = Fraction(1, FPS)
    codec.framerate = Fraction(FPS)
    options = {"preset": "ultrafast", "g": str(FPS), "keyint_min": str(FPS), "crf": "26"}
    extra = {"bf": str(b_frames), "b_strategy": "0"} if b_frames else {"tune": "zerolatency"}
    codec.options = {**options, **extra, "x264-params": "scenecut=0:repeat-headers=1"}
    units = []
    for number in range(seconds * FPS):
        picture = still.copy()
        at = number * 8 % (size[0] - 8)
        picture[-12:, at : at + 8] = 255 - level
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts = number
        units += [bytes(packet) for packet in codec.encode(frame)]
    units += [bytes(packet) for packet in codec.encode(None)]
    return units


class FakeFeed:
    """Speaks edge.feed on a socket; plays each camera's loop at its real pace."""

    def __init__(self, loops: dict[tuple[str, Stream], list[bytes]], codec: str = "h264") -> None:
        self._loops = loops
        self._codec = codec
        self._began = time.time()
        self.run = 1
        self.wishes: list[list[tuple[str, Stream]]] = []
        self.connections = 0

    @asynccontextmanager
    async def listen(self, path: Path) -> AsyncGenerator[None]:
        """Serve until the end of the block; then cut everybody off."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        tasks: set[asyncio.Task[None]] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await self._serve(reader, writer)
            except (ConnectionError, asyncio.CancelledError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_unix_server(serve, path)
        try:
            yield
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        playing: dict[tuple[str, Stream], asyncio.Task[None]] = {}
        try:
            while line := await reader.readline():
                wanted = msgspec.json.decode(line, type=list[tuple[str, Stream]])
                self.wishes.append(wanted)
                for pair in playing.keys() - set(wanted):
                    playing.pop(pair).cancel()
                for pair in wanted:
                    if pair in self._loops and pair not in playing:
                        playing[pair] = asyncio.create_task(self._play(pair, writer))
        finally:
            for task in playing.values():
                task.cancel()
            await asyncio.gather(*playing.values(), return_exceptions=True)

    async def _play(self, pair: tuple[str, Stream], writer: asyncio.StreamWriter) -> None:
        now = int((time.time() - self._began) * FPS)
        for number in range(now - now % FPS, now):
            writer.write(encode(self._unit(pair, number, cached=True)))
        number = now
        while True:
            writer.write(encode(self._unit(pair, number)))
            await writer.drain()
            number += 1
            await asyncio.sleep(max(0.0, self._began + number / FPS - time.time()))

    def _unit(self, pair: tuple[str, Stream], number: int, cached: bool = False) -> AccessUnit:
        loop = self._loops[pair]
        return AccessUnit(
            camera=pair[0],
            stream=pair[1],
            codec=self._codec,
            key=number % FPS == 0,
            cached=cached,
            timestamp_90k=number * TICK,
            run=self.run,
            captured_us=int((self._began + number / FPS) * 1e6),
            data=loop[number % len(loop)],
        )
