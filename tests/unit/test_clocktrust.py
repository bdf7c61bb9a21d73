"""Whether a box believes its clock."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from contract.keys import write_private
from edge import clocktrust
from edge.clocktrust import Anchor, ClockTrust, is_trusted, kernel_says_synchronised
from tests.fakes.clock import ManualClock

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ANCHOR = Anchor(START, 100.0)


def test_a_clock_below_the_floor_is_wrong_whatever_the_kernel_says() -> None:
    floor = START + timedelta(days=1)
    assert not is_trusted(START, 100.0, ANCHOR, floor, synchronised=True)


def test_a_synchronised_clock_above_the_floor_is_trusted() -> None:
    assert is_trusted(START, 100.0, ANCHOR, None, synchronised=True)


def test_without_floor_and_without_synchronisation_there_is_no_trust() -> None:
    assert not is_trusted(START, 100.0, ANCHOR, None, synchronised=False)


def test_a_clock_that_moves_with_the_monotonic_one_is_trusted() -> None:
    later = START + timedelta(seconds=60)
    assert is_trusted(later, 160.0, ANCHOR, START, synchronised=False)


def test_a_clock_that_stepped_is_not() -> None:
    later = START + timedelta(hours=1)
    assert not is_trusted(later, 160.0, ANCHOR, START, synchronised=False)


def test_the_floor_never_falls_and_survives_a_restart(tmp_path: Path) -> None:
    clock = ManualClock(START)
    trust = ClockTrust(tmp_path / "clock.json", clock)
    trust.raise_floor(START)
    trust.raise_floor(START - timedelta(days=3))
    clock.step(timedelta(days=-1))
    assert not ClockTrust(tmp_path / "clock.json", clock).trusted()


def test_the_floor_does_not_fall_when_two_threads_raise_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust = ClockTrust(tmp_path / "clock.json", ManualClock(START))
    begun, overtaken = Event(), Event()
    higher = START + timedelta(hours=1)

    def write(path: Path, data: bytes) -> None:
        if not begun.is_set():
            begun.set()
            overtaken.wait(0.3)  # nobody may
        write_private(path, data)

    monkeypatch.setattr(clocktrust, "write_private", write)
    with ThreadPoolExecutor(2) as threads:
        threads.submit(trust.raise_floor, START)
        begun.wait()
        threads.submit(trust.raise_floor, higher).add_done_callback(lambda _: overtaken.set())
    assert f"{higher:%Y-%m-%dT%H:%M:%S}" in (tmp_path / "clock.json").read_text()


def test_a_broken_floor_file_gives_no_trust_by_itself(tmp_path: Path) -> None:
    (tmp_path / "clock.json").write_text("{")
    trust = ClockTrust(tmp_path / "clock.json", ManualClock(START))
    assert trust.trusted() == kernel_says_synchronised()


def test_the_true_time_is_at_least_the_floor_and_what_passed_since(tmp_path: Path) -> None:
    clock = ManualClock(START)
    ClockTrust(tmp_path / "clock.json", clock).raise_floor(START)
    clock.step(timedelta(days=-30))
    trust = ClockTrust(tmp_path / "clock.json", clock)
    assert trust.earliest() == START


def test_a_believed_clock_needs_no_lower_bound(tmp_path: Path) -> None:
    trust = ClockTrust(tmp_path / "clock.json", ManualClock(START))
    trust.raise_floor(START)
    assert trust.earliest() is None
