"""A room in motion: the pictures of one loop, which ends as it began."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, pi, sin
from random import Random

import numpy as np
from PIL import Image

from edge.simulator.faults import Disturbance
from edge.simulator.scene import furniture
from edge.simulator.scene.happenings import Lamps, Window
from edge.simulator.scene.people import looks, poses, seated, walking
from edge.simulator.scene.room import Room, room_of
from edge.simulator.scene.shell import Shell
from edge.simulator.scene.solids import Solid, Sprite, sprite
from edge.simulator.scene.space import Point, View

_BEATS = 5
"""How often in a second somebody who sits may stir."""

STILL_ROWS = 64
"""So many rows at the top never change."""
_CLOSE = 2.1
"""Metres from the camera's wall at which somebody walks past."""
_STEP = 2
"""Every how many frames the one who walks moves on."""


def view_of(room: Room, size: tuple[int, int], moved: float = 0.0) -> View:
    """Where the room's camera hangs and looks; `moved` tells how far it was pushed aside."""
    x = 0.3 + room.side * (room.width - 0.6)
    y, away = (room.depth - 0.25, 0.4) if room.from_front else (0.25, 0.58)
    aside = moved * 2.6 * (1 if room.side < 0.5 else -1)
    target = room.width / 2 + aside, room.depth * away, 0.85 + moved * 0.9
    return View((x, y, room.height - 0.25), target, *size, 1.32)


@dataclass(frozen=True, slots=True)
class _Thing:
    """Something that stands in the room: its sprites, and which of them at each beat."""

    sprites: list[Sprite]
    turns: list[int]

    @property
    def depth(self) -> float:
        """How far away it is."""
        return self.sprites[0].depth

    def at(self, beat: int) -> Sprite:
        """How it looks at a beat."""
        return self.sprites[self.turns[beat % len(self.turns)]]


class Loop:
    """One room's loop of some seconds."""

    def __init__(
        self,
        number: int,
        size: tuple[int, int],
        seconds: int,
        moved: float = 0.0,
        disturbance: Disturbance | None = None,
    ) -> None:
        self._room = room_of(number)
        self._seconds = seconds
        self._view = view_of(self._room, size, moved)
        places = furniture.seats(self._room)
        self._dull, sunny = Shell(self._room, places).look(self._view)
        self._sunny = Image.composite(sunny, self._dull, _below_top(size))
        things = [self._seat(index, *place) for index, place in enumerate(places)]
        things.append(self._thing([furniture.lectern(self._room)], [0]))
        seen = [thing for thing in things if thing]
        self._things = sorted(seen, key=lambda thing: -thing.depth)
        self._walker = looks(Random(number * 11 + 3))
        self._passerby = looks(Random(number * 17 + 5))
        self._disturbance = disturbance
        self._light = _light(disturbance, self._room, self._view)

    def frames(self, fps: int) -> Iterator[Image.Image]:
        """Yield each picture of the loop; the same object twice where nothing moved."""
        canvas, last, shown = self._dull, -1, self._dull
        for index in range(fps * self._seconds):
            beat = index * _BEATS // fps
            if beat != last:
                canvas, last = self._composed(beat), beat
            if index % _STEP == 0:
                share = index / fps / self._seconds
                shown = self._with_passerby(self._with_walker(canvas, beat, share), share)
                shown = self._light.at(shown, share) if self._light else shown
            yield shown

    def _composed(self, beat: int) -> Image.Image:
        sun = 0.5 + 0.5 * sin(2 * pi * beat / (_BEATS * self._seconds))
        canvas = Image.blend(self._dull, self._sunny, sun)
        for thing in self._things:
            shown = thing.at(beat)
            canvas.paste(shown.image, shown.corner, shown.image)
        return canvas

    def _with_walker(self, canvas: Image.Image, beat: int, share: float) -> Image.Image:
        walker = self._walk(share)
        if walker is None:
            return canvas
        shown = canvas.copy()
        shown.paste(walker.image, walker.corner, walker.image)
        for thing in self._things:
            if thing.depth < walker.depth:
                _cover(shown, thing.at(beat), walker.box)
        return shown

    def _with_passerby(self, canvas: Image.Image, share: float) -> Image.Image:
        """Somebody crosses the room close to the camera, and comes back."""
        if self._disturbance is not Disturbance.PASSERBY:
            return canvas
        x = self._room.width / 2 + (self._room.width / 2 + 0.8) * cos(2 * pi * share)
        y = self._room.depth - _CLOSE if self._room.from_front else _CLOSE
        person = walking(x, y, 1.0, 2 * pi * 6 * share, self._passerby)
        seen = sprite(self._view, [*person.tail, *self._sorted(person.body)])
        if seen is None:
            return canvas
        shown = canvas.copy()
        shown.paste(seen.image, seen.corner, seen.image)
        return shown

    def _walk(self, share: float) -> Sprite | None:
        aisles = furniture.aisles(self._room)
        x = aisles[self._room.number * 2 % len(aisles)]
        middle = self._room.depth * (0.52 if self._room.from_front else 0.56)
        turn = sin(2 * pi * share)
        way = 1.0 if cos(2 * pi * share) >= 0 else -1.0
        stride = 2 * pi * 3 * abs(turn - 1) / 2
        person = walking(x, middle + 1.7 * turn, way, stride, self._walker)
        if (way > 0) == self._room.from_front:
            return sprite(self._view, [*person.tail, *self._sorted(person.body)])
        return sprite(self._view, self._sorted(person.body + person.tail))

    def _seat(self, index: int, x: float, y: float) -> "_Thing | None":
        lot = Random(self._room.number * 1009 + index)
        room = self._room
        desk = [*furniture.desk(x, y, room.desk), *furniture.papers(x, y, lot)]
        seat = furniture.chair_seat(x, y, room.chair)
        back = furniture.chair_back(x, y, room.chair)
        if index in room.empty:
            layers = [back, seat, desk] if room.from_front else [desk, seat, back]
            return self._thing([[solid for layer in layers for solid in layer]], [0])
        who = looks(lot)
        drawn = []
        for pose in poses(lot):
            person = seated(x, y, who, pose)
            if room.from_front:
                body, arms = self._sorted(person.body), self._sorted(person.arms)
                layers = [back, seat, person.tail, body, desk, arms]
            else:
                whole = self._sorted(person.body + person.arms + person.tail)
                layers = [desk, seat, whole, back]
            drawn.append([solid for layer in layers for solid in layer])
        return self._thing(drawn, _turns(lot, _BEATS * self._seconds))

    def _thing(self, drawn: list[list[Solid]], turns: list[int]) -> "_Thing | None":
        sprites = [sprite(self._view, solids) for solids in drawn]
        seen = [one for one in sprites if one]
        return _Thing(seen, turns) if len(seen) == len(sprites) else None

    def _sorted(self, solids: list[Solid]) -> list[Solid]:
        return sorted(solids, key=lambda solid: -self._view.depth(_middle(solid)))


def _light(disturbance: Disturbance | None, room: Room, view: View) -> Lamps | Window | None:
    match disturbance:
        case Disturbance.LIGHTS:
            return Lamps(room, view)
        case Disturbance.WINDOW:
            return Window(room, view, _below_top((view.width, view.height)))
        case _:
            return None


def _below_top(size: tuple[int, int]) -> Image.Image:
    """A mask that spares the top: nothing may move where motion could reach into the strip."""
    rows = np.clip((np.arange(size[1]) - STILL_ROWS) / 80, 0, 1) * 255
    return Image.fromarray(np.repeat(rows[:, None], size[0], axis=1).astype(np.uint8))


def _middle(solid: Solid) -> Point:
    points = solid.points()
    x, y, z = (sum(point[i] for point in points) / len(points) for i in range(3))
    return x, y, z


def _turns(lot: Random, beats: int) -> list[int]:
    """Which pose at each beat: mostly writing, now and then a pause."""
    turns: list[int] = []
    while len(turns) < beats:
        if lot.random() < 0.6:
            for _ in range(lot.randint(2, 6)):
                turns += [0] * lot.randint(1, 2) + [1] * lot.randint(1, 2)
        else:
            turns += [lot.choice((2, 2, 3))] * lot.randint(5, 12)
    return turns[:beats]


def _cover(shown: Image.Image, near: Sprite, box: tuple[int, int, int, int]) -> None:
    """Paint the part of a sprite that lies within a rectangle."""
    left, top, right, bottom = near.box
    left, top = max(left, box[0], 0), max(top, box[1], 0)
    right, bottom = min(right, box[2]), min(bottom, box[3])
    if left < right and top < bottom:
        corner = near.left, near.top
        inner = left - corner[0], top - corner[1], right - corner[0], bottom - corner[1]
        part = near.image.crop(inner)
        shown.paste(part, (left, top), part)
