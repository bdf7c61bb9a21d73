"""Four of five."""

import pytest

from vision.votes import Votes


def voted(verdicts: list[str]) -> list[str]:
    votes = Votes()
    return [votes.add(verdict) for verdict in verdicts]


def test_three_wrong_looks_are_not_enough() -> None:
    assert set(voted(["covered"] * 3 + ["clear"] + ["clear"])) == {"clear"}


def test_the_fourth_wrong_look_of_five_decides() -> None:
    said = ["clear", "covered", "covered", "clear", "covered", "covered"]
    assert voted(said) == ["clear"] * 5 + ["covered"]


def test_one_clear_look_ends_nothing_and_four_do() -> None:
    assert voted(["covered"] * 5 + ["clear"])[-1] == "covered"
    assert voted(["covered"] * 5 + ["clear"] * 4)[-1] == "clear"


@pytest.mark.parametrize("others", [1, 2])
def test_a_wavering_name_does_not_change_what_was_voted(others: int) -> None:
    assert voted(["covered"] * 5 + ["moved"] * others)[-1] == "covered"


def test_another_kind_replaces_it_once_four_agree() -> None:
    assert voted(["covered"] * 5 + ["black"] * 4)[-1] == "black"


def test_different_names_for_a_lost_view_count_together() -> None:
    assert voted(["moved", "covered", "covered", "covered"])[-1] == "covered"
