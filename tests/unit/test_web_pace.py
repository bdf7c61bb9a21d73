"""How fast footage goes out to one person."""

import asyncio

from tests.fakes.clock import ManualClock
from web.pace import Pace


async def test_a_burst_goes_at_once_and_the_rest_at_the_pace() -> None:
    clock = ManualClock()
    pace = Pace(clock, bytes_per_s=100, burst_bytes=300)
    await pace.take("a", 300)
    waiting = asyncio.ensure_future(pace.take("a", 200))
    await clock.advance(1.9)
    assert not waiting.done()
    await clock.advance(0.2)
    assert waiting.done()


async def test_one_person_does_not_wait_for_another() -> None:
    pace = Pace(ManualClock(), bytes_per_s=100, burst_bytes=300)
    await pace.take("a", 300)
    await pace.take("b", 300)


async def test_what_was_not_used_comes_back_up_to_the_burst() -> None:
    clock = ManualClock()
    pace = Pace(clock, bytes_per_s=100, burst_bytes=300)
    await pace.take("a", 300)
    await clock.advance(1000)
    await pace.take("a", 300)
    waiting = asyncio.ensure_future(pace.take("a", 1))
    await clock.advance(0.02)
    assert waiting.done()
