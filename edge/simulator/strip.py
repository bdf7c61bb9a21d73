"""The strip at the top of every picture, which shows the second and is made while it passes."""

from collections import OrderedDict
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from edge.simulator.formats import Format
from edge.simulator.slices import I_SLICE, nal_type, rewrite
from edge.simulator.stamp import MAIN_WIDTH, SECOND, cells, place, second_bits
from edge.simulator.x264 import Encoder, ParameterSets, picture

_GROUND, _INK = 30, 226
_KEPT = 8


def draw_strip(form: Format, second: int, zone: ZoneInfo) -> NDArray[np.uint8]:
    """Draw the strip's three planes: date and time in digits, and the second's block."""
    width, height = form.width, form.strip_height
    image = Image.new("L", (width, height), _GROUND)
    font = ImageFont.load_default(size=26 * width / MAIN_WIDTH)
    text = datetime.fromtimestamp(second, zone).strftime("%Y-%m-%d  %H:%M:%S")
    corner = 16 * width / MAIN_WIDTH, height / 2 - 1
    ImageDraw.Draw(image).text(corner, text, fill=_INK, font=font, anchor="lm")
    planes = np.full((height * 3 // 2, width), 128, np.uint8)
    planes[:height] = np.asarray(image)
    block = cells(SECOND, second_bits(second), width)
    x, y = place(SECOND, width)
    planes[y : y + block.shape[0], x : x + block.shape[1]] = block
    return planes


class StripMaker:
    """Encodes the strip once for each second of one format, however many cameras show it."""

    def __init__(self, form: Format, sets: ParameterSets, zone: ZoneInfo) -> None:
        self._format = form
        self._syntax = sets.syntax
        self._zone = zone
        self._encoder = Encoder(form.strip())
        self._made: OrderedDict[int, bytes] = OrderedDict()

    def key(self, second: int) -> bytes:
        """The strip's slice in a key frame."""
        if second not in self._made:
            planes = draw_strip(self._format, second, self._zone)
            nals = self._encoder.encode(picture(planes))
            coded = next(nal for nal in nals if nal_type(nal) == 5)
            self._made[second] = rewrite(coded, self._syntax, idr_pic_id=0)
            while len(self._made) > _KEPT:
                self._made.popitem(last=False)
        return self._made[second]

    def refresh(self, second: int, frame_num: int) -> bytes:
        """The strip's slice in a picture that is no key frame but begins a second."""
        number = frame_num % (1 << self._syntax.frame_num_bits)
        return rewrite(
            self.key(second), self._syntax, idr_pic_id=None, slice_type=I_SLICE, frame_num=number
        )
