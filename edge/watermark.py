"""What is burnt into a copy to look at: a moving mark all over it, and a band of facts below."""

from datetime import datetime

import numpy as np
import pylopdf_fonts_zh_cn
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Luma = NDArray[np.uint8]

_ALPHA = 44
"""Of 256: how strongly the mark covers the picture; what lies under it stays legible."""
_PIXELS_A_SECOND = (14, 9)
_INK, _PAPER = 235, 16


class Mark:
    """The mark and the band for pictures of one size."""

    def __init__(self, width: int, height: int, mark: str, facts: str) -> None:
        self._size = width, height
        self.band_height = max(32, height // 14) // 4 * 4
        self._facts = facts
        self._value, self._alpha, self._tile = _tiles(width, height, mark)
        self._written: tuple[str, Luma] = ("", np.zeros((0, 0), np.uint8))

    def cover(self, luma: Luma, seconds: float) -> Luma:
        """Give the picture with the mark over it, where it is after so many seconds."""
        width, height = self._size
        x = int(seconds * _PIXELS_A_SECOND[0]) % self._tile[0]
        y = int(seconds * _PIXELS_A_SECOND[1]) % self._tile[1]
        window = np.s_[y : y + height, x : x + width]
        value, alpha = self._value[window], self._alpha[window]
        mixed = luma.astype(np.int16)
        mixed += (value - mixed) * alpha >> 8
        return mixed.astype(np.uint8)

    def band(self, clock: str) -> Luma:
        """Give the band with this time of day on it."""
        if self._written[0] != clock:
            lines = (self._facts, clock)
            self._written = clock, _lines(lines, self._size[0], self.band_height)
        return self._written[1]

    def card(self, text: str) -> Luma:
        """Give a picture that says only this."""
        width, height = self._size
        card = np.full((height, width), _PAPER, np.uint8)
        strip = _lines((text,), width, max(32, height // 10))
        top = (height - strip.shape[0]) // 2
        card[top : top + strip.shape[0]] = strip
        return card


def clock_text(at: datetime) -> str:
    """Write the time of day, zone included."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC{at:%z}"


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(pylopdf_fonts_zh_cn.sans_path()), size)


_Layer = NDArray[np.int16]


def _tiles(width: int, height: int, text: str) -> tuple[_Layer, _Layer, tuple[int, int]]:
    """Tile the text over the picture and one tile more each way; gives the tile's size too."""
    font = _font(max(12, height // 24))
    left, top, right, bottom = font.getbbox(text, stroke_width=1)
    size = (int(right - left) + 8, int(bottom - top) + 8)
    layers = [Image.new("L", size, 0), Image.new("L", size, 0)]
    place = (4 - left, 4 - top)
    draw = ImageDraw.Draw(layers[0])
    draw.text(place, text, _INK, font, stroke_width=1, stroke_fill=_PAPER)
    ImageDraw.Draw(layers[1]).text(place, text, 255, font, stroke_width=1, stroke_fill=255)
    value, alpha = (np.asarray(one.rotate(20, expand=True), np.int16) for one in layers)
    apart = ((height // 16, height // 16), (width // 24, width // 24))
    value, alpha = np.pad(value, apart), np.pad(alpha * _ALPHA >> 8, apart)
    tile_y, tile_x = value.shape
    times = (height // tile_y + 2, width // tile_x + 2)
    return np.tile(value, times), np.tile(alpha, times), (tile_x, tile_y)


def _lines(lines: tuple[str, ...], width: int, height: int) -> Luma:
    image = Image.new("L", (width, height), _PAPER)
    draw = ImageDraw.Draw(image)
    each = height // len(lines)
    for number, line in enumerate(lines):
        size = each * 3 // 4
        while size > 6 and _font(size).getlength(line) > width - 12:
            size -= 1
        draw.text((6, number * each + each // 2), line, _INK, _font(size), anchor="lm")
    return np.asarray(image, np.uint8)
