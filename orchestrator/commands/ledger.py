"""`xunkao ledger`: is the chain whole?"""

import asyncio

import typer

from contract.clock import SystemClock
from orchestrator.commands.terminal import DEFAULT_CONFIG, ConfigPath, opened, refusals
from orchestrator.ledger import BrokenLink, Ledger

app = typer.Typer(help="The ledger of every act and look.", no_args_is_help=True)


@app.callback()
def ledger() -> None:
    """Keep `verify` a command of its own: typer would else drop the name of a single one."""


@app.command("verify")
def verify(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Walk the whole chain; exit 1 names the first broken row."""

    async def work() -> BrokenLink | int:
        async with opened(config) as (_, store):
            book = Ledger(store, SystemClock())
            return await book.verify() or await book.length()

    with refusals():
        outcome = asyncio.run(work())
    if isinstance(outcome, BrokenLink):
        typer.echo(f"row {outcome.id}: {outcome.why}", err=True)
        raise typer.Exit(1)
    typer.echo(f"{outcome} rows, whole")
