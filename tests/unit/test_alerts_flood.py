"""When alerts come faster than anybody can deal with them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.alerts.cases import Case, Delivery
from orchestrator.alerts.classes import CLASSES
from orchestrator.alerts.flood import is_flood, is_held_back, of_flood
from orchestrator.alerts.words import plain

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
BLURRED = Case(
    id="a1",
    kind="defocused",
    subject="cam1",
    state="raised",
    active=True,
    room="r1",
    camera="cam1",
    edge="b1",
    session="s1",
    raised_at=NOW,
    first_at=NOW,
)


@pytest.mark.parametrize(
    ("new", "was", "flood"),
    [(10, False, False), (11, False, True), (6, True, True), (5, True, False), (6, False, False)],
)
def test_more_than_ten_begin_it_and_five_end_it(new: int, was: bool, flood: bool) -> None:
    assert is_flood(new, was) is flood


@pytest.mark.parametrize("kind", [kind for kind in CLASSES if CLASSES[kind].priority == "high"])
def test_what_is_urgent_is_never_held_back(kind: str) -> None:
    assert not is_held_back(replace(BLURRED, kind=kind))  # type: ignore[arg-type]


def test_only_what_nobody_was_asked_about_is_held_back() -> None:
    sent = Delivery(phone="p1", person="ann", sent_at=NOW, tried_at=NOW)
    assert is_held_back(BLURRED)
    assert not is_held_back(replace(BLURRED, deliveries=(sent,)))
    assert not is_held_back(replace(BLURRED, state="taken"))
    assert not is_held_back(replace(BLURRED, kind="flood"))


def test_the_rest_is_one_count() -> None:
    later = replace(BLURRED, id="a2", raised_at=NOW + timedelta(seconds=5))
    condition = of_flood([later, BLURRED])
    assert (condition.cameras, condition.first_at) == (2, NOW)
    text = plain(replace(BLURRED, kind="flood", camera=None, edge=None, cameras=2), None)
    assert "另有 2 条警情" in text
    assert "2 more" in text
