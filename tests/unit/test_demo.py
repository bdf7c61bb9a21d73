"""The demo's own small decisions."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.demo import Options, camera_id, prepare, room_code, sentence, timetable
from orchestrator.timetable.interpret import interpret
from orchestrator.timetable.reading import read
from orchestrator.timetable.term import Term

ALERT = {
    "state": "taken",
    "priority": "high",
    "text_zh": "A101 cam-01：摄像机被遮挡",
    "text_en": "A101 cam-01: Camera covered",
    "delivery": [{"phone": "p1", "person": "李建国", "state": "undelivered"}],
    "taken_by": "陈静",
}


def test_rooms_are_named_as_on_a_campus() -> None:
    assert [room_code(n) for n in (0, 5, 6, 17, 18)] == ["A101", "A106", "A201", "A306", "B101"]


def test_cameras_are_named_as_the_simulator_does() -> None:
    assert camera_id(0) == "cam-01"


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        ("camera", {"state": "lost"}, "lost"),
        ("camera", {"state": "connecting"}, ""),
        ("recording", {"camera": "cam-01", "gap": "box_down"}, "box_down"),
        ("recording", {}, "sealed"),
        ("clock", {}, ""),
        ("duty", {"present": True}, "on duty"),
        ("alert", ALERT, "李建国）未送达 undelivered · 处理人 taken by 陈静"),
    ],
)
def test_an_event_is_said_or_passed_over(kind: str, data: object, words: str) -> None:
    said = sentence(kind, "cam-01", data)
    assert words in said
    assert bool(said) == bool(words)


@pytest.mark.parametrize("hour", range(24))
def test_the_demo_s_exams_run_now_at_any_hour(hour: int, tmp_path: Path) -> None:
    now = datetime(2026, 11, 22, hour, 58, 30, tzinfo=UTC)
    zone = prepare(tmp_path, Options(8080, 9, None, None), now).config.zone
    book = read(timetable(9, now, zone), "期末考试安排.xlsx")
    reading = interpret(book, Term(zone))
    assert len(reading.sessions) == 9
    assert {row.verdict for row in reading.rows} == {"ok"}
    for session in reading.sessions:
        assert session.start <= now < session.end
        assert (session.end - now).total_seconds() > 3600
