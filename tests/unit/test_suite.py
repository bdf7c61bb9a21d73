"""What the suite says by itself."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LEAKING = """
import asyncio

async def test_leaves_a_task() -> None:
    test_leaves_a_task.task = asyncio.create_task(asyncio.sleep(60), name="forgotten")

async def test_ends_its_task() -> None:
    await asyncio.create_task(asyncio.sleep(0))

def test_has_no_loop() -> None:
    pass
"""


def test_a_test_that_leaves_a_task_running_fails(tmp_path: Path) -> None:
    file = tmp_path / "test_leaking.py"
    file.write_text(LEAKING)
    command = (sys.executable, "-m", "pytest", "-c", "pyproject.toml", "-p", "tests.conftest")
    told = subprocess.run([*command, str(file)], cwd=ROOT, capture_output=True, text=True)
    assert told.returncode == 1
    assert "left running: ['forgotten']" in told.stdout
    assert "3 passed, 1 error" in told.stdout
