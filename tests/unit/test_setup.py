"""What a machine lacks is named before anything is installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PREFLIGHT = ROOT / "deploy" / "preflight.sh"


def preflight(tools: Path, python: str) -> "subprocess.CompletedProcess[str]":
    environ = {**os.environ, "PATH": str(tools), "PYTHON": python}
    bash = shutil.which("bash")
    assert bash
    return subprocess.run(
        [bash, str(PREFLIGHT)], env=environ, capture_output=True, text=True, check=False
    )


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH with a Python new enough and nothing else."""
    python = tmp_path / "python3"
    python.write_text(f'#!{shutil.which("bash")}\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return tmp_path


def put_node(tools: Path, version: str) -> None:
    node = tools / "node"
    bash = shutil.which("bash")
    major, minor = version.split(".")
    fits = int(major) > 20 or (int(major) == 20 and int(minor) >= 19)
    node.write_text(
        f'#!{bash}\n[ "$1" = --version ] && echo v{version}.0 && exit\nexit {0 if fits else 1}\n'
    )
    node.chmod(0o755)
    npm = tools / "npm"
    npm.write_text(f"#!{bash}\n")
    npm.chmod(0o755)


def test_a_missing_node_is_named(tools: Path) -> None:
    told = preflight(tools, "python3")
    assert told.returncode == 1
    assert "Node.js was not found" in told.stderr
    assert "20.19" in told.stderr


def test_an_old_node_is_named_with_its_version(tools: Path) -> None:
    put_node(tools, "18.20")
    told = preflight(tools, "python3")
    assert told.returncode == 1
    assert "v18.20.0 is too old" in told.stderr


def test_a_missing_python_is_named(tools: Path) -> None:
    put_node(tools, "20.19")
    told = preflight(tools, "python3.99")
    assert told.returncode == 1
    assert "Python was not found" in told.stderr


def test_a_machine_that_has_it_all_passes_silently(tools: Path) -> None:
    put_node(tools, "20.19")
    told = preflight(tools, "python3")
    assert (told.returncode, told.stderr) == (0, "")
