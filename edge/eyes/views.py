"""What a camera is judged by: the model, its approved reference view, its own thresholds."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

import models
from contract.keys import write_private
from edge.eyes.decoding import RGB
from edge.eyes.golden import read_view
from edge.references import NoSuchReference, References
from vision.judge import Judge, Thresholds, calibrated

log = logging.getLogger(__name__)

NORMAL = 15
"""So many clear pictures of a camera set its thresholds."""
_AT_ONCE = 3


@dataclass(frozen=True, slots=True)
class Model:
    """The net's file, checked against its card; without one arithmetic compares."""

    file: Path | None
    fingerprint: str
    usual: Thresholds | None = None
    """For a camera that was not calibrated."""

    @classmethod
    def load(cls, name: str) -> "Model":
        """Find a model; says so where there is none to be trusted."""
        try:
            card = models.card(name)
            return cls(models.path(name), card.fingerprint, Thresholds(**card.thresholds))
        except models.ModelRefused as error:
            log.error("no model, comparing by arithmetic: %s", error)
            return cls(None, "arithmetic")


@dataclass(frozen=True, slots=True)
class View:
    """One camera's judge, and whether it knows the view and the camera's normal pictures."""

    judge: Judge
    has_reference: bool
    is_calibrated: bool


class Views:
    """Opens and calibrates judges. All but `may_calibrate` blocks: for a thread."""

    def __init__(self, references: References, model: Model) -> None:
        self.references = references
        self.model = model
        self._calibrating: set[str] = set()

    def open(self, camera: str, sha256: str) -> View:
        """Give a camera's judge; without an approved view it decides what arithmetic can."""
        try:
            view = read_view(self.references, camera, sha256) if sha256 else None
        except NoSuchReference as error:
            log.error("%s: the approved reference view is not on this box: %s", camera, error)
            view = None
        if view is None:
            log.info("%s: no reference view, only exact faults are seen", camera)
            return View(Judge(None, ()), has_reference=False, is_calibrated=True)
        known = self._thresholds(camera).get(self._key(sha256))
        judge = Judge(self.model.file, (view,), known or self.model.usual)
        return View(judge, has_reference=True, is_calibrated=known is not None)

    def may_calibrate(self, camera: str) -> bool:
        """True for the few cameras whose normal pictures may be gathered now."""
        if len(self._calibrating | {camera}) > _AT_ONCE:
            return False
        self._calibrating.add(camera)
        return True

    def left(self, camera: str) -> None:
        """Let the next camera gather its pictures."""
        self._calibrating.discard(camera)

    def calibrate(self, camera: str, sha256: str, judge: Judge, normal: Sequence[RGB]) -> View:
        """Set a camera's thresholds by its normal pictures, and remember them."""
        thresholds = calibrated(judge, normal)
        known = {**self._thresholds(camera), self._key(sha256): thresholds}
        write_private(self._file(camera), msgspec.json.encode(known))
        log.info("%s: calibrated, %s", camera, thresholds)
        return self.open(camera, sha256)

    def _key(self, sha256: str) -> str:
        return f"{sha256}/{self.model.fingerprint}"

    def _file(self, camera: str) -> Path:
        return self.references.folder(camera) / "thresholds.json"

    def _thresholds(self, camera: str) -> dict[str, Thresholds]:
        try:
            raw = self._file(camera).read_bytes()
            return msgspec.json.decode(raw, type=dict[str, Thresholds])
        except FileNotFoundError:
            return {}
        except msgspec.MsgspecError as error:
            log.error("%s: calibrating anew: %s", camera, error)
            return {}
