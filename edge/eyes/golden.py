"""Reference views: choosing the sharpest of a few pictures, keeping it, reading it again."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO

import numpy as np
from PIL import Image

from contract.keys import write_private
from edge.eyes.decoding import RGB, Picture
from edge.references import NoSuchReference, References

SETTLED = timedelta(seconds=3)
OUT_OF = 5


@dataclass(frozen=True, slots=True)
class Candidate:
    """A picture that may become a camera's reference view."""

    picture: Picture
    sharpness: float


class Sitting:
    """Waits until the view is there for three seconds, then picks the sharpest of five."""

    def __init__(self) -> None:
        self._since: datetime | None = None
        self._seen = 0
        self._best: Candidate | None = None

    def add(self, picture: Picture, *, is_clear: bool) -> Candidate | None:
        """Take the next key picture; gives the chosen one when five were seen."""
        if not is_clear:
            self._since, self._seen, self._best = None, 0, None
            return None
        self._since = self._since or picture.captured_at
        if picture.captured_at - self._since < SETTLED:
            return None
        candidate = Candidate(picture, sharpness(picture.rgb))
        if self._best is None or candidate.sharpness > self._best.sharpness:
            self._best = candidate
        self._seen += 1
        return self._best if self._seen >= OUT_OF else None


def sharpness(rgb: RGB) -> float:
    """Give the variance of the Laplacian of a picture's brightness."""
    luma = rgb.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    laplacian = (
        luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * luma[1:-1, 1:-1]
    )
    return float(laplacian.var())


def keep_view(references: References, camera: str, rgb: RGB) -> str:
    """Store a view as the newest candidate; gives the SHA-256 of its file. Blocks on the disk."""
    buffer = BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG")
    sha256 = hashlib.sha256(buffer.getvalue()).hexdigest()
    write_private(references.place(camera, sha256), buffer.getvalue())
    references.put_forward(camera, sha256)
    return sha256


def read_view(references: References, camera: str, sha256: str) -> RGB:
    """Read a stored view; raises NoSuchReference, also for a file that was changed. Blocks."""
    data = references.find(camera, sha256).read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise NoSuchReference(f"{camera}/{sha256} was changed")
    with Image.open(BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"), np.uint8)
