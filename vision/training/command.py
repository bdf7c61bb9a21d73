"""The command line of training, read and written: a card repeats the run it came from."""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Run:
    """What a training run was told."""

    pictures: Path
    out: Path
    rooms: int
    pairs: int
    steps: int
    seed: int
    threads: int

    @property
    def command(self) -> str:
        """How to repeat it; where the pictures lie is everybody's own affair."""
        return (
            f"python -m vision.training --pictures DIR --out models --rooms {self.rooms} "
            f"--pairs {self.pairs} --steps {self.steps} --seed {self.seed} "
            f"--threads {self.threads}"
        )


def parsed(words: list[str] | None = None) -> Run:
    """Read a command line, this process's own by default."""
    parser = ArgumentParser(
        prog="python -m vision.training",
        description="Make the obstruction model: render pairs, fit, measure, write model and card.",
    )
    parser.add_argument("--pictures", type=Path, required=True, help="stills, films and view-*/")
    parser.add_argument("--out", type=Path, required=True, help="where model and card are written")
    parser.add_argument("--rooms", type=int, default=60, help="exam rooms drawn besides")
    parser.add_argument("--pairs", type=int, default=14_000)
    parser.add_argument("--steps", type=int, default=2_400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    return Run(**vars(parser.parse_args(words)))
