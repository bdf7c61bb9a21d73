"""Make the obstruction model: `python -m vision.training --pictures DIR --out models`."""
# mypy: disable-error-code="import-not-found"
# torch is there only where models are made

from argparse import ArgumentParser
from pathlib import Path

import torch

from vision.training import card, figures, fitting
from vision.training.pairs import render
from vision.training.scenes import scenes

_NAME = "obstruction"


def main() -> None:
    """Read the command line, render, fit, measure, write."""
    parser = ArgumentParser(prog="python -m vision.training", description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True, help="stills, films and view-*/")
    parser.add_argument("--out", type=Path, required=True, help="where model and card are written")
    parser.add_argument("--pairs", type=int, default=14_000)
    parser.add_argument("--steps", type=int, default=2_400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    found = scenes(given.pictures)
    learned = [scene for scene in found if not scene.is_held_out]
    held_out = [scene for scene in found if scene.is_held_out]
    print(f"{len(learned)} scenes to learn from, {len(held_out)} held out", flush=True)
    pairs = render(learned, given.pairs, given.seed)
    unseen = render(held_out, max(200, given.pairs // 8), given.seed + 1)
    print(f"{len(pairs)} pairs rendered", flush=True)
    torch.set_num_threads(given.threads)
    file = given.out / f"{_NAME}.onnx"
    last = 0
    for step, loss, net in fitting.fit(pairs, given.steps, given.seed):
        print(f"step {step} loss {loss:.3f}", flush=True)
        if step - last >= 800 or step == given.steps:
            last = step
            fitting.export(net, file)
            net.train()
    scores = figures.scored(file, unseen)
    measured = figures.figures(scores, unseen.labels)
    run = {
        "command": f"python -m vision.training --pairs {given.pairs} --steps {given.steps} "
        f"--seed {given.seed}",
        "seed": given.seed,
        "torch": torch.__version__,
        "parameters": sum(parameter.numel() for parameter in net.parameters()),
        "scenes": len(learned),
        "scenes_held_out": len(held_out),
        "data": "Stills and films of fixed cameras under free licences (CC0, CC BY, MIT, "
        "Apache-2.0, BSD, Pexels), and drawn exam rooms; tampering and nuisances are "
        "rendered on top. Figures are of places that were held out.",
    }
    card.write(file, run, measured, figures.threshold(scores, unseen.labels))
    print("\n".join(f"{name} {value:.4f}" for name, value in measured.items()), flush=True)


if __name__ == "__main__":
    main()
