"""The siamese net: a live view against the reference views of its camera."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from vision.pixels import Picture, Plane, coloured, shrunk

LABELS = ("covered", "defocused", "moved")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the net says of one view against one reference."""

    scores: dict[str, float]
    cover: Plane
    """How likely each cell of the view is lost, 0 to 1."""

    @property
    def worst(self) -> float:
        """The highest score of all classes."""
        return max(self.scores.values())


class Net:
    """A model file, opened; one thread, so that many cameras share the cores fairly."""

    def __init__(self, file: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(file), options, providers=["CPUExecutionProvider"]
        )
        given = self._session.get_inputs()[0].shape
        self._nothing = np.zeros((1, *given[1:]), np.float32)

    def features(self, pictures: list[Picture]) -> NDArray[np.float32]:
        """What the net remembers of reference views."""
        found = [self._run(self._nothing, picture, "features")[0] for picture in pictures]
        return np.concatenate(found)

    def answers(self, references: NDArray[np.float32], picture: Picture) -> list[Answer]:
        """Compare a view with each of the references."""
        logits, cover = self._run(references, picture, "logits", "cover")
        scores = 1 / (1 + np.exp(-logits.astype(np.float64)))
        return [
            Answer(dict(zip(LABELS, map(float, row), strict=True)), plane)
            for row, plane in zip(scores, cover, strict=True)
        ]

    def _run(
        self, references: NDArray[np.float32], picture: Picture, *wanted: str
    ) -> list[NDArray[np.float32]]:
        live = shrunk(coloured(picture))[None]
        given = {"reference": references, "live": live}
        return list(self._session.run(list(wanted), given))
