"""What the commands say when something is wrong: in words, with a way out, and no traceback."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest


def xunkao(*words: str | Path, package: str = "orchestrator") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", package, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def refused(told: "subprocess.CompletedProcess[str]", *words: str) -> None:
    assert told.returncode in (1, 2), told.stderr
    assert "Traceback" not in told.stderr
    for word in words:
        assert word in told.stderr


@pytest.fixture
def centre(tmp_path: Path) -> Path:
    path = tmp_path / "xunkao.toml"
    path.write_text('data = "data"\nlisten = "127.0.0.1:0"\n[broker]\nport = 0\n')
    return path


@pytest.fixture
def box(tmp_path: Path) -> Path:
    path = tmp_path / "edge.toml"
    path.write_text('edge = "box-1"\ndata = "data"\nurl = "https://127.0.0.1:1"\n')
    return path


def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    refused(xunkao("serve", "--config", tmp_path / "none.toml"), "none.toml")
    refused(xunkao("run", "--config", tmp_path / "none.toml", package="edge"), "none.toml")


def test_an_unknown_key_is_named(centre: Path, box: Path) -> None:
    for path, command, package in ((centre, "serve", "orchestrator"), (box, "run", "edge")):
        path.write_text(f"colour = 1\n{path.read_text()}")
        refused(xunkao(command, "--config", path, package=package), "colour", path.name)


def test_a_box_without_enrolment_says_what_to_do(box: Path) -> None:
    refused(xunkao("run", "--config", box, package="edge"), "not enrolled", "xunkao edge invite")


def test_a_code_that_is_none_is_refused(box: Path) -> None:
    told = xunkao(
        "enrol", "--centre", "http://127.0.0.1:1", "--code", "abc", "--config", box, package="edge"
    )
    refused(told, "XK1:box")


def test_a_centre_that_is_not_there_is_named(box: Path) -> None:
    code = f"XK1:box-1:{'0' * 32}:{'0' * 32}"
    told = xunkao(
        "enrol", "--centre", "http://127.0.0.1:1", "--code", code, "--config", box, package="edge"
    )
    refused(told, "cannot be reached")
    assert not (box.parent / "data" / "keys" / "centre.json").exists()


def test_a_port_in_use_is_named(centre: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        centre.write_text(centre.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
        refused(xunkao("serve", "--config", centre), str(port), "in use")


def test_a_broker_s_port_in_use_is_named(centre: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        centre.write_text(centre.read_text().replace("port = 0", f"port = {port}"))
        refused(xunkao("serve", "--config", centre), str(port))


def test_the_site_key_is_shown_once_and_sigterm_ends_clean(centre: Path) -> None:
    first, second = _a_start_of(centre), _a_start_of(centre)
    assert "BEGIN PRIVATE KEY" in first
    assert "BEGIN PRIVATE KEY" not in second
    kept = [path for path in (centre.parent / "data").rglob("*") if path.is_file()]
    secret = first.split("-----")[2].strip().encode()
    assert not [path for path in kept if secret in path.read_bytes()]


def _a_start_of(centre: Path) -> str:
    with subprocess.Popen(
        [sys.executable, "-m", "orchestrator", "serve", "--config", str(centre)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout
        said: list[str] = []
        for line in process.stdout:
            said.append(line)
            if "listening on" in line:
                process.send_signal(signal.SIGTERM)
    assert process.returncode == 0, "".join(said)
    return "".join(said)


def test_a_camera_outside_the_configured_networks_is_refused(centre: Path) -> None:
    _a_start_of(centre)
    assert xunkao("room", "add", "A101", "A101", "--config", centre).returncode == 0
    told = xunkao(
        *("camera", "add", "cam-01", "--room", "A101", "--edge", "box-1"),
        *("--main", "rtsp://10.1.2.3/main", "--sub", "rtsp://10.1.2.3/sub", "--config", centre),
    )
    refused(told, "10.1.2.3")


def test_a_timetable_that_is_none_exits_2(tmp_path: Path) -> None:
    path = tmp_path / "broken.xlsx"
    path.write_bytes(b"\x00\x01" * 500)
    told = xunkao("timetable", "check", path)
    assert told.returncode == 2
    assert "Traceback" not in told.stderr
