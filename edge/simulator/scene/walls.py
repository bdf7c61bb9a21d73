"""The four walls of a room as flat drawings, seen from inside, upright, left to right."""

from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from edge.simulator.scene.lettering import font, say
from edge.simulator.scene.room import Colour, Room

DOTS = 150
"""Pixels for a metre."""
_DADO_TOP = 1.15
_BOARD = (44, 82, 66)
_FRAME = (190, 186, 176)


def dots(metres: float) -> int:
    """Metres in pixels."""
    return round(metres * DOTS)


def shade(colour: Colour, factor: float) -> Colour:
    """A darker or lighter colour."""
    red, green, blue = (max(0, min(255, round(part * factor))) for part in colour)
    return red, green, blue


class Wall:
    """A drawing of one wall; places are metres from its left end and above the floor."""

    def __init__(self, room: Room, length: float) -> None:
        self.room = room
        self.length = length
        self.image = Image.new("RGB", (dots(length), dots(room.height)), room.wall)
        self.draw = ImageDraw.Draw(self.image)
        self.box(0, 0, length, _DADO_TOP, room.dado)
        self.box(0, _DADO_TOP, length, _DADO_TOP + 0.03, shade(room.dado, 0.82))
        self.box(0, 0, length, 0.12, shade(room.dado, 0.6))

    def box(
        self,
        left: float,
        bottom: float,
        right: float,
        top: float,
        colour: Colour,
        radius: float = 0,
    ) -> None:
        """Fill a rectangle."""
        corners = (*self.at(left, top), *self.at(right, bottom))
        self.draw.rounded_rectangle(corners, dots(radius), fill=colour)

    def at(self, x: float, z: float) -> tuple[int, int]:
        """A place in pixels."""
        return dots(x), dots(self.room.height - z)

    def write(self, x: float, z: float, text: str, size: float, colour: Colour) -> None:
        """Write centred around a place."""
        self.draw.text(self.at(x, z), text, fill=colour, font=font(dots(size)), anchor="mm")

    def paste(self, image: Image.Image, left: float, top: float) -> None:
        """Put a picture with its upper left corner at a place."""
        self.image.paste(image, self.at(left, top))


def front(room: Room) -> Image.Image:
    """The wall with the blackboard."""
    wall = Wall(room, room.width)
    middle, half = room.width / 2, min(2.0, room.width / 2 - 1.1)
    wall.box(middle - half - 0.07, 0.93, middle + half + 0.07, 2.27, (150, 130, 104), 0.02)
    wall.box(middle - half, 1.0, middle + half, 2.2, _BOARD)
    _chalk(wall, middle, half)
    wall.box(middle - half, 0.9, middle + half, 0.96, (176, 160, 136))
    slogan = say("诚信考试  沉着应答", "HONEST WORK  CALM MINDS")
    width = min(2 * half, 3.6)
    wall.box(middle - width / 2, 2.42, middle + width / 2, 2.8, (186, 38, 36), 0.02)
    wall.write(middle, 2.61, slogan, 0.24, (255, 226, 120))
    _door(wall, room.width - 1.0 if room.windows_left else 0.15)
    _speaker(wall, 0.35 if room.windows_left else room.width - 0.35)
    return wall.image


def _chalk(wall: Wall, middle: float, half: float) -> None:
    room, white, yellow = wall.room, (232, 236, 228), (240, 226, 140)
    smear = Random(room.number)
    for _ in range(14):
        x, z = smear.uniform(-half, half) * 0.85 + middle, smear.uniform(1.05, 2.1)
        tone = smear.choice(((52, 92, 75), (49, 88, 71)))
        wall.draw.line([wall.at(x, z), wall.at(x + 0.2, z + 0.04)], fill=tone, width=9)
    present = room.expected - len(room.empty)
    wall.write(middle, 2.0, say("考 试 信 息", "E X A M"), 0.2, yellow)
    lines = (
        say(f"科目：{room.subject}", f"Subject: {room.subject_en}"),
        say(f"考场：{room.label}", f"Room: {room.label}"),
        say(
            f"应到 {room.expected}  实到 {present}  缺考 {len(room.empty)}",
            f"Expected {room.expected}  Present {present}",
        ),
    )
    for index, line in enumerate(lines):
        wall.write(middle - half * 0.1, 1.72 - index * 0.23, line, 0.16, white)


def _door(wall: Wall, left: float) -> None:
    wall.box(left - 0.06, 0, left + 0.96, 2.16, (120, 92, 70))
    wall.box(left, 0, left + 0.9, 2.1, (164, 122, 88))
    for bottom, top in ((0.2, 0.95), (1.1, 1.9)):
        wall.box(left + 0.13, bottom, left + 0.77, top, (150, 110, 78), 0.02)
    wall.box(left + 0.27, 1.45, left + 0.63, 1.82, (196, 214, 222))
    wall.box(left + 0.8, 0.98, left + 0.85, 1.1, (210, 206, 190))


def _speaker(wall: Wall, middle: float) -> None:
    wall.box(middle - 0.15, 2.3, middle + 0.15, 2.75, (66, 66, 70), 0.03)
    wall.box(middle - 0.11, 2.34, middle + 0.11, 2.56, (44, 44, 48), 0.1)


def rear(room: Room) -> Image.Image:
    """The wall behind the last row, with its notice board."""
    wall = Wall(room, room.width)
    middle, half = room.width / 2, min(1.7, room.width / 2 - 1.2)
    wall.box(middle - half - 0.06, 0.98, middle + half + 0.06, 2.18, (168, 150, 120), 0.02)
    wall.box(middle - half, 1.04, middle + half, 2.12, (58, 96, 84))
    wall.write(middle, 1.92, say("学 习 园 地", "N O T I C E S"), 0.18, (246, 214, 120))
    lot = Random(room.number + 5)
    for index in range(5):
        left = middle - half + 0.15 + index * (2 * half - 0.2) / 5
        tint = lot.choice(((244, 238, 214), (220, 234, 244), (248, 220, 214), (228, 242, 216)))
        wall.box(left, 1.14, left + (2 * half - 0.6) / 5, 1.74, tint)
        for line in range(6):
            z = 1.66 - line * 0.085
            wall.box(left + 0.05, z, left + lot.uniform(0.25, 0.42), z + 0.022, shade(tint, 0.7))
    _dial(wall, middle, 2.58)
    _door(wall, 0.15 if room.windows_left else room.width - 1.0)
    _cooler(wall, room.width - 0.75 if room.windows_left else 0.15)
    return wall.image


def _dial(wall: Wall, x: float, z: float) -> None:
    for radius, tone in ((0.16, (40, 40, 44)), (0.14, (246, 246, 242))):
        corners = *wall.at(x - radius, z + radius), *wall.at(x + radius, z - radius)
        wall.draw.ellipse(corners, fill=tone)
    for east, up, width in ((0.05, 0.05, 5), (-0.02, 0.11, 3)):
        wall.draw.line([wall.at(x, z), wall.at(x + east, z + up)], fill=(40, 40, 44), width=width)


def _cooler(wall: Wall, left: float) -> None:
    wall.box(left, 0.05, left + 0.55, 1.8, (232, 232, 228), 0.03)
    for slat in range(7):
        wall.box(left + 0.06, 1.45 + slat * 0.04, left + 0.49, 1.47 + slat * 0.04, (196, 198, 198))
    wall.box(left + 0.06, 0.2, left + 0.49, 0.9, (216, 216, 212))


def windows(room: Room) -> Image.Image:
    """The long wall through which the light comes."""
    wall = Wall(room, room.depth)
    count = max(3, int(room.depth // 2.3))
    pitch = room.depth / count
    for index in range(count):
        left = index * pitch + (pitch - 1.6) / 2
        _window(wall, left, left + 1.6)
    return wall.image


def window_places(room: Room) -> list[tuple[float, float]]:
    """Where the windows begin and end along their wall."""
    count = max(3, int(room.depth // 2.3))
    pitch = room.depth / count
    return [(i * pitch + (pitch - 1.6) / 2, i * pitch + (pitch + 1.6) / 2) for i in range(count)]


def _window(wall: Wall, left: float, right: float) -> None:
    bottom, top = 0.95, 2.55
    wall.box(left - 0.08, bottom - 0.08, right + 0.08, top + 0.06, _FRAME)
    wall.paste(_outside(wall.room, dots(right - left), dots(top - bottom), left), left, top)
    middle = (left + right) / 2
    for x in (left, middle, right):
        wall.box(x - 0.025, bottom, x + 0.025, top, (226, 226, 222))
    wall.box(left, 2.05, right, 2.1, (226, 226, 222))
    wall.box(left - 0.14, bottom - 0.1, right + 0.14, bottom - 0.04, (236, 236, 232))
    _curtain(wall, left - 0.25, left + 0.2)
    _curtain(wall, right - 0.2, right + 0.25)
    wall.box(left - 0.3, 2.68, right + 0.3, 2.71, (150, 140, 128))


def _outside(room: Room, width: int, height: int, seed: float) -> Image.Image:
    lot = Random(room.number * 31 + round(seed * 10))
    ramp = np.linspace(0, 1, height)[:, None, None]
    sky = np.array([214, 232, 250]) * (1 - ramp) + np.array([250, 250, 246]) * ramp
    image = Image.fromarray(np.broadcast_to(sky, (height, width, 3)).astype(np.uint8).copy())
    draw = ImageDraw.Draw(image)
    horizon = round(height * 0.62)
    draw.rectangle((0, horizon, width, height), fill=(196, 206, 206))
    x = -20
    while x < width:
        breadth, rise = lot.randint(50, 110), lot.randint(20, 90)
        tone = lot.choice(((204, 208, 214), (216, 212, 206), (198, 206, 210)))
        draw.rectangle((x, horizon - rise, x + breadth, height), fill=tone)
        x += breadth + lot.randint(4, 40)
    for _ in range(16):
        x, y, r = lot.randint(0, width), lot.randint(horizon - 6, height), lot.randint(12, 34)
        green = lot.choice(((150, 186, 140), (136, 176, 130), (170, 198, 150)))
        draw.ellipse((x - r, y - r, x + r, y + r), fill=green)
    return image.filter(ImageFilter.GaussianBlur(3))


def _curtain(wall: Wall, left: float, right: float) -> None:
    folds = 7
    step = (right - left) / folds
    for index in range(folds):
        tone = shade(wall.room.curtain, 0.86 + 0.2 * ((index * 5) % 3) / 2)
        wall.box(left + index * step, 0.72, left + (index + 1) * step, 2.7, tone)


def corridor(room: Room) -> Image.Image:
    """The long wall opposite: high windows to the corridor, posters, a pipe."""
    wall = Wall(room, room.depth)
    for index in range(max(2, int(room.depth // 3))):
        left = 0.9 + index * 3.0
        if left + 1.6 > room.depth - 0.4:
            break
        wall.box(left - 0.06, 2.1, left + 1.66, 2.78, _FRAME)
        wall.box(left, 2.15, left + 1.6, 2.73, (206, 216, 218))
        wall.box(left + 0.78, 2.15, left + 0.82, 2.73, (226, 226, 222))
        _poster(wall, left + 0.35, index)
    return wall.image


def _poster(wall: Wall, left: float, index: int) -> None:
    tint = ((226, 236, 246), (250, 240, 220), (236, 246, 232))[(index + wall.room.number) % 3]
    head = ((60, 96, 156), (176, 60, 48), (64, 128, 92))[(index + wall.room.number) % 3]
    wall.box(left, 1.3, left + 0.75, 1.98, tint)
    wall.box(left, 1.82, left + 0.75, 1.98, head)
    wall.write(left + 0.375, 1.9, say("考场规则", "RULES"), 0.11, (250, 250, 246))
    for line in range(6):
        z = 1.72 - line * 0.07
        wall.box(left + 0.08, z, left + 0.64 - 0.05 * (line * 7 % 3), z + 0.018, shade(tint, 0.72))
