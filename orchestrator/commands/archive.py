"""`xunkao archive`: the archive's key, and footage brought back from second copies."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from contract.archive import ArchiveBroken
from contract.clock import SystemClock
from contract.keys import SealKey, to_base64, write_private
from contract.objects import NoSuchObject, Objects, StoreAway
from contract.segmentroot import NotASegment, root_of
from orchestrator.archive import NoCopy, copies_of, open_copy
from orchestrator.commands.terminal import (
    DEFAULT_CONFIG,
    ConfigPath,
    at_the_machine,
    opened,
    refusals,
)
from orchestrator.config import ConfigError, load
from orchestrator.ledger import Act, Ledger

app = typer.Typer(help="Second copies of recordings.", no_args_is_help=True)

KEY_FILE = "archive.key"
PUBLIC_FILE = "archive.pub"


@app.command()
def key(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Print the public archive key for the boxes; at the first call both halves are made."""
    with refusals():
        typer.echo(public_key(load(config).keys))


def public_key(keys: Path) -> str:
    """Give the archive key's public half, base64. The private half may have been taken away."""
    place = keys / PUBLIC_FILE
    if not place.exists():
        made = SealKey.load_or_make(keys / KEY_FILE)
        write_private(place, to_base64(made.public).encode())
    return place.read_text().strip()


@app.command()
def restore(
    segment: Annotated[str, typer.Argument(help="The recording's id.")],
    out: Annotated[Path, typer.Argument(help="Where it is written; must not exist.")],
    reason: Annotated[str, typer.Option(help="Why; for the ledger.")],
    key_file: Annotated[
        Path | None, typer.Option("--key", help="The private archive key, if it is kept elsewhere.")
    ] = None,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Bring a recording back from the archive, proved frame by frame and against its root."""

    async def work() -> str:
        async with opened(config) as (settings, store):
            if settings.archive is None:
                raise ConfigError(f"{config}: there is no [archive]")
            secret = SealKey.load(key_file or settings.keys / KEY_FILE)
            async with store.read() as connection:
                copies = await copies_of(connection, segment)
            if not copies:
                raise NoCopy(f"{segment} has no second copy that was read back")
            act = Act(at_the_machine(), "restore_recording", segment, reason, source="shell")
            await Ledger(store, SystemClock()).record(act)
            copy = await open_copy(Objects.of(settings.archive), copies[0].place, secret)
            with out.open("xb") as file:
                async for piece in copy.read(0, copy.size_bytes):
                    await asyncio.to_thread(file.write, piece)
            return copy.opener.header.root

    with refusals(NoCopy, StoreAway, NoSuchObject, ArchiveBroken, NotASegment, ValueError):
        expected = asyncio.run(work())
        with out.open("rb") as file:
            found = root_of(iter(lambda: file.read(1 << 20), b""))
        if found != expected:
            raise NotASegment(f"its root is {found} instead of {expected}")
    typer.echo(f"{out}: {out.stat().st_size} bytes, root {expected}")
