"""Waiting for a condition, never for a time."""

import asyncio
from collections.abc import Awaitable, Callable


async def until(condition: Callable[[], object], seconds: float = 20, what: str = "") -> None:
    """Return when the condition holds; fail with `what` when it does not within the time."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {seconds:g} s: {what or condition}") from None


async def until_async(
    condition: Callable[[], Awaitable[object]], seconds: float = 20, what: str = ""
) -> None:
    """The same for a condition that must be awaited."""
    try:
        async with asyncio.timeout(seconds):
            while not await condition():
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"not within {seconds:g} s: {what or condition}") from None
