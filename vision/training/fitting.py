"""Fitting the net to rendered pairs, and writing it as ONNX."""
# mypy: disable-error-code="import-not-found"
# torch is there only where models are made

from collections.abc import Iterator
from math import cos, pi
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from vision.pixels import HEIGHT, WIDTH
from vision.training.architecture import Deployed, SiameseNet
from vision.training.pairs import Pairs

_BATCH = 32
_RATE = 3e-3
_WARM_UP = 60


def fit(pairs: Pairs, steps: int, seed: int) -> Iterator[tuple[int, float, SiameseNet]]:
    """Fit a net; tell of every hundredth step, its mean loss and the net so far."""
    torch.manual_seed(seed)
    net = SiameseNet().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(net.parameters(), _RATE, weight_decay=1e-4)
    lot, total = np.random.default_rng(seed), 0.0
    for step, chosen in enumerate(_batches(len(pairs), steps, lot), 1):
        for group in optimizer.param_groups:
            group["lr"] = _RATE * min(1, step / _WARM_UP) * (0.505 + 0.495 * cos(pi * step / steps))
        reference, live, labels, cover = _chosen(pairs, chosen, lot)
        logits, map_logits = net(reference, live)
        verdict = functional.binary_cross_entropy_with_logits(logits, labels)
        loss = 3 * verdict + functional.binary_cross_entropy_with_logits(map_logits, cover)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        total += float(loss.detach())
        if step % 100 == 0 or step == steps:
            yield step, total / 100, net
            total = 0.0


def export(net: SiameseNet, file: Path) -> None:
    """Write the net as it is used, pre-processing inside."""
    deployed = Deployed(net).eval()
    live = torch.zeros((1, HEIGHT, WIDTH, 3), dtype=torch.uint8)
    with torch.no_grad():
        reference = torch.cat([net.encoder(live)] * 2)
        torch.onnx.export(
            deployed,
            (reference, live),
            str(file),
            input_names=["reference", "live"],
            output_names=["features", "logits", "cover"],
            dynamic_axes={
                "reference": {0: "references"},
                "live": {0: "lives"},
                "features": {0: "lives"},
                "logits": {0: "references"},
                "cover": {0: "references"},
            },
            opset_version=17,
            dynamo=False,
        )


def _batches(count: int, steps: int, lot: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    order, at = lot.permutation(count), 0
    for _ in range(steps):
        if at + _BATCH > count:
            order, at = lot.permutation(count), 0
        yield np.sort(order[at : at + _BATCH])
        at += _BATCH


def _chosen(
    pairs: Pairs, chosen: NDArray[np.int64], lot: np.random.Generator
) -> tuple[torch.Tensor, ...]:
    """A batch; now and then upside down or in other colours, which changes no label."""
    reference, live, cover = pairs.reference[chosen], pairs.live[chosen], pairs.cover[chosen]
    if lot.random() < 0.3:
        reference, live, cover = reference[:, ::-1], live[:, ::-1], cover[:, ::-1]
    if lot.random() < 0.3:
        colours = lot.permutation(3)
        reference, live = reference[..., colours], live[..., colours]
    arrays = reference, live, pairs.labels[chosen], cover
    return tuple(torch.from_numpy(np.ascontiguousarray(array)) for array in arrays)
