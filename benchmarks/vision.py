"""How long does one picture take to judge, with one reference view and with four?"""

import json
from statistics import median
from time import perf_counter

import numpy as np

import models
from vision.judge import Judge
from vision.pixels import Picture

_SIZE = (360, 640, 3)
_ROUNDS = 200


def main() -> None:
    lot = np.random.default_rng(1)
    coarse = lot.integers(0, 256, (9, _SIZE[0] // 40, _SIZE[1] // 40, 3), np.uint8)
    pictures = [np.kron(one, np.ones((40, 40, 1), np.uint8)) for one in coarse]
    figures = {
        f"milliseconds_with_{references}_references": round(
            _milliseconds(Judge(models.path("obstruction"), pictures[:references]), pictures), 2
        )
        for references in (1, 4)
    }
    print(json.dumps(figures))


def _milliseconds(judge: Judge, pictures: list[Picture]) -> float:
    took = []
    for index in range(_ROUNDS):
        began = perf_counter()
        judge.judge(pictures[index % len(pictures)], float(index))
        took.append(perf_counter() - began)
    return median(took) * 1000


if __name__ == "__main__":
    main()
