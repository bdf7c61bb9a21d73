"""The recorder's innermost modules: compiled or not, what they do is the same."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from setuptools.errors import CompileError

from edge import compiled
from tests.guard import sealed_guard
from tests.outdated import discard_outdated

ROOT = Path(__file__).parent.parent.parent
SHOWN_BY = [
    "test_fmp4.py",
    "test_merkle.py",
    "test_recording_arming.py",
    "test_recording_recorder.py",
    "test_rtsp_depacketise.py",
    "test_rtsp_intake.py",
    "test_rtsp_lengths.py",
    "test_rtsp_timeline.py",
]


def test_every_module_named_is_there() -> None:
    for module in compiled.MODULES:
        assert importlib.util.find_spec(module) is not None, module


def test_set_up_compiles_all_or_nothing() -> None:
    made = [source.with_suffix(compiled.SUFFIX).exists() for source in compiled.sources()]
    assert all(made) or not any(made)
    assert compiled.is_compiled() == all(made)


def test_what_is_compiled_does_what_its_source_says(tmp_path: Path) -> None:
    """The rest of the suite runs what is compiled; here the sources go through the same tests."""
    own = {sealed_guard.REPORT, "PYTHONPATH"}  # a run of its own, with a guard of its own
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in own and not name.startswith("PYTEST")
    }
    probe = "import edge.rtsp.intake as it, sys; sys.exit(not it.__file__.endswith('.py'))"
    tests = [str(ROOT / "tests" / "unit" / name) for name in SHOWN_BY]
    for arguments in (
        ["-c", f"import tests.fakes.uncompiled; {probe}"],
        ["-m", "pytest", "-q", "-p", "tests.fakes.uncompiled", f"--basetemp={tmp_path}/t", *tests],
    ):
        command = [sys.executable, *arguments]
        ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.fixture
def tree(tmp_path: Path) -> list[Path]:
    made = []
    for source in compiled.sources(tmp_path):
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text("")
        os.utime(source, (100, 100))
        made.append(source.with_suffix(compiled.SUFFIX))
    made.append(tmp_path / f"xunkao_recorder__mypyc{compiled.SUFFIX}")
    for file in made:
        file.write_bytes(b"")
    return made


def test_what_is_as_new_as_its_source_stays(tree: list[Path], tmp_path: Path) -> None:
    assert not discard_outdated(tmp_path)
    assert all(file.exists() for file in tree)


def test_a_newer_source_puts_all_away_that_was_compiled(tree: list[Path], tmp_path: Path) -> None:
    newest = max(file.stat().st_mtime for file in tree) + 1
    os.utime(tmp_path / "edge/rtsp/intake.py", (newest, newest))
    assert discard_outdated(tmp_path)
    assert not any(file.exists() for file in tree)
    assert (tmp_path / "edge/rtsp/intake.py").exists()


def test_a_machine_without_a_compiler_is_told_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    monkeypatch.setattr(sys, "argv", ["compiled", "work"])
    compiled.main()
    assert "there is no C compiler" in capsys.readouterr().err


def test_a_compiler_that_fails_leaves_what_runs_without(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: Path) -> None:
        raise CompileError("cc is broken")

    monkeypatch.setattr(compiled, "build", fail)
    monkeypatch.setattr(sys, "argv", ["compiled", "work"])
    compiled.main()
    assert "runs uncompiled and costs more CPU: cc is broken" in capsys.readouterr().err


def test_it_can_be_asked_what_it_does_and_then_compiles_nothing() -> None:
    command = [sys.executable, "-m", "edge.compiled", "--help"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "what the compiler keeps" in ran.stdout
    assert not (ROOT / "--help").exists()


def test_missing_headers_of_python_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(tmp_path))
    monkeypatch.setattr("shutil.which", lambda _name: "/usr/bin/cc")
    assert "python3-dev" in compiled._lacking()
