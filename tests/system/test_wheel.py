"""The built wheel works alone: a bare environment, outside the checkout."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
PACKAGES = {"contract", "vision", "edge", "orchestrator", "web", "models"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command: list[str | Path] = [
        UV,
        "build",
        "--quiet",
        "--wheel",
        "--no-build-isolation",
        "--out-dir",
        out,
    ]
    subprocess.run([*command, "--python", sys.executable, ROOT], check=True, cwd=out)
    return next(out.glob("*.whl"))


def test_the_wheel_holds_the_packages_and_the_pages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES
    assert "web/static/index.html" in names
    assert "orchestrator/certificates/certificate.typ" in names
    assert not [name for name in names if name.startswith("web/ui")]


def test_the_commands_start_in_a_bare_environment(wheel: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    python = bare / "bin" / "python"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, bare], check=True)
    install: list[str | Path] = [UV, "pip", "install", "--quiet", "--python", python]
    subprocess.run(
        [*install, "--require-hashes", "-r", ROOT / "requirements.lock"], check=True, cwd=tmp_path
    )
    subprocess.run([*install, "--no-deps", wheel], check=True, cwd=tmp_path)
    for command, word in (("xunkao", "demo"), ("xunkao-edge", "enrol")):
        told = subprocess.run(
            [bare / "bin" / command, "--help"],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
        )
        assert word in told.stdout
