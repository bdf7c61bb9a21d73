"""Machine code that is older than its source: tests are of what is written."""

from pathlib import Path

from edge.compiled import GROUP, SUFFIX, sources

ROOT = Path(__file__).parent.parent


def discard_outdated(root: Path = ROOT) -> bool:
    """Remove all that is compiled if a source is newer than what became of it; says if it was."""
    made = {source: source.with_suffix(SUFFIX) for source in sources(root)}
    outdated = any(
        file.exists() and file.stat().st_mtime < source.stat().st_mtime
        for source, file in made.items()
    )
    if outdated:
        for file in [*made.values(), *root.glob(f"{GROUP}__mypyc*")]:
            file.unlink(missing_ok=True)
    return outdated
