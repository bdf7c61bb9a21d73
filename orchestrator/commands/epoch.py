"""`xunkao epoch`: taking the boxes over again after a restore, with the site's offline key."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import func, select

from contract.clock import SystemClock
from orchestrator.commands.terminal import (
    DEFAULT_CONFIG,
    ConfigPath,
    at_the_machine,
    opened,
    refusals,
)
from orchestrator.keyring import Keyring, KeysDamaged, WrongSiteKey
from orchestrator.ledger import Act, Ledger
from orchestrator.store.tables import edge_states

app = typer.Typer(help="Epochs: who may plan for the boxes.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Epochs: who may plan for the boxes."""


@app.command("new")
def new(
    site_key: Annotated[
        Path, typer.Option(help="The site's offline key (PEM), shown once at the first set-up.")
    ],
    above: Annotated[int, typer.Option(help="An epoch some box is known to have seen.")] = 0,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Open the next epoch, after the database was restored or begun anew.

    A centre that runs takes it up within seconds. It can add and extend recordings on the boxes,
    but not remove any that is under way.
    """

    async def work() -> int:
        clock = SystemClock()
        async with opened(config) as (settings, store):
            keyring = Keyring.open(settings.keys, clock.now(), may_set_up=False)
            async with store.read() as connection:
                seen = await connection.scalar(select(func.max(edge_states.c.epoch)))
            ledger, secret = Ledger(store, clock), site_key.read_text()
            act = Act(at_the_machine(), "open_epoch", f"after {keyring.grant().epoch}")
            try:
                keyring.check_site_key(secret)
            except WrongSiteKey:
                await ledger.record(replace(act, result="wrong_site_key"))
                raise
            await ledger.record(act)
            return keyring.new_epoch(secret, clock.now(), max(above, seen or 0))

    with refusals(KeysDamaged, WrongSiteKey):
        number = asyncio.run(work())
    typer.echo(f"epoch {number} is open")
