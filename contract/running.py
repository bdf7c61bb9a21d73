"""A process that runs until it is told to stop, and then unwinds."""

import asyncio
import signal
from collections.abc import Awaitable, Callable


async def until_told(work: Callable[[], Awaitable[None]]) -> None:
    """Run `work` until it ends, or until SIGTERM or SIGINT cancels it; what is open unwinds."""
    task = asyncio.ensure_future(work())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        if not task.cancelled():
            raise


def causes(error: BaseException) -> list[BaseException]:
    """Give the exceptions in a group, however deep; one that is no group stands for itself."""
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [cause for inner in error.exceptions for cause in causes(inner)]
