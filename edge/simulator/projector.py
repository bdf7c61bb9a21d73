"""Which NAL units make up a stream's picture number n: the reel, the strip, and what went wrong."""

from collections.abc import Callable
from dataclasses import dataclass

from edge.simulator.faults import Fault, FaultBook, FaultKind
from edge.simulator.formats import GUARD_HEIGHT, Format
from edge.simulator.reel import Reel
from edge.simulator.slices import nal_type, repeating_slice
from edge.simulator.strip import StripMaker
from edge.simulator.x264 import ParameterSets

_KEY_FRAME = 5


@dataclass(frozen=True, slots=True)
class Picture:
    """One access unit."""

    nals: tuple[bytes, ...]
    is_key: bool
    delay: int = 0
    """By how many frames it is shown later than it is sent."""


@dataclass(frozen=True, slots=True)
class _Frozen:
    at: int
    """Number of the picture that stays."""
    jump: int


class Projector:
    """Shows one stream. Pictures are asked for in order, numbered by frames since 1970.

    Faults begin and end where a second begins, with a key frame.
    """

    def __init__(
        self,
        form: Format,
        sets: ParameterSets,
        strips: StripMaker,
        faults: FaultBook,
        reel_of: Callable[[Fault | None], Reel],
    ) -> None:
        self._format = form
        self._sets = sets
        self._strips = strips
        self._faults = faults
        self._reel_of = reel_of
        self._reel = reel_of(None)
        self._scene: Fault | None = None
        self._origin = 0
        self._frozen: _Frozen | None = None
        strip, guard = form.macroblocks(form.strip_height), form.macroblocks(GUARD_HEIGHT)
        self._top_again = _repeating(sets, 0, strip + guard)
        self._guard_again = _repeating(sets, strip, guard)
        self._all_again = _repeating(sets, 0, form.macroblocks(form.coded_height))

    @property
    def sets(self) -> ParameterSets:
        """The parameter sets of what is shown now."""
        if self._reel.has_strip:
            return self._sets
        return ParameterSets(self._reel.sps, self._reel.pps)

    @property
    def key_interval(self) -> int:
        """Frames from one key frame to the next."""
        return self._reel.gop

    def jump(self, second: float) -> int:
        """By how many seconds the camera's clock is wrong."""
        fault = self._faults.find(FaultKind.CLOCK_JUMP, second)
        return round(fault.extent) if fault else 0

    def picture(self, number: int) -> Picture:
        """Give one picture, its faults as they stand at the second it lies in."""
        second, place = divmod(number, self._format.fps)
        if place == 0:
            self._begin_second(number, second)
        if self._frozen is None:
            return self._shown(number, self.jump(second))
        if place == 0:
            return self._shown(self._frozen.at, self._frozen.jump)
        return Picture((self._all_again[place % len(self._all_again)],), is_key=False)

    def _begin_second(self, number: int, second: int) -> None:
        scene = self._faults.scene(second)
        if scene != self._scene:
            self._scene, self._reel, self._origin = scene, self._reel_of(scene), number
        if not self._faults.find(FaultKind.FREEZE, second):
            self._frozen = None
        elif self._frozen is None and self._reel.has_strip and self._is_key(number):
            self._frozen = _Frozen(number, self.jump(second))

    def _is_key(self, number: int) -> bool:
        return (number - self._origin) % self._reel.gop == 0

    def _shown(self, number: int, jump: int) -> Picture:
        reel = self._reel
        index = (number - self._origin) % len(reel.pictures)
        slices = reel.pictures[index]
        is_key = nal_type(slices[0]) == _KEY_FRAME
        head = (self.sets.sps, self.sets.pps) if is_key else ()
        if not reel.has_strip:
            return Picture((*head, *slices), is_key, reel.delays[index])
        top = self._top(number, index % reel.gop, jump, is_key=is_key)
        return Picture((*head, *top, *slices), is_key)

    def _top(self, number: int, frame_num: int, jump: int, *, is_key: bool) -> tuple[bytes, ...]:
        second, place = divmod(number, self._format.fps)
        again = frame_num % len(self._top_again)
        if is_key:
            return (self._strips.key(second + jump),)
        if place == 0:
            return self._strips.refresh(second + jump, frame_num), self._guard_again[again]
        return (self._top_again[again],)


def _repeating(sets: ParameterSets, first: int, count: int) -> list[bytes]:
    syntax = sets.syntax
    numbers = range(1 << syntax.frame_num_bits)
    return [repeating_slice(syntax, number, first, count) for number in numbers]
