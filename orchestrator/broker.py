"""The broker: a Mosquitto of the centre's own, watched, with a log-in for each box and phone."""

import asyncio
import getpass
import logging
import shutil
import socket
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from contract.bus import BrokerAddress
from contract.clock import Clock
from contract.keys import write_private
from contract.retry import keep
from orchestrator import logins
from orchestrator.guestbook import GuestBook
from orchestrator.logins import Guest

log = logging.getLogger(__name__)

_PLUGINS = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/opt/homebrew/lib")
_START_WITHIN_S = 10
_ITS_OWN = frozenset({logins.ADMIN, logins.CENTRE})


class BrokerFailed(Exception):
    """The broker cannot be run; the message says what to do."""


class BrokerLost(Exception):
    """The broker's process ended on its own."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A further door for boxes on other machines, by TLS."""

    host: str
    port: int
    certificate: Path
    key: Path


class Broker:
    """A running Mosquitto that comes back by itself. `run` watches it."""

    def __init__(
        self,
        folder: Path,
        port: int,
        clock: Clock,
        guests: Iterable[Guest],
        listener: Listener | None,
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._listener = listener
        self._admin, centre = logins.new_password(), logins.new_password()
        self.port = port
        self.address = BrokerAddress("127.0.0.1", port, logins.CENTRE, centre)
        """Where the centre itself logs in."""
        admin = BrokerAddress("127.0.0.1", port, logins.ADMIN, self._admin)
        self.book = GuestBook(admin, clock, guests, lambda user: user not in _ITS_OWN)
        """Who else may log in."""
        self._process: asyncio.subprocess.Process | None = None

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        folder: Path,
        port: int,
        clock: Clock,
        guests: Iterable[Guest],
        listener: Listener | None = None,
    ) -> AsyncGenerator["Broker"]:
        """Start it with the log-ins of `guests`; stop it at the end.

        Raises BrokerFailed: no Mosquitto, no plugin, port in use.
        """
        broker = cls(folder, port, clock, guests, listener)
        for used in (("127.0.0.1", port), *([(listener.host, listener.port)] if listener else [])):
            _check_free(*used)
        await broker._start()
        try:
            yield broker
        finally:
            await broker._stop()

    @property
    def pid(self) -> int | None:
        """The process now, while there is one."""
        process = self._process
        return process.pid if process and process.returncode is None else None

    async def run(self) -> None:
        """Watch the process, start it again when it ends, and keep its log-ins, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(
                keep(
                    "broker process",
                    self._watch,
                    on=(BrokerLost, BrokerFailed),
                    clock=self._clock,
                    log=log,
                    first=0.2,
                    longest=2.0,
                ),
                name="broker process",
            )
            group.create_task(self.book.run(), name="broker log-ins")

    # ------------------------------------------------------------ the process

    async def _start(self) -> None:
        """Write its files and start it; returns when it listens."""
        program, plugin = _program(), _plugin()
        self._folder.mkdir(parents=True, exist_ok=True)
        people = self._folder / "dynsec.json"
        write_private(
            people,
            msgspec.json.encode(
                logins.document(self._admin, self.address.password, self.book.guests),
                order="sorted",
            ),
        )
        settings = self._folder / "mosquitto.conf"
        settings.write_text(_settings(self.port, plugin, people, self._listener))
        # the kernel ends the broker with us, however we end
        self._process = process = await asyncio.create_subprocess_exec(
            "setpriv",
            "--pdeathsig",
            "KILL",
            program,
            "-c",
            str(settings),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        said: list[str] = []
        try:
            async with asyncio.timeout(_START_WITHIN_S):
                while line := await _line(process):
                    said.append(line)
                    if line.endswith(" running"):
                        return
        except TimeoutError:
            process.kill()
        await process.wait()
        raise BrokerFailed("mosquitto did not start: " + "; ".join(said[-3:]))

    async def _watch(self) -> None:
        """Follow the process to its end, then raise BrokerLost."""
        if self.pid is None:
            await self._start()
            log.info("broker is up again")
        process = self._process
        assert process is not None
        while line := await _line(process):
            log.debug("mosquitto: %s", line)
        raise BrokerLost(f"mosquitto ended with {await process.wait()}")

    async def _stop(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _line(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    return (await process.stderr.readline()).decode(errors="replace").rstrip()


def _program() -> str:
    found = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    found = shutil.which("mosquitto") or found
    if not found:
        raise BrokerFailed("mosquitto is missing; install Debian's package: apt install mosquitto")
    if not shutil.which("setpriv"):
        raise BrokerFailed("setpriv is missing; install Debian's package: apt install util-linux")
    return found


def _plugin() -> Path:
    name = "mosquitto_dynamic_security.so"
    for folder in map(Path, _PLUGINS):
        for pattern in (name, f"*/{name}"):
            for found in sorted(folder.glob(pattern)):
                return found
    raise BrokerFailed(f"mosquitto's {name} is missing; it belongs to the package mosquitto")


def _settings(port: int, plugin: Path, people: Path, listener: Listener | None) -> str:
    lines = [
        "per_listener_settings false",
        "allow_anonymous false",
        f"plugin {plugin}",
        f"plugin_opt_config_file {people}",
        "persistence false",
        "set_tcp_nodelay true",
        "max_queued_messages 20000",
        "log_dest stderr",
        "log_timestamp false",
        "connection_messages false",
        f"user {getpass.getuser()}",
        f"listener {port} 127.0.0.1",
    ]
    if listener:
        lines += [
            f"listener {listener.port} {listener.host}",
            f"certfile {listener.certificate}",
            f"keyfile {listener.key}",
        ]
    return "\n".join(lines) + "\n"


def _check_free(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise BrokerFailed(
                f"port {port} on {host} is in use ({error.strerror}); "
                "end the program that holds it, or set another port for the broker"
            ) from error
