import asyncio
import logging
import random
from itertools import islice, pairwise

import pytest

from contract.retry import backoff, keep
from tests.fakes.clock import ManualClock

log = logging.getLogger("test")


class Lost(Exception):
    pass


def test_pauses_double_up_to_the_longest_and_are_shortened_by_chance() -> None:
    pauses = list(islice(backoff(1, 5, random.Random(1)), 6))
    for pause, most in zip(pauses, [1, 2, 4, 5, 5, 5], strict=True):
        assert most * 0.7 <= pause <= most


async def test_work_is_done_again_after_a_named_failure() -> None:
    clock, runs = ManualClock(), 0

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs < 3:
            raise Lost

    kept = asyncio.create_task(keep("work", work, on=(Lost,), clock=clock, log=log))
    while not kept.done():
        await clock.advance(1)
    await kept
    assert runs == 3


async def test_any_other_failure_is_raised() -> None:
    async def work() -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await keep("work", work, on=(Lost,), clock=ManualClock(), log=log)


async def test_a_failure_is_told_once_and_again_when_its_kind_changes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, causes = ManualClock(), iter(["a", "a", "b", "b"])

    async def work() -> None:
        for cause in causes:
            raise Lost(cause)

    kept = asyncio.create_task(keep("work", work, on=(Lost,), clock=clock, log=log))
    while not kept.done():
        await clock.advance(5)
    assert [record.message[-1] for record in caplog.records] == ["a", "b"]


async def test_a_long_run_starts_the_pauses_anew() -> None:
    clock, began = ManualClock(), list[float]()

    async def work() -> None:
        began.append(clock.monotonic())
        await clock.sleep(40)
        raise Lost

    kept = asyncio.create_task(keep("work", work, on=(Lost,), clock=clock, log=log))
    for _ in range(5):
        await clock.advance(60)
    kept.cancel()
    pauses = [two - one - 40 for one, two in pairwise(began)]
    assert len(pauses) >= 3
    assert max(pauses) < 1


async def test_a_cancellation_that_a_library_turns_into_a_failure_still_ends_the_work() -> None:
    began = asyncio.Event()

    async def work() -> None:
        try:
            began.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            raise Lost("connection is closed") from error

    kept = asyncio.create_task(keep("work", work, on=(Lost,), clock=ManualClock(), log=log))
    await began.wait()
    kept.cancel()
    await asyncio.wait({kept}, timeout=5)
    assert kept.cancelled()
