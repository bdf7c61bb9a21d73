"""An S3 server on loopback, a mounted path, and a box with footage to be copied."""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from moto.server import ThreadedMotoServer
from obstore.store import LocalStore, S3Store

from contract.keys import SealKey, to_base64
from contract.merkle import Merkle
from contract.messages import Archived, SegmentClosed
from contract.objects import MARK
from edge.config import ArchiveConfig, EdgeConfig
from edge.journal import Journal

BUCKET = "xunkao"
NINE = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


@contextmanager
def running_s3() -> Iterator[str]:
    """Run a server with an empty bucket; gives its address."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    try:
        make_bucket(address)
        yield address
    finally:
        server.stop()


def make_bucket(address: str) -> None:
    """Make the bucket, empty."""
    import urllib.request

    for path, method in (("/moto-api/reset", "POST"), (f"/{BUCKET}", "PUT")):
        request = urllib.request.Request(address + path, method=method)
        urllib.request.urlopen(request, timeout=20).read()


def s3(address: str) -> S3Store:
    """Look into the bucket, with every right."""
    return S3Store(
        BUCKET,
        prefix="exams",
        endpoint=address,
        region="us-east-1",
        access_key_id="k",
        secret_access_key="s",
        client_options={"allow_http": True},
    )


def s3_archive(folder: Path, address: str, key: SealKey, bytes_per_s: int) -> ArchiveConfig:
    """Give the configuration of a box that copies there."""
    secret = folder / "archive-credential.toml"
    secret.write_text('access_key_id = "k"\nsecret_access_key = "s"\n')
    return ArchiveConfig(
        url=f"s3://{BUCKET}/exams",
        endpoint=address,
        credential_file=secret,
        public_key=to_base64(key.public),
        bytes_per_s=bytes_per_s,
    )


def mounted(folder: Path, key: SealKey, bytes_per_s: int) -> tuple[ArchiveConfig, LocalStore]:
    """Make an archive of a folder that is marked as one."""
    folder.mkdir()
    (folder / MARK).touch()
    config = ArchiveConfig(
        url=f"file://{folder}", public_key=to_base64(key.public), bytes_per_s=bytes_per_s
    )
    return config, LocalStore(folder)


def box_of(folder: Path, archive: ArchiveConfig) -> tuple[EdgeConfig, Path]:
    """Give a box's configuration, and its file."""
    config = EdgeConfig(
        edge="box-1", data=folder / "box", url="https://127.0.0.1:1", archive=archive
    )
    config.run.mkdir(parents=True)
    told = msgspec.to_builtins(archive, enc_hook=str)
    lines = ['edge = "box-1"', f'data = "{config.data}"', f'url = "{config.url}"', "[archive]"]
    lines += [
        f"{key} = {msgspec.json.encode(value).decode()}" for key, value in told.items() if value
    ]
    path = folder / "edge.toml"
    path.write_text("\n".join(lines))
    return config, path


def footage(size: int, seed: int) -> tuple[bytes, str, int]:
    """Make bytes that have a segment's form; gives them with root and number of fragments."""
    parts = [_box(b"ftyp", b"iso6") + _box(b"moov", bytes([seed % 256]) * 40)]
    piece = 50_000
    for at in range(0, size, piece):
        body = os.urandom(min(piece, size - at))
        parts.append(_box(b"moof", struct.pack("!I", at)) + _box(b"mdat", body))
    merkle = Merkle()
    for part in parts:
        merkle.add(part)
    return b"".join(parts), merkle.root().hex(), len(parts) - 1


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack("!I4s", 8 + len(body), kind) + body


async def shelve(
    config: EdgeConfig,
    count: int,
    size: int = 120_000,
    camera: str = "cam-01",
    *,
    changed: int | None = None,
    gone: int | None = None,
) -> list[SegmentClosed]:
    """Put sealed segments of a minute each on the shelf and into the journal.

    The file of one may be another than what was sealed, that of one may be missing.
    """
    made = []
    async with Journal.open(config.journal) as journal:
        for number in range(count):
            start = NINE + timedelta(minutes=number)
            body, root, fragments = footage(size, number)
            name = f"{start:%Y%m%dT%H%M%S}000"
            path = f"shelf/{camera}/{start:%Y-%m-%d}/{name}.mp4"
            place = config.data / path
            place.parent.mkdir(parents=True, exist_ok=True)
            if number != gone:
                last = body[-1] ^ 1 if number == changed else body[-1]
                place.write_bytes(body[:-1] + bytes([last]))
                place.chmod(0o440)
            segment = SegmentClosed(
                segment=f"{camera}.main.{name}",
                camera=camera,
                stream="main",
                start=start,
                end=start + timedelta(minutes=1),
                bytes=len(body),
                path=path,
                root=root,
                previous="",
                fragments=fragments,
                clock="trusted",
            )
            made.append(await journal.add_segment(segment, start))
    return made


async def told_copies(config: EdgeConfig) -> list[Archived]:
    """Read which copies the box tells of."""
    async with Journal.open(config.journal) as journal:
        rows = await journal.facts_after(0, 10_000)
    return [msgspec.json.decode(row[4], type=Archived) for row in rows if row[2] == "archived"]
