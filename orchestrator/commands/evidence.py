"""`xunkao evidence`: making packages that leave the house, and checking them."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from contract.clock import SystemClock
from contract.keys import to_base64
from contract.spans import Span
from orchestrator.access import Role
from orchestrator.accounts import Person
from orchestrator.archive import Archive
from orchestrator.boxes import Boxes, BoxUnreachable
from orchestrator.commands.terminal import (
    DEFAULT_CONFIG,
    ConfigPath,
    at_the_machine,
    opened,
    refusals,
)
from orchestrator.config import load
from orchestrator.copiedfootage import CopiedFootage
from orchestrator.events import Events
from orchestrator.evidence import verifier
from orchestrator.evidence.exports import Asked, Export, Exports
from orchestrator.evidence.maker import Maker
from orchestrator.evidence.plan import EvidenceRefused
from orchestrator.keyring import Keyring, KeysDamaged
from orchestrator.ledger import Ledger

app = typer.Typer(help="Evidence packages: made, and checked.", no_args_is_help=True)

_UNDERTAKING = (
    "This takes footage out of the house: {cameras}, {start} to {end}, about {size:.0f} MB, for "
    "{recipient}.\nThe recipient has signed to keep it secret and to use it for this request alone."
)


@app.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="The package, a .zip file.")],
    key: Annotated[
        str | None, typer.Option(help="The site's evidence key: base64, hex, or a file.")
    ] = None,
) -> None:
    """Check a package. Exit 0: intact and genuine; 1: changed; 2: unreadable; 3: no key given."""
    raise typer.Exit(verifier.check(str(file), key))


@app.command("key")
def show_key(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Print the public key by which recipients know this site's packages."""
    with refusals(KeysDamaged):
        settings = load(config)
        ring = Keyring.open(settings.keys, SystemClock().now(), may_set_up=False)
    typer.echo(to_base64(ring.evidence.public))


@app.command("export")
def export(
    out: Annotated[Path, typer.Argument(help="Where the package is put; must not be there yet.")],
    camera: Annotated[list[str], typer.Option(help="A camera; may be given again.")],
    start: Annotated[str, typer.Option("--from", help="Begin, ISO 8601 with offset.")],
    end: Annotated[str, typer.Option("--to", help="End, ISO 8601 with offset.")],
    reason: Annotated[str, typer.Option(help="Why; stands in ledger and manifest.")],
    request: Annotated[str, typer.Option(help="Number of the application.")],
    recipient: Annotated[str, typer.Option(help="Who gets it; burnt into the copy to look at.")],
    requester: Annotated[str, typer.Option(help="Who applied.")] = "",
    approved_by: Annotated[
        list[str] | None, typer.Option(help="Who agreed; may be given again.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="The undertaking is signed; do not ask.")
    ] = False,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Make a package of the span. Exit 1: refused; the reason stands in the ledger too."""
    with refusals(KeysDamaged, BoxUnreachable):
        if out.exists():
            raise FileExistsError(f"{out} is there already")
        asked = Asked(
            cameras=tuple(camera),
            span=Span(_instant(start), _instant(end)),
            reason=reason,
            request=request,
            recipient=recipient,
            requester=requester,
            approved_by=tuple(approved_by or ()),
            undertaking=True,
        )
        try:
            made = asyncio.run(_export(config, asked, out, yes=yes))
        except EvidenceRefused as refusal:
            typer.echo(f"xunkao: {refusal.code}: {refusal}", err=True)
            raise typer.Exit(1) from refusal
    if made is None:
        typer.echo("nothing was made")
        raise typer.Exit(1)
    typer.echo(f"{out}\nsha256 {made.sha256}\n{made.bytes} bytes")


async def _export(config: Path, asked: Asked, out: Path, *, yes: bool) -> Export | None:
    clock = SystemClock()
    async with opened(config) as (settings, store):
        ring = Keyring.open(settings.keys, clock.now(), may_set_up=False)
        async with Boxes.open(store, ring) as boxes:
            ledger = Ledger(store, clock)
            archive = Archive.of(store, settings.archive, settings.keys)
            copies = None if archive is None else CopiedFootage(archive)
            maker = Maker(
                store, ledger, boxes, ring, clock, settings.site_name, settings.timezone, copies
            )
            exports = Exports(store, ledger, Events(clock), clock, maker, settings.exports)
            person = _person()
            expected = await exports.estimate(person, asked.cameras, asked.span)
            said = _UNDERTAKING.format(
                cameras=", ".join(asked.cameras),
                start=asked.span.start.isoformat(),
                end=asked.span.end.isoformat(),
                size=expected.bytes / 1e6,
                recipient=asked.recipient,
            )
            typer.echo(said)
            if not yes and not await asyncio.to_thread(typer.confirm, "Go on?"):
                return None
            return await exports.hand_out(person, asked, out.resolve())


def _person() -> Person:
    user = at_the_machine()
    return Person(id=user, user=user, name=user, roles=frozenset({Role.exam_office}))


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no instant") from error
    if found.tzinfo is None:
        raise typer.BadParameter(f"{text!r} needs an offset, like +08:00")
    return found.astimezone(UTC)
