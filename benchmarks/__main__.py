"""Run every benchmark and rewrite docs/reference/performance.md with what they print."""

import datetime
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
PAGE = FOLDER.parent / "docs" / "reference" / "performance.md"
HEAD = """# Performance

Made by `make bench`: each table is the last line of one run with `--json`. The machine did
other things besides; ratios of one run compare, absolute numbers of two runs do not.

"""


def run(name: str) -> dict[str, object]:
    """Run one benchmark; gives the figures of its last line."""
    command = [sys.executable, "-m", f"benchmarks.{name}", "--json"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=FOLDER.parent)
    figures: dict[str, object] = json.loads(told.stdout.strip().splitlines()[-1])
    return figures


def table(name: str, figures: dict[str, object]) -> str:
    """Show one benchmark's figures as a table."""
    module = (FOLDER / f"{name}.py").read_text().split('"""')[1].strip().splitlines()[0]
    rows = "\n".join(f"| `{key}` | {value} |" for key, value in figures.items())
    return f"## {name}\n\n{module}\n\n| figure | value |\n|---|---|\n{rows}\n"


def main() -> None:
    """Run them one after another."""
    names = sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))
    parts = [table(name, run(name)) for name in names]
    today = datetime.datetime.now(datetime.UTC).date()
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    PAGE.write_text(f"{HEAD}Machine: {machine}, {today}.\n\n" + "\n".join(parts))


if __name__ == "__main__":
    main()
