"""A PostgreSQL cluster of the tests' own, on a Unix socket."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

_NUMBERS = count(1)
_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses=")


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running server; it is reached through the socket in `folder` alone."""

    folder: Path
    bin: Path
    stop: Callable[[], None]
    """Stop the server at once; its clients are cut."""

    def url(self, database: str) -> str:
        """Give the address of a database as `Store.open` takes it."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def new_database(self) -> str:
        """Make an empty database; gives its address."""
        name = f"test_{next(_NUMBERS)}"
        self.run("createdb", name)
        return self.url(name)

    def run(self, program: str, *arguments: str) -> str:
        """Run one of PostgreSQL's programs on the cluster; gives what it says."""
        done = subprocess.run(
            [self.bin / program, "-h", self.folder, "-U", "postgres", *arguments],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout


@contextmanager
def postgresql() -> Generator[Cluster]:
    """Make and run a cluster while the block lasts; it dies with this process, too."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name))
    assert found, "PostgreSQL is missing: apt-get install postgresql"
    programs = found[-1]
    folder = Path(tempfile.mkdtemp(prefix="xunkao-pg-"))
    try:
        as_owner = _as_owner(folder)
        _run([*as_owner, programs / "initdb", *_initdb(folder)])
        settings = [argument for setting in _QUICK for argument in ("-c", setting)]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [*as_owner, programs / "postgres", "-D", folder / "data", "-k", folder, *settings],
                stdout=log,
                stderr=log,
                cwd=folder,
            )
        try:
            cluster = Cluster(folder, programs, partial(_stop, server))
            _wait_until_ready(cluster, server)
            yield cluster
        finally:
            _stop(server)
    finally:
        shutil.rmtree(folder)


def _stop(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is None:
        server.send_signal(signal.SIGINT)  # fast shutdown: clients are cut
        server.wait(30)


def _as_owner(folder: Path) -> list[str | Path]:
    """PostgreSQL refuses to run as root: give the folder and the process to another user."""
    if os.geteuid() != 0:
        return ["setpriv", "--pdeathsig", "INT"]
    names = {entry.pw_name for entry in pwd.getpwall()}
    owner = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    ids = ["--reuid", str(owner.pw_uid), "--regid", str(owner.pw_gid), "--clear-groups"]
    return ["setpriv", *ids, "--pdeathsig", "INT"]


def _initdb(folder: Path) -> list[str | Path]:
    plain = ["--no-sync", "--no-instructions", "--encoding=UTF8", "--locale=C", "--auth=trust"]
    return ["-D", folder / "data", "-U", "postgres", *plain]


def _run(command: Sequence[str | Path]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stderr


def _wait_until_ready(cluster: Cluster, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    probe: list[str | Path] = [cluster.bin / "pg_isready", "-q", "-h", cluster.folder]
    while subprocess.run(probe, check=False).returncode != 0:
        assert server.poll() is None, (cluster.folder / "log").read_text()
        assert time.monotonic() < deadline, "PostgreSQL did not come up within 30 s"
        time.sleep(0.05)
