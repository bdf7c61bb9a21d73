"""A room in motion: the pictures of one loop."""

from collections.abc import Iterator

from PIL import Image, ImageDraw


def frames(number: int, size: tuple[int, int], fps: int, seconds: int) -> Iterator[Image.Image]:
    """Yield the pictures of one loop."""
    width = size[0]
    ground = Image.new("RGB", size, (90 + number * 37 % 100, 100 + number * 53 % 90, 120))
    ImageDraw.Draw(ground).text((40, 80), f"{number}", fill="white", font_size=200)
    for index in range(fps * seconds):
        image = ground.copy()
        x = width * index // (fps * seconds)
        ImageDraw.Draw(image).ellipse((x, 300, x + 90, 390), fill=(200, 180, 90))
        yield image
