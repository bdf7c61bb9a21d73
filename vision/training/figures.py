"""How well a model does on pairs of places it has never seen."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vision.net import LABELS, Net
from vision.training.pairs import Pairs


def scored(file: Path, pairs: Pairs) -> NDArray[np.float64]:
    """The scores of every pair, one column a class."""
    net = Net(file)
    rows = []
    for reference, live in zip(pairs.reference, pairs.live, strict=True):
        answer = net.answers(net.features([reference]), live)[0]
        rows.append([answer.scores[label] for label in LABELS])
    return np.array(rows)


def figures(scores: NDArray[np.float64], labels: NDArray[np.float32]) -> dict[str, float]:
    """Area under the curve, and what is found at 1 % false alarms."""
    worst = scores.max(axis=1)
    normal = labels.sum(axis=1) == 0
    threshold = float(np.quantile(worst[normal], 0.99))
    found = {
        f"{label}_found": float((worst[labels[:, column] > 0] > threshold).mean())
        for column, label in enumerate(LABELS)
    }
    tampered = ~normal
    named = (scores[tampered].argmax(axis=1) == labels[tampered].argmax(axis=1)).mean()
    return {
        "area_under_curve": _area(worst[tampered], worst[normal]),
        **found,
        "named_right": float(named),
        "threshold_at_1_percent": threshold,
        "pairs": float(len(labels)),
    }


def threshold(scores: NDArray[np.float64], labels: NDArray[np.float32]) -> dict[str, float]:
    """For each class, a score that one in a hundred normal pairs of any place reaches."""
    normal = scores[labels.sum(axis=1) == 0]
    raised = np.quantile(normal, 0.99, axis=0)
    return {label: float(np.clip(raised[i], 0.4, 0.8)) for i, label in enumerate(LABELS)}


def _area(higher: NDArray[np.float64], lower: NDArray[np.float64]) -> float:
    """How often one of the first is above one of the second."""
    both = np.concatenate([higher, lower])
    ranks = np.empty(both.size)
    ranks[both.argsort()] = np.arange(1, both.size + 1)
    above = ranks[: higher.size].sum() - higher.size * (higher.size + 1) / 2
    return float(above / (higher.size * lower.size))
