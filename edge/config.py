"""The box's configuration: one TOML file, read once, unknown keys refused."""

import base64
import ipaddress
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from contract.messages import Id
from contract.objects import ArchivePlace


class ConfigError(Exception):
    """The configuration file cannot be used; the message names the key."""


class ArchiveConfig(ArchivePlace, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An archive, and to whose key second copies are encrypted."""

    name: Id = "archive"
    """What the archive is called in facts and certificates."""
    public_key: str
    """The site's archive key, base64, as `xunkao archive key` prints it."""
    bytes_per_s: Annotated[int, Meta(ge=100_000)] = 4_000_000
    """So much is read from disk and sent, or read back, at most."""

    @property
    def public(self) -> bytes:
        """The 32 bytes of the archive key."""
        key = base64.b64decode(self.public_key, validate=True)
        if len(key) != 32:
            raise ValueError("archive.public_key: not an archive key")
        return key


class EdgeConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All that a box is told; the rest it learns by enrolment."""

    edge: Id
    """The box's id, as invited."""
    data: Path
    """Folder of journal, shelf and keys; on the recording volume."""
    listen: str = "0.0.0.0:8443"
    """Where the centre reaches this box, `host:port`, mutual TLS."""
    url: str
    """The same as the centre sees it, `https://host:port`."""
    media_addresses: tuple[str, ...] = ()
    """IP addresses offered to browsers for pictures; empty: those of all interfaces."""
    camera_subnets: tuple[str, ...] = ()
    """Networks in which cameras may be, CIDR; a camera outside is never contacted."""
    segment_seconds: Annotated[int, Meta(ge=2, le=600)] = 60
    """Length of a recorded file."""
    minimum_free_bytes: Annotated[int, Meta(ge=0)] = 2_000_000_000
    """Below this the box says that its disk is filling up; at its half it gives up sub-streams."""
    archive: ArchiveConfig | None = None
    """Where second copies go; without it none are made."""

    @property
    def keys(self) -> Path:
        """Folder of the keys."""
        return self.data / "keys"

    @property
    def run(self) -> Path:
        """Folder of sockets and of what lives only while the box runs."""
        return self.data / "run"

    @property
    def shelf(self) -> Path:
        """Folder of the recordings."""
        return self.data / "shelf"

    @property
    def outgoing(self) -> Path:
        """Folder of encrypted objects on their way to the archive."""
        return self.data / "archive"

    @property
    def journal(self) -> Path:
        """The journal's SQLite file."""
        return self.data / "journal.sqlite"

    @property
    def orders(self) -> Path:
        """The orders in force."""
        return self.data / "orders.json"

    @property
    def holds(self) -> Path:
        """The holds in force."""
        return self.data / "holds.json"

    @property
    def address(self) -> tuple[str, int]:
        """`listen` as host and port."""
        host, _, port = self.listen.rpartition(":")
        return host, int(port)

    def may_contact(self, host: str) -> bool:
        """True when a camera at this literal IP address lies inside `camera_subnets`."""
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return any(address in ipaddress.ip_network(net) for net in self.camera_subnets)


def load(path: Path) -> EdgeConfig:
    """Read the file; raises ConfigError that names file and key."""
    try:
        config = msgspec.toml.decode(path.read_bytes(), type=EdgeConfig, dec_hook=_path)
        for net in config.camera_subnets:
            ipaddress.ip_network(net)
        _ = config.address
        if config.archive is not None:
            _ = config.archive.public
    except (OSError, msgspec.MsgspecError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error
    return _complete(config, path.parent)


def _complete(config: EdgeConfig, folder: Path) -> EdgeConfig:
    """Let relative paths begin at the file's folder."""
    archive = config.archive
    if archive is not None and archive.credential_file is not None:
        archive = msgspec.structs.replace(
            archive, credential_file=(folder / archive.credential_file).resolve()
        )
    data = config.data if config.data.is_absolute() else (folder / config.data).resolve()
    return msgspec.structs.replace(config, data=data, archive=archive)


def _path(kind: type, value: object) -> Path:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise ValueError(f"expected {kind.__name__.lower()}, written as text")
