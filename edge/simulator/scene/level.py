"""Ceiling and floor of a room as flat drawings, x to the right and y downwards."""

from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from edge.simulator.scene.room import Room
from edge.simulator.scene.walls import dots, shade


def ceiling(room: Room) -> Image.Image:
    """White, with lamps in two or three rows."""
    image = Image.new("RGB", (dots(room.width), dots(room.depth)), (234, 234, 230))
    draw = ImageDraw.Draw(image)
    for x, y in lamp_places(room):
        box = (dots(x - 0.16), dots(y - 0.62), dots(x + 0.16), dots(y + 0.62))
        draw.rectangle(box, fill=(214, 216, 216))
        inner = (box[0] + 5, box[1] + 5, box[2] - 5, box[3] - 5)
        draw.rectangle(inner, fill=(255, 255, 255))
    return image


def lamp_places(room: Room) -> list[tuple[float, float]]:
    """Where the lamps hang."""
    across, along = 3 if room.width > 8.2 else 2, max(3, round(room.depth / 2.8))
    return [
        (room.width * (i + 0.5) / across, room.depth * (j + 0.5) / along)
        for i in range(across)
        for j in range(along)
    ]


def floor(room: Room, furniture: list[tuple[float, float]]) -> Image.Image:
    """Tiles, with the shadows under the desks; drawn from above, y upwards."""
    size = dots(room.width), dots(room.depth)
    image = Image.new("RGB", size, room.floor)
    draw = ImageDraw.Draw(image)
    lot = Random(room.number * 13)
    tile = dots(room.tile)
    for x in range(0, size[0], tile):
        for y in range(0, size[1], tile):
            tone = shade(room.floor, lot.uniform(0.965, 1.03))
            draw.rectangle((x, y, x + tile - 2, y + tile - 2), fill=tone)
    shadow = Image.new("L", size, 255)
    under = ImageDraw.Draw(shadow)
    for east, north in furniture:
        low, high = (east - 0.34, north - 0.75), (east + 0.34, north + 0.26)
        under.rectangle((*map(dots, low), *map(dots, high)), fill=120)
    shadow = shadow.filter(ImageFilter.GaussianBlur(dots(0.1)))
    return ImageChops.multiply(image, Image.merge("RGB", (shadow,) * 3))
