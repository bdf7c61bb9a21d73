"""Machine code that is older than its source: tests are of what is written."""

from pathlib import Path

from edge.compiled import GROUP, SUFFIX, is_outdated, sources

ROOT = Path(__file__).parent.parent


def discard_outdated(root: Path = ROOT) -> bool:
    """Remove all that is compiled if some of it is out of date; says if it was."""
    if not is_outdated(root):
        return False
    made = [source.with_suffix(SUFFIX) for source in sources(root)]
    for file in [*made, *root.glob(f"{GROUP}__mypyc*")]:
        file.unlink(missing_ok=True)
    return True
