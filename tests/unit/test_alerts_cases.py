"""Cases and escalation: facts in, transitions out."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Literal, get_args

import pytest

from orchestrator.alerts.cases import (
    RETURNED,
    Case,
    CaseRefused,
    Change,
    Condition,
    Key,
    decline,
    quiet_until,
    receipt,
    reconcile,
    shelve,
    solve,
    take,
)
from orchestrator.alerts.classes import CLASSES, OF_TAMPER, Kind
from orchestrator.alerts.escalation import OnDuty, back, is_stuck, pursue
from web.shapes import AlertClass

ROOT = Path(__file__).parent.parent.parent
TITLE = r"""(\w+): (?:'([^']*)'|"([^"]*)")"""
"""An entry of a file of the pages' texts."""
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ANN, BOB = OnDuty("p1", "ann"), OnDuty("p2", "bob")
ANN_TOO = OnDuty("p3", "ann")


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def covered(occurrence: str = "", **changes: object) -> Condition:
    plain = Condition(
        kind="covered",
        subject="cam1",
        first_at=NOW,
        edge="b1",
        room="r1",
        camera="cam1",
        occurrence=occurrence,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # names are checked at run time


def down(camera: str, edge: str = "b1") -> Condition:
    return Condition(kind="camera_down", subject=camera, camera=camera, edge=edge, first_at=NOW)


def lost(edge: str = "b1") -> Condition:
    return Condition(kind="box_lost", subject=edge, edge=edge, first_at=NOW, cameras=2)


def full(edge: str = "b1") -> Condition:
    return Condition(kind="disk_full", subject=edge, edge=edge, first_at=NOW, cameras=2)


class Desk:
    """Open cases, as the shell keeps them."""

    def __init__(self) -> None:
        self.cases: dict[str, Case] = {}
        self._ids: Iterator[int] = count(1)

    def meet(
        self,
        *conditions: Condition,
        at: float = 0,
        undecided: tuple[Key, ...] = (),
        quiet: Mapping[Key, datetime] | None = None,
    ) -> list[str]:
        changes = reconcile(
            list(self.cases.values()),
            conditions,
            undecided,
            after(at),
            lambda: f"a{next(self._ids)}",
            quiet or {},
        )
        for change in changes:
            self.cases[change.case.id] = change.case
        return [f"{change.case.id} {step.kind}" for change in changes for step in change.steps]

    def do(self, change: Change) -> list[str]:
        self.cases[change.case.id] = change.case
        return [f"{step.kind} {step.phone}".strip() for step in change.steps]

    def pursue(self, *roster: OnDuty, at: float) -> list[str]:
        return self.do(pursue(self.only, roster, after(at)))

    @property
    def only(self) -> Case:
        (case,) = [case for case in self.cases.values() if case.is_open]
        return case


@pytest.fixture
def desk() -> Desk:
    return Desk()


# ------------------------------------------------------------ conditions


def test_a_condition_raises_one_case_however_often_it_is_seen(desk: Desk) -> None:
    assert desk.meet(covered("t1")) == ["a1 raised"]
    assert desk.meet(covered()) == []
    assert (desk.only.count, desk.only.first_at) == (1, NOW)


def test_a_repeat_is_counted_in_the_same_case(desk: Desk) -> None:
    desk.meet(covered("t1"))
    assert desk.meet(covered(over=True), covered("t2")) == ["a1 repeated"]
    assert desk.only.count == 2


def test_a_case_that_nobody_took_ends_with_its_condition(desk: Desk) -> None:
    desk.meet(covered("t1"))
    assert desk.meet(at=9) == ["a1 solved"]
    assert (desk.cases["a1"].reason, desk.cases["a1"].solved_by) == (RETURNED, None)


def test_a_taken_case_stays_until_it_is_solved_and_shows_that_all_is_well_again(
    desk: Desk,
) -> None:
    desk.meet(covered("t1"))
    desk.do(take(desk.only, "ann", NOW))
    assert desk.meet(at=9) == ["a1 returned"]
    assert (desk.only.state, desk.only.active) == ("taken", False)
    assert desk.meet(covered("t2"), at=10) == ["a1 repeated"]
    assert (desk.only.active, desk.only.count) == (True, 2)


def test_what_is_undecided_neither_begins_nor_ends(desk: Desk) -> None:
    assert desk.meet(undecided=(("camera_down", "cam1"),)) == []
    desk.meet(down("cam1"))
    assert desk.meet(undecided=(("camera_down", "cam1"),)) == []
    assert desk.only.active


def test_what_began_and_ended_unheard_is_kept_and_over(desk: Desk) -> None:
    assert desk.meet(covered("t1", over=True)) == ["a1 raised", "a1 solved"]


def test_a_lost_box_is_one_alert_and_swallows_its_cameras(desk: Desk) -> None:
    desk.meet(down("cam1"), down("cam9", "b2"))
    steps = desk.meet(lost(), down("cam1"), down("cam2"), down("cam9", "b2"))
    assert steps == ["a1 solved", "a3 raised"]
    assert {case.subject for case in desk.cases.values() if case.is_open} == {"b1", "cam9"}


def test_a_full_disk_is_why_nothing_is_recorded_and_not_why_a_camera_is_down(desk: Desk) -> None:
    stopped = replace(down("cam1"), kind="recording_stopped")
    assert desk.meet(stopped) == ["a1 raised"]
    assert desk.meet(full(), stopped, down("cam2")) == ["a1 solved", "a2 raised", "a3 raised"]
    assert desk.cases["a1"].reason == "part of the full disk of b1"


def test_a_camera_somebody_deals_with_is_not_swallowed(desk: Desk) -> None:
    desk.meet(down("cam1"))
    desk.do(take(desk.only, "ann", NOW))
    assert desk.meet(lost(), down("cam1")) == ["a2 raised"]


def test_cameras_that_stay_down_when_the_box_is_back_are_raised(desk: Desk) -> None:
    desk.meet(lost(), down("cam1"))
    assert desk.meet(down("cam1")) == ["a1 solved", "a2 raised"]


# ------------------------------------------------------------ people


def test_the_first_who_takes_it_has_it(desk: Desk) -> None:
    desk.meet(covered("t1"))
    assert desk.do(take(desk.only, "ann", NOW)) == ["taken"]
    assert desk.do(take(desk.only, "ann", after(5))) == []
    assert desk.only.taken_at == NOW
    with pytest.raises(CaseRefused, match="taken"):
        take(desk.only, "bob", NOW)


def test_a_solved_case_stays_as_it_was_solved(desk: Desk) -> None:
    desk.meet(covered("t1"))
    desk.do(solve(desk.only, "ann", "cleared", NOW))
    done = desk.cases["a1"]
    assert solve(done, "ann", "again", after(5)) == Change(done)
    with pytest.raises(CaseRefused, match="solved"):
        take(done, "bob", NOW)
    with pytest.raises(CaseRefused, match="solved"):
        solve(done, "bob", "x", NOW)
    with pytest.raises(CaseRefused, match="solved"):
        shelve(done, "bob", timedelta(minutes=5), "x", NOW)


def test_what_was_solved_is_raised_again_only_when_it_lasts_or_begins_anew(desk: Desk) -> None:
    desk.meet(covered("t1"))
    desk.do(solve(desk.only, "ann", "cleared", NOW))
    until = quiet_until(desk.cases["a1"])
    assert until == after(180)
    quiet: dict[Key, datetime] = {("covered", "cam1"): until}
    assert desk.meet(covered(), at=179, quiet=quiet) == []
    assert desk.meet(covered("t2"), at=179, quiet=quiet) == ["a2 raised"]


def test_what_lasts_although_it_was_solved_is_raised_again(desk: Desk) -> None:
    assert desk.meet(covered(), at=180, quiet={("covered", "cam1"): after(180)}) == ["a1 raised"]


def test_a_shelved_case_comes_back_to_everybody(desk: Desk) -> None:
    desk.meet(covered("t1"))
    desk.pursue(ANN, at=0)
    desk.do(shelve(desk.only, "ann", timedelta(minutes=5), "known", NOW))
    assert desk.pursue(ANN, at=299) == []
    assert desk.pursue(ANN, at=300) == ["unshelved", "sent p1"]
    assert desk.only.round == 2


@pytest.mark.parametrize(
    "order",
    [
        ["delivered", "read", "delivered"],
        ["read", "delivered", "delivered", "read"],
    ],
)
def test_receipts_count_once_in_any_order(
    desk: Desk, order: list[Literal["delivered", "read"]]
) -> None:
    desk.meet(covered("t1"))
    desk.pursue(ANN, at=0)
    steps = [step for state in order for step in desk.do(receipt(desk.only, "p1", state, after(1)))]
    assert steps == ["delivered p1", "read p1"]
    assert desk.only.state == "delivered"


def test_a_late_receipt_takes_nothing_back(desk: Desk) -> None:
    desk.meet(covered("t1"))
    desk.pursue(ANN, at=0)
    desk.do(take(desk.only, "ann", after(1)))
    desk.do(receipt(desk.only, "p1", "delivered", after(2)))
    assert desk.do(decline(desk.only, "ann", after(3), "p1")) == []
    assert (desk.only.state, desk.only.taken_by) == ("taken", "ann")


def test_a_phone_that_was_sent_nothing_confirms_nothing(desk: Desk) -> None:
    desk.meet(covered("t1"))
    assert desk.do(receipt(desk.only, "p9", "delivered", NOW)) == []
    assert desk.only.state == "raised"


# ------------------------------------------------------------ escalation


def test_the_whole_way_of_an_alert_that_nobody_takes(desk: Desk) -> None:
    desk.meet(covered("t1"))
    told = {at: desk.pursue(ANN, BOB, at=at) for at in (0, 9.9, 10, 14.9, 15, 59.9, 60, 70, 75)}
    assert told == {
        0: ["sent p1"],
        9.9: [],
        10: ["resent p1"],
        14.9: [],
        15: ["undelivered p1"],
        59.9: [],
        60: ["sent p2"],
        70: ["resent p2"],
        75: ["undelivered p2"],
    }
    assert not is_stuck(desk.only, after(119))
    desk.pursue(ANN, BOB, at=120)
    assert is_stuck(desk.only, after(120))


def test_a_delivered_alert_is_not_sent_again_but_goes_on_after_a_minute(desk: Desk) -> None:
    desk.meet(covered("t1"))
    desk.pursue(ANN, BOB, at=0)
    desk.do(receipt(desk.only, "p1", "delivered", after(1)))
    assert [desk.pursue(ANN, BOB, at=at) for at in (10, 15, 60)] == [[], [], ["sent p2"]]


def test_a_declined_alert_goes_to_the_next_at_once(desk: Desk) -> None:
    desk.meet(covered("t1"))
    desk.pursue(ANN, BOB, at=0)
    assert desk.do(decline(desk.only, "ann", after(2), "p1")) == ["declined p1"]
    assert desk.do(decline(desk.only, "ann", after(2), "p1")) == []
    assert desk.pursue(ANN, BOB, at=2) == ["sent p2"]


def test_who_declines_on_one_phone_is_not_asked_on_another(desk: Desk) -> None:
    desk.meet(covered("t1"))
    assert desk.pursue(ANN, BOB, ANN_TOO, at=0) == ["sent p1", "sent p3"]
    desk.do(decline(desk.only, "ann", after(2), "p1"))
    assert desk.pursue(ANN, BOB, ANN_TOO, OnDuty("p4", "ann"), at=2) == ["sent p2"]
    assert desk.do(back(desk.only, "p3", after(3))) == []
    asked = [desk.pursue(ANN, BOB, ANN_TOO, at=at) for at in (12, 17, 72, 132)]
    assert asked == [["resent p2"], ["undelivered p2"], ["resent p2"], ["resent p2"]]
    assert is_stuck(desk.only, after(132))


def test_who_was_sent_it_on_a_former_phone_may_decline_on_the_new_one(desk: Desk) -> None:
    desk.meet(covered("t1"))
    desk.pursue(ANN, BOB, at=0)
    assert desk.do(decline(desk.only, "ann", after(2), "p3")) == ["declined p3"]
    assert desk.do(decline(desk.only, "cy", after(2), "p9")) == []
    assert desk.pursue(BOB, ANN_TOO, at=2) == ["sent p2"]


def test_a_taken_alert_is_sent_to_nobody_further(desk: Desk) -> None:
    desk.meet(covered("t1"))
    desk.pursue(ANN, BOB, at=0)
    desk.do(take(desk.only, "ann", after(3)))
    assert [desk.pursue(ANN, BOB, at=at) for at in (10, 15, 60, 600)] == [[]] * 4


def test_without_anybody_on_duty_it_is_stuck_until_somebody_comes(desk: Desk) -> None:
    desk.meet(covered("t1"))
    assert desk.pursue(at=0) == []
    assert is_stuck(desk.only, NOW)
    assert desk.pursue(BOB, at=30) == ["sent p2"]
    assert not is_stuck(desk.only, after(30))


def test_when_all_were_asked_in_vain_those_present_are_reminded_each_minute(desk: Desk) -> None:
    desk.meet(covered("t1"))
    desk.pursue(ANN, at=0)
    desk.do(receipt(desk.only, "p1", "delivered", after(1)))
    assert [desk.pursue(ANN, at=at) for at in (60, 61, 120)] == [["resent p1"], [], ["resent p1"]]
    assert is_stuck(desk.only, after(120))


def test_both_phones_of_a_person_are_sent_it(desk: Desk) -> None:
    desk.meet(covered("t1"))
    assert desk.pursue(ANN, BOB, ANN_TOO, at=0) == ["sent p1", "sent p3"]


def test_a_phone_with_which_a_person_comes_back_is_sent_it_and_has_no_minute_of_its_own(
    desk: Desk,
) -> None:
    desk.meet(covered("t1"))
    desk.pursue(ANN, BOB, at=0)
    assert desk.pursue(BOB, ANN_TOO, at=50) == ["resent p1", "undelivered p1", "sent p3"]
    assert desk.pursue(BOB, ANN_TOO, at=60) == ["resent p3", "sent p2"]


def test_who_is_there_does_not_wait_for_a_phone_that_never_spoke(desk: Desk) -> None:
    desk.meet(covered("t1"))
    never = replace(ANN, is_present=False)
    assert desk.pursue(never, at=0) == ["sent p1"]
    assert desk.pursue(BOB, never, at=5) == ["sent p2"]
    assert desk.pursue(BOB, OnDuty("p4", "cy"), never, at=6) == []


def test_a_phone_that_never_spoke_and_confirms_has_its_minute(desk: Desk) -> None:
    desk.meet(covered("t1"))
    never = replace(ANN, is_present=False)
    desk.pursue(never, at=0)
    desk.do(receipt(desk.only, "p1", "delivered", after(1)))
    assert [desk.pursue(BOB, never, at=at) for at in (5, 60)] == [[], ["sent p2"]]


def test_a_person_who_comes_back_when_all_were_asked_in_vain_is_asked_at_once(desk: Desk) -> None:
    desk.meet(covered("t1"))
    desk.pursue(ANN, at=0)
    desk.do(receipt(desk.only, "p1", "delivered", after(1)))
    assert desk.pursue(at=70) == []
    assert desk.pursue(ANN_TOO, at=80) == ["sent p3"]
    assert is_stuck(desk.only, after(80))


def test_a_phone_that_is_back_gets_what_it_did_not_confirm(desk: Desk) -> None:
    desk.meet(covered("t1"))
    desk.pursue(ANN, at=0)
    assert desk.do(back(desk.only, "p1", after(30))) == ["resent p1"]
    desk.do(receipt(desk.only, "p1", "delivered", after(31)))
    assert desk.do(back(desk.only, "p1", after(32))) == []
    assert desk.do(back(desk.only, "p2", after(32))) == []


# ------------------------------------------------------------ classes


def test_every_class_says_what_to_do_and_how_soon_in_both_languages() -> None:
    for kind in CLASSES.values():
        texts = (kind.title, kind.cause, kind.consequence, kind.action)
        assert all(words.zh and words.en for words in texts)
        assert kind.act_within > timedelta()
    assert set(OF_TAMPER.values()) <= CLASSES.keys()
    assert set(get_args(Kind)) == set(get_args(AlertClass)) == CLASSES.keys()


@pytest.mark.parametrize(("language", "of"), [("zh-CN", "zh"), ("en", "en")])
def test_phone_and_console_give_a_class_the_same_title(language: str, of: str) -> None:
    texts = (ROOT / "web/ui/src/locales" / f"{language}.ts").read_text(encoding="utf-8")
    (block,) = re.findall(r"  alert: \{\n    class: \{\n(.*?)\n    \},", texts, re.DOTALL)
    shown = {name: first or second for name, first, second in re.findall(TITLE, block)}
    assert shown == {kind: getattr(one.title, of) for kind, one in CLASSES.items()}
