"""Where reference views lie on the box, and how one is asked for anew."""

from pathlib import Path

_SHA256_LENGTH = 64


class NoSuchReference(Exception):
    """No such picture lies on this box."""


class References:
    """The folder of reference views, `<camera>/<sha256>.png`, and that of the wishes for new."""

    def __init__(self, folder: Path, wishes: Path) -> None:
        self._folder = folder
        self._wishes = wishes

    @classmethod
    def below(cls, data: Path) -> "References":
        """Give those of a box."""
        return cls(data / "references", data / "run" / "take")

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
