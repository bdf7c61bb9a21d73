"""What a camera's room is like: drawn by lot, but always the same for one number."""

from dataclasses import dataclass
from random import Random

Colour = tuple[int, int, int]

_WALLS: tuple[tuple[Colour, Colour], ...] = (
    ((236, 232, 222), (142, 178, 160)),
    ((228, 232, 236), (120, 152, 184)),
    ((240, 234, 220), (196, 172, 138)),
    ((232, 236, 230), (150, 186, 140)),
    ((238, 230, 226), (184, 150, 142)),
    ((230, 230, 226), (168, 170, 168)),
    ((236, 236, 228), (126, 176, 180)),
)
_FLOORS: tuple[Colour, ...] = (
    (178, 172, 160),
    (150, 152, 152),
    (186, 168, 142),
    (164, 158, 150),
    (140, 148, 150),
)
_DESKS: tuple[Colour, ...] = (
    (206, 172, 122),
    (222, 198, 158),
    (188, 148, 104),
    (196, 204, 208),
    (214, 186, 140),
)
_CURTAINS: tuple[Colour, ...] = (
    (88, 124, 168),
    (196, 186, 160),
    (110, 150, 130),
    (170, 120, 110),
    (120, 130, 160),
)
_SUBJECTS = (
    ("高等数学（上）", "Calculus I"),
    ("大学物理", "College Physics"),
    ("大学英语（三）", "College English III"),
    ("数据结构", "Data Structures"),
    ("微观经济学", "Microeconomics"),
    ("线性代数", "Linear Algebra"),
    ("思想道德与法治", "Ethics and Law"),
    ("电路分析", "Circuit Analysis"),
    ("概率论与数理统计", "Probability"),
)


@dataclass(frozen=True, slots=True)
class Room:
    """One exam room; metres."""

    number: int
    label: str
    subject: str
    subject_en: str
    width: float
    depth: float
    height: float
    columns: int
    rows: int
    wall: Colour
    dado: Colour
    floor: Colour
    tile: float
    desk: Colour
    chair: Colour
    curtain: Colour
    windows_left: bool
    from_front: bool
    """The camera hangs beside the blackboard and sees faces."""
    side: float
    """Where the camera hangs across the room, 0 left to 1 right."""
    sun: float
    """How strongly the sun comes in, 0 to 1."""
    expected: int
    empty: frozenset[int]
    """Seats where nobody came."""


def room_label(number: int) -> str:
    """The n-th camera's room: six on a floor of building A, then B."""
    building, rest = divmod(number - 1, 18)
    floor, door = divmod(rest, 6)
    return f"{chr(ord('A') + building % 26)}{floor + 1}{door + 1:02}"


def room_of(number: int) -> Room:
    """Furnish the room of the camera with this number."""
    lot = Random(number * 7919)
    columns, rows = ((5, 6), (6, 5), (4, 7), (5, 7), (6, 6), (4, 6))[number % 6]
    wall, dado = _WALLS[number * 3 % len(_WALLS)]
    subject, subject_en = _SUBJECTS[(number - 1) % len(_SUBJECTS)]
    seats = columns * rows
    empty = frozenset(lot.sample(range(seats), lot.choice((1, 2, 2, 3, 5))))
    return Room(
        number=number,
        label=room_label(number),
        subject=subject,
        subject_en=subject_en,
        width=columns * 1.32 + lot.uniform(1.3, 1.9),
        depth=rows * 1.28 + lot.uniform(3.0, 3.7),
        height=lot.uniform(3.1, 3.5),
        columns=columns,
        rows=rows,
        wall=wall,
        dado=dado,
        floor=_FLOORS[number * 2 % len(_FLOORS)],
        tile=lot.choice((0.6, 0.8, 1.0)),
        desk=_DESKS[number * 4 % len(_DESKS)],
        chair=lot.choice(((70, 96, 140), (96, 98, 104), (150, 116, 84), (64, 112, 110))),
        curtain=_CURTAINS[number * 3 % len(_CURTAINS)],
        windows_left=number % 2 == 1,
        from_front=number % 3 == 0,
        side=(0.08, 0.9, 0.5, 0.92, 0.1)[number % 5],
        sun=lot.uniform(0.25, 1.0),
        expected=seats,
        empty=empty,
    )
