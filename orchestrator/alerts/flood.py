"""A flood of alerts: what matters most is sent one by one, the rest as a count. Pure."""

from collections.abc import Sequence
from datetime import timedelta

from orchestrator.alerts.cases import Case, Condition

WITHIN = timedelta(minutes=10)
MOST = 10
"""More new ones in ten minutes are a flood (ISA-18.2, EEMUA 191)."""
OVER_AT = 5
"""It is over when they came down to so many: it would else come and go."""

UNCOUNTED = frozenset({"nobody_reachable", "flood"})
"""What is said of alerts is not one of them."""


def is_flood(new: int, was_flood: bool) -> bool:
    """Say whether so many new alerts within ten minutes are a flood."""
    return new > (OVER_AT if was_flood else MOST)


def is_held_back(case: Case) -> bool:
    """True for what waits, in a flood, until it is over: nobody was asked yet, nothing is urgent.

    It stands on the console and in the phones' lists all the same.
    """
    return (
        case.kind not in UNCOUNTED
        and case.priority != "high"
        and case.state == "raised"
        and not case.deliveries
    )


def of_flood(held: Sequence[Case]) -> Condition:
    """Give the one alert that stands for all that is held back."""
    return Condition(
        kind="flood",
        subject="duty",
        first_at=min(case.raised_at for case in held),
        cameras=len(held),
    )
