"""The archive's store: an S3-compatible bucket or a mounted path. Only here is obstore spoken."""

from collections.abc import AsyncGenerator, AsyncIterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import msgspec
import obstore
from msgspec import Meta, Struct
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, S3Store

MARK = "xunkao-archive"
"""A file of this name must stand in a mounted archive: else the mount may be missing."""
_PART_BYTES = 8 << 20
_CHUNK_BYTES = 1 << 20
_LISTED_AT_ONCE = 500
_PATIENCE = timedelta(seconds=20)

if TYPE_CHECKING:
    from obstore.store import S3Config


class StoreAway(Exception):
    """The archive cannot be reached, or does not let us; it is to be tried again."""


class NoSuchObject(Exception):
    """The archive has nothing under this name."""


class Credential(Struct, frozen=True, forbid_unknown_fields=True):
    """The content of a credential file (TOML)."""

    access_key_id: str
    secret_access_key: str


class ArchivePlace(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the archive is: the keys that `[archive]` has on both sides."""

    url: Annotated[str, Meta(pattern=r"^(s3://[^/]+|file:///)")]
    """`s3://bucket/prefix`, or `file:///mounted/path`."""
    endpoint: str = ""
    """Address of an S3-compatible store; empty: that of the region."""
    region: str = "us-east-1"
    credential_file: Path | None = None
    """TOML with `access_key_id` and `secret_access_key`; without it the environment is asked."""


class Objects:
    """Objects by name. All but reading and writing fails for who has no right to it."""

    def __init__(self, store: S3Store | LocalStore, root: Path | None) -> None:
        self._store = store
        self._root = root

    @classmethod
    def of(cls, place: ArchivePlace) -> "Objects":
        """Make the store's client; nothing is asked yet. Raises StoreAway without a credential."""
        parts = urlsplit(place.url)
        if parts.scheme == "file":
            root = Path(parts.path)
            return cls(LocalStore(root), root) if root.is_dir() else cls(LocalStore("/"), root)
        secret = read_credential(place.credential_file)
        config: S3Config = {"region": place.region}
        if place.endpoint:
            config["endpoint"] = place.endpoint
        if secret is not None:
            config["access_key_id"] = secret.access_key_id
            config["secret_access_key"] = secret.secret_access_key
        store = S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            config=config,
            client_options={
                "allow_http": place.endpoint.startswith("http://"),
                "timeout": _PATIENCE * 15,
                "connect_timeout": _PATIENCE,
            },
            retry_config={"max_retries": 2, "retry_timeout": _PATIENCE},
        )
        return cls(store, None)

    async def put(self, name: str, body: AsyncIterable[bytes] | Path | bytes) -> None:
        """Write an object, whole or not at all; in parts where it is large. Raises StoreAway."""
        self._look_whether_mounted()
        with _translated(name):
            await obstore.put_async(
                self._store, name, body, chunk_size=_PART_BYTES, max_concurrency=1
            )

    async def size(self, name: str) -> int | None:
        """Give how long an object is; None: there is none. Raises StoreAway."""
        self._look_whether_mounted()
        try:
            with _translated(name):
                return int((await obstore.head_async(self._store, name))["size"])
        except NoSuchObject:
            return None

    async def read(self, name: str) -> AsyncGenerator[bytes]:
        """Give an object's bytes as they come. Raises StoreAway or NoSuchObject."""
        self._look_whether_mounted()
        with _translated(name):
            found = await obstore.get_async(self._store, name)
            async for chunk in found.stream(_CHUNK_BYTES):
                yield bytes(chunk)

    async def part(self, name: str, start: int, end: int) -> bytes:
        """Give a part of an object. Raises StoreAway or NoSuchObject."""
        self._look_whether_mounted()
        with _translated(name):
            return bytes(await obstore.get_range_async(self._store, name, start=start, end=end))

    async def delete(self, name: str) -> None:
        """Remove an object; one that is not there is removed. Raises StoreAway."""
        self._look_whether_mounted()
        try:
            with _translated(name):
                await obstore.delete_async(self._store, name)
        except NoSuchObject:
            return

    async def names(self) -> AsyncGenerator[list[str]]:
        """Give the names of all objects, some at a time. Raises StoreAway."""
        self._look_whether_mounted()
        with _translated("the list of objects"):
            async for some in obstore.list(self._store, chunk_size=_LISTED_AT_ONCE):
                yield [meta["path"] for meta in some]

    def _look_whether_mounted(self) -> None:
        if self._root is None:
            return
        if not (self._root / MARK).exists():
            raise StoreAway(f"{self._root} has no file {MARK}: is the archive mounted?")
        if isinstance(self._store, LocalStore) and self._store.prefix != self._root:
            self._store = LocalStore(self._root)


def read_credential(path: Path | None) -> Credential | None:
    """Read a credential file; raises StoreAway naming it."""
    if path is None:
        return None
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Credential)
    except (OSError, msgspec.MsgspecError) as error:
        raise StoreAway(f"{path}: {error}") from error


@contextmanager
def _translated(name: str) -> Iterator[None]:
    """Say what the store says in our words."""
    try:
        yield
    except (NotFoundError, FileNotFoundError) as error:
        raise NoSuchObject(name) from error
    except (BaseError, OSError) as error:
        raise StoreAway(f"{name}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
