"""A drawn room before a camera, for tests that look: no two pictures have the same noise."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Picture = NDArray[np.uint8]

WIDTH, HEIGHT = 640, 360


@dataclass
class DrawnRoom:
    """A room with desks, people, a board and windows; the same for the same number."""

    number: int = 1

    def __post_init__(self) -> None:
        self._lot = np.random.default_rng(self.number)
        self._noise = np.random.default_rng((self.number, 1))
        self._room = self._furnished()

    def picture(
        self,
        *,
        walker: float | None = None,
        light: float = 1.0,
        cover: float = 0.0,
        blur: float = 0.0,
        shift: float = 0.0,
    ) -> Picture:
        """What the camera sees; all but light and blur are shares of the width or the view."""
        image = self._room.copy()
        if walker is not None:
            self._walk(image, walker)
        if shift:
            image = self._shifted(image, round(shift * WIDTH))
        if blur:
            image = image.filter(ImageFilter.GaussianBlur(blur * WIDTH))
        seen = np.asarray(image, np.float32) * light
        if cover:
            self._cover(seen, cover)
        seen += self._noise.normal(0, 2.5, seen.shape)
        picture: Picture = np.clip(seen, 0, 255).astype(np.uint8)
        return picture

    def _furnished(self) -> Image.Image:
        lot = self._lot
        wall, floor = lot.integers(150, 225, 3), lot.integers(90, 150, 3)
        image = Image.new("RGB", (WIDTH, HEIGHT), tuple(map(int, wall)))
        pen = ImageDraw.Draw(image)
        pen.rectangle((0, 130, WIDTH, HEIGHT), fill=tuple(map(int, floor)))
        pen.rectangle((180, 20, 440, 100), fill=(38, 70, 56), outline=(120, 90, 60), width=5)
        for line in range(4):
            end = int(lot.integers(260, 420))
            pen.line((200, 36 + 16 * line, end, 36 + 16 * line), fill=(200, 210, 200), width=3)
        for left in (20, 90, 500, 570):
            pen.rectangle((left, 15, left + 50, 110), fill=(225, 235, 245), outline=(90, 90, 95))
            pen.line((left + 25, 15, left + 25, 110), fill=(90, 90, 95), width=2)
        for row in range(4):
            y, size = 140 + row * 52, 0.7 + row * 0.2
            for column in range(6):
                self._seat(pen, 60 + column * 100 + row * 4, y, size)
        return image

    def _seat(self, pen: ImageDraw.ImageDraw, x: float, y: float, size: float) -> None:
        coat = tuple(map(int, self._lot.integers(20, 200, 3)))
        pen.ellipse((x + 14, y, x + 14 + 14 * size, y + 16 * size), fill=(60, 45, 40))
        pen.rectangle((x + 6, y + 15 * size, x + 36 * size, y + 30 * size), fill=coat)
        pen.rectangle((x, y + 28 * size, x + 56 * size, y + 36 * size), fill=(196, 160, 110))
        pen.rectangle((x + 8, y + 27 * size, x + 26, y + 31 * size), fill=(245, 245, 240))

    @staticmethod
    def _walk(image: Image.Image, where: float) -> None:
        pen, x = ImageDraw.Draw(image), where * WIDTH
        pen.ellipse((x + 12, 90, x + 42, 124), fill=(190, 150, 125))
        pen.rounded_rectangle((x, 122, x + 56, 300), 18, fill=(45, 50, 80))

    @staticmethod
    def _shifted(image: Image.Image, pixels: int) -> Image.Image:
        seen = np.asarray(image)
        return Image.fromarray(np.concatenate([seen[:, pixels:], seen[:, :pixels][:, ::-1]], 1))

    @staticmethod
    def _cover(seen: NDArray[np.float32], share: float) -> None:
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
        slope = x / WIDTH + 0.3 * y / HEIGHT
        cloth = 58 + 10 * np.sin(x / 40) * np.cos(y / 33)
        inside = slope <= np.quantile(slope, share)
        seen[inside] = (cloth[..., None] * np.array((1.0, 0.9, 0.85), np.float32))[inside]
