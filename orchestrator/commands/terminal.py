"""What commands share: the configuration, the store, and how a refusal is said."""

import getpass
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.config import Config, ConfigError, load
from orchestrator.store import Store, StoreTooNew, StoreUnavailable

ConfigPath = Annotated[Path, typer.Option("--config", help="The centre's configuration.")]
DEFAULT_CONFIG = Path("xunkao.toml")


@contextmanager
def refusals(*kinds: type[Exception]) -> Generator[None]:
    """Say these, and what is wrong with configuration or store, in one line; exit 2."""
    said: tuple[type[Exception], ...] = (
        ConfigError,
        StoreUnavailable,
        StoreTooNew,
        OSError,
        *kinds,
    )
    try:
        yield
    except said as error:
        typer.echo(f"xunkao: {error}", err=True)
        raise typer.Exit(2) from error


@asynccontextmanager
async def opened(path: Path) -> AsyncGenerator[tuple[Config, Store]]:
    """Read the configuration and open its store; both stay right while the centre runs."""
    config = load(path)
    async with Store.open(config.database_url) as store:
        yield config, store


def at_the_machine() -> str:
    """Name who acts, for the ledger: the account of this machine."""
    return f"shell:{getpass.getuser()}"
