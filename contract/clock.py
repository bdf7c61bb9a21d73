"""Where a component gets the time, so that a test can own it."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Annotated, Protocol

from msgspec import Meta

Instant = Annotated[datetime, Meta(tz=True)]
"""An aware instant; messages refuse naive ones."""


class Clock(Protocol):
    """The wall clock and the monotonic clock of one machine."""

    def now(self) -> datetime:
        """Give the wall-clock instant, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Give seconds that never step, from an unknown origin."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that long by the monotonic clock."""
        ...


class SystemClock:
    """This machine's clocks."""

    def now(self) -> datetime:
        """Give the wall-clock instant, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Give seconds that never step, from an unknown origin."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait that long by the monotonic clock."""
        await asyncio.sleep(seconds)
