"""Where reference views lie on the box, and how one is asked for anew."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from contract.keys import write_private
from contract.messages import Camera

PLACE = "references"
_SHA256_LENGTH = 64
_NEWEST = "newest"
NO_VIEWS = (_NEWEST, "thresholds.json")
"""What else lies in a camera's folder."""


class NoSuchReference(Exception):
    """No such picture lies on this box."""


class References:
    """The folder of reference views, `<camera>/<sha256>.png`, and that of the wishes for new.

    They show people: two of a camera are in use, the approved view and the newest candidate. The
    others are shown to nobody and go when their term is over.
    """

    def __init__(self, folder: Path, wishes: Path) -> None:
        self._folder = folder
        self._wishes = wishes

    @classmethod
    def below(cls, data: Path) -> "References":
        """Give those of a box."""
        return cls(data / PLACE, data / "run" / "take")

    def folder(self, camera: str) -> Path:
        """Give a camera's own folder."""
        return self._folder / camera

    def place(self, camera: str, sha256: str) -> Path:
        """Give where a view lies, or is to lie."""
        return self.folder(camera) / f"{sha256}.png"

    def find(self, camera: str, sha256: str) -> Path:
        """Give a view's file; raises NoSuchReference for anything else."""
        file = self.place(camera, sha256)
        is_hash = len(sha256) == _SHA256_LENGTH and set(sha256) <= set("0123456789abcdef")
        is_inside = file.parent.parent == self._folder and camera not in {".", ".."}
        if not (is_hash and is_inside and file.is_file()):
            raise NoSuchReference(f"{camera}/{sha256}")
        return file

    def put_forward(self, camera: str, sha256: str) -> None:
        """Make a view the camera's newest candidate."""
        write_private(self.folder(camera) / _NEWEST, sha256.encode())

    def newest(self, camera: str) -> str:
        """Give the hash of the newest candidate; empty where there is none."""
        with suppress(FileNotFoundError):
            return (self.folder(camera) / _NEWEST).read_text("ascii")
        views = self.folder(camera).glob("*.png")  # of an older edition
        return max(views, key=lambda view: view.stat().st_mtime_ns, default=Path()).stem

    def in_use(self, cameras: Iterable[Camera]) -> frozenset[str]:
        """Give the paths of the views of these that are in use, relative to the box's data."""
        return frozenset(
            f"{PLACE}/{camera.id}/{sha256}.png"
            for camera in cameras
            for sha256 in (camera.reference, self.newest(camera.id))
            if sha256
        )

    def ask(self, camera: str) -> None:
        """Wish for a new view of a camera; the eyes take it when they next can."""
        self._wishes.mkdir(parents=True, exist_ok=True)
        (self._wishes / camera).touch(mode=0o600)

    def asked(self) -> frozenset[str]:
        """Give the cameras of which a new view is wished for."""
        try:
            return frozenset(wish.name for wish in self._wishes.iterdir())
        except FileNotFoundError:
            return frozenset()

    def granted(self, camera: str) -> None:
        """Take a wish away."""
        (self._wishes / camera).unlink(missing_ok=True)
