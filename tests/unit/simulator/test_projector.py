"""What a stream shows at each frame."""

from zoneinfo import ZoneInfo

import pytest

from edge.simulator.faults import Disturbance, Fault, FaultBook, FaultKind
from edge.simulator.formats import Format
from edge.simulator.projector import Picture, Projector
from edge.simulator.reel import Reel
from edge.simulator.strip import StripMaker
from edge.simulator.x264 import ParameterSets, parameter_sets

FORM = Format(640, 160, 5, 200)
SETS = parameter_sets(FORM.whole())
KEY, NEXT = b"\x65key", b"\x41next"
SECOND = 1_790_000_000


def reel(name: bytes, gop: int = 5, count: int = 10) -> Reel:
    """Pictures that say which reel they are of and their number in it."""

    def slices(index: int) -> tuple[bytes, ...]:
        said = name + bytes([index])
        return (b"\x41" + said,) if index % gop else (b"\x65guard", b"\x65" + said)

    return Reel(SETS.sps, SETS.pps, gop, tuple(map(slices, range(count))))


REELS: dict[FaultKind | Disturbance | None, Reel] = {
    None: reel(b"plain"),
    FaultKind.COVER: reel(b"cover"),
    FaultKind.LONG_GOP: reel(b"long", gop=50, count=50),
    FaultKind.BFRAMES: Reel(
        b"\x67other", b"\x68other", 5, ((KEY,), *(((NEXT),),) * 4), (1, 3, 0, 0, 3), has_strip=False
    ),
}


@pytest.fixture
def faults() -> FaultBook:
    return FaultBook()


@pytest.fixture
def strips() -> StripMaker:
    return StripMaker(FORM, SETS, ZoneInfo("UTC"))


@pytest.fixture
def projector(faults: FaultBook, strips: StripMaker) -> Projector:
    return Projector(FORM, SETS, strips, faults, lambda fault: REELS[fault.kind if fault else None])


def seconds(projector: Projector, begin: int, count: int) -> list[list[Picture]]:
    """The pictures of some seconds, a list each."""
    return [
        [projector.picture((begin + second) * FORM.fps + i) for i in range(FORM.fps)]
        for second in range(count)
    ]


def scene(picture: Picture) -> bytes:
    return picture.nals[-1]


def fault(kind: FaultKind, begins: float, ends: float | None = None, extent: float = 1) -> Fault:
    return Fault(kind, extent, begins, ends)


def test_every_second_begins_with_a_key_frame_and_its_parameter_sets(projector: Projector) -> None:
    for second in seconds(projector, SECOND, 3):
        assert [picture.is_key for picture in second] == [True, False, False, False, False]
        assert second[0].nals[:2] == (SETS.sps, SETS.pps)


def test_the_loop_follows_the_clock_wherever_it_is_joined(projector: Projector) -> None:
    shown = [scene(picture)[6:] for second in seconds(projector, SECOND, 4) for picture in second]
    assert shown == [bytes([i]) for i in [*range(10), *range(10)]]


def test_the_strip_tells_the_second(projector: Projector, strips: StripMaker) -> None:
    first, second = (pictures[0] for pictures in seconds(projector, SECOND, 2))
    assert first.nals[2] == strips.key(SECOND)
    assert second.nals[2] == strips.key(SECOND + 1)
    assert first.nals[2] != second.nals[2]


def test_a_scene_fault_begins_and_ends_with_a_second(
    projector: Projector, faults: FaultBook
) -> None:
    faults.add(fault(FaultKind.COVER, SECOND + 1, SECOND + 2))
    names = [
        {scene(picture)[1:6] for picture in second} for second in seconds(projector, SECOND, 3)
    ]
    assert names == [{b"plain"}, {b"cover"}, {b"plain"}]


def test_a_frozen_picture_stays_with_its_time_and_goes_on_later(
    projector: Projector, faults: FaultBook, strips: StripMaker
) -> None:
    faults.add(fault(FaultKind.FREEZE, SECOND + 1, SECOND + 3))
    before, first, second, after = seconds(projector, SECOND, 4)
    assert first[0] == second[0]
    assert first[0].nals[2] == strips.key(SECOND + 1)
    assert all(len(picture.nals) == 1 and len(scene(picture)) < 12 for picture in first[1:])
    assert after[0].nals[2] == strips.key(SECOND + 3)
    assert scene(before[1]) != scene(first[1])


def test_a_clock_jump_shows_in_the_strip(
    projector: Projector, faults: FaultBook, strips: StripMaker
) -> None:
    faults.add(fault(FaultKind.CLOCK_JUMP, SECOND, extent=-3600))
    assert projector.picture(SECOND * FORM.fps).nals[2] == strips.key(SECOND - 3600)
    assert projector.jump(SECOND) == -3600


def test_a_long_gop_begins_at_once_and_its_strip_still_tells_the_second(
    projector: Projector, faults: FaultBook, strips: StripMaker
) -> None:
    faults.add(fault(FaultKind.LONG_GOP, SECOND + 3))
    shown = [picture for second in seconds(projector, SECOND + 3, 20) for picture in second]
    assert [index for index, picture in enumerate(shown) if picture.is_key] == [0, 50]
    assert shown[5].nals[0] == strips.refresh(SECOND + 4, 5)
    assert [len(picture.nals) for picture in shown[4:7]] == [2, 3, 2]
    assert projector.key_interval == 50


def test_pictures_with_b_frames_bring_their_own_parameter_sets(
    projector: Projector, faults: FaultBook
) -> None:
    faults.add(fault(FaultKind.BFRAMES, SECOND))
    shown = seconds(projector, SECOND, 1)[0]
    assert shown[0].nals == (b"\x67other", b"\x68other", KEY)
    assert [picture.delay for picture in shown] == [1, 3, 0, 0, 3]
    assert projector.sets == ParameterSets(b"\x67other", b"\x68other")
