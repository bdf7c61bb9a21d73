"""A Mosquitto that somebody else runs: TLS by an authority of the house, log-ins of its own."""

import asyncio
import getpass
import ipaddress
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from contract.bus import BrokerAddress
from orchestrator import broker as own
from orchestrator import logins
from orchestrator.config import BrokerConfig
from orchestrator.logins import Guest, Rights
from tests.fakes.broker import free_port

ADMIN, PASSWORD = "xunkao-admin", "a password of the house: 50% @ night/"
ANYTHING = Rights(("#",), ("#",), pattern=True)


class Outside:
    """One such broker; it keeps its log-ins in its file, and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.authority = folder / "ca.crt"
        self._process: asyncio.subprocess.Process | None = None

    @classmethod
    @asynccontextmanager
    async def running(cls, folder: Path) -> AsyncGenerator["Outside"]:
        """One that runs until the end, unless it is killed."""
        folder.mkdir()
        broker = cls(folder)
        broker._write()
        await broker.start()
        try:
            yield broker
        finally:
            if broker._process is not None and broker._process.returncode is None:
                await broker.kill()

    @property
    def config(self) -> BrokerConfig:
        """How the centre is told of it, as the file is read: with the password in its place."""
        url = f"mqtts://{ADMIN}:{'a%20password%20of%20the%20house%3A%2050%25%20%40%20night%2F'}"
        return BrokerConfig(url=f"{url}@127.0.0.1:{self.port}", ca_file=self.authority)

    def address(self, user: str, password: str) -> BrokerAddress:
        """How somebody logs in."""
        authority = self.authority.read_text()
        return BrokerAddress("127.0.0.1", self.port, user, password, authority, True)

    async def start(self) -> None:
        """Start it; returns when it listens."""
        self._process = process = await asyncio.create_subprocess_exec(
            "setpriv",
            "--pdeathsig",
            "KILL",
            own._program(),
            "-c",
            str(self.folder / "mosquitto.conf"),
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr is not None
        while not (line := await process.stderr.readline()).strip().endswith(b" running"):
            assert line, "the outside broker did not start"

    async def kill(self) -> None:
        """End it as a power cut does."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        await self._process.communicate()

    async def restart(self) -> None:
        """Kill it and start it again: what it retained is gone."""
        await self.kill()
        await self.start()

    def _write(self) -> None:
        _certificates(self.folder)
        document: dict[str, Any] = logins.document("", "", [])
        house = Guest("house-app", ANYTHING, PASSWORD)
        admin = Guest(ADMIN, logins._ADMIN, PASSWORD)
        left = Guest("phone.left", ANYTHING, PASSWORD)
        whole: dict[str, Any] = logins.document("", "", [house, admin, left])
        for kind in ("clients", "roles"):
            named = len(document[kind])  # our own broker's admin and centre are not here
            whole[kind] = whole[kind][named:]
        whole["defaultACLAccess"] = dict.fromkeys(whole["defaultACLAccess"], True)  # a careless one
        (self.folder / "dynsec.json").write_bytes(msgspec.json.encode(whole))
        (self.folder / "mosquitto.conf").write_text(
            "allow_anonymous false\n"
            f"plugin {own._plugin()}\n"
            f"plugin_opt_config_file {self.folder / 'dynsec.json'}\n"
            "log_dest stderr\nlog_timestamp false\n"
            f"user {getpass.getuser()}\n"
            f"listener {self.port} 127.0.0.1\n"
            f"certfile {self.folder / 'broker.crt'}\n"
            f"keyfile {self.folder / 'broker.key'}\n"
        )


def _certificates(folder: Path) -> None:
    """Make an authority, and a certificate for 127.0.0.1."""
    authority, broker = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    names = [
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        for name in ("authority of the house", "broker of the house")
    ]
    now = datetime.now(UTC)

    def certificate(subject: x509.Name, key: ec.EllipticCurvePrivateKey, is_ca: bool) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(names[0])
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
                critical=False,
            )
        )
        return builder.sign(authority, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    (folder / "ca.crt").write_bytes(certificate(names[0], authority, True))
    (folder / "broker.crt").write_bytes(certificate(names[1], broker, False))
    (folder / "broker.key").write_bytes(
        broker.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
