"""No test passes in which a sealed segment was lost: the guard bites."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.expiring import deleting, is_deleting
from tests.guard.sealed_guard import REPORT, SealedTouched, by_hand


@pytest.fixture(autouse=True)
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A report of its own: here the bites are wanted."""
    place = tmp_path / "bites"
    place.touch()
    monkeypatch.setenv(REPORT, str(place))
    return place


@pytest.fixture
def segment(tmp_path: Path) -> Path:
    place = tmp_path / "shelf" / "cam1" / "2026-11-22" / "20261122T080000000.mp4"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"an exam")
    place.chmod(0o440)
    return place


def truncated_by_number(segment: Path) -> None:
    number = os.open(segment, os.O_RDONLY)
    try:
        os.ftruncate(number, 0)
    finally:
        os.close(number)


CLEANUPS: dict[str, Callable[[Path], object]] = {
    "unlinks": lambda segment: segment.unlink(),
    "removes the folder": lambda segment: shutil.rmtree(segment.parent),
    "renames it away": lambda segment: segment.rename(segment.with_suffix(".old")),
    "renames its folder": lambda segment: segment.parent.rename(segment.parents[1] / "old"),
    "renames the shelf": lambda segment: segment.parents[2].rename(segment.parents[3] / "old"),
    "renames over it": lambda segment: (segment.parent / "new").replace(segment),
    "truncates": lambda segment: os.truncate(segment, 0),
    "truncates by number": truncated_by_number,
    "opens to write": lambda segment: segment.open("wb"),
    "opens to change": lambda segment: segment.open("r+b"),
    "opens to append": lambda segment: os.open(segment, os.O_WRONLY | os.O_APPEND),
    "loosens its mode": lambda segment: segment.chmod(0o640),
}


@pytest.mark.parametrize("cleanup", CLEANUPS.values(), ids=CLEANUPS)
def test_a_broken_cleanup_is_refused_and_reported(
    segment: Path, report: Path, cleanup: Callable[[Path], object]
) -> None:
    (segment.parent / "new").write_bytes(b"other")
    with pytest.raises(SealedTouched, match=segment.name):
        cleanup(segment)
    assert segment.read_bytes() == b"an exam"
    assert segment.name in report.read_text()


def test_a_refusal_that_is_swallowed_in_another_process_is_reported(
    segment: Path, report: Path
) -> None:
    broken = (
        f"import os, contextlib\nwith contextlib.suppress(Exception): os.unlink({str(segment)!r})"
    )
    subprocess.run([sys.executable, "-c", broken], check=True)
    assert segment.exists()
    assert f"os.remove {segment}" in report.read_text()


async def test_whoever_holds_the_leave_may_delete_and_so_may_its_threads(segment: Path) -> None:
    with deleting():
        assert is_deleting()
        await asyncio.to_thread(segment.unlink)
    assert not segment.exists()
    assert not is_deleting()


async def test_the_leave_is_the_holders_and_nobody_elses(segment: Path) -> None:
    begun, done = asyncio.Event(), asyncio.Event()

    async def expire() -> None:
        with deleting():
            begun.set()
            await done.wait()

    async with asyncio.TaskGroup() as group:
        group.create_task(expire())
        await begun.wait()
        with pytest.raises(SealedTouched):
            segment.unlink()
        done.set()


def test_the_leave_ends_with_an_error(segment: Path) -> None:
    with pytest.raises(OSError, match="disk"), deleting():
        raise OSError("the disk")
    with pytest.raises(SealedTouched):
        segment.unlink()


def test_what_is_not_sealed_or_not_on_a_shelf_is_nobodys_business(segment: Path) -> None:
    empty = segment.parent / "empty"
    empty.mkdir()
    empty.rename(segment.parent / "moved")
    growing = segment.with_suffix(".part")
    growing.write_bytes(b"an exa")
    growing.unlink()
    elsewhere = segment.parents[3] / "copy.mp4"
    shutil.copy(segment, elsewhere)
    elsewhere.unlink()
    with segment.open("rb") as file:
        assert file.read() == b"an exam"


def test_a_person_may_meddle_where_a_test_says_so(segment: Path) -> None:
    with by_hand():
        segment.unlink()
