"""From what was last heard of cameras and boxes to what is wrong now."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from contract.retention import LATE_AFTER
from orchestrator.alerts.cases import Condition, Key
from orchestrator.alerts.classes import CLASSES, OF_SHELF, OF_TAMPER, Kind
from orchestrator.alerts.seen import BoxSeen, BoxTrouble, CameraSeen, Seen, Tamper
from orchestrator.alerts.switches import Switches

DOWN_AFTER = timedelta(seconds=5)
"""A camera that is gone for so long is down."""
COMING_WITHIN = timedelta(seconds=15)
"""A camera that is only being connected is given so long."""
NOT_RECORDED_AFTER = timedelta(seconds=10)
SILENT_AFTER = timedelta(seconds=15)
"""A box says something every five seconds."""
CUT_OFF_AFTER = timedelta(seconds=3)
"""A box whose connection broke may be back at once."""

STALLED_AFTER = timedelta(seconds=1)
"""The box has waited four seconds for a picture before it says so."""

EXPLAINED: frozenset[Kind] = frozenset({"camera_down", "recording_stopped"})
"""What a switch that is down explains of its cameras."""

_WAITS = {"lost": DOWN_AFTER, "refused": DOWN_AFTER, "stalled": STALLED_AFTER}


@dataclass(slots=True)
class Verdicts:
    """What is wrong, what is not decided yet, and which words were too short to be an alert."""

    conditions: list[Condition] = field(default_factory=list)
    undecided: set[Key] = field(default_factory=set)
    passed_over: list[str] = field(default_factory=list)


class Watch:
    """Remembers since when each thing is as it should not be."""

    def __init__(self, began: datetime) -> None:
        self._began = began  # silence counts from here: nobody could be heard before
        self._since: dict[Key, datetime] = {}
        self._switches = Switches()

    def look(self, seen: Seen, now: datetime) -> Verdicts:
        """Judge what was seen."""
        verdicts = Verdicts()
        noticed: set[Key] = set()

        def lasting(condition: Condition, wait: timedelta) -> None:
            began = self._since.setdefault(condition.key, now)
            noticed.add(condition.key)
            if now - began >= wait:
                verdicts.conditions.append(condition)
            else:
                verdicts.undecided.add(condition.key)

        for box in seen.boxes:
            heard = max(box.heard_at or self._began, self._began)
            lost = Condition(
                kind="box_lost",
                subject=box.edge,
                edge=box.edge,
                first_at=heard,
                cameras=box.cameras,
            )
            if not box.is_online and box.heard_at is not None:
                lasting(lost, CUT_OFF_AFTER)
            elif now - heard >= SILENT_AFTER:
                verdicts.conditions.append(lost)
            _judge_disk(box, now, verdicts)
        for camera in seen.cameras:
            if camera.state == "unknown":  # its box is not heard: neither well nor ill
                verdicts.undecided |= {
                    ("camera_down", camera.camera),
                    ("recording_stopped", camera.camera),
                }
            elif camera.state != "streaming":
                down = _of_camera("camera_down", camera, camera.last_frame_at or now)
                lasting(down, _WAITS.get(camera.state, COMING_WITHIN))
                verdicts.undecided.add(("recording_stopped", camera.camera))
            elif not camera.recording:
                stopped = _of_camera("recording_stopped", camera, now)
                lasting(stopped, NOT_RECORDED_AFTER)
        for trouble in seen.troubles:
            if trouble.is_online:
                lasting(_of_box(trouble, now), CLASSES[trouble.kind].raise_after)
            else:
                verdicts.undecided.add((trouble.kind, trouble.edge))
        verdicts.conditions += [
            Condition(
                kind="session_incomplete",
                subject=one.session,
                room=one.room,
                session=one.session,
                first_at=one.since,
            )
            for one in seen.incomplete
        ]
        verdicts.conditions += [
            Condition(kind="deletion_late", subject=one.edge, edge=one.edge, first_at=one.since)
            for one in seen.late
            if now - one.since >= LATE_AFTER
        ]
        self._since = {key: since for key, since in self._since.items() if key in noticed}
        _judge_tampers(seen, now, verdicts)
        self._explain(seen, now, verdicts)
        return verdicts

    def _explain(self, seen: Seen, now: datetime, verdicts: Verdicts) -> None:
        """Find the switches that are down, and say of their cameras that it is their switch."""
        gone = {
            camera.camera: camera.last_frame_at or self._since[("camera_down", camera.camera)]
            for camera in seen.cameras
            if ("camera_down", camera.camera) in self._since
        }
        down = [one for one in verdicts.conditions if one.kind == "camera_down" and not one.model]
        due = frozenset(one.subject for one in down)
        judged = self._switches.judge(seen.cameras, gone, due, now)
        verdicts.conditions = [
            replace(one, part_of=judged.explained.get(one.camera or ""))
            if one.kind in EXPLAINED
            else one
            for one in verdicts.conditions
        ]
        verdicts.conditions += judged.conditions
        verdicts.undecided |= judged.undecided


def _of_camera(kind: Kind, camera: CameraSeen, first_at: datetime) -> Condition:
    return Condition(
        kind=kind,
        subject=camera.camera,
        first_at=first_at,
        edge=camera.edge,
        room=camera.room,
        camera=camera.camera,
        session=camera.session,
    )


def _of_box(trouble: BoxTrouble, now: datetime) -> Condition:
    return Condition(
        kind=trouble.kind,
        subject=trouble.edge,
        edge=trouble.edge,
        first_at=trouble.since or now,
        cameras=trouble.cameras,
    )


def _judge_disk(box: BoxSeen, now: datetime, verdicts: Verdicts) -> None:
    """A disk that fills is one alert, one that is full another; of a lost box neither is known."""
    if not box.is_online:
        verdicts.undecided |= {("disk_low", box.edge), ("disk_full", box.edge)}
        return
    if box.pressure == "none":
        return
    kind: Kind = "disk_full" if box.pressure == "newest" else "disk_low"
    found = Condition(kind=kind, subject=box.edge, edge=box.edge, first_at=now, cameras=box.cameras)
    verdicts.conditions.append(found)


def _judge_tampers(seen: Seen, now: datetime, verdicts: Verdicts) -> None:
    in_window = {camera.camera: camera for camera in seen.cameras}
    for tamper in seen.tampers:
        if tamper.kind in OF_SHELF:
            _judge_footage(tamper, verdicts)
            continue
        kind = OF_TAMPER.get(tamper.kind)
        camera = in_window.get(tamper.camera)
        if kind is None or camera is None:  # outside exams nobody is called
            verdicts.passed_over.append(tamper.id)
            continue
        lasted = (tamper.ended_at or now) - tamper.first_at
        if not tamper.is_counted and lasted < CLASSES[kind].raise_after:
            if tamper.ended_at is not None:
                verdicts.passed_over.append(tamper.id)
            continue
        verdicts.conditions.append(
            Condition(
                kind=kind,
                subject=tamper.camera,
                first_at=tamper.first_at,
                edge=camera.edge,
                room=camera.room,
                camera=camera.camera,
                session=camera.session,
                score=tamper.score,
                model=tamper.model,
                occurrence="" if tamper.is_counted else tamper.id,
                over=tamper.ended_at is not None,
            )
        )


def _judge_footage(tamper: Tamper, verdicts: Verdicts) -> None:
    """Footage that was meddled with is raised at any hour, and only a person ends it."""
    kind, subject = OF_SHELF[tamper.kind], tamper.camera or tamper.edge
    if tamper.is_counted:
        verdicts.undecided.add((kind, subject))
        return
    verdicts.conditions.append(
        Condition(
            kind=kind,
            subject=subject,
            first_at=tamper.first_at,
            edge=tamper.edge,
            camera=tamper.camera or None,
            score=tamper.score,
            occurrence=tamper.id,
        )
    )
