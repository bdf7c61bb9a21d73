"""Writing on boards and walls: Chinese where the machine has the letters, else English."""

from functools import cache
from pathlib import Path

from PIL import ImageFont

_CHINESE = (
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc"),
)
_SIMPLIFIED = 2


@cache
def is_chinese() -> bool:
    """True where Chinese letters can be drawn."""
    return _CHINESE[0].exists()


def say(chinese: str, english: str) -> str:
    """The one of the two that can be drawn."""
    return chinese if is_chinese() else english


@cache
def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """A font of this size."""
    if is_chinese():
        return ImageFont.truetype(_CHINESE[0], size, index=_SIMPLIFIED)
    return ImageFont.load_default(size=size)
