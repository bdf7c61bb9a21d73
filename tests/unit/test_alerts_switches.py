"""A dead switch is one alert, and every camera it swallowed is told in the end."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.alerts.cases import Case, reconcile, take
from orchestrator.alerts.seen import BoxSeen, CameraSeen, Seen, Tamper
from orchestrator.alerts.switches import RELEASED_AFTER, TOGETHER
from orchestrator.alerts.watch import COMING_WITHIN, Watch
from orchestrator.alerts.words import said

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
TWELVE = tuple(f"cam{number:02}" for number in range(12))


@dataclass
class Site:
    """Cameras and boxes as they are, and the cases that follow from it, second by second."""

    switches: Mapping[str, str]
    """The switch of each camera."""
    boxes: Mapping[str, str] = field(default_factory=dict)
    now: datetime = NOW
    cases: dict[str, Case] = field(default_factory=dict)
    gone: dict[str, datetime] = field(default_factory=dict)
    """Which camera had its last picture when."""
    refusing: set[str] = field(default_factory=set)
    away: set[str] = field(default_factory=set)
    """Boxes that nobody hears."""
    words: list[Tamper] = field(default_factory=list)
    counted: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.watch = Watch(self.now)
        self._ids: Iterator[int] = count(1)

    def box_of(self, camera: str) -> str:
        return self.boxes.get(camera, "b1")

    def lose(self, *cameras: str) -> None:
        for camera in cameras:
            self.gone.setdefault(camera, self.now)

    def find(self, *cameras: str) -> None:
        for camera in cameras:
            self.gone.pop(camera, None)

    def pass_time(self, seconds: int) -> list[str]:
        """Look every second; gives what happened to which case."""
        return [step for _ in range(seconds) for step in self._second()]

    def _second(self) -> list[str]:
        self.now += timedelta(seconds=1)
        verdicts = self.watch.look(self._seen(), self.now)
        changes = reconcile(
            list(self.cases.values()),
            verdicts.conditions,
            verdicts.undecided,
            self.now,
            lambda: f"a{next(self._ids)}",
        )
        for change in changes:
            self.cases[change.case.id] = change.case
            self.counted |= dict.fromkeys(change.occurrences, change.case.id)
        return [
            f"{step.kind} {change.case.kind} {change.case.subject}"
            for change in changes
            for step in change.steps
        ]

    def _seen(self) -> Seen:
        cameras = [self._camera(camera, switch) for camera, switch in self.switches.items()]
        boxes = [
            BoxSeen(edge=edge, cameras=1, is_online=edge not in self.away, heard_at=NOW)
            for edge in sorted({self.box_of(camera) for camera in self.switches})
        ]
        alive = [replace(one, heard_at=self.now) if one.is_online else one for one in boxes]
        told = [replace(word, is_counted=word.id in self.counted) for word in self.words]
        return Seen(cameras, alive, told)

    def _camera(self, camera: str, switch: str) -> CameraSeen:
        seen = CameraSeen(
            camera=camera,
            edge=self.box_of(camera),
            room="r1",
            session="s1",
            switch=switch,
            state="streaming",
            recording=True,
        )
        if self.box_of(camera) in self.away:
            return replace(seen, state="unknown")
        if camera in self.gone:
            state = "refused" if camera in self.refusing else "lost"
            return replace(seen, state=state, recording=False, last_frame_at=self.gone[camera])
        return seen

    def open(self) -> dict[tuple[str, str], Case]:
        return {case.key: case for case in self.cases.values() if case.is_open}

    def named(self) -> list[str]:
        return sorted(f"{kind} {subject}" for kind, subject in self.open())


@pytest.fixture
def site() -> Site:
    return Site(dict.fromkeys(TWELVE, "sw-A2"))


def test_twelve_cameras_of_a_dead_switch_are_one_alert(site: Site) -> None:
    site.lose(*TWELVE[:5])
    site.pass_time(3)
    site.lose(*TWELVE[5:])
    assert site.pass_time(10) == ["raised switch_down sw-A2"]
    (case,) = site.open().values()
    assert case.cameras == 12
    assert said(case, None).zh.startswith("sw-A2（12 个机位）：交换机失联")
    assert said(case, None).en.startswith("sw-A2 (12 cameras): Switch down")


def test_one_that_was_told_by_name_before_the_others_went_is_taken_into_it(site: Site) -> None:
    site.lose("cam00")
    assert site.pass_time(6) == ["raised camera_down cam00"]
    site.lose(*TWELVE[1:])
    assert sorted(site.pass_time(6)) == ["raised switch_down sw-A2", "solved camera_down cam00"]


def test_when_all_are_back_it_is_over(site: Site) -> None:
    site.lose(*TWELVE)
    site.pass_time(6)
    site.find(*TWELVE[:6])
    assert site.pass_time(20) == []
    assert [case.cameras for case in site.open().values()] == [6]
    site.find(*TWELVE)
    assert site.pass_time(1) == ["solved switch_down sw-A2"]
    assert site.named() == []


def test_who_stays_away_when_it_is_back_is_told_by_name(site: Site) -> None:
    site.lose(*TWELVE)
    site.pass_time(6)
    site.find(*TWELVE[2:])
    happened = site.pass_time(int(RELEASED_AFTER.total_seconds()) + 1)
    assert sorted(happened) == [
        "raised camera_down cam00",
        "raised camera_down cam01",
        "solved switch_down sw-A2",
    ]
    assert site.pass_time(60) == []  # they do not make a switch of it again
    site.find("cam00", "cam01")
    site.pass_time(1)
    site.lose(*TWELVE)
    assert site.pass_time(6) == ["raised switch_down sw-A2"]  # the next time counts again


def test_a_half_that_stays_away_is_told_by_name_and_is_no_switch_again(site: Site) -> None:
    site.lose(*TWELVE)
    site.pass_time(6)
    site.find(*TWELVE[6:])
    site.pass_time(int(RELEASED_AFTER.total_seconds()) + 30)
    assert site.named() == [f"camera_down {camera}" for camera in TWELVE[:6]]


def test_who_goes_while_it_is_down_belongs_to_it(site: Site) -> None:
    site.lose(*TWELVE[:10])
    site.pass_time(60)
    site.lose("cam10")
    assert site.pass_time(10) == []
    (case,) = site.open().values()
    assert case.cameras == 11


def test_one_of_a_dead_switch_that_answers_and_refuses_is_told_by_name(site: Site) -> None:
    site.lose(*TWELVE)
    site.pass_time(6)
    site.refusing = {"cam04"}
    site.pass_time(1)
    assert site.named() == ["camera_down cam04", "switch_down sw-A2"]


def test_a_switch_that_flaps_is_not_back(site: Site) -> None:
    site.lose(*TWELVE)
    site.pass_time(6)
    for _ in range(4):
        site.find("cam03")
        site.pass_time(20)
        site.lose("cam03")
        site.pass_time(20)
    assert site.named() == ["switch_down sw-A2"]


@pytest.mark.parametrize("lost", [1, 5])
def test_few_of_many_are_no_switch(site: Site, lost: int) -> None:
    site.lose(*TWELVE[:lost])
    site.pass_time(10)
    assert site.named() == [f"camera_down {camera}" for camera in TWELVE[:lost]]


def test_half_of_a_switch_are_one_alert(site: Site) -> None:
    site.lose(*TWELVE[:6])
    site.pass_time(10)
    assert site.named() == ["switch_down sw-A2"]


def test_cameras_that_go_one_after_another_are_no_switch(site: Site) -> None:
    for camera in TWELVE:
        site.lose(camera)
        site.pass_time(int(TOGETHER.total_seconds()) + 1)
    assert "switch_down sw-A2" not in site.named()


def test_cameras_that_answer_and_refuse_are_no_switch(site: Site) -> None:
    site.refusing = set(TWELVE)
    site.lose(*TWELVE)
    site.pass_time(10)
    assert site.named() == [f"camera_down {camera}" for camera in TWELVE]


def test_where_no_switch_is_known_none_is_blamed() -> None:
    site = Site(dict.fromkeys(TWELVE, ""))
    site.lose(*TWELVE)
    site.pass_time(10)
    assert len(site.open()) == 12


def test_a_camera_that_somebody_deals_with_stays_theirs(site: Site) -> None:
    site.lose("cam00")
    site.pass_time(6)
    (case,) = site.open().values()
    site.cases[case.id] = take(case, "ann", site.now).case
    site.lose(*TWELVE)
    site.pass_time(6)
    assert site.named() == ["camera_down cam00", "switch_down sw-A2"]


def test_what_a_box_saw_of_the_swallowed_does_not_come_up_afterwards(site: Site) -> None:
    site.lose(*TWELVE)
    site.pass_time(6)
    word = Tamper(
        id="t1",
        camera="cam00",
        kind="no_signal",
        score=1,
        model="exact",
        first_at=NOW,
        ended_at=None,
        is_counted=False,
    )
    site.words = [word]
    site.pass_time(2)
    assert site.counted == {"t1": site.open()["switch_down", "sw-A2"].id}
    site.words = []
    site.find(*TWELVE)
    assert site.pass_time(3) == ["solved switch_down sw-A2"]


def test_a_lost_box_explains_its_switch_which_is_told_again_when_the_box_is_back(
    site: Site,
) -> None:
    site.lose(*TWELVE)
    site.pass_time(6)
    site.away = {"b1"}
    site.pass_time(5)
    assert site.named() == ["box_lost b1"]
    site.away = set()
    site.pass_time(2)
    assert site.named() == ["switch_down sw-A2"]


CAMERAS = tuple(f"c{number}" for number in range(6))
DO = st.one_of(
    st.tuples(st.just("lose"), st.sets(st.sampled_from(CAMERAS), min_size=1)),
    st.tuples(st.just("find"), st.sets(st.sampled_from(CAMERAS), min_size=1)),
    st.tuples(st.just("refuse"), st.sets(st.sampled_from(CAMERAS))),
    st.tuples(st.just("cut"), st.sets(st.sampled_from(("b1", "b2")))),
    st.tuples(st.just("restart"), st.just(frozenset[str]())),
)
STORY = st.lists(st.tuples(DO, st.sampled_from((0, 1, 3, 7, 12, 40, 70))), max_size=12)


@settings(max_examples=150, deadline=None)
@given(STORY)
def test_no_order_of_events_leaves_a_camera_both_swallowed_and_forgotten(
    story: list[tuple[tuple[str, frozenset[str]], int]],
) -> None:
    """Whoever is gone for long enough is told of: by name, by its switch or by its box."""
    switches = {camera: "sw1" if place < 4 else "sw2" for place, camera in enumerate(CAMERAS)}
    boxes = {camera: "b1" if place % 3 else "b2" for place, camera in enumerate(CAMERAS)}
    site = Site(switches, boxes)
    missed: dict[str, int] = {}
    for (act, who), seconds in story:
        if act == "lose":
            site.lose(*who)
        elif act == "find":
            site.find(*who)
        elif act == "refuse":
            site.refusing = set(who)
        elif act == "cut":
            site.away = set(who)
        else:
            site.watch = Watch(site.now)  # the centre starts again
            missed.clear()
        for _ in range(seconds):
            site.pass_time(1)
            _check(site, missed)
    site.find(*CAMERAS)
    site.away = set()
    site.pass_time(int(COMING_WITHIN.total_seconds()) + 5)
    assert site.named() == []


def _check(site: Site, missed: dict[str, int]) -> None:
    """Whoever is gone is told of within the time that a camera is given to connect."""
    told = site.open()
    for camera, switch in site.switches.items():
        box = site.box_of(camera)
        is_told = told.keys() & {
            ("camera_down", camera),
            ("switch_down", switch),
            ("box_lost", box),
        }
        is_gone = camera in site.gone or box in site.away
        missed[camera] = missed.get(camera, 0) + 1 if is_gone and not is_told else 0
        assert missed[camera] <= COMING_WITHIN.total_seconds(), (camera, site.named())
        if camera not in site.gone and box not in site.away:
            assert ("camera_down", camera) not in told
