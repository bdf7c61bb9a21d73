"""From what was heard last to what is wrong now."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contract.messages import Pressure
from orchestrator.alerts.seen import BoxSeen, BoxTrouble, CameraSeen, Incomplete, Seen, Tamper
from orchestrator.alerts.watch import Watch

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
WELL = CameraSeen(
    camera="cam1", edge="b1", room="r1", session="s1", state="streaming", recording=True
)
TAMPER = Tamper(
    id="t1",
    camera="cam1",
    kind="covered",
    score=0.9,
    model="m",
    first_at=NOW,
    ended_at=None,
    is_counted=False,
)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def seen(watch: Watch, at: float, *cameras: CameraSeen, **more: object) -> list[str]:
    found = watch.look(Seen(cameras, **more), after(at))  # type: ignore[arg-type]
    return [f"{condition.kind} {condition.subject}" for condition in found.conditions]


@pytest.fixture
def watch() -> Watch:
    return Watch(NOW)


@pytest.mark.parametrize("state", ["lost", "refused"])
def test_a_camera_is_down_when_it_is_gone_for_five_seconds(watch: Watch, state: str) -> None:
    gone = replace(WELL, state=state, recording=False)
    assert seen(watch, 12, gone) == []
    assert seen(watch, 16.9, gone) == []
    assert seen(watch, 17, gone) == ["camera_down cam1"]


def test_a_camera_that_stalled_was_waited_for_at_its_box(watch: Watch) -> None:
    gone = replace(WELL, state="stalled", recording=False)
    assert seen(watch, 12, gone) == []
    assert seen(watch, 13, gone) == ["camera_down cam1"]


def test_a_reconnect_that_fails_does_not_begin_the_wait_anew(watch: Watch) -> None:
    gone = replace(WELL, state="lost", recording=False, last_frame_at=NOW)
    seen(watch, 1, gone)
    seen(watch, 3, replace(gone, state="connecting"))
    assert seen(watch, 6, gone) == ["camera_down cam1"]


def test_a_camera_that_is_being_connected_is_given_time(watch: Watch) -> None:
    coming = replace(WELL, state="connecting", recording=False)
    assert seen(watch, 0, coming) == []
    assert seen(watch, 14, coming) == []
    assert seen(watch, 15, coming) == ["camera_down cam1"]


def test_a_picture_between_begins_the_wait_anew(watch: Watch) -> None:
    gone = replace(WELL, state="lost", recording=False, last_frame_at=NOW)
    seen(watch, 1, gone)
    seen(watch, 2, WELL)
    assert seen(watch, 6, replace(gone, last_frame_at=after(5))) == []


def test_a_camera_that_streams_unrecorded_for_ten_seconds_is_told(watch: Watch) -> None:
    unrecorded = replace(WELL, recording=False)
    assert seen(watch, 0, unrecorded) == []
    assert seen(watch, 10, unrecorded) == ["recording_stopped cam1"]
    assert seen(watch, 11, WELL) == []


def test_of_a_camera_whose_box_is_not_heard_nothing_is_decided(watch: Watch) -> None:
    verdicts = watch.look(Seen([replace(WELL, state="unknown")]), after(60))
    assert not verdicts.conditions
    assert ("camera_down", "cam1") in verdicts.undecided


def test_a_box_is_lost_when_cut_off_or_silent(watch: Watch) -> None:
    box = BoxSeen(edge="b1", cameras=3, is_online=True, heard_at=after(20))
    assert seen(watch, 34.9, boxes=[box]) == []
    assert seen(watch, 35, boxes=[box]) == ["box_lost b1"]
    cut = replace(box, is_online=False, heard_at=after(40))
    other = Watch(NOW)
    assert seen(other, 41, boxes=[cut]) == []
    assert seen(other, 44, boxes=[cut]) == ["box_lost b1"]


def test_silence_counts_from_when_the_centre_could_hear(watch: Watch) -> None:
    box = BoxSeen(edge="b1", cameras=3, is_online=True, heard_at=NOW - timedelta(hours=1))
    assert seen(watch, 14, boxes=[box]) == []
    assert seen(watch, 15, boxes=[box]) == ["box_lost b1"]
    never = replace(box, is_online=False, heard_at=None)
    assert seen(watch, 16, boxes=[never]) == ["box_lost b1"]


def test_a_disk_that_fills_is_one_alert_and_a_full_one_another(watch: Watch) -> None:
    box = BoxSeen(edge="b1", cameras=3, is_online=True, heard_at=NOW)
    steps: dict[Pressure, list[str]] = {
        "none": [],
        "low": ["disk_low b1"],
        "spill": ["disk_low b1"],
        "newest": ["disk_full b1"],
    }
    for step, told in steps.items():
        assert seen(watch, 1, boxes=[replace(box, pressure=step)]) == told
    away = replace(box, is_online=False, pressure="newest")
    assert ("disk_full", "b1") in watch.look(Seen((), [away]), after(2)).undecided


def test_a_lasting_trouble_of_a_box_is_told_outside_windows_too(watch: Watch) -> None:
    clock = BoxTrouble(edge="b1", kind="clock_untrusted", cameras=2, is_online=True, since=None)
    assert seen(watch, 0, troubles=[clock]) == []
    assert seen(watch, 60, troubles=[clock]) == ["clock_untrusted b1"]
    disk = replace(clock, kind="write_failed", since=NOW)
    assert seen(watch, 61, troubles=[disk]) == []
    assert seen(watch, 71, troubles=[disk]) == ["write_failed b1"]
    away = watch.look(Seen(troubles=[replace(disk, is_online=False)]), after(72))
    assert (away.conditions, away.undecided) == ([], {("write_failed", "b1")})


def test_a_session_with_gaps_is_told_with_its_room(watch: Watch) -> None:
    gaps = Incomplete(session="s1", room="r1", since=NOW)
    (told,) = watch.look(Seen(incomplete=[gaps]), after(1)).conditions
    assert (told.kind, told.session, told.room) == ("session_incomplete", "s1", "r1")


def test_a_covered_camera_is_told_at_once(watch: Watch) -> None:
    assert seen(watch, 0, WELL, tampers=[TAMPER]) == ["covered cam1"]


def test_outside_exams_nobody_is_called_for_a_picture(watch: Watch) -> None:
    verdicts = watch.look(Seen((), (), [TAMPER]), NOW)
    assert (verdicts.conditions, verdicts.passed_over) == ([], ["t1"])


def test_lights_that_go_off_and_on_again_are_nobodys_work(watch: Watch) -> None:
    dark = replace(TAMPER, kind="dark")
    assert seen(watch, 60, WELL, tampers=[dark]) == []
    assert seen(watch, 90, WELL, tampers=[dark]) == ["dark cam1"]
    short = replace(dark, ended_at=after(60))
    verdicts = watch.look(Seen([WELL], (), [short]), after(61))
    assert (verdicts.conditions, verdicts.passed_over) == ([], ["t1"])


def test_no_signal_is_a_camera_that_is_down(watch: Watch) -> None:
    dead = replace(TAMPER, kind="no_signal")
    assert seen(watch, 0, WELL, tampers=[dead]) == ["camera_down cam1"]
