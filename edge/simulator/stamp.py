"""The machine-readable stamp in every picture: which camera, and when it was taken.

Geometry, in pixels of the main picture (1280 x 720); in the sub picture (640 x 360) everything is
half, and at any other width everything scales with the width:

    second   x 1080  y   8   24 columns x 2 rows of cells 8 x 8   48 bits
    camera   x 1144  y 696   16 columns x 2 rows of cells 8 x 8   32 bits

Cells are read row by row, left to right, most significant bit first; white is one, black is zero.
To read a cell, average the luma of its middle half; below 90 is zero, above 165 is one, anything
between is no stamp.

    second   32 bits  seconds since 1970, UTC, of the wall-clock second the picture belongs to
             16 bits  CRC of these four bytes
    camera   10 bits  the camera's number, 1 for cam-01
             11 bits  milliseconds from that second to the picture, may exceed 1000
             11 bits  the lower bits of the CRC of the three bytes `camera << 11 | milliseconds`

The CRC is CRC-16/CCITT: polynomial 0x1021, initial value 0xFFFF, not reflected, no final xor.
The picture was taken at second + milliseconds. The second lies in the strip, the top 32 (16) rows,
which is made live; the camera's block lies in the scene, which is encoded once.
"""

import binascii
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

MAIN_WIDTH = 1280
STRIP_HEIGHT = 32
"""Rows of the main picture that are the live strip."""

_CELL = 8
_BLACK, _WHITE = 16, 235
_DARKEST_ONE, _BRIGHTEST_ZERO = 165, 90


@dataclass(frozen=True, slots=True)
class Block:
    """Where a block of cells lies in the main picture."""

    x: int
    y: int
    columns: int
    rows: int

    @property
    def bits(self) -> int:
        """How many cells there are."""
        return self.columns * self.rows


SECOND = Block(x=1080, y=8, columns=24, rows=2)
CAMERA = Block(x=1144, y=696, columns=16, rows=2)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a picture says about itself."""

    camera: int
    captured_at: datetime


def second_bits(second: int) -> int:
    """The 48 bits of the block `second`."""
    return second << 16 | _crc(second.to_bytes(4))


def camera_bits(camera: int, milliseconds: int) -> int:
    """The 32 bits of the block `camera`."""
    said = camera << 11 | milliseconds
    return said << 11 | _crc(said.to_bytes(3)) & 0x7FF


def cells(block: Block, bits: int, width: int) -> NDArray[np.uint8]:
    """Draw a block's luma for a picture of this width."""
    cell = _CELL * width // MAIN_WIDTH
    ones = [bits >> place & 1 for place in reversed(range(block.bits))]
    grid = np.array(ones, np.uint8).reshape(block.rows, block.columns)
    drawn = np.where(grid, _WHITE, _BLACK).astype(np.uint8)
    return drawn.repeat(cell, axis=0).repeat(cell, axis=1)


def place(block: Block, width: int) -> tuple[int, int]:
    """The block's upper left corner, x and y, in a picture of this width."""
    return block.x * width // MAIN_WIDTH, block.y * width // MAIN_WIDTH


def read_second(luma: NDArray[np.uint8]) -> int | None:
    """Read the strip alone: seconds since 1970, or None."""
    bits = _read(luma, SECOND)
    if bits is None or second_bits(bits >> 16) != bits:
        return None
    return bits >> 16


def read_stamp(luma: NDArray[np.uint8]) -> Stamp | None:
    """Read the luma plane of a whole picture; None unless both blocks are sound."""
    second, bits = read_second(luma), _read(luma, CAMERA)
    if second is None or bits is None:
        return None
    camera, milliseconds = bits >> 22, bits >> 11 & 0x7FF
    if camera_bits(camera, milliseconds) != bits:
        return None
    at = datetime.fromtimestamp(second, UTC) + timedelta(milliseconds=milliseconds)
    return Stamp(camera, at)


def _read(luma: NDArray[np.uint8], block: Block) -> int | None:
    scale = luma.shape[1] / MAIN_WIDTH
    bits = 0
    for row in range(block.rows):
        for column in range(block.columns):
            x, y = block.x + column * _CELL, block.y + row * _CELL
            middle = luma[
                round((y + 2) * scale) : round((y + 6) * scale),
                round((x + 2) * scale) : round((x + 6) * scale),
            ]
            level = float(middle.mean()) if middle.size else 128.0
            if _BRIGHTEST_ZERO <= level <= _DARKEST_ONE:
                return None
            bits = bits << 1 | (level > _DARKEST_ONE)
    return bits


def _crc(said: bytes) -> int:
    return binascii.crc_hqx(said, 0xFFFF)
