"""What arithmetic alone can tell about a picture: no model, no reference, no doubt."""

from dataclasses import dataclass

import numpy as np

from vision.pixels import HEIGHT, Picture, Plane, coloured, luma, shrunk

_BLACK, _WHITE = 24, 248
"""Luma up to and from which nothing is seen; limited range and noise are allowed for."""
_NEARLY_ALL = 0.93
"""Share of the view; a burned-in clock and name may fill the rest."""
_GLARE, _MORE_GLARE = 0.4, 0.2
_DARK = 18.0
_EVERY_ROW = 4
"""Neighbours in a row are alike in all rows; a quarter of them tells enough."""
_FLAT_SPREAD = 3.0
_BLOCKY = 3.5
_CLOCK_ROWS = HEIGHT // 12
"""Rows at top and bottom where cameras write the time."""
_SAME = 0.995
FROZEN_AFTER_S = 5.0

_SCREENS = (np.array((0, 0, 255)), np.array((0, 0, 192)), np.array((0, 135, 0)))
"""What recorders and decoders paint where there is no picture: blue, dark blue, empty YUV."""
_SCREEN_DISTANCE = 48


@dataclass(frozen=True, slots=True)
class Measures:
    """One picture in figures; luma is 0 to 255, shares are 0 to 1."""

    light: float
    """Mean luma."""
    spread: float
    """Between the 5th and the 95th percentile of luma, noise averaged away."""
    black: float
    white: float
    tint: tuple[float, float]
    """Mean of blue and red against luma."""
    tint_share: float
    """Share of pixels that lean to the mean's side."""
    detail: float
    """Mean step between neighbours in a row, of the picture as it came."""
    likeness: float
    """Correlation of neighbours, 1 for smooth, 0 for snow."""
    blockiness: float
    """Steps on the borders of coding blocks against those within."""
    screen: bool
    """Painted by a device, not seen by a camera."""

    def obvious(self) -> str | None:
        """What it is beyond doubt, if it is no view of anything."""
        if self.screen:
            return "no_signal"
        if self.black >= _NEARLY_ALL and self.spread < 2 * _FLAT_SPREAD:
            return "black"
        if self.white >= _NEARLY_ALL:
            return "white"
        if self.likeness < 0.35 and self.detail > 12:
            return "snow"
        if self.blockiness > _BLOCKY:
            return "blocks"
        return None

    @property
    def is_dark(self) -> bool:
        """Too dark to see people by."""
        return self.light < _DARK

    @property
    def is_glaring(self) -> bool:
        """A lamp or the sun blinds much of the view."""
        return self.white >= _GLARE

    @property
    def is_pale(self) -> bool:
        """Everything has nearly the same brightness."""
        return self.spread < 24


def measure(picture: Picture) -> Measures:
    """Put a picture into figures."""
    picture = coloured(picture)
    small = shrunk(picture)
    bright = luma(small)
    fine = luma(picture[::_EVERY_ROW])
    blue = small[..., 2] - bright
    red = small[..., 0] - bright
    low, high = np.percentile(bright, (5, 95))
    across = np.abs(np.diff(fine, axis=1))
    return Measures(
        light=float(bright.mean()),
        spread=float(high - low),
        black=float((bright <= _BLACK).mean()),
        white=float((bright >= _WHITE).mean()),
        tint=(float(blue.mean()), float(red.mean())),
        tint_share=_leaning(blue, red),
        detail=float(across.mean()),
        likeness=_likeness(fine),
        blockiness=_blockiness(across, float(fine.std())),
        screen=_is_screen(small),
    )


def has_glare(now: Measures, usual: Measures) -> bool:
    """True if a lamp or the sun blinds a fifth of the view more than it usually does."""
    return now.white - usual.white > _MORE_GLARE


def has_cast(now: Measures, usual: Measures) -> bool:
    """True if nearly everything leans to a colour the reference does not lean to."""
    shift = np.hypot(now.tint[0] - usual.tint[0], now.tint[1] - usual.tint[1])
    return bool(shift > 28 and now.tint_share > 0.85)


class Stillness:
    """How long nothing at all has changed, not even noise; clocks at the borders do not count."""

    def __init__(self) -> None:
        self._first: Plane | None = None
        self._since = 0.0

    def seconds(self, picture: Picture, t: float) -> float:
        """Take the next picture; give for how long it has been the same."""
        seen = luma(shrunk(coloured(picture)))[_CLOCK_ROWS:-_CLOCK_ROWS]
        if self._first is None or float((np.abs(seen - self._first) < 0.5).mean()) < _SAME:
            self._first, self._since = seen, t
        return t - self._since


def _leaning(blue: Plane, red: Plane) -> float:
    along = blue * np.sign(blue.mean()) if abs(blue.mean()) > abs(red.mean()) else red
    side = np.sign(along.mean())
    return float((along * side > 6).mean())


def _likeness(fine: Plane) -> float:
    if fine.std() < 8:
        return 1.0
    away = fine - fine.mean()
    return float((away[:, :-1] * away[:, 1:]).mean() / (away * away).mean())


def _blockiness(across: Plane, contrast: float) -> float:
    """How much more there is on the borders of 16 pixels than between them."""
    if across.shape[1] < 64 or contrast < 8:
        return 1.0
    by_column = across.mean(axis=0)
    at = np.arange(1, by_column.size + 1) % 16
    return float(np.median(by_column[at == 0]) / (np.median(by_column[at != 0]) + 0.5))


def _is_screen(small: Picture) -> bool:
    wide = small.astype(np.int16)
    middle = np.median(wide, axis=(0, 1))
    if any(np.abs(middle - screen).max() <= _SCREEN_DISTANCE for screen in _SCREENS):
        return bool((np.abs(wide - middle).max(axis=2) <= 6).mean() >= 0.85)
    return _are_bars(wide[: HEIGHT // 2])


def _are_bars(top: np.ndarray[tuple[int, ...], np.dtype[np.int16]]) -> bool:
    """Test bars: columns of one colour each, six or more of them, strongly coloured."""
    row = np.median(top, axis=0)
    if (np.abs(top - row).max(axis=2) <= 8).mean() < 0.93:
        return False
    edges = int((np.abs(np.diff(row, axis=0)).max(axis=1) > 40).sum())
    vivid = float((row.max(axis=1) - row.min(axis=1) > 120).mean())
    return edges >= 5 and vivid > 0.5
