"""People made of limbs: those who sit and write, and the one who walks and watches."""

from dataclasses import dataclass
from math import cos, pi, sin
from random import Random

from edge.simulator.scene.room import Colour
from edge.simulator.scene.solids import Limb, Solid
from edge.simulator.scene.space import Point

_SKINS: tuple[Colour, ...] = ((236, 196, 164), (228, 184, 150), (214, 168, 134), (240, 206, 180))
_HAIRS: tuple[Colour, ...] = ((38, 34, 34), (30, 28, 30), (58, 44, 36), (46, 38, 34), (84, 60, 44))
_CLOTHES: tuple[Colour, ...] = (
    (62, 92, 148),
    (176, 62, 58),
    (236, 234, 228),
    (70, 74, 82),
    (96, 134, 96),
    (208, 168, 84),
    (132, 160, 196),
    (120, 88, 132),
    (48, 54, 72),
    (214, 140, 128),
    (166, 172, 178),
    (86, 120, 124),
)
_TROUSERS: tuple[Colour, ...] = ((52, 58, 78), (70, 66, 64), (44, 46, 52), (84, 96, 118))


@dataclass(frozen=True, slots=True)
class Looks:
    """What one person looks like."""

    skin: Colour
    hair: Colour
    clothes: Colour
    trousers: Colour
    long_hair: bool
    size: float


def looks(lot: Random) -> Looks:
    """Draw a person by lot."""
    return Looks(
        lot.choice(_SKINS),
        lot.choice(_HAIRS),
        lot.choice(_CLOTHES),
        lot.choice(_TROUSERS),
        lot.random() < 0.45,
        lot.uniform(0.95, 1.06),
    )


@dataclass(frozen=True, slots=True)
class Pose:
    """How somebody sits: metres and shares, all small."""

    lean: float = 0.0
    sway: float = 0.0
    head_turn: float = 0.0
    head_down: float = 0.7
    hand: float = 0.0
    raised: float = 0.0
    """How far the left hand goes to the head."""


def poses(lot: Random) -> list[Pose]:
    """Four ways to sit for one person: writing, writing on, pausing, thinking."""
    lean, sway = lot.uniform(-0.03, 0.07), lot.uniform(-0.03, 0.03)
    down = lot.uniform(0.55, 0.9)
    return [
        Pose(lean, sway, 0.0, down, 0.0),
        Pose(lean + 0.008, sway + 0.008, 0.02, down + 0.04, 0.045),
        Pose(lean - 0.012, sway - 0.01, lot.uniform(-0.05, 0.05), down - 0.2, 0.02),
        Pose(lean - 0.02, sway, lot.uniform(-0.03, 0.03), 0.35, 0.0, lot.choice((0.0, 1.0))),
    ]


@dataclass(frozen=True, slots=True)
class Figure:
    """The parts of one person, each list in no particular order."""

    tail: list[Solid]
    """Long hair down the back: behind all else when the face is seen."""
    body: list[Solid]
    arms: list[Solid]


def seated(x: float, y: float, who: Looks, pose: Pose) -> Figure:
    """Somebody at the desk around (x, y), facing the blackboard."""
    size = who.size
    hip = (x, y - 0.5, 0.52)
    chest = (x + pose.sway, y - 0.34 + pose.lean, 0.98 * size)
    head = (x + pose.sway + pose.head_turn, chest[1] + 0.07 + 0.09 * pose.head_down, 1.25 * size)
    head = (head[0], head[1], head[2] - 0.07 * pose.head_down)
    parts: list[Solid] = []
    for side in (-1, 1):
        knee = (x + side * 0.1, y - 0.08, 0.5)
        parts.append(Limb((x + side * 0.09, y - 0.48, 0.5), knee, 0.085, 0.065, who.trousers))
        parts.append(Limb(knee, (x + side * 0.1, y - 0.12, 0.06), 0.06, 0.045, who.trousers))
    parts.append(Limb(hip, chest, 0.155, 0.148, who.clothes))
    shoulders = [(chest[0] + side * 0.165 * size, chest[1], chest[2] + 0.02) for side in (-1, 1)]
    parts.append(Limb(shoulders[0], shoulders[1], 0.078, 0.078, who.clothes))
    parts.append(Limb((chest[0], chest[1] + 0.01, chest[2] + 0.06), head, 0.05, 0.05, who.skin))
    parts += _head(head, who, pose.head_down)
    return Figure(_tail(head, who), parts, _arms(x, y, shoulders, head, who, pose))


def _arms(
    x: float, y: float, shoulders: list[Point], head: Point, who: Looks, pose: Pose
) -> list[Solid]:
    right = (x + 0.1 + pose.hand, y + 0.03 + pose.hand / 3, 0.79)
    left = (x - 0.14, y + 0.02, 0.79)
    elbows = [(x - 0.27, y - 0.16, 0.8), (x + 0.27, y - 0.16, 0.8)]
    if pose.raised:
        left = (head[0] - 0.1, head[1] + 0.04, head[2] - 0.02)
        elbows[0] = (x - 0.2, y - 0.1, 0.8)
    parts: list[Solid] = []
    for shoulder, elbow, hand in zip(shoulders, elbows, (left, right), strict=True):
        parts.append(Limb(shoulder, elbow, 0.06, 0.05, who.clothes))
        parts.append(Limb(elbow, hand, 0.047, 0.036, who.clothes))
        parts.append(Limb(hand, hand, 0.042, 0.042, who.skin))
    return parts


def _head(head: Point, who: Looks, down: float, facing: float = 1.0) -> list[Solid]:
    x, y, z = head
    face = (x, y + facing * (0.015 + 0.01 * down), z - 0.025)
    crown = (x, y - facing * 0.01, z + 0.035)
    nape = (x, y - facing * 0.045, z - 0.03)
    brow = y + facing * (0.045 + 0.02 * down), z + 0.062 - 0.012 * down
    return [
        Limb(face, face, 0.098, 0.098, who.skin),
        Limb(crown, nape, 0.107, 0.094, who.hair),
        Limb((x - 0.042, *brow), (x + 0.042, *brow), 0.058, 0.058, who.hair),
    ]


def _tail(head: Point, who: Looks, facing: float = 1.0) -> list[Solid]:
    if not who.long_hair:
        return []
    x, y, z = head
    top, tip = (x, y - facing * 0.075, z - 0.02), (x, y - facing * 0.1, z - 0.24)
    return [Limb(top, tip, 0.09, 0.06, who.hair)]


def walking(x: float, y: float, way: float, stride: float, who: Looks) -> Figure:
    """Somebody on foot; `way` is 1 towards the blackboard, -1 away, `stride` an angle."""
    swing = 0.2 * sin(stride)
    bob = 0.015 * cos(2 * stride)
    chest = (x, y + 0.02 * way, 1.34 + bob)
    parts: list[Solid] = []
    for side in (-1, 1):
        step = side * swing * way
        knee = (x + side * 0.09, y + step * 0.6 + 0.03 * way, 0.5 + bob)
        lift = 0.05 * max(0.0, sin(stride + (pi if side > 0 else 0)))
        foot = (x + side * 0.09, y + step, 0.07 + lift)
        parts.append(Limb((x + side * 0.085, y, 0.92 + bob), knee, 0.09, 0.068, who.trousers))
        parts.append(Limb(knee, foot, 0.066, 0.048, who.trousers))
        parts.append(
            Limb(foot, (foot[0], foot[1] + 0.1 * way, 0.05 + lift), 0.05, 0.04, (40, 38, 38))
        )
        shoulder = (x + side * 0.19, y, 1.42 + bob)
        elbow = (x + side * 0.24, y - step * 0.7, 1.14 + bob)
        hand = (x + side * 0.21, y - step * 1.1 + 0.06 * way, 0.92 + bob)
        parts.append(Limb(shoulder, elbow, 0.066, 0.052, who.clothes))
        parts.append(Limb(elbow, hand, 0.05, 0.038, who.clothes))
        parts.append(Limb(hand, hand, 0.044, 0.044, who.skin))
    parts.append(Limb((x, y, 0.95 + bob), chest, 0.16, 0.155, who.clothes))
    parts.append(
        Limb((x - 0.15, y, 1.44 + bob), (x + 0.15, y, 1.44 + bob), 0.08, 0.08, who.clothes)
    )
    parts.append(Limb((x, y, 1.48 + bob), (x, y, 1.62 + bob), 0.052, 0.052, who.skin))
    head = (x, y, 1.69 + bob)
    parts += _head(head, who, 0.2, facing=way)
    badge = (x + 0.06, y + 0.16 * way, 1.25 + bob)
    parts.append(Limb(badge, (badge[0], badge[1], badge[2] - 0.06), 0.018, 0.018, (206, 48, 44)))
    return Figure(_tail(head, who, way), parts, [])
