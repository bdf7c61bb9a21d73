"""Figures over labelled footage."""

from typing import Any, cast

import pytest

from vision.evaluation import Evaluation, Label, Seen, labels


def footage(begins: int, ends: int, verdict: str = "covered", length: int = 60) -> list[Seen]:
    """One look a second; the vote comes three seconds after the first wrong look."""
    return [
        Seen(
            float(t),
            verdict if begins <= t <= ends else "clear",
            verdict if begins + 3 <= t <= ends + 3 else "clear",
        )
        for t in range(length)
    ]


def figures(*clips: tuple[list[Seen], list[Label]]) -> dict[str, Any]:
    evaluation = Evaluation()
    for seen, labelled in clips:
        evaluation.add(seen, labelled)
    return cast("dict[str, Any]", evaluation.figures())


def test_what_is_found_is_told_with_its_delay() -> None:
    told = figures((footage(20, 40), [Label("covered", 20, 40)]))["classes"]["covered"]
    assert told["found"] == told["named_right"] == 1.0
    assert (told["events"], told["events_alarmed"], told["delay_s_most"]) == (1, 1, 3.0)


def test_extents_are_told_apart_and_together() -> None:
    small, large = Label("covered", 20, 40, 0.3), Label("covered", 20, 40, 1.0)
    told = figures((footage(50, 51), [small]), (footage(20, 40), [large]))["classes"]
    assert told["covered 0.30"]["found"] == 0.0
    assert told["covered 1.00"]["found"] == 1.0
    assert told["covered"]["found"] == 0.5


def test_a_wrong_name_is_found_but_not_named_right() -> None:
    told = figures((footage(20, 40, "moved"), [Label("covered", 20, 40)]))["classes"]["covered"]
    assert (told["found"], told["named_right"]) == (1.0, 0.0)


def test_an_alarm_in_normal_footage_is_false_and_counted_by_the_hour() -> None:
    told = figures((footage(20, 30), []))
    assert told["false_alarms"] == 1
    assert told["false_frames"] == pytest.approx(11 / 60)
    assert told["false_alarms_per_hour"] == pytest.approx(3600 / 59)


def test_a_vote_that_lingers_after_a_label_is_no_false_alarm() -> None:
    assert figures((footage(20, 40), [Label("covered", 20, 40)]))["false_alarms"] == 0


def test_labels_are_read_as_people_write_them() -> None:
    given: list[dict[str, object]] = [
        {"from": 3, "to": 9.5, "class": "covered", "extent": 0.3},
        {"from": 12, "to": None, "class": "moved"},
        {"from": 0, "to": 3, "class": "clear"},
    ]
    assert labels(given) == [
        Label("covered", 3.0, 9.5, 0.3),
        Label("moved", 12.0, float("inf")),
    ]
