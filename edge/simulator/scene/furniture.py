"""Desks, chairs and what lies on them."""

from random import Random

from edge.simulator.scene.room import Colour, Room
from edge.simulator.scene.solids import Box, Leaf, Solid

_STEEL = (120, 124, 130)
_TOP = 0.753


def seats(room: Room) -> list[tuple[float, float]]:
    """Where the desks stand, row by row from the rear."""
    left = (room.width - (room.columns - 1) * 1.32) / 2
    first = 1.75
    pitch = (room.depth - first - 2.35) / max(1, room.rows - 1)
    return [
        (left + column * 1.32, first + row * pitch)
        for row in range(room.rows)
        for column in range(room.columns)
    ]


def aisles(room: Room) -> list[float]:
    """Where one can walk between the columns of desks."""
    left = (room.width - (room.columns - 1) * 1.32) / 2
    return [left + (column + 0.5) * 1.32 for column in range(room.columns - 1)]


def chair_seat(x: float, y: float, colour: Colour) -> list[Solid]:
    """What one sits on, behind the desk around (x, y), and its legs."""
    back = y - 0.74
    parts: list[Solid] = []
    for side in (-0.17, 0.17):
        for along in (back + 0.02, back + 0.34):
            parts.append(_rod(x + side, along, 0, 0.43))
    parts.append(Box((x - 0.2, back, 0.42), (x + 0.2, back + 0.38, 0.455), colour))
    return parts


def chair_back(x: float, y: float, colour: Colour) -> list[Solid]:
    """What one leans against."""
    back = y - 0.74
    parts = [_rod(x + side, back, 0.45, 0.85) for side in (-0.17, 0.17)]
    return [*parts, Box((x - 0.2, back - 0.015, 0.6), (x + 0.2, back + 0.015, 0.86), colour)]


def _rod(x: float, y: float, low: float, high: float) -> Solid:
    return Box((x - 0.012, y - 0.012, low), (x + 0.012, y + 0.012, high), _STEEL)


def desk(x: float, y: float, colour: Colour) -> list[Solid]:
    """A desk for one."""
    parts: list[Solid] = []
    for side in (-0.27, 0.27):
        for along in (-0.18, 0.18):
            parts.append(_rod(x + side, y + along, 0, 0.6))
    parts.append(Box((x - 0.27, y - 0.16, 0.58), (x + 0.27, y + 0.2, 0.71), (150, 154, 160)))
    parts.append(Box((x - 0.31, y - 0.23, 0.72), (x + 0.31, y + 0.23, 0.75), colour))
    return parts


def papers(x: float, y: float, lot: Random) -> list[Solid]:
    """What lies on a desk in an exam: the paper, a card, often something to drink."""
    turn = lot.uniform(-0.03, 0.03)
    parts: list[Solid] = []
    for left, right, tone in ((-0.2, 0.0, (250, 250, 246)), (0.005, 0.2, (244, 244, 240))):
        parts.append(_flat(x + left, y - 0.12, x + right, y + 0.16, turn, tone))
        for line in range(4):
            low = y + 0.11 - line * 0.055
            ink = _flat(x + left + 0.025, low, x + right - 0.03, low + 0.012, 0, (196, 198, 204))
            parts.append(ink)
    if lot.random() < 0.7:
        tint = lot.choice(((92, 150, 210), (220, 120, 90), (120, 180, 130), (230, 230, 236)))
        parts.append(Box((x + 0.24, y + 0.1, _TOP), (x + 0.29, y + 0.15, _TOP + 0.2), tint))
        cap = (x + 0.25, y + 0.11, _TOP + 0.2), (x + 0.28, y + 0.14, _TOP + 0.23)
        parts.append(Box(*cap, (240, 240, 240)))
    tint = lot.choice(((120, 160, 220), (236, 200, 120), (210, 120, 120)))
    parts.append(_flat(x - 0.29, y + 0.09, x - 0.22, y + 0.19, 0, tint))
    return parts


def _flat(left: float, near: float, right: float, far: float, turn: float, colour: Colour) -> Leaf:
    corners = (
        (left - turn, near, _TOP),
        (right - turn, near, _TOP),
        (right + turn, far, _TOP),
        (left + turn, far, _TOP),
    )
    return Leaf(corners, colour)


def lectern(room: Room) -> list[Solid]:
    """The teacher's place in front of the blackboard."""
    x, y = room.width / 2 + (0.9 if room.windows_left else -0.9), room.depth - 1.15
    return [
        Box((x - 0.55, y - 0.28, 0), (x + 0.55, y + 0.28, 0.95), (150, 112, 80)),
        Box((x - 0.6, y - 0.32, 0.95), (x + 0.6, y + 0.32, 1.0), (176, 136, 100)),
        Box((x - 0.25, y - 0.05, 1.0), (x + 0.2, y - 0.02, 1.3), (40, 42, 48)),
        Box((x + 0.28, y - 0.2, 1.0), (x + 0.5, y + 0.1, 1.08), (246, 244, 236)),
    ]
