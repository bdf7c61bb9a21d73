"""An alert in words, for phones and pages."""

from collections.abc import Mapping
from datetime import timedelta

from contract.duty import AlertTold
from orchestrator.alerts.cases import Case
from orchestrator.alerts.classes import CLASSES, PRIORITY_ZH, Words

_STATE_ZH = {"taken": "已有人处理", "solved": "已解除", "shelved": "已搁置"}
_STATE_EN = {"taken": "being dealt with", "solved": "over", "shelved": "put aside"}


def place(case: Case, room_name: str | None) -> Words:
    """Say where it is."""
    if case.camera is not None:
        room = room_name or case.room or ""
        return Words(f"{room} {case.camera}".strip(), f"{room} {case.camera}".strip())
    if case.kind == "switch_down":
        return Words(
            f"{case.subject}（{case.cameras} 个机位）",
            f"{case.subject} ({case.cameras} camera{'s' if case.cameras != 1 else ''})",
        )
    if case.kind == "flood":
        return Words(f"另有 {case.cameras} 条警情", f"{case.cameras} more")
    if case.room is not None:
        room = room_name or case.room
        return Words(room, room)
    if case.edge is not None:
        return Words(
            f"{case.edge}（{case.cameras} 个机位）",
            f"{case.edge} ({case.cameras} camera{'s' if case.cameras != 1 else ''})",
        )
    return Words("值班", "Duty")


def said(case: Case, room_name: str | None) -> Words:
    """Say what is wrong and what to do, in one line."""
    kind, where = CLASSES[case.kind], place(case, room_name)
    zh, en = f"{where.zh}：{kind.title.zh}", f"{where.en}: {kind.title.en}"
    if case.state in _STATE_ZH:
        return Words(f"{zh}（{_STATE_ZH[case.state]}）", f"{en} ({_STATE_EN[case.state]})")
    within = _minutes(kind.act_within)
    return Words(
        f"{zh}。{kind.action.zh}（{within} 分钟内）",
        f"{en}. {kind.action.en} (within {within} min)",
    )


def plain(case: Case, room_name: str | None) -> str:
    """Say it for applications that read no JSON: both languages, the priority first."""
    words = said(case, room_name)
    return f"[{PRIORITY_ZH[case.priority]}] {words.zh}\n{words.en}"


def told(case: Case, rooms: Mapping[str, str]) -> AlertTold:
    """Give what phones and other listeners are told."""
    words = said(case, rooms.get(case.room or ""))
    return AlertTold(
        id=case.id,
        kind=case.kind,
        priority=case.priority,
        state=case.state,
        room=case.room,
        camera=case.camera,
        session=case.session,
        raised_at=case.raised_at,
        score=case.score,
        model=case.model,
        text_zh=words.zh,
        text_en=words.en,
    )


def _minutes(length: timedelta) -> int:
    return int(length.total_seconds() // 60)
