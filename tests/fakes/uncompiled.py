"""A plugin for pytest: modules run from their sources, as where nothing is compiled."""

import sys
from importlib.abc import PathEntryFinder
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, SourceFileLoader
from pathlib import Path

_ROOT = str(Path(__file__).parent.parent.parent)
_finder = FileFinder.path_hook((SourceFileLoader, SOURCE_SUFFIXES))


def _from_source(path: str) -> PathEntryFinder:
    if not path.startswith(_ROOT) or ".venv" in path:
        raise ImportError(path)
    return _finder(path)


sys.path_hooks.insert(0, _from_source)
sys.path_importer_cache.clear()
