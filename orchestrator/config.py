"""The centre's configuration: one TOML file, read once, unknown keys refused."""

import ipaddress
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, unquote, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Struct

from contract.bus import BrokerAddress
from contract.objects import ArchivePlace, StoreAway, read_credential

DATABASE_PASSWORD = "XUNKAO_DATABASE_PASSWORD"
"""Environment variable that holds the database's password when no file does."""

_Port = Annotated[int, Meta(ge=0, le=65535)]
_Minutes = Annotated[int, Meta(ge=0, le=240)]
_SECRET_LENGTH = 32
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_AtLeastOne = Annotated[int, Meta(ge=1)]


class ConfigError(Exception):
    """The configuration cannot be used; the message names file and key."""


class DatabaseConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the centre keeps what it knows."""

    url: str = ""
    """`postgresql://user@host/name`, without a password; empty: one SQLite file in `data`."""
    password_file: Path | None = None
    """File whose first line is the password; else the environment is asked."""


BROKER_PASSWORD = "XUNKAO_BROKER_PASSWORD"
"""Environment variable that holds an outside broker's password when no file does."""


class BrokerConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The Mosquitto that the centre starts as its child, or one that runs elsewhere."""

    url: str = ""
    """`mqtts://user@host:8883`, without a password: an outside Mosquitto; empty: our own."""
    password_file: Path | None = None
    """File whose first line is the password of the URL's user; else the environment is asked."""
    ca_file: Path | None = None
    """Authorities (PEM) that vouch for the outside broker; else those of the system."""
    asking_secret_file: Path | None = None
    """File whose first line an outside broker shows when it asks us about log-ins, as an EMQX does.

    Without it log-ins are made there, through Mosquitto's dynamic-security plugin.
    """
    host: str = "127.0.0.1"
    """Address it listens at, and under which boxes reach it."""
    port: _Port = 1883
    """Plain TCP; bound to this machine alone when `tls_port` is set."""
    tls_port: _Port | None = None
    """TLS with a certificate that boxes pin; needed as soon as a box is another machine."""

    def asking_secret(self) -> str:
        """Give what an outside broker shows that asks; empty when it is told."""
        if self.asking_secret_file is None:
            return ""
        return self.asking_secret_file.read_text().splitlines()[0]

    def outside(self) -> BrokerAddress | None:
        """Give the outside broker and who may change its log-ins; None when it is our own."""
        if not self.url:
            return None
        parts = urlsplit(self.url)
        is_tls = parts.scheme == "mqtts"
        authorities = self.ca_file.read_text() if self.ca_file else ""
        return BrokerAddress(
            parts.hostname or "",
            parts.port or (8883 if is_tls else 1883),
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            authorities if is_tls else "",
            is_tls,
        )


class SignInConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long log-ins live, and when wrong passwords lock."""

    idle_minutes: _AtLeastOne = 720
    """A log-in unused for so long ends. Twelve hours: a wall runs through a whole exam day."""
    most_failures: _AtLeastOne = 5
    """Wrong passwords in a row that lock an account."""
    lock_minutes: _AtLeastOne = 15
    """How long it stays locked."""


class HoldsConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much footage may be held beyond its term."""

    owner_gigabytes: _AtLeastOne = 500
    """For one applicant or unit."""
    site_gigabytes: _AtLeastOne = 5000
    """For everybody together."""


class Config(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All that a centre is told."""

    data: Path
    """Folder of database, keys and exports."""
    listen: str = "127.0.0.1:8080"
    """Where pages and API are served, `host:port`."""
    public_url: str = ""
    """How people reach it, behind a proxy too; empty: `http://` and `listen`."""
    site_name: str = "巡考"
    """The school's or campus's name, shown on every page."""
    timezone: str = "Asia/Shanghai"
    """Zone in which timetables are written."""
    camera_subnets: tuple[str, ...] = ()
    """Networks in which cameras may be, CIDR; no other camera is accepted."""
    lead_in_minutes: _Minutes = 30
    """Recording begins so long before an exam."""
    lead_out_minutes: _Minutes = 15
    """And ends so long after it."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks of the proxies whose `X-Forwarded-For` is believed, CIDR."""
    database: DatabaseConfig = DatabaseConfig()
    broker: BrokerConfig = BrokerConfig()
    sign_in: SignInConfig = SignInConfig()
    holds: HoldsConfig = HoldsConfig()
    archive: ArchivePlace | None = None
    """Where the boxes' second copies are; its credential may read and delete."""

    @property
    def keys(self) -> Path:
        """Folder of the keys."""
        return self.data / "keys"

    @property
    def exports(self) -> Path:
        """Folder of the evidence packages that wait to be fetched."""
        return self.data / "exports"

    @property
    def address(self) -> tuple[str, int]:
        """`listen` as host and port."""
        return _split(self.listen)

    @property
    def url(self) -> str:
        """How people reach the centre, without a slash at the end."""
        return (self.public_url or f"http://{self.listen}").rstrip("/")

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which timetables are written."""
        return ZoneInfo(self.timezone)

    @property
    def database_url(self) -> str:
        """The database as `Store.open` takes it. May hold a password: never log it."""
        return self.database.url or f"sqlite:///{self.data / 'centre.sqlite'}"


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Read the file; relative paths start at its folder. Raises ConfigError naming the key."""
    try:
        config = msgspec.toml.decode(path.read_bytes(), type=Config, dec_hook=_path)
        _check(config)
        return _complete(config, path.parent.resolve(), environ)
    except (OSError, msgspec.MsgspecError, ValueError, StoreAway) as error:
        raise ConfigError(f"{path}: {error}") from error


def _path(kind: type, value: object) -> Path:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise ValueError(f"expected {kind.__name__.lower()}, written as text")


def _check(config: Config) -> None:
    _named("listen", config.listen, _split)
    _named("timezone", config.timezone, ZoneInfo)
    for network in config.camera_subnets:
        _named("camera_subnets", network, ipaddress.ip_network)
    for network in config.trusted_proxies:
        _named("trusted_proxies", network, ipaddress.ip_network)
    if config.public_url and not config.public_url.startswith(("http://", "https://")):
        raise ValueError(f"public_url: {config.public_url!r} is no http(s) address")
    if config.database.url and not config.database.url.startswith(("sqlite:", "postgresql:")):
        raise ValueError("database.url: only sqlite: and postgresql: are known")
    if urlsplit(config.database.url).password is not None:
        raise ValueError("database.url: the password belongs in a file or the environment")
    if config.broker.url:
        if urlsplit(config.broker.url).password is not None:
            raise ValueError("broker.url: the password belongs in a file or the environment")
        _named("broker.url", config.broker.url, _outside)
        if config.broker.tls_port is not None:
            raise ValueError("broker.tls_port is of the centre's own broker, broker.url of another")


def _complete(config: Config, folder: Path, environ: Mapping[str, str]) -> Config:
    database = config.database
    secret = environ.get(DATABASE_PASSWORD, "")
    if database.password_file is not None:
        secret = (folder / database.password_file).read_text().splitlines()[0]
    if secret and database.url.startswith("postgresql:"):
        database = msgspec.structs.replace(database, url=_with_password(database.url, secret))
    archive = config.archive
    if archive is not None and archive.credential_file is not None:
        archive = msgspec.structs.replace(archive, credential_file=folder / archive.credential_file)
        read_credential(archive.credential_file)
    return msgspec.structs.replace(
        config,
        data=folder / config.data,
        database=database,
        broker=_complete_broker(config.broker, folder, environ),
        archive=archive,
    )


def _complete_broker(
    broker: BrokerConfig, folder: Path, environ: Mapping[str, str]
) -> BrokerConfig:
    if not broker.url:
        if broker.asking_secret_file is not None:
            raise ValueError("broker.asking_secret_file is for an outside broker: broker.url")
        return broker
    secret = environ.get(BROKER_PASSWORD, "")
    if broker.password_file is not None:
        secret = (folder / broker.password_file).read_text().splitlines()[0]
    if not secret:
        raise ValueError(f"broker.url: no password; broker.password_file or {BROKER_PASSWORD}")
    ca_file = broker.ca_file and folder / broker.ca_file
    asking = broker.asking_secret_file and folder / broker.asking_secret_file
    if asking and len(asking.read_text().split("\n")[0]) < _SECRET_LENGTH:
        raise ValueError(f"broker.asking_secret_file: less than {_SECRET_LENGTH} characters")
    broker = msgspec.structs.replace(broker, asking_secret_file=asking)
    whole = msgspec.structs.replace(broker, url=_with_password(broker.url, secret), ca_file=ca_file)
    _named("broker.ca_file", str(ca_file), lambda _: _address_of(whole).tls())
    return whole


def _address_of(broker: BrokerConfig) -> BrokerAddress:
    address = broker.outside()
    assert address is not None
    return address


def _outside(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or not parts.username:
        raise ValueError("not mqtts://user@host:port")
    if parts.path.strip("/") or parts.query or parts.port == 0:
        raise ValueError("not mqtts://user@host:port")
    if parts.scheme == "mqtt" and parts.hostname not in _HERE:
        raise ValueError("mqtt:// without TLS is for a broker on this machine alone")


def _with_password(url: str, password: str) -> str:
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}"))


def _split(listen: str) -> tuple[str, int]:
    host, colon, port = listen.rpartition(":")
    if not colon or not host or not 0 <= int(port) <= 65535:
        raise ValueError("not host:port")
    return host.strip("[]"), int(port)


def _named(key: str, value: str, check: Callable[[str], object]) -> None:
    try:
        check(value)
    except (ValueError, OSError, KeyError) as error:
        raise ValueError(f"{key}: {value!r}: {error}") from error
