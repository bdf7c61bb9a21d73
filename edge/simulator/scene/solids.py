"""Small solid things: boxes, limbs and paper, painted far to near onto a transparent sprite."""

from dataclasses import dataclass
from math import hypot
from typing import Protocol

from PIL import Image, ImageDraw

from edge.simulator.scene.room import Colour
from edge.simulator.scene.space import Point, View
from edge.simulator.scene.walls import shade

_FINEST, _COARSEST = 4, 2
_SMALL = 60_000
_NEAREST = 0.3
Pixel = tuple[float, float]


class Solid(Protocol):
    """Something that can be painted."""

    def points(self) -> list[Point]:
        """The points that bound it."""
        ...

    def paint(self, sheet: "Sheet") -> None:
        """Draw it."""
        ...


@dataclass(frozen=True, slots=True)
class Sprite:
    """A picture with transparent parts, its place, and how far away it is."""

    image: Image.Image
    left: int
    top: int
    depth: float

    @property
    def corner(self) -> tuple[int, int]:
        """Its upper left corner."""
        return self.left, self.top

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The rectangle it covers."""
        return self.left, self.top, self.left + self.image.width, self.top + self.image.height


class Sheet:
    """Where the solids of one sprite are painted, some times larger than they will be."""

    def __init__(self, view: View, corner: tuple[int, int], size: tuple[int, int]) -> None:
        self._view = view
        self._corner = corner
        self.fine = _FINEST if size[0] * size[1] * _FINEST**2 < _SMALL * 9 else _COARSEST
        grown = size[0] * self.fine, size[1] * self.fine
        self.image = Image.new("RGBA", grown, (90, 90, 90, 0))
        self.draw = ImageDraw.Draw(self.image)

    def at(self, point: Point) -> Pixel:
        """Where a point lies on the sheet."""
        x, y, _ = self._view.place(point)
        return (x - self._corner[0]) * self.fine, (y - self._corner[1]) * self.fine

    def length(self, metres: float, at: Point) -> float:
        """How long a length appears at a point."""
        return metres * self._view.focal / max(self._view.depth(at), _NEAREST) * self.fine

    def is_before(self, axis: int, sign: int, value: float) -> bool:
        """True where a surface across an axis is seen from its outer side."""
        return (self._view.eye[axis] - value) * sign > 0


def sprite(view: View, solids: list[Solid]) -> Sprite | None:
    """Paint solids in the order given; None where nothing of them is in the picture."""
    placed = [view.place(point) for solid in solids for point in solid.points()]
    if min(depth for _, _, depth in placed) < _NEAREST:
        return None
    left, top = (int(min(place[i] for place in placed)) - 2 for i in (0, 1))
    right, bottom = (int(max(place[i] for place in placed)) + 3 for i in (0, 1))
    if right <= 0 or bottom <= 0 or left >= view.width or top >= view.height:
        return None
    bottom = min(bottom, view.height + 8)
    sheet = Sheet(view, (left, top), (right - left, bottom - top))
    for solid in solids:
        solid.paint(sheet)
    depth = sum(depth for _, _, depth in placed) / len(placed)
    return Sprite(sheet.image.reduce(sheet.fine), left, top, depth)


_FACES = (
    (2, -1, 0.5, (0, 2, 6, 4)),
    (2, 1, 1.06, (1, 3, 7, 5)),
    (0, -1, 0.78, (0, 1, 3, 2)),
    (0, 1, 0.84, (4, 5, 7, 6)),
    (1, -1, 0.72, (0, 1, 5, 4)),
    (1, 1, 0.9, (2, 3, 7, 6)),
)
"""Axis, side, brightness and corners of each face of a box."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box along the axes."""

    low: Point
    high: Point
    colour: Colour

    def points(self) -> list[Point]:
        """Its eight corners."""
        (a, b, c), (d, e, f) = self.low, self.high
        return [(x, y, z) for x in (a, d) for y in (b, e) for z in (c, f)]

    def paint(self, sheet: Sheet) -> None:
        """Draw the faces that are seen."""
        corners = [sheet.at(point) for point in self.points()]
        for axis, sign, brightness, face in _FACES:
            if sheet.is_before(axis, sign, (self.high if sign > 0 else self.low)[axis]):
                colour = shade(self.colour, brightness)
                sheet.draw.polygon([corners[index] for index in face], fill=colour)


_SHADING = tuple((step / 9, 0.68 + 0.44 * (step / 8) ** 0.75) for step in range(9))
"""How far inwards, as a share of the radius, a limb is how bright."""


@dataclass(frozen=True, slots=True)
class Limb:
    """A rounded, tapering thing between two points; a ball where they are one."""

    begin: Point
    end: Point
    thick: float
    thin: float
    colour: Colour

    def points(self) -> list[Point]:
        """The corners of a box around it."""
        reach = max(self.thick, self.thin)
        return [
            (x + side * reach, y + side * reach, z + side * reach)
            for x, y, z in (self.begin, self.end)
            for side in (-1, 1)
        ] + [(x - reach, y, z + reach) for x, y, z in (self.begin, self.end)]

    def paint(self, sheet: Sheet) -> None:
        """Draw it darker at the rim and lighter where the lamps reach it."""
        a, b = sheet.at(self.begin), sheet.at(self.end)
        thick, thin = sheet.length(self.thick, self.begin), sheet.length(self.thin, self.end)
        steps = _SHADING if thick > 14 else _SHADING[::2]
        for inward, brightness in steps:
            aside, up = inward * 0.3, inward * 0.5
            first = a[0] - aside * thick, a[1] - up * thick
            last = b[0] - aside * thin, b[1] - up * thin
            share = 1 - inward
            colour = shade(self.colour, brightness)
            _capsule(sheet.draw, first, thick * share, last, thin * share, colour)


def _capsule(
    draw: ImageDraw.ImageDraw, a: Pixel, ra: float, b: Pixel, rb: float, colour: Colour
) -> None:
    for (x, y), r in ((a, ra), (b, rb)):
        draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)
    x, y = b[0] - a[0], b[1] - a[1]
    length = hypot(x, y)
    if length > abs(ra - rb) + 0.5:
        x, y = -y / length, x / length
        quad = [
            (a[0] + x * ra, a[1] + y * ra),
            (b[0] + x * rb, b[1] + y * rb),
            (b[0] - x * rb, b[1] - y * rb),
            (a[0] - x * ra, a[1] - y * ra),
        ]
        draw.polygon(quad, fill=colour)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A flat thing: paper on a desk."""

    corners: tuple[Point, Point, Point, Point]
    colour: Colour

    def points(self) -> list[Point]:
        """Its corners."""
        return list(self.corners)

    def paint(self, sheet: Sheet) -> None:
        """Draw it."""
        sheet.draw.polygon([sheet.at(point) for point in self.corners], fill=self.colour)
