"""`xunkao user`: accounts, from the machine that runs the centre."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from contract.clock import SystemClock
from orchestrator.access import Role
from orchestrator.accounts import Account, AccountRefused, Accounts
from orchestrator.commands.terminal import (
    DEFAULT_CONFIG,
    ConfigPath,
    at_the_machine,
    opened,
    refusals,
)

app = typer.Typer(help="Accounts of people.", no_args_is_help=True)

PasswordFile = Annotated[
    Path | None, typer.Option(help="Its first line is the password; else it is asked for.")
]


@app.command("add")
def add(
    user: Annotated[str, typer.Argument(help="What is typed at log-in.")],
    role: Annotated[list[Role], typer.Option(help="May stand several times.")],
    name: Annotated[str, typer.Option(help="The person's name.")] = "",
    password_file: PasswordFile = None,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Make an account."""

    async def work(password: str) -> None:
        async with opened(config) as (_, store):
            accounts = Accounts(store, SystemClock())
            await accounts.add_user(user, name or user, password, role, at_the_machine())

    with refusals(AccountRefused):
        asyncio.run(work(_password(password_file)))


@app.command("list")
def list_accounts(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Show all accounts: user, name, roles."""

    async def work() -> list[Account]:
        async with opened(config) as (_, store):
            return await Accounts(store, SystemClock()).accounts()

    with refusals():
        found = asyncio.run(work())
    for account in found:
        state = "disabled" if account.disabled else ",".join(sorted(account.roles))
        typer.echo(f"{account.user}\t{account.name}\t{state}")


@app.command("password")
def password(
    user: Annotated[str, typer.Argument(help="Whose.")],
    password_file: PasswordFile = None,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Give a new password; unlocks the account and ends its log-ins."""

    async def work(new: str) -> None:
        async with opened(config) as (_, store):
            await Accounts(store, SystemClock()).set_password(user, new, at_the_machine())

    with refusals(AccountRefused):
        asyncio.run(work(_password(password_file)))


@app.command("disable")
def disable(
    user: Annotated[str, typer.Argument(help="Whose account.")],
    reason: Annotated[str, typer.Option(help="Why; stands in the ledger.")],
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """End an account's log-ins and allow no more."""

    async def work() -> None:
        async with opened(config) as (_, store):
            await Accounts(store, SystemClock()).disable(user, at_the_machine(), reason)

    with refusals(AccountRefused):
        asyncio.run(work())


def _password(file: Path | None) -> str:
    if file is not None:
        return file.read_text().partition("\n")[0]
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
