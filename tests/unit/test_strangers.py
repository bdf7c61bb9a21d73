"""Tries of names that nobody has."""

from datetime import timedelta

from orchestrator.config import SignInConfig
from orchestrator.strangers import Strangers
from tests.fakes.clock import ManualClock

NOW = ManualClock().now()


def test_a_name_locks_after_so_many_tries_and_for_so_long() -> None:
    strangers = Strangers(SignInConfig(most_failures=2, lock_minutes=3))
    strangers.fail("li", NOW)
    assert strangers.locked_for("li", NOW) == timedelta()
    strangers.fail("li", NOW)
    assert strangers.locked_for("li", NOW) == timedelta(minutes=3)
    assert strangers.locked_for("li", NOW + timedelta(minutes=3)) == timedelta()
    assert strangers.locked_for("wu", NOW) == timedelta()


def test_only_so_many_names_are_remembered() -> None:
    strangers = Strangers(SignInConfig(most_failures=1), most=2)
    for name in ("li", "wu", "xu"):
        strangers.fail(name, NOW)
    locked = [bool(strangers.locked_for(name, NOW)) for name in ("li", "wu", "xu")]
    assert locked == [False, True, True]
