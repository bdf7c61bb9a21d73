"""How often one sender may ask."""

from tests.fakes.clock import ManualClock
from web.limits import Rate, RateLimit


async def test_a_burst_passes_and_the_next_waits() -> None:
    limit = RateLimit(Rate(burst=3, per_second=0.5), ManualClock())
    assert [limit.wait_for("a") for _ in range(3)] == [0, 0, 0]
    assert limit.wait_for("a") == 2


async def test_what_was_spent_comes_back_with_time() -> None:
    clock = ManualClock()
    limit = RateLimit(Rate(burst=1, per_second=0.1), clock)
    assert limit.wait_for("a") == 0
    assert limit.wait_for("a") == 10
    await clock.advance(10)
    assert limit.wait_for("a") == 0


async def test_one_sender_does_not_spend_what_is_anothers() -> None:
    limit = RateLimit(Rate(burst=1, per_second=0.1), ManualClock())
    assert limit.wait_for("a") == 0
    assert limit.wait_for("b") == 0
    assert limit.wait_for("a") > 0


async def test_the_number_of_senders_remembered_is_bounded() -> None:
    limit = RateLimit(Rate(burst=1, per_second=0.1), ManualClock(), most=2)
    for sender in ("a", "b", "c"):
        assert limit.wait_for(sender) == 0
    assert limit.wait_for("c") > 0
    assert limit.wait_for("a") == 0
