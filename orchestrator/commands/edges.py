"""`xunkao edge`: boxes, from the machine that runs the centre."""

import asyncio
import sys
from typing import Annotated

import typer

from contract.clock import SystemClock
from orchestrator.commands.terminal import (
    DEFAULT_CONFIG,
    ConfigPath,
    at_the_machine,
    opened,
    refusals,
)
from orchestrator.config import Config
from orchestrator.enrolment import (
    BrokerDoor,
    EdgeRow,
    Enrolment,
    EnrolRefused,
    Invitation,
    LeftToTheCentre,
)
from orchestrator.events import Events
from orchestrator.keyring import Keyring, KeysDamaged
from orchestrator.store import Store

app = typer.Typer(help="Boxes beside the cameras.", no_args_is_help=True)

NO_REASON = "revoked at the command line"
"""What stands in the ledger where nobody said why."""

EdgeId = Annotated[str, typer.Argument(help="The box's id, as in its edge.toml.")]


@app.command("invite")
def invite(edge: EdgeId, config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Make a code with which the box may join: for 15 minutes, once."""

    async def work() -> Invitation:
        async with opened(config) as (settings, store):
            return await _enrolment(settings, store).invite(edge, at_the_machine())

    with refusals(EnrolRefused, KeysDamaged):
        made = asyncio.run(work())
    typer.echo(made.code)
    until = made.expires_at.astimezone()
    typer.echo(
        f"on the box, until {until:%H:%M}: xunkao-edge enrol --centre URL --code …", err=True
    )


@app.command("revoke")
def revoke(
    edge: EdgeId,
    reason: Annotated[
        str, typer.Option(help="Why; it stands in the ledger. Asked for at a terminal.")
    ] = "",
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Refuse a box everywhere; a centre that runs throws it out within seconds."""
    why = reason.strip() or _ask_why()

    async def work() -> None:
        async with opened(config) as (settings, store):
            await _enrolment(settings, store).revoke(edge, at_the_machine(), why)

    with refusals(EnrolRefused, KeysDamaged):
        asyncio.run(work())
    typer.echo(f"{edge} is revoked")


@app.command("list")
def list_edges(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Show all boxes: id, whether they are in, where they are."""

    async def work() -> list[EdgeRow]:
        async with opened(config) as (settings, store):
            return await _enrolment(settings, store).edges()

    with refusals(KeysDamaged):
        found = asyncio.run(work())
    for edge in found:
        typer.echo(f"{edge.id}\t{_state(edge)}\t{edge.url or '-'}")


def _ask_why() -> str:
    return str(typer.prompt("Why", default=NO_REASON)) if sys.stdin.isatty() else NO_REASON


def _state(edge: EdgeRow) -> str:
    if edge.revoked_at is not None:
        return "revoked"
    return "enrolled" if edge.enrolled_at is not None else "named"


def _enrolment(config: Config, store: Store) -> Enrolment:
    clock = SystemClock()
    keyring = Keyring.open(config.keys, clock.now(), may_set_up=False)
    door = BrokerDoor("", 0)
    return Enrolment(store, keyring, Events(clock), clock, LeftToTheCentre(), door)
