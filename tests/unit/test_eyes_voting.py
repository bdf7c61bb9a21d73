"""From single votes to facts: four of five, and no other name for the same thing."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from edge.eyes.voting import PATIENCE, Change, Tamper, Vote, Voting

START = datetime(2026, 11, 22, 8, tzinfo=UTC)
FIFTH = timedelta(seconds=0.2)


def vote(number: int, verdict: str, every: timedelta = FIFTH) -> Vote:
    return Vote(START + number * every, verdict, 0.9, 0.8)


def voted(voting: Voting, verdicts: str, every: timedelta = FIFTH) -> list[Change]:
    """Let votes vote that are named by their first letters; gives what they decide."""
    names = {word[0]: word for word in ("clear", "moved", "glare", "dark", "black", "frozen")}
    names["C"] = "covered"
    changes: list[Change] = []
    for number, letter in enumerate(verdicts):
        changes += voting.add(vote(number, names[letter], every))
    return changes


def told(changes: list[Change]) -> list[tuple[str, str]]:
    return [(change.tamper.kind, change.state) for change in changes]


def test_four_of_five_begin_and_four_of_five_end() -> None:
    assert told(voted(Voting(), "ccCCC")) == []
    assert told(voted(Voting(), "ccCCcCC")) == [("covered", "began")]
    assert told(voted(Voting(), "CCCCcccc")) == [("covered", "began"), ("covered", "ended")]


def test_what_began_is_told_once() -> None:
    assert len(voted(Voting(), "C" * 30)) == 1


def test_it_began_with_the_first_wrong_picture_of_the_run() -> None:
    (change,) = voted(Voting(), "cCcccCCcCC")
    assert change.tamper.first_at == vote(5, "").captured_at
    assert (change.score, change.extent) == (0.9, 0.8)


def test_what_follows_darkness_began_by_itself() -> None:
    (change,) = voted(Voting(), "ddddddbbbb")
    assert change.tamper == Tamper("black", vote(6, "").captured_at)


def test_an_end_names_what_began() -> None:
    began, ended = voted(Voting(), "CCCCcccc")
    assert began.tamper == ended.tamper


def test_other_names_the_model_finds_for_it_change_nothing() -> None:
    assert told(voted(Voting(), "CCmCmmmmmm")) == [("covered", "began")]


def test_arithmetic_replaces_what_the_model_said() -> None:
    assert told(voted(Voting(), "CCCCbbbb")) == [
        ("covered", "began"),
        ("covered", "ended"),
        ("black", "began"),
    ]


def test_glare_is_nothing_to_tell() -> None:
    assert voted(Voting(), "gggggggg") == []
    assert told(voted(Voting(Tamper("covered", START)), "gggg")) == [("covered", "ended")]


def test_dark_rooms_are_told_when_they_stay_dark() -> None:
    second = timedelta(seconds=1)
    patience = int(PATIENCE["dark"].total_seconds())
    assert voted(Voting(), "d" * patience + "cccc", second) == []
    assert told(voted(Voting(), "d" * (patience + 1), second)) == [("dark", "began")]


def test_darkness_is_looked_at_closely_once_not_all_the_time() -> None:
    voting = Voting()
    assert voting.is_suspicious(vote(0, "dark"))
    voted(voting, "dddd")
    assert not voting.is_suspicious(vote(5, "dark"))
    assert voting.is_suspicious(vote(5, "covered"))


def test_only_what_could_change_the_vote_is_suspicious() -> None:
    assert Voting().is_suspicious(vote(0, "covered"))
    assert not Voting().is_suspicious(vote(0, "clear"))
    covered = Voting(Tamper("covered", START))
    assert not covered.is_suspicious(vote(0, "moved"))
    assert covered.is_suspicious(vote(0, "clear"))
    assert covered.is_suspicious(vote(0, "black"))


def test_votes_far_apart_do_not_count_together() -> None:
    assert voted(Voting(), "CCCCCC", timedelta(seconds=9)) == []


def test_a_new_beginning_of_time_forgets_the_votes_and_keeps_what_is_open() -> None:
    voting = Voting(Tamper("covered", START))
    voted(voting, "ccc")
    voting.begin_anew()
    assert voted(voting, "ccc") == []
    assert told(voted(voting, "c")) == [("covered", "ended")]


def test_settled_means_that_four_of_five_confirm_what_was() -> None:
    voting = Voting()
    voted(voting, "cccc")
    assert not voting.is_settled
    voted(voting, "C")
    assert voting.is_settled


@given(st.text("cCmgdbf", max_size=60))
def test_beginnings_and_ends_alternate_whatever_is_seen(verdicts: str) -> None:
    open_kind = None
    for kind, state in told(voted(Voting(), verdicts)):
        assert (state == "began") == (open_kind is None)
        assert state == "began" or kind == open_kind
        open_kind = kind if state == "began" else None


@given(st.text("cCmgb", min_size=5, max_size=60))
def test_nothing_begins_without_four_wrong_votes_of_five(verdicts: str) -> None:
    voting = Voting()
    for number, letter in enumerate(verdicts):
        before = voting.current
        name = {"c": "clear", "C": "covered", "m": "moved", "g": "glare", "b": "black"}[letter]
        voting.add(vote(number, name))
        if before is None and voting.current is not None:
            newest = verdicts[max(0, number - 4) : number + 1]
            assert sum(seen in "Cmb" for seen in newest) >= 4
