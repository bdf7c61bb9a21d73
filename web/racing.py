"""Several tasks of which the first to end ends all."""

import asyncio
from collections.abc import Coroutine


async def first_of(*works: Coroutine[object, object, None]) -> None:
    """Run all until one ends; the others are cancelled. Raises what the first one raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in done:
        task.result()
