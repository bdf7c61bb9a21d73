"""Doing a thing again after the failures that were named, with growing, jittered pauses."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from logging import Logger

from contract.clock import Clock


def backoff(first: float, longest: float, rng: random.Random | None = None) -> Iterator[float]:
    """Yield pauses in seconds: doubling from `first` to `longest`, each shortened by up to 30 %."""
    draw = (rng or random.Random()).uniform
    pause = first
    while True:
        yield pause * draw(0.7, 1.0)
        pause = min(pause * 2, longest)


async def keep(
    name: str,
    work: Callable[[], Awaitable[None]],
    *,
    on: tuple[type[Exception], ...],
    clock: Clock,
    log: Logger,
    first: float = 0.5,
    longest: float = 5.0,
) -> None:
    """Run `work` until it returns, again after each failure in `on`; anything else is raised.

    A failure is logged when it begins and when its kind changes, not at every try. A run that
    lasted 30 s starts the pauses anew.
    """
    pauses = backoff(first, longest)
    said: str | None = None
    while True:
        began = clock.monotonic()
        try:
            await work()
        except on as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                # a library made a failure of it; who cancelled us waits
                raise asyncio.CancelledError from error
            lasted = clock.monotonic() - began
            if lasted > 30:
                pauses, said = backoff(first, longest), None
            kind = f"{type(error).__name__}: {error}"
            if kind != said:
                log.warning("%s failed, trying again: %s", name, kind)
                said = kind
        else:
            return
        await clock.sleep(next(pauses))
