"""The box's configuration: one TOML file, read once, unknown keys refused."""

import ipaddress
from pathlib import Path

import msgspec
from msgspec import Struct

from contract.messages import Id


class ConfigError(Exception):
    """The configuration file cannot be used; the message names the key."""


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
    segment_seconds: int = 60
    """Length of a recorded file."""
    minimum_free_bytes: int = 2_000_000_000
    """Below this the box says that its disk is filling up."""

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
    except (OSError, msgspec.MsgspecError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error
    if not config.data.is_absolute():
        config = msgspec.structs.replace(config, data=(path.parent / config.data).resolve())
    return config


def _path(kind: type, value: object) -> Path:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise ValueError(f"expected {kind.__name__.lower()}, written as text")
