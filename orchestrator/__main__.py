"""The centre's command line: builds the real objects and hands them to one another."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer

from contract.clock import SystemClock
from contract.running import causes, until_told
from orchestrator import config as configuration
from orchestrator.broker import BrokerFailed
from orchestrator.centre import Centre
from orchestrator.commands import (
    archive,
    coverage,
    edges,
    epoch,
    evidence,
    forecast,
    ledger,
    retention,
    site,
    timetable,
    users,
)
from orchestrator.config import Config, ConfigError
from orchestrator.demo import DemoFailed, Options
from orchestrator.demo import run as run_demo
from orchestrator.keyring import KeysDamaged
from orchestrator.store import StoreUnavailable
from web.app import create_app
from web.serving import PortInUse
from web.serving import serve as serve_app

app = typer.Typer(
    help="Xunkao (巡考): watches over a university's exams.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
EXPECTED = (PortInUse, BrokerFailed, KeysDamaged, StoreUnavailable, DemoFailed, ConfigError)
"""Failures that somebody at the terminal can mend; their messages say how."""


def _fail(message: object, code: int = 2) -> typer.Exit:
    typer.echo(f"xunkao: {message}", err=True)
    return typer.Exit(code)


def _log(level: str) -> None:
    logging.basicConfig(
        level=os.environ.get("XUNKAO_LOG", level),
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    logging.getLogger("alembic").setLevel("WARNING")


def _run(work: Callable[[], Awaitable[None]]) -> None:
    try:
        asyncio.run(until_told(work))
    except EXPECTED as error:
        raise _fail(error, 1) from error
    except ExceptionGroup as group:
        if not all(isinstance(cause, EXPECTED) for cause in causes(group)):
            raise
        raise _fail(causes(group)[0], 1) from group


@asynccontextmanager
async def _pages(centre: Centre, config: Config) -> AsyncIterator[int]:
    host, port = config.address
    async with serve_app(create_app(centre), host, port) as actual:
        yield actual


async def _serve(config: Config) -> None:
    async with Centre.open(config, SystemClock()) as centre, _pages(centre, config) as port:
        if centre.set_up_secret:
            typer.echo(
                "The site's offline key, shown this once. Print it, seal it, keep it in the safe;\n"
                "without it a restored centre cannot take its boxes over.\n"
                f"场所离线密钥，仅显示这一次，请打印密封保管：\n\n{centre.set_up_secret}"
            )
        typer.echo(f"listening on http://{config.address[0]}:{port}")
        await centre.run()


@app.command()
def serve(
    config: Annotated[Path, typer.Option(help="The centre's configuration.")] = Path("xunkao.toml"),
) -> None:
    """Run the centre: planning, catalogue, access, the broker and the pages."""
    try:
        settings = configuration.load(config)
    except ConfigError as error:
        raise _fail(error) from error
    _log("INFO")
    _run(lambda: _serve(settings))


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="The console's port on 127.0.0.1.")] = 8080,
    rooms: Annotated[int, typer.Option(min=1, max=36, help="How many exam rooms.")] = 9,
    data: Annotated[
        Path | None, typer.Option(help="Keep everything here; else it is gone afterwards.")
    ] = None,
    ready_file: Annotated[
        Path | None, typer.Option(help="Written (0600) when all is up: addresses and accounts.")
    ] = None,
    calm: Annotated[
        bool, typer.Option("--calm", help="Let nothing happen: no camera is covered or cut.")
    ] = False,
) -> None:
    """Run everything on this machine: broker, centre, two boxes, cameras, an exam now."""
    _log("ERROR")
    _run(lambda: run_demo(Options(port, rooms, data, ready_file, calm), _pages))


app.add_typer(coverage.app, name="coverage")
app.command()(forecast.forecast)
app.add_typer(archive.app, name="archive")
app.add_typer(edges.app, name="edge")
app.add_typer(epoch.app, name="epoch")
app.add_typer(evidence.app, name="evidence")
app.add_typer(ledger.app, name="ledger")
app.add_typer(retention.app, name="retention")
app.add_typer(timetable.app, name="timetable")
app.add_typer(users.app, name="user")
for name, group in (("room", site.room_app), ("camera", site.camera_app)):
    app.add_typer(group, name=name)


def main() -> None:
    """Enter here."""
    app()


if __name__ == "__main__":
    main()
