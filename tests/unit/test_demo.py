"""The demo's own small decisions."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator import story
from orchestrator.demo import Options, camera_id, prepare, room_code, sentence, timetable
from orchestrator.timetable.interpret import interpret
from orchestrator.timetable.reading import read
from orchestrator.timetable.term import Term
from tests.fakes.clock import ManualClock

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


def test_an_alert_is_new_once() -> None:
    raised = {**ALERT, "state": "raised", "taken_by": ""}
    assert "新 new" in sentence("alert", "a1", raised)
    assert "新 new" not in sentence("alert", "a1", raised, is_known=True)


async def test_a_camera_is_covered_again_for_whoever_looks_in_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[float, str, object]] = []
    clock = ManualClock()
    begun = clock.monotonic()

    async def note(_: str, camera: str, **order: object) -> None:
        seen.append((clock.monotonic() - begun, camera, order["kind"]))

    monkeypatch.setattr(story, "fault", note)
    playing = asyncio.create_task(story.play("http://control", ["cam-01", "cam-02"], clock))
    await asyncio.sleep(0)
    await clock.advance(3 * story.AGAIN_AFTER_S)
    playing.cancel()
    await asyncio.gather(playing, return_exceptions=True)
    assert [(camera, kind) for _, camera, kind in seen] == [
        ("cam-01", "cover"),
        ("cam-02", "cut"),
        *[("cam-01", "cover")] * 2,
    ]
    first, cut, again, _ = (at for at, _, _ in seen)
    assert (first, cut) == (60, 75)
    assert again - cut == story.AGAIN_AFTER_S > story.COVERED_S + story.CUT_S
