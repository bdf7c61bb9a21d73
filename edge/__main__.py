"""The box's command line: builds the real objects and hands them to one another."""

import asyncio
import logging
import os
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from contract.clock import SystemClock
from contract.running import causes, until_told
from edge import config as configuration
from edge.config import ConfigError, EdgeConfig

app = typer.Typer(
    help="Xunkao's edge box: records, shows and looks, beside the cameras.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
shelf = typer.Typer(help="What stands on this box's disk.", no_args_is_help=True)
app.add_typer(shelf, name="shelf")
ConfigOption = Annotated[
    Path, typer.Option("--config", help="The box's configuration.", show_default=True)
]
DEFAULT = Path("edge.toml")


def _fail(message: object, code: int = 2) -> typer.Exit:
    typer.echo(f"xunkao-edge: {message}", err=True)
    return typer.Exit(code)


def _load(path: Path) -> EdgeConfig:
    try:
        return configuration.load(path)
    except ConfigError as error:
        raise _fail(error) from error


def _log() -> None:
    logging.basicConfig(
        level=os.environ.get("XUNKAO_LOG", "INFO"),
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    logging.getLogger("aioice").setLevel("WARNING")
    logging.getLogger("aiohttp.access").setLevel("WARNING")


@app.command()
def run(config: ConfigOption = DEFAULT) -> None:
    """Run the box: recorder, live and eyes, and what connects them to the centre."""
    from edge import agent
    from edge.identity import NotEnrolled

    settings = _load(config)
    _log()
    expected = (NotEnrolled, agent.AlreadyRunning, OSError)
    try:
        asyncio.run(until_told(lambda: agent.run(settings, config, SystemClock())))
    except expected as error:
        raise _fail(error, 1) from error
    except ExceptionGroup as group:
        if not all(isinstance(cause, expected) for cause in causes(group)):
            raise
        raise _fail(causes(group)[0], 1) from group


@app.command()
def enrol(
    centre: Annotated[str, typer.Option(help="The centre's address, as in a browser.")],
    code: Annotated[str, typer.Option(help="The one-time code, XK1:….")],
    config: ConfigOption = DEFAULT,
) -> None:
    """Join a centre with the one-time code it gave."""
    from edge import enrol as joining

    settings = _load(config)
    try:
        asyncio.run(joining.enrol(settings, centre, code))
    except joining.EnrolRefused as error:
        raise _fail(error, 1) from error
    typer.echo(f"box {settings.edge} belongs to {centre} now; start it: xunkao-edge run")


@app.command()
def anchors(
    as_json: Annotated[
        bool, typer.Option("--json", help="One line for `xunkao ledger verify --anchors`.")
    ] = False,
    config: ConfigOption = DEFAULT,
) -> None:
    """Show the heads of the centre's ledger that this box has on record, signed by it."""
    from contract.anchors import witnesses
    from contract.keys import BadSignature
    from edge.anchors import all_anchors
    from edge.identity import NotEnrolled
    from edge.journal import JournalBusy, JournalDamaged

    settings = _load(config)
    try:
        kept = asyncio.run(all_anchors(settings))
        found = witnesses(kept)
    except (NotEnrolled, JournalBusy, OSError) as error:
        raise _fail(error) from error
    except (JournalDamaged, BadSignature) as error:
        raise _fail(error, 1) from error
    if as_json:
        typer.echo(msgspec.json.encode(kept))
        return
    for number, witness in enumerate(found, 1):
        anchor = witness.anchor
        typer.echo(f"{number}\t{anchor.at:%Y-%m-%dT%H:%M:%SZ}\t{anchor.row}\t{anchor.hash}")


@app.command()
def simulate(
    cameras: Annotated[int, typer.Option(min=1, max=500, help="How many cameras.")] = 9,
    port: Annotated[int, typer.Option(help="RTSP port; 0 takes a free one.")] = 8554,
    control: Annotated[int, typer.Option(help="Port for faults; 0 takes a free one.")] = 8555,
    cache: Annotated[Path | None, typer.Option(help="Folder of the encoded rooms.")] = None,
    user: Annotated[str, typer.Option(help="Demand digest log-in with this user.")] = "",
    password: Annotated[
        str, typer.Option(envvar="XUNKAO_SIMULATOR_PASSWORD", help="…and this password.")
    ] = "",
) -> None:
    """Run cameras that are not there: drawn exam rooms over RTSP, with faults on command."""
    from edge.simulator.app import SimulatorSettings
    from edge.simulator.app import simulate as run_cameras

    chosen = cache or Path(
        os.environ.get("XUNKAO_CACHE") or Path.home() / ".cache" / "xunkao" / "simulator"
    )
    settings = SimulatorSettings(
        cameras=cameras,
        port=port,
        control_port=control,
        cache=chosen,
        user=user,
        password=password,
    )

    def ready(rtsp: int, control_port: int) -> None:
        typer.echo(f"ready rtsp://127.0.0.1:{rtsp} http://127.0.0.1:{control_port}")

    try:
        asyncio.run(until_told(lambda: run_cameras(settings, ready)))
    except OSError as error:
        raise _fail(error, 1) from error


@shelf.command()
def verify(
    config: ConfigOption = DEFAULT,
    as_json: Annotated[bool, typer.Option("--json", help="Say it for programs.")] = False,
) -> None:
    """Read everything on disk through against the journal; exit 1 names what is broken first."""
    from edge.journal import JournalBusy, JournalDamaged
    from edge.recording.shelfcheck import NothingToVerify
    from edge.shelfreport import report

    settings = _load(config)
    try:
        is_intact = asyncio.run(report(settings, as_json=as_json))
    except (NothingToVerify, JournalBusy, JournalDamaged, OSError) as error:
        raise _fail(error) from error
    if not is_intact:
        raise typer.Exit(1)


def _child(name: str, config: Path) -> None:
    from edge.children import live_as_child
    from edge.journal import JournalReplaced
    from edge.recording.volume import WrongVolume

    settings = _load(config)
    _log()
    clock = SystemClock()
    if name == "recorder":
        from edge.recording.process import run as work
    elif name == "live":
        from edge.live.process import run as work
    elif name == "archive":
        from edge.archive.process import run as work
    else:
        from edge.eyes.process import run as work
    try:
        asyncio.run(live_as_child(work(settings, clock), settings.run / f"{name}.alive"))
    except WrongVolume as error:
        raise _fail(error, 3) from error
    except ExceptionGroup as group:
        news = [cause for cause in causes(group) if isinstance(cause, JournalReplaced)]
        if not news:
            raise
        raise _fail(news[0], 4) from group  # the agent starts it again


@app.command(hidden=True)
def recorder(config: ConfigOption = DEFAULT) -> None:
    """Run the recorder alone."""
    _child("recorder", config)


@app.command(hidden=True)
def live(config: ConfigOption = DEFAULT) -> None:
    """Run the live process alone."""
    _child("live", config)


@app.command(hidden=True)
def eyes(config: ConfigOption = DEFAULT) -> None:
    """Run the eyes alone."""
    _child("eyes", config)


@app.command(hidden=True)
def archive(config: ConfigOption = DEFAULT) -> None:
    """Make second copies alone."""
    _child("archive", config)


def main() -> None:
    """Enter here."""
    app()


if __name__ == "__main__":
    main()
