"""Make the obstruction model: `python -m vision.training --pictures DIR --out models`."""
# mypy: disable-error-code="import-not-found"
# torch is there only where models are made

import torch

from vision.training import card, figures, fitting
from vision.training.command import parsed
from vision.training.pairs import render
from vision.training.rooms import drawn
from vision.training.scenes import digest, scenes

_NAME = "obstruction"


def main() -> None:
    """Read the command line, draw, render, fit, measure, write."""
    given = parsed()
    found = [*scenes(given.pictures), *drawn(given.rooms, given.seed)]
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
        "command": given.command,
        "pictures_sha256": digest(found),
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
