"""The pictures a model learns from: stills, and clips of cameras that stand still."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import av
import numpy as np
from PIL import Image

from vision.classical import compare, look
from vision.pixels import Picture

_PICTURES = {".jpg", ".jpeg", ".png"}
_WIDTH = 480
_EVERY, _MOST_FRAMES = 8, 24
_STANDS_STILL = 0.6
_VIEW_OF_ONE_PLACE = re.compile(r"_\d$")


@dataclass(frozen=True, slots=True)
class Scene:
    """One place: pictures of it from one camera, at different times where it was filmed."""

    name: str
    pictures: tuple[Picture, ...]

    @property
    def place(self) -> str:
        """What is not to be torn apart when scenes are split: views of one panorama are one."""
        return _VIEW_OF_ONE_PLACE.sub("", self.name)

    @property
    def is_held_out(self) -> bool:
        """True for one place in six: never learned from, only measured on."""
        return crc32(self.place.encode()) % 6 == 0


def scenes(folder: Path) -> list[Scene]:
    """Read a folder: pictures are scenes; films, and folders of pictures, are scenes over time."""
    found: list[Scene] = []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _PICTURES and not path.parent.name.startswith("view-"):
            found.append(Scene(path.stem, (_narrowed(Image.open(path)),)))
        elif path.is_dir() and path.name.startswith("view-"):
            views = sorted(file for file in path.iterdir() if file.suffix.lower() in _PICTURES)
            found.append(Scene(path.name, tuple(_narrowed(Image.open(file)) for file in views)))
        elif path.suffix.lower() in {".mp4", ".gif", ".avi", ".mkv"}:
            found.append(_filmed(path))
    return found


def digest(found: list[Scene]) -> str:
    """SHA-256 of all that is seen in scenes: the same from the same pictures."""
    whole = hashlib.sha256()
    for scene in found:
        whole.update(scene.name.encode())
        for picture in scene.pictures:
            whole.update(np.ascontiguousarray(picture).tobytes())
    return whole.hexdigest()


def _filmed(path: Path) -> Scene:
    """A film's pictures; only the first if the camera moves."""
    with av.open(str(path)) as film:
        frames = (frame for i, frame in enumerate(film.decode(video=0)) if i % _EVERY == 0)
        sampled = [_narrowed(Image.fromarray(frame.to_ndarray(format="rgb24"))) for frame in frames]
    chosen = sampled[:: max(1, len(sampled) // _MOST_FRAMES)][:_MOST_FRAMES]
    first = look(chosen[0])
    stands = all(compare(look(frame), first).kept > _STANDS_STILL for frame in chosen[1:])
    return Scene(path.stem.split(".")[0], tuple(chosen if stands else chosen[:1]))


def _narrowed(image: Image.Image) -> Picture:
    image = image.convert("RGB")
    if image.width > _WIDTH:
        image = image.resize(
            (_WIDTH, round(image.height * _WIDTH / image.width)), Image.Resampling.BOX
        )
    return np.asarray(image)
