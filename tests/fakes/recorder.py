"""A recorder in a process of its own, with orders as a test wants them."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from contract.keys import SealKey, seal, write_private
from contract.messages import Camera, CameraStatus, Order, Source, Stream
from edge import orders as in_force
from edge.config import EdgeConfig
from edge.orders import OrdersInForce
from tests.fakes.cameras import Farm


@dataclass
class Box:
    """A box's data folder and configuration, without agent or centre."""

    config: EdgeConfig
    path: Path
    cameras: dict[str, Camera] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)

    @classmethod
    def make(cls, folder: Path, *, segment_seconds: int = 60) -> "Box":
        """Make an enrolled box's folder; its clock is trusted."""
        config = EdgeConfig(
            edge="box",
            data=folder / "data",
            url="https://127.0.0.1:1",
            camera_subnets=("127.0.0.0/8",),
            segment_seconds=segment_seconds,
        )
        config.keys.mkdir(parents=True)
        path = folder / "edge.toml"
        path.write_text(
            f'edge = "box"\ndata = "{config.data}"\nurl = "{config.url}"\n'
            f'camera_subnets = ["127.0.0.0/8"]\nsegment_seconds = {segment_seconds}\n'
        )
        floor = {"highest": datetime.now(UTC) - timedelta(hours=1)}
        write_private(config.data / "clock.json", msgspec.json.encode(floor))
        return cls(config, path)

    def has_camera(self, camera: str, source: Source, switch: str = "") -> None:
        """Have a camera, its address sealed to this box."""
        key = SealKey.load_or_make(self.config.keys / "seal.key")
        sealed = seal(key.public, msgspec.json.encode(source))
        self.cameras[camera] = Camera(id=camera, room=f"r-{camera}", switch=switch, sealed=sealed)

    def has_farm(self, farm: Farm) -> None:
        """Have all cameras of a simulator."""
        for camera in farm.cameras:
            source = Source(
                main=farm.url(camera),
                sub=farm.url(camera, "sub"),
                user=farm.user or "",
                password=farm.password or "",
            )
            self.has_camera(camera, source)

    def order(self, start: datetime, end: datetime, record: tuple[Stream, ...] = ("main",)) -> None:
        """Order all cameras to be recorded in this span; the file is written."""
        for camera in self.cameras:
            name = f"o-{camera}"
            self.orders[name] = Order(
                id=name, camera=camera, session="s", start=start, end=end, record=record
            )
        self.save()

    def save(self) -> None:
        """Write the orders in force."""
        state = OrdersInForce(
            epoch=1,
            revision=1,
            cameras=tuple(self.cameras.values()),
            orders=tuple(self.orders.values()),
        )
        in_force.save(self.config.orders, state)

    def statuses(self) -> dict[tuple[str, str], CameraStatus]:
        """Read what the recorder says of its cameras."""
        try:
            raw = (self.config.run / "recorder.json").read_bytes()
        except FileNotFoundError:
            return {}
        found = msgspec.json.decode(raw, type=list[CameraStatus])
        return {(status.camera, status.stream): status for status in found}

    def files(self, pattern: str = "*.mp4") -> list[Path]:
        """Give the files on the shelf, oldest first."""
        return sorted(self.config.shelf.rglob(pattern), key=lambda path: path.name)


@asynccontextmanager
async def running_recorder(
    box: Box, *, prefix: Iterable[str] = (), log: str = "INFO"
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run `xunkao-edge recorder` until the block ends; then it is asked to leave."""
    process = await asyncio.create_subprocess_exec(
        *prefix,
        sys.executable,
        *("-m", "edge", "recorder", "--config", str(box.path)),
        stdin=asyncio.subprocess.PIPE,
        env={**os.environ, "XUNKAO_LOG": log},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGCONT)
            assert process.stdin
            process.stdin.close()
        async with asyncio.timeout(20):
            await process.wait()
