"""Judging a camera's pictures: arithmetic first, then the net, then the votes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from vision import classical, exact
from vision.net import LABELS, Answer, Net
from vision.pixels import Picture, coloured, shrunk
from vision.votes import Votes

VERDICTS = (
    "clear",
    *LABELS,
    "dark",
    "glare",
    "black",
    "white",
    "frozen",
    "low_contrast",
    "colour_cast",
    "snow",
    "blocks",
    "no_signal",
)

_HIDDEN = 0.35
"""From which likelihood on a cell of the view counts as lost."""
_LIGHTS_OFF = 0.55
"""Brightness, of what is still seen, below which somebody may have switched off the lights."""
_STILL_THERE = 0.55
"""Share of the reference's structure that must be seen for that to be all that happened."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which score on a class is believed, for one camera."""

    covered: float = 0.6
    defocused: float = 0.6
    moved: float = 0.6

    def of(self, label: str) -> float:
        """The threshold of a class."""
        return {"covered": self.covered, "defocused": self.defocused, "moved": self.moved}[label]

    def excess(self, scores: dict[str, float]) -> tuple[str, float]:
        """The class furthest above its threshold, and by how much of what is left above."""
        above = {
            label: (scores[label] - self.of(label)) / max(1 - self.of(label), 1e-3)
            for label in LABELS
        }
        worst = max(above, key=above.__getitem__)
        return worst, above[worst]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one picture shows, and what the last pictures agree on."""

    verdict: str
    scores: dict[str, float] = field(default_factory=dict)
    extent: float = 0.0
    """Share of the view that is lost."""
    voted: str = "clear"


class Judge:
    """Knows one camera's reference views and judges its pictures in their order."""

    def __init__(
        self,
        model: Path | None,
        references: Sequence[Picture],
        thresholds: Thresholds | None = None,
    ) -> None:
        """Without a model arithmetic compares; without references only the obvious is told."""
        self.thresholds = thresholds or Thresholds()
        views = [coloured(picture) for picture in references]
        self._looks = [classical.look(view) for view in views]
        self._usual = [exact.measure(view) for view in views]
        self._net = Net(model) if model and views else None
        self._known = self._net.features(views) if self._net else None
        self._stillness = exact.Stillness()
        self._votes = Votes()

    def judge(self, frame: Picture, t: float) -> Judgement:
        """Judge the next picture, taken at `t` seconds; raises ValueError for what is none."""
        frame = coloured(frame)
        small = shrunk(frame)
        still_s = self._stillness.seconds(small, t)
        verdict, scores, extent = self._look(small, exact.measure(frame), still_s)
        return Judgement(verdict, scores, extent, self._votes.add(verdict))

    def scores(self, frame: Picture) -> dict[str, float]:
        """What the comparison says of a picture, best of all references, votes left alone."""
        small = shrunk(coloured(frame))
        return self._compared(small, classical.look(small))[0].scores

    def _look(
        self, small: Picture, measures: exact.Measures, still_s: float
    ) -> tuple[str, dict[str, float], float]:
        obvious = measures.obvious()
        if obvious is None and still_s >= exact.FROZEN_AFTER_S:
            obvious = "frozen"
        if obvious is not None:
            return obvious, {obvious: 1.0}, 0.0 if obvious == "frozen" else 1.0
        if not self._looks:
            return self._quality(measures, None), {}, 0.0
        look = classical.look(small)
        answer, nearest = self._compared(small, look)
        likeness = classical.compare(look, self._looks[nearest])
        usual = self._usual[nearest]
        label, excess = self.thresholds.excess(answer.scores)
        extent = float((answer.cover > _HIDDEN).mean())
        darker = measures.is_dark and not usual.is_dark
        if likeness.gain < _LIGHTS_OFF and likeness.kept >= _STILL_THERE:
            return "dark" if darker else "clear", answer.scores, 0.0
        if excess < 0:
            return self._quality(measures, usual), answer.scores, extent
        if exact.has_glare(measures, usual):
            return "glare", answer.scores, measures.white
        if darker and (label == "defocused" or likeness.kept >= _STILL_THERE / 2):
            return "dark", answer.scores, extent
        return label, answer.scores, extent if label == "covered" else 1.0

    def _compared(self, small: Picture, look: classical.Look) -> tuple[Answer, int]:
        """The answer of the reference that fits best, and which one that is."""
        answers = [_arithmetic(look, reference) for reference in self._looks]
        if self._net is not None and self._known is not None:
            answers = [
                _seconded(answer, by_arithmetic.scores["moved"])
                for answer, by_arithmetic in zip(
                    self._net.answers(self._known, small), answers, strict=True
                )
            ]
        if not answers:
            return Answer(dict.fromkeys(LABELS, 0.0), np.zeros((1, 1), np.float32)), 0
        nearest = min(range(len(answers)), key=lambda index: answers[index].worst)
        return answers[nearest], nearest

    @staticmethod
    def _quality(measures: exact.Measures, usual: exact.Measures | None) -> str:
        """What is wrong with a view that is where it should be."""
        if usual is None:
            return "dark" if measures.is_dark else "glare" if measures.is_glaring else "clear"
        if measures.is_dark and not usual.is_dark:
            return "dark"
        if measures.is_pale and measures.spread < usual.spread / 2 and not measures.is_dark:
            return "low_contrast"
        return "colour_cast" if exact.has_cast(measures, usual) else "clear"


def calibrated(
    judge: Judge, normal: Iterable[Picture], *, margin: float = 2.0, floor: float = 0.25
) -> Thresholds:
    """Thresholds above everything seen in a camera's normal pictures.

    The margin is in logits; the floor and a ceiling keep a strange sample from ruining them.
    """
    highest = dict.fromkeys(LABELS, 0.0)
    for frame in normal:
        for label, score in judge.scores(frame).items():
            highest[label] = max(highest[label], score)
    return Thresholds(**{label: _above(score, margin, floor) for label, score in highest.items()})


def _above(score: float, margin: float, floor: float) -> float:
    held = float(np.clip(score, 1e-6, 1 - 1e-6))
    raised = 1 / (1 + np.exp(-(np.log(held / (1 - held)) + margin)))
    return float(np.clip(raised, floor, 0.95))


def _seconded(answer: Answer, moved: float) -> Answer:
    """The net's answer; where all of the view is plainly found elsewhere, it has moved."""
    return replace(answer, scores={**answer.scores, "moved": max(answer.scores["moved"], moved)})


def _arithmetic(look: classical.Look, reference: classical.Look) -> Answer:
    likeness = classical.compare(look, reference)
    lost = np.full((1, 1), 1 - likeness.kept, np.float32)
    return Answer(classical.scores(likeness), lost)
