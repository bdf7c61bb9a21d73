"""Builds the pages (web/ui) into web/static before a wheel or an sdist is packed."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface[Any]):
    """Runs Vite when the sources are newer than what it made last."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build unless asked not to, unless this is an editable install, or nothing changed."""
        ui = Path(self.root) / "web" / "ui"
        static = Path(self.root) / "web" / "static"
        if version == "editable" or os.environ.get("XUNKAO_SKIP_WEB") or not ui.exists():
            return
        if _is_fresh(ui, static):
            return
        npm = shutil.which("npm")
        if npm is None:
            message = "npm was not found: install Node.js >= 20.19, or set XUNKAO_SKIP_WEB=1"
            raise RuntimeError(message)
        if not (ui / "node_modules" / ".package-lock.json").exists():
            subprocess.run(
                [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=ui, check=True
            )
        subprocess.run([npm, "run", "build"], cwd=ui, check=True)


def _is_fresh(ui: Path, static: Path) -> bool:
    index = static / "index.html"
    if not index.exists():
        return False
    made = index.stat().st_mtime
    sources = [path for folder in ("src", "public", "phone") for path in (ui / folder).rglob("*")]
    sources += [ui / name for name in ("package-lock.json", "vite.config.ts", "index.html")]
    return all(path.stat().st_mtime <= made for path in sources if path.is_file())
