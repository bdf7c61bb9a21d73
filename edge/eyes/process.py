"""The eyes process: its place in the house; there is no model to run yet."""

import asyncio

from contract.clock import Clock
from edge.config import EdgeConfig


async def run(config: EdgeConfig, clock: Clock) -> None:
    """Wait until cancelled."""
    del config, clock
    await asyncio.Event().wait()
