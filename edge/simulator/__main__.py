"""The simulator alone, for a machine that has no box."""

import asyncio
import signal
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path

from edge.simulator.app import SimulatorSettings, simulate


def main() -> None:
    """Read the command line and be cameras until Ctrl-C."""
    parser = ArgumentParser(prog="python -m edge.simulator")
    parser.add_argument("--cameras", type=int, default=9)
    parser.add_argument("--port", type=int, default=8554)
    parser.add_argument("--control", type=int, default=8555)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/xunkao/simulator")
    parser.add_argument("--user")
    parser.add_argument("--password")
    given = parser.parse_args()
    settings = SimulatorSettings(
        given.cameras, given.port, given.control, given.cache, given.user, given.password
    )
    with suppress(KeyboardInterrupt):
        asyncio.run(_run(settings))


async def _run(settings: SimulatorSettings) -> None:
    cameras = asyncio.ensure_future(simulate(settings, _say))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, cameras.cancel)
    with suppress(asyncio.CancelledError):
        await cameras


def _say(rtsp: int, control: int) -> None:
    print(f"ready rtsp://127.0.0.1:{rtsp} http://127.0.0.1:{control}", flush=True)


if __name__ == "__main__":
    main()
